// Package demo runs the whole product on one machine: a real Kratos, Holdline on
// SQLite with a phone simulator, and pages to register, change the number and
// type the code. Holdline itself is handed in, so that the demo depends on
// nothing but its own pages.
package demo
