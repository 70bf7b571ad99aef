package api_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/holdline/holdline/internal/auth"
	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/problem"
	"github.com/holdline/holdline/internal/ratelimit"
	"github.com/holdline/holdline/internal/web"
)

const bob = "9f425a8d-7efc-4768-8f23-7647a74fdf13"

var (
	noon = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	// errOdd is one that nobody planned for.
	errOdd = errors.New("something odd")
)

func limit(reason error) error {
	return &problem.LimitError{Reason: reason, Until: noon.Add(time.Minute)}
}

// failures are what sessions, tokens and names stand for that are no good.
var failures = map[string]error{
	"limited": limit(ratelimit.ErrTooManyTries), "kratos-away": claim.ErrIdentitiesUnavailable, "store-away": problem.ErrStoreUnavailable, "odd": errOdd,
	"half-set-up": problem.Misconfigured(errOdd, "set it up"),
	"halfway":     auth.ErrSecondFactor,
}

// sessions know bob, and root, who is privileged.
type sessions struct{}

func (sessions) Session(_ context.Context, cookie, token string) (claim.Caller, error) {
	if token == "" {
		token = strings.TrimPrefix(cookie, "ory_kratos_session=")
	}
	if err := failures[token]; err != nil {
		return claim.Caller{}, err
	}
	if token == "weak" {
		return claim.Caller{IdentityID: "root", AuthenticatedAt: noon, Assurance: claim.AAL1}, nil
	}
	if token == "bob" || token == "root" || token == "gone" {
		return claim.Caller{IdentityID: token, AuthenticatedAt: noon}, nil
	}
	return claim.Caller{}, auth.ErrNoSession
}

func (s sessions) Login(ctx context.Context, user, _ string) (claim.Caller, error) {
	return s.Session(ctx, "", user)
}

// clients know desk, who may manage claims, and okta, who may not.
type clients struct{}

func (clients) Recognises(token string) bool { return strings.HasPrefix(token, "hlt_") }

func (clients) Client(_ context.Context, token, _ string) (auth.Token, error) {
	name := strings.TrimPrefix(token, "hlt_")
	switch {
	case failures[name] != nil:
		return auth.Token{}, failures[name]
	case name == "desk":
		return auth.Token{Name: name, Scopes: []auth.Scope{auth.ScopeClaimsManage}}, nil
	case name == "writer":
		return auth.Token{Name: name, Scopes: []auth.Scope{auth.ScopeSCIMWrite}}, nil
	case name == "okta":
		return auth.Token{Name: name, Scopes: []auth.Scope{auth.ScopeSCIMRead, auth.ScopeSCIMWrite}}, nil
	}
	return auth.Token{}, auth.ErrNoToken
}

func privileged(_ context.Context, id string) (bool, error) {
	if id == "gone" {
		return false, claim.ErrNoIdentity
	}
	return id == "root", nil
}

func newServer() *web.Server {
	return &web.Server{
		Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return noon }, NewID: func() string { return "request-1" },
		Sessions: sessions{}, Clients: clients{}, Privileged: privileged,
	}
}

// newEngine returns a listener with routes.
func newEngine(t *testing.T, mount func(*gin.Engine, *web.Server)) *gin.Engine {
	t.Helper()
	server := newServer()
	server.Assured = func(_ context.Context, in claim.SignIn) error {
		if in.Assurance == claim.AAL1 {
			return &claim.SecondFactorError{Missing: []string{"totp"}}
		}
		return nil
	}
	engine, err := server.Engine()
	if err != nil {
		t.Fatal(err)
	}
	mount(engine, server)
	return engine
}
