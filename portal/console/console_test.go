package console_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"

	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/settings"
)

// routes are those of the engine itself, so that a new one is tested too. Their
// parameters are filled in.
func routes(t *testing.T, w *world, method string) []string {
	t.Helper()
	c := w.claim(func(c *claim.Claim) { c.IdentityID = w.newID() })
	var paths []string
	for _, route := range w.handler.(*gin.Engine).Routes() {
		if route.Method != method {
			continue
		}
		paths = append(paths, strings.NewReplacer(":id", c.ID, ":act", "resend", ":name", "console.css").Replace(route.Path))
	}
	if len(paths) < 8 {
		t.Fatalf("got %d routes", len(paths))
	}
	return paths
}

func TestFormsOfOthersChangeNothing(t *testing.T) {
	for name, forged := range map[string]http.Header{
		"from nowhere":            {},
		"another site's":          {"Sec-Fetch-Site": {"cross-site"}},
		"a neighbour site's":      {"Sec-Fetch-Site": {"same-site"}},
		"an older browser's":      {"Origin": {"https://evil.example"}},
		"a sandboxed frame's":     {"Origin": {"null"}},
		"one at http, on the way": {"Origin": {"http://example.com"}, "X-Forwarded-Proto": {"https"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			for _, path := range routes(t, w, http.MethodPost) {
				b := w.administrator()
				lines, all, tokens, sessions := len(w.store.Events()), len(w.settings.Events()), len(w.kept.Events()), len(w.sessions.Events())
				fields := url.Values{
					"token": {w.token}, "enable_verification": {""}, "was.enable_verification": {"true"},
					"switch": {string(settings.Verify)}, "name": {"ops"}, "number": {wanted},
				}
				b.header = forged
				says(t, b.post(path, fields), http.StatusForbidden)
				if len(w.store.Events()) != lines || len(w.settings.Events()) != all || len(w.kept.Events()) != tokens || len(w.sessions.Events()) != sessions {
					t.Errorf("%s changed something", path)
				}
			}
		})
	}
}

func TestActsNeedASession(t *testing.T) {
	w := newWorld(t)
	for _, path := range routes(t, w, http.MethodPost) {
		if path == "/console/sign-in" {
			continue
		}
		says(t, w.browser().post(path, nil), http.StatusUnauthorized, "Operator's token")
	}
}

func TestLargeFormsAreRefused(t *testing.T) {
	b := newWorld(t).administrator()
	says(t, b.post("/console/settings", url.Values{"x": {strings.Repeat("x", 70<<10)}}), http.StatusBadRequest, "cannot be read")
}

func TestEveryAnswerHasTheHeadersOfPages(t *testing.T) {
	w := newWorld(t)
	b := w.administrator()
	check := func(path string, got *httptest.ResponseRecorder) {
		t.Helper()
		header := got.Header()
		policy := header.Get("Content-Security-Policy")
		if !strings.Contains(policy, "default-src 'none'; script-src 'self'; style-src 'self'") || !strings.Contains(policy, "frame-ancestors 'none'") || strings.Contains(policy, "unsafe") {
			t.Errorf("%s: got policy %q", path, policy)
		}
		if header.Get("X-Content-Type-Options") != "nosniff" || header.Get("Cache-Control") != "no-store" || header.Get("Referrer-Policy") != "same-origin" {
			t.Errorf("%s: headers are missing: %v", path, header)
		}
	}
	for _, path := range append(routes(t, w, http.MethodGet), "/console/nothing", "/console/claims?after=x", "/console/assets/none") {
		got := b.get(path)
		check(path, got)
		if got.Code == http.StatusOK && strings.HasPrefix(got.Header().Get("Content-Type"), "text/html") {
			whole(t, path, got.Body.String())
		}
		check(path, w.browser().get(path))
	}
	for _, path := range routes(t, w, http.MethodPost) {
		check(path, b.post(path, nil))
	}
}

var inline = regexp.MustCompile(`(?i)<script>|<style|\sstyle=|\son[a-z]+=|javascript:`)

// whole checks what every page must have.
func whole(t *testing.T, path, body string) {
	t.Helper()
	for _, part := range []string{`<html lang="en"`, `<a class="skip" href="#main">`, `<main id="main"`, "<h1>", `name="viewport"`} {
		if !strings.Contains(body, part) {
			t.Errorf("%s lacks %s", path, part)
		}
	}
	if found := inline.FindString(body); found != "" {
		t.Errorf("%s has %q in it, which the policy forbids", path, found)
	}
	if strings.Contains(body, "<nav class=\"menu\"") && strings.Count(body, `aria-current="page"`)+strings.Count(body, `aria-current="true"`) < 1 {
		t.Errorf("%s marks no item of the menu", path)
	}
	if strings.Count(body, "<h1>") != 1 || strings.Contains(body, "<h3") {
		t.Errorf("%s has its headings out of order", path)
	}
	if tables := strings.Count(body, "<table>"); strings.Count(body, `role="region" aria-label="`) < tables || strings.Count(body, `tabindex="0"`) < tables {
		t.Errorf("%s has a table that cannot be scrolled by the keyboard", path)
	}
	for _, id := range regexp.MustCompile(`(?:for|aria-describedby)="([^"]+)"`).FindAllStringSubmatch(body, -1) {
		for name := range strings.FieldsSeq(id[1]) {
			if strings.Count(body, `id="`+name+`"`) != 1 {
				t.Errorf("%s names %q, which is there %d times", path, name, strings.Count(body, `id="`+name+`"`))
			}
		}
	}
}
