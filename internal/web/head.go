package web

import "net/http"

// Head answers HEAD as GET, without the body (RFC 9110, section 9.3.2): whatever can
// be read can be asked about. Logs and metrics count it as GET.
func Head(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodHead {
			next.ServeHTTP(w, r)
			return
		}
		asked := r.Clone(r.Context())
		asked.Method = http.MethodGet
		next.ServeHTTP(bodiless{w}, asked)
	})
}

// bodiless is a writer that drops the body.
type bodiless struct{ http.ResponseWriter }

// Write implements [http.ResponseWriter].
func (b bodiless) Write(content []byte) (int, error) { return len(content), nil }

// Unwrap returns the server's own writer.
func (b bodiless) Unwrap() http.ResponseWriter { return b.ResponseWriter }
