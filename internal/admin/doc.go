// Package admin is what administrators do: search claims and people, read their history, resend,
// cancel, look at a full number, answer alarms, restrict traffic, try gateways, make and revoke tokens.
package admin
