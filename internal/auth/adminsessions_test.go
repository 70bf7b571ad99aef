package auth_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/holdline/holdline/internal/audit"
	"github.com/holdline/holdline/internal/auth"
	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/problem"
	"github.com/holdline/holdline/internal/storetest"
)

// console has administrators, what they stand on, and a clock that stands still.
type console struct {
	*auth.AdminSessions
	*desk
	sessions *storetest.AdminSessions
	// people are who Kratos knows, by their cookie.
	people     map[string]claim.Caller
	privileged map[string]bool
	policy     claim.Policy
	fail       error // of Kratos
}

func newConsole(t *testing.T) *console {
	t.Helper()
	c := &console{
		desk: newDesk(t), sessions: &storetest.AdminSessions{}, privileged: map[string]bool{"carol": true, "dave": true},
		policy: claim.Policy{SessionAge: 15 * time.Minute},
	}
	c.people = map[string]claim.Caller{}
	for _, id := range []string{"carol", "dave", bob} {
		c.people["cookie of "+id] = claim.Caller{IdentityID: id, AuthenticatedAt: c.clock()}
	}
	secrets := 0
	c.AdminSessions = &auth.AdminSessions{
		Sessions: c.sessions, Clients: c.Authenticator, Person: c.person, Idle: 30 * time.Minute,
		Privileged: func(_ context.Context, id string) (bool, error) { return c.privileged[id], c.fail },
		NewSecret:  func() string { secrets++; return fmt.Sprint("secret ", secrets) },
		Now:        c.clock,
	}
	return c
}

func (c *console) person(_ context.Context, cookie string) (auth.Person, error) {
	who, ok := c.people[cookie]
	if !ok && c.fail == nil {
		return auth.Person{}, auth.ErrNoSession
	}
	service := claim.New(claim.Options{Policy: func() claim.Policy { return c.policy }, Now: c.clock})
	return auth.Person{IdentityID: who.IdentityID, Proven: func(ctx context.Context) error {
		in := who.SignIn()
		return service.Proven(ctx, &in)
	}}, c.fail
}

// byToken and byCookie begin a session, which must begin.
func (c *console) byToken(token string) string {
	c.t.Helper()
	secret, err := c.SignInByToken(c.t.Context(), token, home)
	wantErr(c.t, err, nil)
	return secret
}

func (c *console) byCookie(id string) string {
	c.t.Helper()
	secret, err := c.SignInByCookie(c.t.Context(), "cookie of "+id, home)
	wantErr(c.t, err, nil)
	return secret
}

// wantAdmin wants a session to be of somebody, or an error.
func (c *console) wantAdmin(secret, cookie, name string, want error) {
	c.t.Helper()
	got, err := c.Check(c.t.Context(), secret, cookie, away)
	wantErr(c.t, err, want)
	actor := audit.Actor{}
	if want == nil {
		actor = audit.Actor{Kind: audit.Administrator, ID: name, ClientIP: away}
	}
	if got.Actor != actor {
		c.t.Errorf("got %+v, want %+v", got, actor)
	}
}

func (c *console) kinds() []string {
	var kinds []string
	for _, e := range c.sessions.Events() {
		kinds = append(kinds, e.Kind+" "+e.Actor.ID+" "+e.Actor.ClientIP)
	}
	return kinds
}

func TestAnAdministratorSignsInAndOut(t *testing.T) {
	c := newConsole(t)
	byToken, byCookie := c.byToken(c.token("ops")), c.byCookie("carol")
	c.wantAdmin(byToken, "", "ops", nil)
	c.wantAdmin(byToken, "cookie of "+bob, "ops", nil) // a token's session heeds no cookie
	c.wantAdmin(byCookie, "cookie of carol", "carol", nil)
	who := audit.Actor{Kind: audit.Administrator, ID: "carol", ClientIP: home}
	for range 2 {
		wantErr(t, c.SignOut(t.Context(), byCookie, who), nil)
	}
	c.wantAdmin(byCookie, "cookie of carol", "", auth.ErrNoSession)
	c.wantAdmin(byToken, "", "ops", nil)
	want := []string{"console_signed_in ops " + home, "console_signed_in carol " + home, "console_signed_out carol " + home}
	if got := c.kinds(); !slices.Equal(got, want) {
		t.Errorf("wrote %q, want %q", got, want)
	}
}

func TestWhoMayNotSignIn(t *testing.T) {
	c := newConsole(t)
	reader := mint()
	token, err := auth.NewToken("reader", auth.DigestToken(reader), []auth.Scope{auth.ScopeSCIMRead}, true, c.clock())
	wantErr(t, err, nil)
	wantErr(t, c.store.Create(t.Context(), token, audit.Event{}, nil), nil)
	for text, want := range map[string]error{"": auth.ErrNoToken, mint(): auth.ErrNoToken, reader: auth.ErrNoScope} {
		_, err := c.SignInByToken(t.Context(), text, text)
		wantErr(t, err, want)
	}
	c.people["old"] = claim.Caller{IdentityID: "carol", AuthenticatedAt: c.clock().Add(-15*time.Minute - time.Second)}
	for cookie, want := range map[string]error{
		"": auth.ErrNoSession, "unknown": auth.ErrNoSession, "cookie of " + bob: auth.ErrNoScope, "old": claim.ErrSessionTooOld,
	} {
		_, err := c.SignInByCookie(t.Context(), cookie, home)
		wantErr(t, err, want)
	}
	if got := c.kinds(); got != nil {
		t.Errorf("wrote %q", got)
	}
	c.wantAdmin("", "cookie of carol", "", auth.ErrNoSession)
	c.wantAdmin("a guess", "cookie of carol", "", auth.ErrNoSession)
}

func TestASessionThatIsNotUsedEnds(t *testing.T) {
	for idle, unused := range map[time.Duration]error{
		30*time.Minute - time.Second: nil,
		30 * time.Minute:             auth.ErrNoSession,
		time.Hour:                    auth.ErrNoSession,
	} {
		c := newConsole(t)
		secret := c.byToken(c.token("ops"))
		for range 3 { // use counts
			c.wait(29 * time.Minute)
			c.wantAdmin(secret, "", "ops", nil)
		}
		c.wait(idle)
		c.wantAdmin(secret, "", "ops", unused)
	}
}

func TestASessionThatIsUsedAllTheTimeEndsAfterTwelveHours(t *testing.T) {
	c := newConsole(t)
	secret := c.byToken(c.token("ops"))
	for range 12*6 - 1 {
		c.wait(10 * time.Minute)
		c.wantAdmin(secret, "", "ops", nil)
	}
	c.wait(10 * time.Minute)
	c.wantAdmin(secret, "", "", auth.ErrNoSession)
}

func TestUseOfASessionIsNotedOnceAMinute(t *testing.T) {
	for idle, want := range map[time.Duration]int{30 * time.Minute: 1, 40 * time.Second: 4} {
		c := newConsole(t)
		c.Idle = idle // half of a short one is sooner than a minute
		secret := c.byToken(c.token("ops"))
		for range 8 {
			c.wait(10 * time.Second)
			c.wantAdmin(secret, "", "ops", nil)
		}
		if got := c.sessions.Touches(); got != want {
			t.Errorf("idle %v: noted %d times, want %d", idle, got, want)
		}
	}
}

func TestASessionEndsWithWhatItStandsOn(t *testing.T) {
	for name, tt := range map[string]struct {
		happens func(c *console)
		cookie  string
		want    error
	}{
		"the Kratos session has ended":     {func(c *console) { delete(c.people, "cookie of carol") }, "cookie of carol", auth.ErrNoSession},
		"no cookie comes with it":          {func(*console) {}, "", auth.ErrNoSession},
		"another privileged person's":      {func(*console) {}, "cookie of dave", auth.ErrNoSession},
		"another person's":                 {func(*console) {}, "cookie of " + bob, auth.ErrNoScope},
		"the person is privileged no more": {func(c *console) { c.privileged["carol"] = false }, "cookie of carol", auth.ErrNoScope},
		"Kratos is away":                   {func(c *console) { c.fail = claim.ErrIdentitiesUnavailable }, "cookie of carol", claim.ErrIdentitiesUnavailable},
		"the store is away":                {func(c *console) { c.sessions.Fail(problem.ErrStoreUnavailable) }, "cookie of carol", problem.ErrStoreUnavailable},
		"all is well":                      {func(*console) {}, "cookie of carol", nil},
		"the sign-in has become old":       {func(c *console) { c.wait(20 * time.Minute) }, "cookie of carol", nil},
	} {
		t.Run(name, func(t *testing.T) {
			c := newConsole(t)
			secret := c.byCookie("carol")
			tt.happens(c)
			c.wantAdmin(secret, tt.cookie, "carol", tt.want)
		})
	}
}

func TestARevokedTokenEndsItsSessions(t *testing.T) {
	c := newConsole(t)
	ops, other := c.token("ops"), c.token("other")
	first, second, others := c.byToken(ops), c.byToken(ops), c.byToken(other)
	c.revoke("ops")
	c.wantAdmin(first, "", "", auth.ErrNoSession)
	c.wantAdmin(second, "cookie of carol", "", auth.ErrNoSession)
	c.wantAdmin(others, "", "other", nil)
	// A new token of the name is another one.
	wantErr(t, c.store.Create(t.Context(), auth.Token{
		Name: "ops", Digest: auth.DigestToken(mint()), Scopes: auth.Scopes(), CreatedAt: c.clock(),
	}, audit.Event{}, nil), nil)
	c.wantAdmin(first, "", "", auth.ErrNoSession)
	c.store.Fail(problem.ErrStoreUnavailable)
	c.wantAdmin(others, "", "", problem.ErrStoreUnavailable)
}

// A token is no more than its maker's right, and lasts no longer.
func TestWhatAnAdministratorMayGive(t *testing.T) {
	c := newConsole(t)
	end, text := c.clock().Add(time.Hour), mint()
	wantErr(t, c.store.Create(t.Context(), auth.Token{
		Name: "brief", Digest: auth.DigestToken(text), Scopes: []auth.Scope{auth.ScopeClaimsManage}, CreatedAt: c.clock(), ExpiresAt: end,
	}, audit.Event{}, nil), nil)
	brief, err := c.Check(t.Context(), c.byToken(text), "", away)
	wantErr(t, err, nil)
	carol, err := c.Check(t.Context(), c.byCookie("carol"), "cookie of carol", away)
	wantErr(t, err, nil)
	manage := []auth.Scope{auth.ScopeClaimsManage}
	for name, tt := range map[string]struct {
		who   auth.Administrator
		token auth.Token
		want  error
	}{
		"the same right":      {brief, auth.Token{Scopes: manage, ExpiresAt: end}, nil},
		"for ever":            {brief, auth.Token{Scopes: manage}, auth.ErrNoScope},
		"longer":              {brief, auth.Token{Scopes: manage, ExpiresAt: end.Add(1)}, auth.ErrNoScope},
		"privileged":          {brief, auth.Token{Scopes: manage, ExpiresAt: end, Privileged: true}, auth.ErrNoScope},
		"another scope":       {brief, auth.Token{Scopes: auth.Scopes(), ExpiresAt: end}, auth.ErrNoScope},
		"all by a privileged": {carol, auth.Token{Scopes: auth.Scopes(), Privileged: true}, nil},
	} {
		if err := tt.who.MayGive(tt.token); !errors.Is(err, tt.want) {
			t.Errorf("%s: got %v, want %v", name, err, tt.want)
		}
	}
}

func TestNoSessionBeginsWithoutItsLine(t *testing.T) {
	c := newConsole(t)
	token := c.token("ops")
	c.sessions.Fail(problem.ErrStoreUnavailable)
	_, err := c.SignInByToken(t.Context(), token, home)
	wantErr(t, err, problem.ErrStoreUnavailable)
	_, err = c.SignInByCookie(t.Context(), "cookie of carol", home)
	wantErr(t, err, problem.ErrStoreUnavailable)
	c.sessions.Fail(nil)
	for _, secret := range []string{"secret 1", "secret 2"} {
		c.wantAdmin(secret, "cookie of carol", "", auth.ErrNoSession)
	}
}

// The console is not opened by less than what the person has.
func TestTheConsoleNeedsASecondFactorOfWhoHasOne(t *testing.T) {
	for name, tt := range map[string]struct {
		assurance claim.Assurance
		factors   []string
		required  claim.RequiredAAL
		want      error
	}{
		"a password of more":               {claim.AAL1, []string{"totp"}, claim.RequireHighestAvailable, claim.ErrNeedsSecondFactor},
		"a password, and nothing else":     {claim.AAL1, nil, claim.RequireHighestAvailable, nil},
		"both":                             {claim.AAL2, []string{"totp"}, claim.RequireHighestAvailable, nil},
		"a password of more, where enough": {claim.AAL1, []string{"totp"}, claim.RequireAAL1, nil},
	} {
		t.Run(name, func(t *testing.T) {
			c := newConsole(t)
			c.policy.RequiredAAL = tt.required
			carol := c.people["cookie of carol"]
			carol.Assurance = tt.assurance
			carol.Factors = func(context.Context) ([]string, error) { return tt.factors, nil }
			c.people["cookie of carol"] = carol
			_, err := c.SignInByCookie(t.Context(), "cookie of carol", home)
			wantErr(t, err, tt.want)
		})
	}
}
