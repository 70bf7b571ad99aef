package harness

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

// Site is somebody else's web site beside Holdline: the operator's own pages, or
// an attacker's. It answers every address with a page that says its path, in an
// element with the id "site".
type Site struct {
	URL string
	// Pages are the bodies of pages that say something else, by path.
	Pages map[string]string
}

// NewSite starts a site.
func NewSite(t testing.TB) *Site {
	t.Helper()
	s := &Site{Pages: map[string]string{}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		body, ok := s.Pages[r.URL.Path]
		if !ok {
			body = `<p id="site">` + r.URL.EscapedPath() + `</p>`
		}
		_, _ = w.Write([]byte(`<!DOCTYPE html><html lang="en"><title>A site</title><body>` + body))
	}))
	t.Cleanup(server.Close)
	s.URL = server.URL
	return s
}
