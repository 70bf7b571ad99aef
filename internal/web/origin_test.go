package web_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/holdline/holdline/internal/web"
)

func TestRequestsOfOtherOriginsArePickedOut(t *testing.T) {
	origins, err := web.NewOrigins("https://id.example.com/base/path", "HTTPS://Account.example.com:443/ui", "http://localhost:4455")
	if err != nil {
		t.Fatal(err)
	}
	type headers map[string]string
	for name, tt := range map[string]struct {
		host    string
		headers headers
		request bool // a request of an API is let through
		form    bool // a page's form is
	}{
		"the own page":                        {"id.example.com", headers{"Sec-Fetch-Site": "same-origin"}, true, true},
		"the own page at another host":        {"10.0.0.7:8080", headers{"Sec-Fetch-Site": "same-origin", "Origin": "https://id.example.com"}, true, true},
		"typed by a person":                   {"id.example.com", headers{"Sec-Fetch-Site": "none"}, true, true},
		"another site":                        {"id.example.com", headers{"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}, false, false},
		"a neighbour":                         {"id.example.com", headers{"Sec-Fetch-Site": "same-site", "Origin": "https://evil.example.com"}, false, false},
		"a neighbour without its origin":      {"id.example.com", headers{"Sec-Fetch-Site": "same-site"}, false, false},
		"a neighbour that is trusted":         {"id.example.com", headers{"Sec-Fetch-Site": "same-site", "Origin": "https://account.example.com"}, true, true},
		"a site of a later standard":          {"id.example.com", headers{"Sec-Fetch-Site": "elsewhere"}, false, false},
		"a sandboxed frame":                   {"id.example.com", headers{"Sec-Fetch-Site": "cross-site", "Origin": "null"}, false, false},
		"before 2023, own":                    {"id.example.com", headers{"Origin": "https://id.example.com"}, true, true},
		"before 2023, own behind a proxy":     {"holdline:8080", headers{"Origin": "https://id.example.com"}, true, true},
		"before 2023, unknown behind a proxy": {"holdline:8080", headers{"Origin": "https://other.example.com"}, false, false},
		"before 2023, another":                {"id.example.com", headers{"Origin": "https://evil.example"}, false, false},
		"before 2023, another port":           {"id.example.com", headers{"Origin": "https://id.example.com:8443"}, false, false},
		"before 2023, a sandboxed frame":      {"id.example.com", headers{"Origin": "null"}, false, false},
		"a sandboxed frame, no host":          {"", headers{"Origin": "null"}, false, false},
		"somebody on the way, at http":        {"id.example.com", headers{"Origin": "http://id.example.com"}, false, false},
		"on the way, known by the proxy":      {"console.example.com", headers{"Origin": "http://console.example.com", "X-Forwarded-Proto": "https"}, false, false},
		"no TLS anywhere":                     {"console.internal:8081", headers{"Origin": "http://console.internal:8081"}, true, true},
		"trusted without TLS":                 {"holdline:8080", headers{"Origin": "http://localhost:4455"}, true, true},
		"no browser, or one of before 2020":   {"id.example.com", nil, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodGet, http.MethodHead} {
				r := httptest.NewRequest(method, "/", nil)
				r.Host = tt.host
				for name, value := range tt.headers {
					r.Header.Set(name, value)
				}
				safe := method == http.MethodGet || method == http.MethodHead
				if err := origins.Check(r); (err == nil) != (tt.request || safe) || err != nil && !errors.Is(err, web.ErrCrossOrigin) {
					t.Errorf("%s: got %v for a request", method, err)
				}
				if err := origins.CheckForm(r); (err == nil) != (tt.form || safe) || err != nil && !errors.Is(err, web.ErrCrossOrigin) {
					t.Errorf("%s: got %v for a form", method, err)
				}
			}
		})
	}
}

func TestNoOriginsAreTheServersOwn(t *testing.T) {
	var none *web.Origins
	for origin, want := range map[string]bool{"https://example.com": true, "https://evil.example": false, "null": false} {
		r := httptest.NewRequest(http.MethodPost, "https://example.com/", nil)
		r.Header.Set("Origin", origin)
		if got := none.Check(r) == nil; got != want {
			t.Errorf("%s: got %v, want %v", origin, got, want)
		}
	}
}

func TestAnAddressWithoutAnOriginIsNotTrusted(t *testing.T) {
	for _, address := range []string{"", "id.example.com", "/path", "https://", "http://[::1"} {
		if _, err := web.NewOrigins(address); err == nil {
			t.Errorf("%q is trusted", address)
		}
	}
}
