package portal_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/holdline/holdline/portal"
)

// world is a Kratos and a Holdline that answer what a test tells them to, with
// the demo's pages in front of them. demo's tests have a real Kratos.
type world struct {
	pages   http.Handler
	kratos  *httptest.Server
	backend *httptest.Server

	mu     sync.Mutex
	whoami string            // an identity; blank for no session
	flow   reply             // any flow
	claim  func(n int) reply // the n-th GET, from 1
	act    map[string]reply  // by method and last part of the path
	asked  []string          // what Holdline was asked to do
	cookie string            // that the last call brought
	looks  int
}

type reply struct {
	status int
	body   string
	wait   string
}

const session = "ory_kratos_session=s3cret"

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{act: map[string]reply{}, claim: func(int) reply { return fault(404, "HLD-40401", "No mobile number is pending.") }}
	w.kratos = httptest.NewServer(http.HandlerFunc(w.serveKratos))
	w.backend = httptest.NewServer(http.HandlerFunc(w.serveHoldline))
	t.Cleanup(w.kratos.Close)
	t.Cleanup(w.backend.Close)
	var err error
	w.pages, err = portal.Demo(portal.DemoOptions{
		KratosPublicURL: w.kratos.URL + "/", HoldlineURL: w.backend.URL, PhoneURL: "http://127.0.0.1:4478/simulator/",
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func fault(status int, code, description string) reply {
	return reply{status: status, body: fmt.Sprintf(`{"code":%q,"message":"m","description":%q,"traceId":"t"}`, code, description)}
}

// open is a claim as Holdline shows it, of a moment long past.
func open(more string) func(int) reply {
	return func(int) reply {
		return reply{status: 200, body: `{"state":"open","pendingMobileNumber":"+44*******456","expiresAt":"2020-01-02T00:00:00Z",` +
			`"codeExpiresAt":"2100-01-01T00:00:00Z","nextResendAt":"2020-01-01T00:00:00Z","attemptsLeft":4,"text":"sent"` + more + `}`}
	}
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

func (w *world) serveHoldline(out http.ResponseWriter, r *http.Request) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cookie = r.Header.Get("Cookie")
	answer := reply{status: 599}
	path := strings.TrimPrefix(r.URL.Path, "/api/identity/user/v1.0/me/")
	switch {
	case r.Method == http.MethodGet && path == "mobile-claim":
		w.looks++
		answer = w.claim(w.looks)
	default:
		body, _ := io.ReadAll(r.Body)
		w.asked = append(w.asked, strings.TrimSpace(r.Method+" "+path+" "+string(body)))
		answer = w.act[r.Method+" "+path]
	}
	if answer.wait != "" {
		out.Header().Set("Retry-After", answer.wait)
	}
	out.WriteHeader(answer.status)
	_, _ = io.WriteString(out, answer.body)
}

// get asks for a page as a signed-in browser does.
func (w *world) get(path string) *httptest.ResponseRecorder {
	return w.do(httptest.NewRequest(http.MethodGet, "http://127.0.0.1:4455"+path, nil))
}

// post submits the form of /confirm as a browser does.
func (w *world) post(action, code string) *httptest.ResponseRecorder {
	return w.do(confirmRequest(action, code, "same-origin"))
}

func confirmRequest(action, code, from string) *http.Request {
	form := url.Values{"action": {action}, "code": {code}}.Encode()
	r := httptest.NewRequest(http.MethodPost, "http://127.0.0.1:4455/confirm", strings.NewReader(form))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", from)
	return r
}

func (w *world) do(r *http.Request) *httptest.ResponseRecorder {
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
