// Package users reads and changes SCIM users, who are identities of Kratos. It reads and
// writes them through the directory, has the claims decide on mobile numbers, and
// keeps the index in step. It knows no HTTP.
//
// An identity is written by one PATCH to Kratos, with all that a request changes
// or with nothing, while nobody else of Holdline writes it. A mobile number that
// has to be proven first is staged before that PATCH and texted after it, as in a
// settings flow.
package users
