package kratos_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/holdline/holdline/internal/auth"
	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/internal/problem"
	"github.com/holdline/holdline/internal/scim"
	"github.com/holdline/holdline/kratos"
)

// calls are all that a directory can be asked.
func calls(ctx context.Context, d *kratos.Client, id string, number phone.Number) map[string]func() error {
	return map[string]func() error{
		"Identity":       func() error { _, err := d.Identity(ctx, id); return err },
		"Adopt":          func() error { return d.ApplyNumber(ctx, id, number, true) },
		"Mark":           func() error { return d.ShowPending(ctx, id, number) },
		"Unmark":         func() error { return d.ClearPending(ctx, id) },
		"CodeIdentifier": func() error { _, err := d.CodeIdentifier(ctx, "person"); return err },
		"Prefetch":       func() error { return d.Prefetch(ctx) },
		"Session":        func() error { _, err := d.Session(ctx, "", "ory_st_token"); return err },
		"Login":          func() error { _, err := d.Login(ctx, "anna@holdline.test", "correct horse"); return err },
		"Record":         func() error { _, err := d.Record(ctx, id); return err },
		"Create": func() error {
			_, err := d.Create(ctx, scim.Draft{SchemaID: "person", Traits: map[string]any{"email": "anna@holdline.test"}, Password: "correct horse"})
			return err
		},
		"Change": func() error {
			_, err := d.Change(ctx, id, []scim.Operation{{Op: scim.Add, Path: "/traits/mobile", Value: number.Unmasked()}})
			return err
		},
		"Delete":           func() error { return d.Delete(ctx, id) },
		"EndSessions":      func() error { return d.EndSessions(ctx, id) },
		"EndOtherSessions": func() error { return d.EndOtherSessions(ctx, id, "kept") },
		"Page":             func() error { _, _, err := d.Page(ctx, "", 9); return err },
		"FindByIdentifier": func() error { _, err := d.FindByIdentifier(ctx, "anna@holdline.test"); return err },
	}
}

func TestKratosStopped(t *testing.T) {
	requireKratos(t)
	own, err := start(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(own.stop)
	now := newClock()
	d := open(t, own, func(o *kratos.Options) { o.Now = now.Now })
	id := own.add(t, person{email: email()})
	if code, err := d.CodeIdentifier(t.Context(), "member"); err != nil || !code {
		t.Fatalf("got %v, %v", code, err)
	}
	own.stop()
	for name, call := range calls(t.Context(), d, id, number(t)) {
		if err := call(); !errors.Is(err, claim.ErrIdentitiesUnavailable) {
			t.Errorf("%s: got %v, want %v", name, err, claim.ErrIdentitiesUnavailable)
		}
	}
	now.advance(24 * time.Hour)
	if code, err := d.CodeIdentifier(t.Context(), "member"); err != nil || !code {
		t.Errorf("a schema read before is forgotten: %v, %v", code, err)
	}
}

// A real Kratos cannot be made to answer like this.
func TestPassingFaults(t *testing.T) {
	const secret = "+8613799998888"
	leave := make(chan struct{})
	answer := func(status int, kind, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", kind)
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		}
	}
	failure := func(status int) http.HandlerFunc {
		return answer(status, "application/json", fmt.Sprintf(`{"error":{"code":%d,"reason":%q}}`, status, secret))
	}
	for name, tt := range map[string]struct {
		answer  http.HandlerFunc
		timeout time.Duration
	}{
		"500":               {failure(500), 0},
		"503":               {failure(503), 0},
		"429":               {failure(429), 0},
		"404 of a proxy":    {answer(404, "text/plain", "404 page not found "+secret), 0},
		"409 of a proxy":    {answer(409, "application/json", `{"detail":"`+secret+`"}`), 0},
		"400 of a proxy":    {answer(400, "text/html", "<p>"+secret), 0},
		"401 of a proxy":    {answer(401, "application/json", `{"error":"unauthorized"}`), 0},
		"a login page":      {answer(200, "text/html", "<form>"+secret), 0},
		"nothing":           {answer(200, "application/json", ""), 0},
		"not this identity": {answer(200, "application/json", `{"id":"`+uuid.NewString()+`","state":"`+secret+`"`), 0},
		"half an answer": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "99")
			_, _ = io.WriteString(w, `{"id":"`)
		}, 0},
		"half a refusal": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "99")
			w.WriteHeader(http.StatusNotFound)
			_, _ = io.WriteString(w, `{"error":{"code":404}}`)
		}, 0},
		"connection dropped": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, 0},
		"sent elsewhere": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/"+secret, http.StatusTemporaryRedirect)
		}, 0},
		"hangs":             {func(_ http.ResponseWriter, r *http.Request) { wait(r, leave) }, 50 * time.Millisecond},
		"an endless answer": {answer(200, "application/json", `{"id":"`+strings.Repeat("x", 5<<20)), 0},
	} {
		t.Run(name, func(t *testing.T) {
			upstream := httptest.NewServer(tt.answer)
			t.Cleanup(upstream.Close)
			d := open(t, &server{public: upstream.URL, admin: upstream.URL}, func(o *kratos.Options) {
				if tt.timeout > 0 {
					o.Timeout = tt.timeout
				}
			})
			for call, do := range calls(t.Context(), d, uuid.NewString(), phone.FromStore(secret)) {
				err := do()
				if !errors.Is(err, claim.ErrIdentitiesUnavailable) {
					t.Errorf("%s: got %v, want %v", call, err, claim.ErrIdentitiesUnavailable)
					continue
				}
				for _, word := range []string{secret, "anna", "horse", "ory_st", "xxx"} {
					if strings.Contains(err.Error(), word) {
						t.Errorf("%s: error tells %q: %v", call, word, err)
					}
				}
			}
		})
	}
	close(leave)
}

// wait holds a request until its client leaves, which a server notices only when
// the body is read.
func wait(r *http.Request, leave <-chan struct{}) {
	_, _ = io.Copy(io.Discard, r.Body)
	select {
	case <-r.Context().Done():
	case <-leave:
	}
}

func TestCallerGoesAway(t *testing.T) {
	upstream := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(upstream.Close)
	d := open(t, &server{public: upstream.URL, admin: upstream.URL}, nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for name, call := range calls(ctx, d, uuid.NewString(), number(t)) {
		if err := call(); !errors.Is(err, claim.ErrIdentitiesUnavailable) {
			t.Errorf("%s: got %v, want %v", name, err, claim.ErrIdentitiesUnavailable)
		}
	}
}

// A proxy before Kratos that lets nobody in stays so until an operator does something.
// An accepted number is written all the same, once it does.
func TestWhoeverIsNotLetInTellsTheOperator(t *testing.T) {
	for _, status := range []int{http.StatusUnauthorized, http.StatusForbidden} {
		proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
		t.Cleanup(proxy.Close)
		d := open(t, &server{public: proxy.URL, admin: proxy.URL}, nil)
		_, err := d.Identity(t.Context(), uuid.NewString())
		if !errors.Is(err, problem.ErrMisconfigured) || !errors.Is(err, claim.ErrIdentitiesUnavailable) || problem.KindOf(err) != problem.Internal {
			t.Errorf("%d: got %v", status, err)
		}
	}
}

// A second factor cannot be enrolled by API alone; the answer is Kratos' own.
func TestSessionLacksSecondFactor(t *testing.T) {
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, `{"error":{"id":"session_aal2_required","code":403,"status":"Forbidden"}}`)
	}))
	t.Cleanup(upstream.Close)
	d := open(t, &server{public: upstream.URL, admin: upstream.URL}, nil)
	if _, err := d.Session(t.Context(), "", "ory_st_token"); !errors.Is(err, auth.ErrNoSession) {
		t.Errorf("got %v, want %v", err, auth.ErrNoSession)
	}
}

func TestSessionsThatDoNotCount(t *testing.T) {
	for name, tt := range map[string]struct {
		body string
		want error
	}{
		"ended":             {`{"id":"1","active":false,"identity":{"id":"2","schema_id":"","schema_url":"","traits":{}}}`, auth.ErrNoSession},
		"of inactive":       {`{"id":"1","active":true,"identity":{"id":"2","state":"inactive"}}`, auth.ErrNoSession},
		"without a person":  {`{"id":"1","active":true}`, claim.ErrIdentitiesUnavailable},
		"something unknown": {`{"id":"1","active":true,"identity":{"id":"2"},"authenticator_assurance_level":"aal9"}`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				_, _ = io.WriteString(w, tt.body)
			}))
			t.Cleanup(upstream.Close)
			d := open(t, &server{public: upstream.URL, admin: upstream.URL}, nil)
			if _, err := d.Session(t.Context(), "", "ory_st_token"); !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}
