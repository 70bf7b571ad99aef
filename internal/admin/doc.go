// Package admin is what administrators do with claims: search, read one's history,
// resend, cancel, look at a full number.
package admin
