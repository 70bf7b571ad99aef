// Package audit has the lines of the audit trail: who did what to which claim, and when.
package audit
