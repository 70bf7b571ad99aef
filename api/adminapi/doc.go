// Package adminapi is what administrators can do without the console, as JSON on
// the admin listener: the settings that change while the program runs, claims,
// texts and the audit trail. A bearer token with the scope claims:manage opens it.
package adminapi
