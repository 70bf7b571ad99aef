package web_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/holdline/holdline/internal/web"
)

// shared is a server below whose /me an origin is welcome.
func shared(t *testing.T, origins ...string) http.Handler {
	t.Helper()
	handler, err := web.ShareWith(origins, "/me", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusTeapot)
	}))
	if err != nil {
		t.Fatal(err)
	}
	return handler
}

func ask(handler http.Handler, method, path string, headers ...string) *httptest.ResponseRecorder {
	request := httptest.NewRequest(method, path, nil)
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	got := httptest.NewRecorder()
	handler.ServeHTTP(got, request)
	return got
}

// allowed are the headers of CORS in an answer.
func allowed(got *httptest.ResponseRecorder) map[string]string {
	found := map[string]string{}
	for name, values := range got.Header() {
		if short, ok := strings.CutPrefix(name, "Access-Control-"); ok {
			found[short] = strings.Join(values, ", ")
		}
	}
	return found
}

const (
	app  = "https://account.example.com"
	evil = "https://account.example.com.evil.example"
)

func TestOnlyListedOriginsMayRead(t *testing.T) {
	handler := shared(t, "HTTPS://Account.example.com:443", "http://localhost:4455")
	for _, origin := range []string{app, "http://localhost:4455"} {
		got := ask(handler, http.MethodGet, "/me/mobile-claim", "Origin", origin)
		if a := allowed(got); got.Code != http.StatusTeapot || a["Allow-Origin"] != origin || a["Allow-Credentials"] != "true" ||
			a["Expose-Headers"] != "Retry-After, X-Request-Id" || got.Header().Get("Vary") != "Origin" {
			t.Errorf("%s: got %d %v, Vary %q", origin, got.Code, a, got.Header()["Vary"])
		}
	}
	for _, origin := range []string{
		evil, "http://account.example.com", "https://account.example.com:8443", "https://x.account.example.com", "null", "*", "http://localhost",
	} {
		got := ask(handler, http.MethodGet, "/me/mobile-claim", "Origin", origin)
		if a := allowed(got); len(a) > 0 || got.Header().Get("Vary") != "Origin" {
			t.Errorf("%s: got %v, Vary %q", origin, a, got.Header()["Vary"])
		}
	}
	if got := ask(handler, http.MethodGet, "/me/mobile-claim"); got.Header().Get("Vary") != "Origin" {
		t.Error("an answer without an origin may be kept for one that has")
	}
}

func TestPreflightsAllowWhatOwnersUse(t *testing.T) {
	handler := shared(t, app)
	for name, tt := range map[string]struct {
		origin, method, headers string
		want                    bool
	}{
		"a code":               {app, "POST", "content-type", true},
		"a token":              {app, "GET", "authorization,x-session-token", true},
		"taking back":          {app, "DELETE", "", true},
		"another method":       {app, "PUT", "", false},
		"another header":       {app, "POST", "content-type,x-forwarded-for", false},
		"another origin":       {evil, "POST", "content-type", false},
		"the origin of a file": {"null", "POST", "content-type", false},
	} {
		headers := []string{"Origin", tt.origin, "Access-Control-Request-Method", tt.method}
		if tt.headers != "" {
			headers = append(headers, "Access-Control-Request-Headers", tt.headers)
		}
		got := ask(handler, http.MethodOptions, "/me/validate-code", headers...)
		a := allowed(got)
		if got.Code != http.StatusNoContent || (a["Allow-Origin"] == tt.origin) != tt.want {
			t.Errorf("%s: got %d %v", name, got.Code, a)
		}
		if tt.want && (a["Allow-Methods"] != tt.method || a["Allow-Headers"] != tt.headers || a["Allow-Credentials"] != "true" || a["Max-Age"] != "600") {
			t.Errorf("%s: got %v", name, a)
		}
	}
}

func TestOtherPathsAreSharedWithNobody(t *testing.T) {
	for _, path := range []string{"/", "/me", "/meter/x", "/verify", "/health/ready"} {
		for _, method := range []string{http.MethodGet, http.MethodOptions} {
			got := ask(shared(t, app), method, path, "Origin", app, "Access-Control-Request-Method", "GET")
			if a := allowed(got); got.Code != http.StatusTeapot || len(a) > 0 {
				t.Errorf("%s %s: got %d %v", method, path, got.Code, a)
			}
		}
	}
	got := ask(shared(t), http.MethodOptions, "/me/mobile-claim", "Origin", app, "Access-Control-Request-Method", "GET")
	if a := allowed(got); got.Code != http.StatusTeapot || len(a) > 0 {
		t.Errorf("without origins: got %d %v", got.Code, a)
	}
}
