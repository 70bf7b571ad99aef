package kratos

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/holdline/holdline/internal/auth"
	"github.com/holdline/holdline/internal/claim"
)

// codeFactor is Kratos' name for a second factor by a code that is sent. An
// identity does not show it: whether there is one is a setting of Kratos.
const codeFactor = "code"

// factors lists the second factors that a person has, for a session that used
// none: those that the identity shows, or else the one that it does not show.
func (d *Client) factors(ctx context.Context, identityID, cookie, token string) ([]string, error) {
	found, err := d.exchange(ctx, "read factors", identityID, func(ctx context.Context) (*http.Response, error) {
		_, resp, err := d.admin.IdentityAPI.GetIdentity(ctx, identityID).IncludeCredential([]string{webAuthnKind}).Execute()
		return resp, err
	})
	if errors.Is(err, claim.ErrNoIdentity) { // deleted a moment ago
		err = auth.ErrNoSession
	}
	if shown := found.factors(); err != nil || len(shown) > 0 {
		return shown, err
	}
	return d.hidden(ctx, cookie, token)
}

// factors lists the second factors that an identity shows, by Kratos' names of
// methods (measured: docs/kratos.md, K).
func (i identity) factors() []string {
	var shown []string
	for _, kind := range []string{"totp", webAuthnKind, "lookup_secret"} {
		if c, ok := i.Credentials[kind]; ok && (kind != webAuthnKind || c.second()) {
			shown = append(shown, kind)
		}
	}
	return shown
}

// shown gives a caller the second factors that their identity shows, if it does.
func (i identity) shown(c claim.Caller) claim.Caller {
	if shown := i.factors(); len(shown) > 0 {
		c.Factors = func(context.Context) ([]string, error) { return shown, nil }
	}
	return c
}

// second reports whether a WebAuthn credential has a key that is a second factor. One
// that is there in place of a password is a first.
func (c credential) second() bool {
	var config struct {
		Keys []struct {
			Passwordless bool `json:"is_passwordless"`
		} `json:"credentials"`
	}
	if json.Unmarshal(c.Config, &config) != nil {
		return true // Kratos does not show it
	}
	for _, key := range config.Keys {
		if !key.Passwordless {
			return true
		}
	}
	return false
}

// settingsRefusals: Kratos answers 403 where its own form wants a second factor.
var settingsRefusals = refusals{
	http.StatusUnauthorized: auth.ErrNoSession,
	http.StatusForbidden:    auth.ErrSecondFactor,
}

// hidden finds the second factor that no identity shows, by asking whether the
// session is good enough for Kratos' own form. The form that comes of it is not
// used, and expires.
func (d *Client) hidden(ctx context.Context, cookie, token string) ([]string, error) {
	_, err := fetch[json.RawMessage](ctx, d, "begin settings", settingsRefusals, func(ctx context.Context) (*http.Response, error) {
		if token != "" {
			_, resp, err := d.public.FrontendAPI.CreateNativeSettingsFlow(ctx).XSessionToken(token).Execute()
			return resp, err
		}
		_, resp, err := d.public.FrontendAPI.CreateBrowserSettingsFlow(ctx).Cookie(cookie).Execute()
		return resp, err
	})
	if errors.Is(err, auth.ErrSecondFactor) {
		return []string{codeFactor}, nil
	}
	return nil, err
}
