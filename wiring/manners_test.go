package wiring_test

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/holdline/holdline/internal/web"
)

// ask sends a request to a listener as a browser, or as a program.
func ask(t *testing.T, listener http.Handler, method, path, accept string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, path, nil)
	if accept != "" {
		r.Header.Set("Accept", accept)
	}
	out := httptest.NewRecorder()
	listener.ServeHTTP(out, r)
	return out
}

const browsers = "text/html,application/xhtml+xml,*/*;q=0.8"

// guarded wants the headers without which an answer may be framed, guessed at or led
// astray.
func guarded(t *testing.T, name string, answer *httptest.ResponseRecorder) {
	t.Helper()
	header := answer.Header()
	policy := header.Get("Content-Security-Policy")
	if header.Get("X-Content-Type-Options") != "nosniff" || !strings.Contains(policy, "default-src 'none'") ||
		!strings.Contains(policy, "frame-ancestors 'none'") || header.Get("Referrer-Policy") == "" || header.Get("X-Request-Id") == "" {
		t.Errorf("%s: %d with %v", name, answer.Code, header)
	}
	if strings.Contains(policy, "unsafe-") {
		t.Errorf("%s: the policy is %s", name, policy)
	}
}

var variable = regexp.MustCompile(`\{[^}]+\}`)

// Every documented route, the pages and what leads nowhere: HEAD answers as GET,
// no answer is without the headers, a wrong method is 405, and browsers see pages
// where programs read JSON or SCIM.
func TestEveryRouteHasManners(t *testing.T) {
	world := newWorld(t)
	loader := openapi3.NewLoader()
	doc, err := loader.LoadFromFile("../api/openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	type place struct {
		listener http.Handler
		path     string
	}
	places := map[string]place{}
	for _, path := range []string{"/", "/docs", "/favicon.ico", "/nothing", "/front/assets/nothing", "/front/assets/style.css"} {
		places["public "+path], places["admin "+path] = place{world.Public, path}, place{world.Admin, path}
	}
	for _, path := range []string{"/console", "/console/", "/console/claims", "/console/nothing", "/console/assets/nothing"} {
		places["admin "+path] = place{world.Admin, path}
	}
	for _, path := range []string{"/verify/assets/nothing", "/not-me/assets/nothing", "/scim2/nothing", "/verify/nothing"} {
		places["public "+path] = place{world.Public, path}
	}
	documented := 0
	for path, item := range doc.Paths.Map() {
		documented++
		concrete := variable.ReplaceAllString(path, "x")
		if len(item.Servers) != 1 {
			places["public "+path] = place{world.Public, concrete}
		}
		if len(item.Servers) > 0 {
			places["admin "+path] = place{world.Admin, concrete}
		}
	}
	if documented < 20 {
		t.Fatalf("the document has %d routes", documented)
	}
	for name, at := range places {
		for _, accept := range []string{"", browsers} {
			read := ask(t, at.listener, http.MethodGet, at.path, accept)
			guarded(t, "GET "+name, read)
			if read.Code >= http.StatusInternalServerError {
				t.Errorf("GET %s: %d %s", name, read.Code, read.Body)
			}
			head := ask(t, at.listener, http.MethodHead, at.path, accept)
			guarded(t, "HEAD "+name, head)
			if head.Code != read.Code || head.Body.Len() > 0 || head.Header().Get("Content-Type") != read.Header().Get("Content-Type") {
				t.Errorf("HEAD %s: %d %s with %d bytes, and GET %d %s", name, head.Code, head.Header().Get("Content-Type"),
					head.Body.Len(), read.Code, read.Header().Get("Content-Type"))
			}
			wrong := ask(t, at.listener, "PROPFIND", at.path, accept)
			guarded(t, "PROPFIND "+name, wrong)
			if wrong.Code != http.StatusMethodNotAllowed && wrong.Code != http.StatusNotFound && wrong.Code != http.StatusUnauthorized {
				t.Errorf("PROPFIND %s: %d", name, wrong.Code)
			}
			for _, answer := range []*httptest.ResponseRecorder{read, wrong} {
				kind := answer.Header().Get("Content-Type")
				page := accept != "" && answer.Code >= http.StatusBadRequest
				switch {
				case strings.Contains(name, "/console") || strings.Contains(name, "/assets/") || strings.Contains(name, "/scim2/"): // their own forms
				case strings.Contains(name, "/verify") || strings.Contains(name, "/not-me/"): // always pages
				case page && (!strings.HasPrefix(kind, "text/html") || !strings.Contains(answer.Body.String(), answer.Header().Get("X-Request-Id"))):
					t.Errorf("%s for a browser: %d %s %s", name, answer.Code, kind, answer.Body)
				case !page && answer.Code >= http.StatusBadRequest && !strings.HasPrefix(kind, "application/json"):
					t.Errorf("%s for a program: %d %s", name, answer.Code, kind)
				}
			}
		}
	}
}

// The first page leads to documents and health, on both listeners.
func TestTheFirstPageLeadsOn(t *testing.T) {
	world := newWorld(t)
	link := regexp.MustCompile(`<dt><a href="([^"]+)">`)
	for name, listener := range map[string]http.Handler{"public": world.Public, "admin": world.Admin} {
		page := ask(t, listener, http.MethodGet, "/", browsers)
		found := link.FindAllStringSubmatch(page.Body.String(), -1)
		if page.Code != http.StatusOK || len(found) < 4 {
			t.Fatalf("%s: %d %s", name, page.Code, page.Body)
		}
		for _, to := range found {
			got := ask(t, listener, http.MethodGet, "/"+to[1], browsers)
			if got.Code >= http.StatusBadRequest && !strings.Contains(to[1], "console") { // which asks who comes
				t.Errorf("%s leads to %s: %d", name, to[1], got.Code)
			}
		}
		index := ask(t, listener, http.MethodGet, "/", "")
		if !strings.HasPrefix(index.Header().Get("Content-Type"), "application/json") || !strings.Contains(index.Body.String(), `"version":"test"`) {
			t.Errorf("%s for a program: %s", name, index.Body)
		}
		icon := ask(t, listener, http.MethodGet, "/favicon.ico", "")
		if icon.Code != http.StatusOK || icon.Header().Get("Content-Type") != "image/svg+xml" || icon.Body.Len() == 0 {
			t.Errorf("%s: the icon is %d %v", name, icon.Code, icon.Header())
		}
	}
	if !web.WantsPage(&http.Request{Header: http.Header{"Accept": {browsers}}}) {
		t.Error("browsers are taken for programs")
	}
}
