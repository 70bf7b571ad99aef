package web_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/holdline/holdline/internal/auth"
	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/problem"
	"github.com/holdline/holdline/internal/ratelimit"
	"github.com/holdline/holdline/internal/storetest"
	"github.com/holdline/holdline/internal/web"
)

// kratosSays answers every session and every password with an error.
type kratosSays struct{ err error }

func (k kratosSays) Session(context.Context, string, string) (claim.Caller, error) {
	return claim.Caller{}, k.err
}

func (k kratosSays) Login(context.Context, string, string) (claim.Caller, error) {
	return claim.Caller{}, k.err
}

// heard is a listener's failures, its log and what was counted.
type heard struct {
	*web.Failures
	log    bytes.Buffer
	counts map[string]int
	now    time.Time
}

func newHeard() *heard {
	h := &heard{counts: map[string]int{}, now: now}
	h.Failures = &web.Failures{
		Log: slog.New(slog.NewTextHandler(&h.log, nil)), Now: func() time.Time { return h.now },
		Count: func(credential web.Credential, refusal web.Refusal) {
			h.counts[string(credential)+" "+string(refusal)]++
		},
	}
	return h
}

func TestEveryFailedAuthenticationIsHeard(t *testing.T) {
	const secret = "c2VjcmV0OnNlY3JldA=="
	limit := &problem.LimitError{Reason: ratelimit.ErrTooManyTries, Until: now.Add(time.Minute)}
	owner := func(e *web.Server, c *gin.Context) error { _, err := e.Owner(c); return err }
	browser := func(e *web.Server, c *gin.Context) error { _, err := e.Browser(c); return err }
	client := func(e *web.Server, c *gin.Context) error { _, err := e.Client(c); return err }
	helper := func(e *web.Server, c *gin.Context) error { _, err := e.PrivilegedCaller(c); return err }
	for name, tt := range map[string]struct {
		by            func(*web.Server, *gin.Context) error
		header, value string
		says          error  // what Kratos says
		want          string // blank for no failure
	}{
		"session token":               {owner, "X-Session-Token", secret, auth.ErrNoSession, "session wrong"},
		"bearer session":              {owner, "Authorization", "Bearer " + secret, auth.ErrNoSession, "session wrong"},
		"cookie":                      {owner, "Cookie", "ory_kratos_session=" + secret, auth.ErrNoSession, "session wrong"},
		"cookie of a page":            {browser, "Cookie", "ory_kratos_session=" + secret, auth.ErrNoSession, "session wrong"},
		"cookie of Ory Network":       {browser, "Cookie", "ory_session_x=" + secret, auth.ErrNoSession, "session wrong"},
		"password":                    {owner, "Authorization", "Basic " + secret, auth.ErrNoSession, "password wrong"},
		"password at the limit":       {owner, "Authorization", "Basic " + secret, limit, "password limit"},
		"no second factor":            {owner, "Authorization", "Basic " + secret, auth.ErrSecondFactor, "password second_factor"},
		"password of who helps":       {helper, "Authorization", "Basic " + secret, auth.ErrNoSession, "password wrong"},
		"token":                       {client, "Authorization", "Bearer hlt_" + secret, nil, "token wrong"},
		"token at the limit":          {client, "Authorization", "Bearer hlt_full", nil, "token limit"},
		"token of who helps":          {helper, "Authorization", "Bearer hlt_" + secret, nil, "token wrong"},
		"nobody":                      {owner, "X-Nothing", "x", auth.ErrNoSession, ""},
		"a browser not signed in":     {browser, "Cookie", "theme=dark", auth.ErrNoSession, ""},
		"a session while Kratos away": {owner, "X-Session-Token", secret, claim.ErrIdentitiesUnavailable, ""},
		"a token without the store":   {client, "Authorization", "Bearer hlt_away", nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			e, h := server(), newHeard()
			e.Sessions, e.Clients, e.SessionCookies, e.Failures = kratosSays{tt.says}, &clients{}, []string{"ory_kratos_session"}, h.Failures
			request := httptest.NewRequest(http.MethodGet, "/x", nil)
			request.Header.Set(tt.header, tt.value)
			answer(t, request, func(c *gin.Context) {
				if tt.by(e, c) == nil {
					t.Error("let in")
				}
			})
			want := map[string]int{}
			if tt.want != "" {
				want[tt.want] = 1
			}
			if fmt.Sprint(h.counts) != fmt.Sprint(want) {
				t.Errorf("counted %v, want %v", h.counts, want)
			}
			credential, reason, _ := strings.Cut(tt.want, " ")
			line := `msg="authentication failed" credential=` + credential + " reason=" + reason + " address=192.0.2.1\n"
			if tt.want == "" && h.log.Len() > 0 || tt.want != "" && !strings.Contains(h.log.String(), line) {
				t.Errorf("said %q", h.log.String())
			}
			if strings.Contains(h.log.String(), "c2VjcmV0") || strings.Contains(h.log.String(), "secret") {
				t.Error("the secret is in the log")
			}
		})
	}
}

// All are counted, but the log has a line for each address and minute, sixty at
// most, and one of how many there were beside them.
func TestAFloodOfFailuresDoesNotFloodTheLog(t *testing.T) {
	h := newHeard()
	note := func(address string) {
		if err := h.Note(t.Context(), web.Token, address, auth.ErrNoToken); !errors.Is(err, auth.ErrNoToken) {
			t.Fatalf("got %v", err)
		}
	}
	for range 1000 {
		note("192.0.2.1")
	}
	for i := range 1000 {
		note(fmt.Sprintf("198.51.100.%d", i))
	}
	if got := strings.Count(h.log.String(), "\n"); got != 60 {
		t.Errorf("lines of a minute: got %d, want 60", got)
	}
	if h.counts["token wrong"] != 2000 {
		t.Errorf("counted %v", h.counts)
	}
	h.Flush(t.Context())
	h.now = h.now.Add(time.Minute)
	h.Flush(t.Context())
	if !strings.Contains(h.log.String(), "count=1940\n") {
		t.Errorf("the rest is not told: %q", h.log.String()[h.log.Len()-200:])
	}
	h.log.Reset()
	h.Flush(t.Context())
	h.now = h.now.Add(time.Hour)
	h.Flush(t.Context())
	if h.log.Len() > 0 {
		t.Errorf("quiet hours say %q", h.log.String())
	}
	note("192.0.2.1")
	if got := strings.Count(h.log.String(), "\n"); got != 1 {
		t.Errorf("the next failure has %d lines", got)
	}
}

// Sixty names, one address.
func TestWrongPasswordsAreLimitedByAddress(t *testing.T) {
	e := server()
	e.Sessions = kratosSays{auth.ErrNoSession}
	e.Passwords = &auth.Attempts{
		Limiter: &storetest.Limiter{}, Failures: ratelimit.Limit{Most: 50, Window: 15 * time.Minute},
		HashKey: []byte("k"), Now: func() time.Time { return now }, Log: slog.New(slog.DiscardHandler),
	}
	ask := func(user, from string) int {
		request := httptest.NewRequest(http.MethodGet, "/x", nil)
		request.RemoteAddr = from
		request.SetBasicAuth(user, "wrong")
		return answer(t, request, func(c *gin.Context) {
			if _, err := e.Owner(c); err != nil {
				e.Fail(c, err)
			}
		}).Code
	}
	statuses := map[int]int{}
	for i := range 60 {
		statuses[ask(fmt.Sprintf("user-%d", i), "[2001:db8::"+fmt.Sprint(i)+"]:1")]++ // a customer has a whole /64
	}
	if statuses[http.StatusUnauthorized] != 50 || statuses[http.StatusTooManyRequests] != 10 {
		t.Errorf("got %v, want 50 refused and 10 not compared", statuses)
	}
	if got := ask("user", "[2001:db8:1::1]:1"); got != http.StatusUnauthorized {
		t.Errorf("another address: %d", got)
	}
}
