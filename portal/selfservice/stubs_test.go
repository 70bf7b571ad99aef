package selfservice_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/holdline/holdline/portal/selfservice"
)

// world is a Kratos that answers what a test tells it to, with the demo's pages
// in front of it. demo's tests have a real Kratos.
type world struct {
	pages  http.Handler
	kratos *httptest.Server

	mu     sync.Mutex
	whoami string // an identity; blank for no session
	flow   reply  // any flow
}

type reply struct {
	status int
	body   string
}

const (
	session   = "ory_kratos_session=s3cret"
	verifyURL = "http://127.0.0.1:4477/verify"
	phoneURL  = "http://127.0.0.1:4478/simulator/"
)

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{}
	w.kratos = httptest.NewServer(http.HandlerFunc(w.serveKratos))
	t.Cleanup(w.kratos.Close)
	var err error
	w.pages, err = selfservice.Demo(selfservice.DemoOptions{
		KratosPublicURL: w.kratos.URL + "/", VerifyURL: verifyURL, PhoneURL: phoneURL,
		ConsoleURL: "http://127.0.0.1:4478/console", Email: "demo@example.org", Password: "pass<word",
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) serveKratos(out http.ResponseWriter, r *http.Request) {
	w.mu.Lock()
	defer w.mu.Unlock()
	signedIn := w.whoami != "" && strings.Contains(r.Header.Get("Cookie"), session)
	switch {
	case r.URL.Path == "/sessions/whoami" && signedIn:
		_, _ = fmt.Fprintf(out, `{"active":true,"identity":%s}`, w.whoami)
	case r.URL.Path == "/self-service/logout/browser" && signedIn:
		_, _ = fmt.Fprintf(out, `{"logout_url":"%s/self-service/logout?token=x"}`, w.kratos.URL)
	case strings.HasSuffix(r.URL.Path, "/flows"):
		out.WriteHeader(w.flow.status)
		_, _ = io.WriteString(out, w.flow.body)
	case r.URL.Path == "/self-service/errors":
		_, _ = io.WriteString(out, `{"error":{"reason":"<i>reason</i>"}}`)
	default:
		out.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(out, `{"error":{"code":401}}`)
	}
}

// get asks for a page as a signed-in browser does.
func (w *world) get(path string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, "http://127.0.0.1:4455"+path, nil)
	r.Header.Set("Cookie", session)
	out := httptest.NewRecorder()
	w.pages.ServeHTTP(out, r)
	return out
}

func settingsFlow(t *testing.T) reply {
	t.Helper()
	body, err := os.ReadFile("testdata/settings-flow.json")
	if err != nil {
		t.Fatal(err)
	}
	return reply{status: 200, body: string(body)}
}

// wants checks the status and that the body has all of these and none of those.
func wants(t *testing.T, got *httptest.ResponseRecorder, status int, all []string, none ...string) {
	t.Helper()
	if got.Code != status {
		t.Errorf("got status %d, want %d", got.Code, status)
	}
	body := got.Body.String()
	for _, part := range all {
		if !strings.Contains(body, part) {
			t.Errorf("the page lacks %q", part)
		}
	}
	for _, part := range none {
		if strings.Contains(body, part) {
			t.Errorf("the page has %q", part)
		}
	}
	if t.Failed() {
		t.Log(body)
	}
}

// leadsTo checks that an answer is a redirect.
func leadsTo(t *testing.T, got *httptest.ResponseRecorder, want string) {
	t.Helper()
	if got.Code != http.StatusSeeOther || got.Header().Get("Location") != want {
		t.Errorf("got %d to %q, want 303 to %q", got.Code, got.Header().Get("Location"), want)
	}
}
