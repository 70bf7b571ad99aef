// Package scimtest plays, for tests, what provisioning products do for years: each
// cycle they repeat what their directory says of everybody, with the requests that
// Okta and Microsoft publish, while people change numbers, confirm them or forget
// to, leave and come back.
package scimtest
