package kratos_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/holdline/holdline/internal/auth"
	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/problem"
	"github.com/holdline/holdline/internal/ratelimit"
	"github.com/holdline/holdline/internal/storetest"
	"github.com/holdline/holdline/kratos"
)

const loginPath = "/self-service/login"

func TestLogin(t *testing.T) {
	requireKratos(t)
	p := person{email: email(), password: "correct horse", mobile: number(t).Unmasked()}
	id := shared.add(t, p)
	d := open(t, shared, nil)
	got, err := d.Login(t.Context(), p.email, p.password)
	if err != nil {
		t.Fatal(err)
	}
	if got.IdentityID != id || got.AuthenticatedAt.IsZero() || got.Seen == nil || got.Seen.Mobile != p.mobile {
		t.Errorf("got %+v", got)
	}
	d.Close()
	if n := shared.sessions(t, id); n != 0 {
		t.Errorf("%d sessions are left", n)
	}
}

func TestLoginIsRemembered(t *testing.T) {
	requireKratos(t)
	p, now := personWithPassword(t), newClock()
	way := watch(t, shared)
	d := open(t, way.server, func(o *kratos.Options) { o.Now = now.Now })
	first, err := d.Login(t.Context(), p.email, p.password)
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		name     string
		pass     time.Duration
		password string
		logins   int
		want     error
	}{
		{"again", 0, p.password, 1, nil},
		{"just before it ends", 59 * time.Second, p.password, 1, nil},
		{"another password", 0, "battery staple", 2, auth.ErrNoSession},
		{"when it has ended", time.Second, p.password, 3, nil},
	} {
		now.advance(step.pass)
		got, err := d.Login(t.Context(), p.email, step.password)
		if !errors.Is(err, step.want) {
			t.Errorf("%s: got %v, want %v", step.name, err, step.want)
		}
		if n := len(way.seen(http.MethodPost, loginPath)); n != step.logins {
			t.Errorf("%s: Kratos was asked %d times, want %d", step.name, n, step.logins)
		}
		if step.logins == 1 && (got.Seen == nil || got.Seen.ID != got.IdentityID || !got.AuthenticatedAt.Equal(first.AuthenticatedAt)) {
			t.Errorf("%s: got %+v", step.name, got)
		}
	}
}

func TestSameLoginsShareOneFlight(t *testing.T) {
	requireKratos(t)
	p := personWithPassword(t)
	way := watch(t, shared)
	d := open(t, way.server, func(o *kratos.Options) { o.LoginFailures = 1 })
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			if _, err := d.Login(t.Context(), p.email, p.password); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	if n := len(way.seen(http.MethodPost, loginPath)); n != 1 {
		t.Errorf("Kratos was asked %d times, want once", n)
	}
}

func TestWrongPassword(t *testing.T) {
	requireKratos(t)
	p := personWithPassword(t)
	disabled := person{email: email(), password: "correct horse"}
	id := shared.add(t, disabled)
	send(t, http.MethodPatch, shared.admin+"/admin/identities/"+id,
		[]any{map[string]any{"op": "replace", "path": "/state", "value": "inactive"}}, nil)
	d := open(t, shared, nil)
	for name, tt := range map[string]struct{ user, password string }{
		"wrong password":  {p.email, "battery staple"},
		"unknown user":    {email(), "battery staple"},
		"no user":         {"", "battery staple"},
		"no password":     {p.email, ""},
		"disabled person": {disabled.email, disabled.password},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := d.Login(t.Context(), tt.user, tt.password)
			if !errors.Is(err, auth.ErrNoSession) {
				t.Fatalf("got %v, want %v", err, auth.ErrNoSession)
			}
			for _, secret := range []string{tt.user, tt.password, id} {
				if secret != "" && strings.Contains(err.Error(), secret) {
					t.Errorf("error tells too much: %v", err)
				}
			}
		})
	}
}

func TestWrongPasswordsAreLimited(t *testing.T) {
	requireKratos(t)
	p, other, now := personWithPassword(t), personWithPassword(t), newClock()
	start := now.Now()
	d := open(t, shared, func(o *kratos.Options) { o.Now, o.LoginFailures = now.Now, 3 })
	if _, err := d.Login(t.Context(), p.email, p.password); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		name           string
		pass           time.Duration
		user, password string
		want           error
	}{
		{"first", 0, p.email, "wrong", auth.ErrNoSession},
		{"second, in other letters", time.Second, " " + strings.ToUpper(p.email), "wrong", auth.ErrNoSession},
		{"right one between", 0, strings.ToUpper(p.email), p.password, nil},
		{"third", time.Second, p.email, "wrong too", auth.ErrNoSession},
		{"fourth", 0, p.email, "wrong again", ratelimit.ErrTooManyTries},
		{"right, and remembered", 0, p.email, p.password, ratelimit.ErrTooManyTries},
		{"another user", 0, other.email, other.password, nil},
		{"just before one comes back", 5*time.Minute - 3*time.Second, p.email, p.password, ratelimit.ErrTooManyTries},
		{"when it has come back", time.Second, p.email, p.password, nil},
		{"one more wrong", 0, p.email, "wrong", auth.ErrNoSession},
		{"the next", 0, p.email, "wrong", ratelimit.ErrTooManyTries},
	} {
		now.advance(step.pass)
		_, err := d.Login(t.Context(), step.user, step.password)
		if !errors.Is(err, step.want) {
			t.Fatalf("%s: got %v, want %v", step.name, err, step.want)
		}
		var limit *problem.LimitError
		if step.name == "fourth" && (!errors.As(err, &limit) || !limit.Until.Equal(start.Add(5*time.Minute))) {
			t.Errorf("%s: got %+v, want until a third of the window after the first", step.name, limit)
		}
	}
}

// Three replicas count together, so that none has tries of its own.
func TestManyWrongPasswordsAtOnce(t *testing.T) {
	requireKratos(t)
	p := personWithPassword(t)
	way, limiter := watch(t, shared), &storetest.Limiter{}
	var wait sync.WaitGroup
	for range 3 {
		d := open(t, way.server, func(o *kratos.Options) {
			o.LoginFailures, o.Limiter, o.HashKey = 3, limiter, []byte("the replicas' common key")
		})
		for i := range 10 {
			wait.Go(func() {
				_, err := d.Login(t.Context(), p.email, "wrong"+strings.Repeat("x", i))
				if !errors.Is(err, auth.ErrNoSession) && !errors.Is(err, ratelimit.ErrTooManyTries) {
					t.Error(err)
				}
			})
		}
	}
	wait.Wait()
	if n := len(way.seen(http.MethodPost, loginPath)); n != 3 {
		t.Errorf("Kratos was asked %d times, want 3", n)
	}
}

// faultyLimiter notes the names that it is asked about, and fails to give back.
type faultyLimiter struct {
	storetest.Limiter
	names []string
}

func (l *faultyLimiter) Take(ctx context.Context, name string, a ratelimit.Limit, now time.Time) error {
	l.names = append(l.names, name)
	return l.Limiter.Take(ctx, name, a, now)
}

func (l *faultyLimiter) GiveBack(context.Context, string, ratelimit.Limit, time.Time) error {
	return problem.ErrStoreUnavailable
}

func TestWithoutItsLimiterNobodySignsIn(t *testing.T) {
	requireKratos(t)
	p := personWithPassword(t)
	way, limiter := watch(t, shared), &storetest.Limiter{}
	d := open(t, way.server, func(o *kratos.Options) { o.LoginFailures, o.Limiter = 3, limiter })
	limiter.Fail(problem.ErrStoreUnavailable)
	if _, err := d.Login(t.Context(), p.email, p.password); !errors.Is(err, problem.ErrStoreUnavailable) {
		t.Errorf("got %v, want %v", err, problem.ErrStoreUnavailable)
	}
	if n := len(way.seen(http.MethodPost, loginPath)); n != 0 {
		t.Errorf("Kratos was asked %d times", n)
	}
	limiter.Fail(nil)
	if _, err := d.Login(t.Context(), p.email, p.password); err != nil {
		t.Error(err)
	}
}

func TestATryThatIsNotGivenBackCounts(t *testing.T) {
	requireKratos(t)
	p, limiter := personWithPassword(t), &faultyLimiter{}
	d := open(t, shared, func(o *kratos.Options) { o.LoginFailures, o.Limiter = 2, limiter })
	for i, want := range []error{nil, nil, ratelimit.ErrTooManyTries} {
		if _, err := d.Login(t.Context(), p.email, p.password); !errors.Is(err, want) {
			t.Errorf("%d: got %v, want %v", i, err, want)
		}
	}
	for _, name := range limiter.names {
		if strings.Contains(name, p.email) || !strings.HasPrefix(name, "login:") || name != limiter.names[0] {
			t.Errorf("the limiter is asked about %q", name)
		}
	}
}

func TestWhatKratosDidNotAnswerIsNoWrongPassword(t *testing.T) {
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadGateway)
	}))
	t.Cleanup(upstream.Close)
	d := open(t, &server{public: upstream.URL, admin: upstream.URL}, func(o *kratos.Options) { o.LoginFailures = 1 })
	for range 3 {
		if _, err := d.Login(t.Context(), "anna@holdline.test", "x"); !errors.Is(err, claim.ErrIdentitiesUnavailable) {
			t.Errorf("got %v, want %v", err, claim.ErrIdentitiesUnavailable)
		}
	}
}

func TestLoginAfterClose(t *testing.T) {
	requireKratos(t)
	d := open(t, shared, nil)
	d.Close()
	if _, err := d.Login(t.Context(), email(), "x"); !errors.Is(err, claim.ErrIdentitiesUnavailable) {
		t.Errorf("got %v, want %v", err, claim.ErrIdentitiesUnavailable)
	}
}

// Kratos' own lock on SQLite would have them wait for one another (docs/kratos.md, L).
func TestKratosOnSQLiteServesManyAtOnce(t *testing.T) {
	requireKratos(t)
	var all errgroup.Group
	for range 24 {
		p, d := personWithPassword(t), open(t, shared, nil)
		all.Go(func() error {
			for range 4 {
				if _, err := d.Login(t.Context(), p.email, p.password); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := all.Wait(); err != nil {
		t.Error(err)
	}
}
