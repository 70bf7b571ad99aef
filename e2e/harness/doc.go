// Package harness runs the real parts that the end-to-end tests are about: the
// built holdline, Ory Kratos, MariaDB, an SMS provider and a browser, all on
// loopback addresses, free ports and temporary folders. Every server is stopped
// by its process id when its test ends, also by failure or panic, and dies with
// the test program whatever becomes of that.
package harness
