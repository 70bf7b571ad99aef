package kratos

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	kratos "github.com/ory/kratos-client-go"

	"github.com/holdline/holdline/internal/auth"
	"github.com/holdline/holdline/internal/claim"
)

// Kratos answers 401 for a disabled account, and a form for a wrong password or
// an unknown user alike (measured: docs/kratos.md, E).
var loginRefusals = refusals{
	http.StatusBadRequest:   auth.ErrNoSession,
	http.StatusUnauthorized: auth.ErrNoSession,
	http.StatusForbidden:    auth.ErrNoSession,
}

var errBusy = errors.New("busy with other passwords")

// remembered is a caller whose password was right, what that stood on, and until
// when it counts.
type remembered struct {
	caller claim.Caller
	stands digest
	until  time.Time
}

// signedIn is a caller, and what their sign-in stands on.
type signedIn struct {
	caller claim.Caller
	stands digest
}

// Login signs a person in with a password, through Kratos' native login flow
// (https://www.ory.sh/docs/kratos/bring-your-own-ui/custom-ui-native-apps), and
// ends that session again. The same login asked for several times at once is one
// try.
func (d *Client) Login(ctx context.Context, user, password string) (claim.Caller, error) {
	if user == "" || password == "" {
		return claim.Caller{}, auth.ErrNoSession
	}
	login := d.loginDigest(user, password)
	try := func(ctx context.Context) (signedIn, error) { return d.signIn(ctx, login, user, password) }
	got, shared, err := share(ctx, d.work, &d.signIns, string(login[:]), try)
	if err != nil || !shared {
		return got.caller, err
	}
	// The try that this one joined may have begun before what it stood on changed.
	now, err := d.standing(ctx, user)
	if err != nil {
		return claim.Caller{}, err
	}
	if now.digest != got.stands {
		got, err = d.alone(ctx, try)
		return got.caller, err
	}
	got.caller.Seen = nil // the request that was answered may be older than this one
	return got.caller, nil
}

// alone makes a try that nobody shares, which Close waits for as well.
func (d *Client) alone(ctx context.Context, try func(context.Context) (signedIn, error)) (signedIn, error) {
	if !d.work.begin() {
		return signedIn{}, fmt.Errorf("%w: closed", claim.ErrIdentitiesUnavailable)
	}
	defer d.work.end()
	return try(ctx)
}

// signIn takes one try before anything is compared, also with what is remembered,
// and gives it back unless the password was wrong. So no guess is free: not at the
// limit, where the right password is refused as well, nor beside many others at
// once. A right password forgives none that was wrong: else the owner who signs in
// would give a guesser new tries.
func (d *Client) signIn(ctx context.Context, login digest, user, password string) (signedIn, error) {
	if !d.opt.failures().Bounded() {
		return d.recall(ctx, login, user, password)
	}
	name := d.tries(user)
	if err := d.opt.Limiter.Take(ctx, name, d.opt.failures(), d.opt.Now()); err != nil {
		return signedIn{}, fmt.Errorf("count a try: %w", err)
	}
	got, err := d.recall(ctx, login, user, password)
	if errors.Is(err, auth.ErrNoSession) {
		return got, err
	}
	if fault := d.opt.Limiter.GiveBack(ctx, name, d.opt.failures(), d.opt.Now()); fault != nil {
		d.opt.Log.WarnContext(ctx, "a login counts as a wrong password", "error", fault)
	}
	return got, err
}

// recall answers from what is remembered, or has Kratos look at the password. All
// that is remembered is that this password was right for what Kratos showed of the
// name before it was compared: Kratos is asked each time whether it still shows the
// same (measured: docs/kratos.md, J). Where it shows no hash, nothing is remembered.
func (d *Client) recall(ctx context.Context, login digest, user, password string) (signedIn, error) {
	now, err := d.standing(ctx, user)
	if err != nil {
		return signedIn{}, err
	}
	if known, ok := d.logins.Get(login); ok && known.stands == now.digest && d.opt.Now().Before(known.until) {
		who, _ := now.of(known.caller.IdentityID)
		seen, caller := d.seen(who), known.caller
		caller.Seen = &seen
		return signedIn{who.shown(caller), now.digest}, nil
	}
	d.logins.Remove(login)
	caller, err := d.comparePassword(ctx, user, password)
	if err != nil {
		return signedIn{}, now.named(err)
	}
	who, proven := now.of(caller.IdentityID)
	if _, fault := caller.Factors(ctx); proven && fault == nil && d.opt.LoginCache > 0 {
		kept := caller
		kept.Seen = nil
		d.logins.Add(login, remembered{caller: kept, stands: now.digest, until: d.opt.Now().Add(d.opt.LoginCache)})
	}
	return signedIn{who.shown(caller), now.digest}, nil
}

// comparePassword has Kratos look at a password beside few others: a hash is made to be
// costly, and however many guesses come at once, Kratos has to serve everybody's forms
// meanwhile. Who gets no place within the time for an answer is told that Kratos is
// busy, as if it had not answered.
func (d *Client) comparePassword(ctx context.Context, user, password string) (claim.Caller, error) {
	waiting, cancel := context.WithTimeout(ctx, d.opt.Timeout)
	defer cancel()
	if err := d.comparisons.Acquire(waiting, 1); err != nil {
		return claim.Caller{}, fmt.Errorf("log in: %w: %w", claim.ErrIdentitiesUnavailable, errBusy)
	}
	defer d.comparisons.Release(1)
	return d.ask(ctx, user, password)
}

// ask goes through a login flow. The session that comes of it is looked at as
// any other is, so that a password alone does not get around a second factor
// that the operator asks for.
func (d *Client) ask(ctx context.Context, user, password string) (claim.Caller, error) {
	const operation = "log in"
	flow, err := fetch[struct {
		ID string `json:"id"`
	}](ctx, d, operation, nil, func(ctx context.Context) (*http.Response, error) {
		_, resp, err := d.public.FrontendAPI.CreateNativeLoginFlow(ctx).Execute()
		return resp, err
	})
	if err != nil {
		return claim.Caller{}, err
	}
	body := kratos.UpdateLoginFlowWithPasswordMethodAsUpdateLoginFlowBody(
		kratos.NewUpdateLoginFlowWithPasswordMethod(user, "password", password))
	login, err := fetch[struct {
		Token string `json:"session_token"`
	}](ctx, d, operation, loginRefusals, func(ctx context.Context) (*http.Response, error) {
		_, resp, err := d.public.FrontendAPI.UpdateLoginFlow(ctx).Flow(flow.ID).UpdateLoginFlowBody(body).Execute()
		return resp, err
	})
	if err != nil {
		return claim.Caller{}, err
	}
	if login.Token == "" {
		return claim.Caller{}, malformed(operation)
	}
	caller, err := d.Session(ctx, "", login.Token)
	if err == nil { // while there is a session to ask with
		hidden, fault := d.hidden(ctx, "", login.Token)
		caller.Factors = func(context.Context) ([]string, error) { return hidden, fault }
		caller.SessionID = "" // it ends now
	}
	d.work.do(func() { d.revoke(context.WithoutCancel(ctx), login.Token) })
	return caller, err
}

// revoke ends a session that nobody else has the token of; one that stays ends
// by itself when it expires.
func (d *Client) revoke(ctx context.Context, token string) {
	_, err := fetch[struct{}](ctx, d, "revoke session", nil, func(ctx context.Context) (*http.Response, error) {
		return d.public.FrontendAPI.PerformNativeLogout(ctx).
			PerformNativeLogoutBody(*kratos.NewPerformNativeLogoutBody(token)).Execute()
	})
	if err != nil {
		d.opt.Log.WarnContext(ctx, "session of a login not revoked", "error", err)
	}
}
