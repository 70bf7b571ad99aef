// Package otp derives one-time codes and signed links from a ring of keys. Nothing
// keeps a code: it is derived again when it is sent and when it is compared.
package otp
