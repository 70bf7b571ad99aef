package kratos

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/holdline/holdline/internal/auth"
	"github.com/holdline/holdline/internal/claim"
)

// networkCookie begins the names of Ory Network's session cookies.
const networkCookie = "ory_session_"

// session is what is read of Kratos' session
// (https://www.ory.sh/docs/kratos/reference/api#operation/toSession).
type session struct {
	ID              string    `json:"id"`
	Active          bool      `json:"active"`
	Assurance       string    `json:"authenticator_assurance_level"`
	AuthenticatedAt time.Time `json:"authenticated_at"`
	Identity        *identity `json:"identity"`
}

// Kratos answers 403 when the session lacks a second factor that the operator
// asks for.
var sessionRefusals = refusals{
	http.StatusUnauthorized: auth.ErrNoSession,
	http.StatusForbidden:    auth.ErrSecondFactor,
}

// Session asks Kratos whose session this is: that of the token, or without one
// of the session cookie in a Cookie header. No other cookie leaves the house.
func (d *Client) Session(ctx context.Context, cookie, token string) (claim.Caller, error) {
	const operation = "read session"
	if token == "" {
		cookie = d.sessionCookies(cookie)
	}
	if token == "" && cookie == "" {
		return claim.Caller{}, auth.ErrNoSession
	}
	found, err := fetch[session](ctx, d, operation, sessionRefusals, func(ctx context.Context) (*http.Response, error) {
		request := d.public.FrontendAPI.ToSession(ctx)
		if token != "" {
			request = request.XSessionToken(token)
		} else {
			request = request.Cookie(cookie)
		}
		_, resp, err := request.Execute()
		return resp, err
	})
	switch {
	case err != nil:
		return claim.Caller{}, err
	case found.Identity == nil || found.Identity.ID == "":
		return claim.Caller{}, malformed(operation)
	case !found.Active || found.Identity.State == inactive:
		return claim.Caller{}, fmt.Errorf("%s: %w: inactive", operation, auth.ErrNoSession)
	}
	seen, id := d.seen(*found.Identity), found.Identity.ID
	return claim.Caller{
		IdentityID: seen.ID, SessionID: found.ID, AuthenticatedAt: found.AuthenticatedAt.UTC(), Assurance: claim.Assurance(found.Assurance), Seen: &seen,
		Factors: func(ctx context.Context) ([]string, error) { return d.factors(ctx, id, cookie, token) },
	}, nil
}

// EndOthers ends all sessions of a Cookie header's owner but its own.
func (d *Client) EndOthers(ctx context.Context, cookie string) error {
	cookie = d.sessionCookies(cookie)
	if cookie == "" {
		return auth.ErrNoSession
	}
	_, err := fetch[struct {
		Count int `json:"count"`
	}](ctx, d, "end other sessions", sessionRefusals, func(ctx context.Context) (*http.Response, error) {
		_, resp, err := d.public.FrontendAPI.DisableMyOtherSessions(ctx).Cookie(cookie).Execute()
		return resp, err
	})
	return err
}

// sessionCookies keeps of a Cookie header what Kratos needs (RFC 6265, section
// 4.2.1).
func (d *Client) sessionCookies(header string) string {
	request := http.Request{Header: http.Header{"Cookie": {header}}}
	var kept []string
	for _, c := range request.Cookies() {
		if c.Name == d.opt.SessionCookie || strings.HasPrefix(c.Name, networkCookie) {
			kept = append(kept, c.Name+"="+c.Value)
		}
	}
	return strings.Join(kept, "; ")
}
