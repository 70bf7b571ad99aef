// Package web is the HTTP server that Holdline's surfaces share: what each kind of error
// is answered with, a generic adapter from JSON requests to functions,
// the authentication of owners, request ids and the access log. It knows no
// route and holds no rule of the domain.
package web
