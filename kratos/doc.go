// Package kratos speaks to Ory Kratos: it reads and writes identities, proves
// who a caller is, and knows which schemas make the mobile number a way to sign
// in. Nothing else in Holdline imports Kratos' client.
//
// Requests are built by kratos-client-go. Answers are read here, because the
// client's models refuse what a newer Kratos adds to its forms. An error names
// the operation and the status, never what Kratos said, which may hold a number
// or a user name. Only Kratos' own refusals have a meaning (a number taken, no
// such identity); the same status from a proxy in between is an outage, so that
// a wrong route never ends anybody's claim.
package kratos
