package web

import (
	"context"

	"github.com/gin-gonic/gin"

	"github.com/holdline/holdline/internal/claim"
)

// Sessions prove who an owner is. Errors: claim.ErrNoSession, a
// *problem.LimitError, or one that wraps claim.ErrDirectoryAway.
type Sessions interface {
	// Session asks for the session of a token, or else of a Cookie header.
	Session(ctx context.Context, cookie, token string) (claim.Caller, error)
	// Login signs in with a password, once.
	Login(ctx context.Context, user, password string) (claim.Caller, error)
}

// owner authenticates by X-Session-Token, Authorization (Bearer, Basic) or the
// session cookie, in this order; only the first that is present counts.
func (e *Edge) owner(c *gin.Context) (claim.Caller, error) {
	caller, err := e.authenticate(c)
	if err == nil {
		e.Acts(c, claim.Owner, caller.IdentityID)
	}
	return attended(c, caller), err
}

// Browser authenticates an owner by Kratos' session cookie and by nothing else,
// for pages: what a browser shows must be what its own session may see.
func (e *Edge) Browser(c *gin.Context) (claim.Caller, error) {
	caller, err := e.byCookie(c)
	if err == nil {
		e.Acts(c, claim.Owner, caller.IdentityID)
	}
	return attended(c, caller), err
}

// attended adds to a caller what the request itself tells.
func attended(c *gin.Context, caller claim.Caller) claim.Caller {
	caller.Address = ClientAddress(c)
	locale := ""
	if caller.Seen != nil {
		locale = caller.Seen.Locale
	}
	caller.Language = PreferredLanguage(locale, c.GetHeader("Accept-Language"))
	return caller
}

func (e *Edge) authenticate(c *gin.Context) (claim.Caller, error) {
	if token := c.GetHeader("X-Session-Token"); token != "" {
		return e.bySession(c, token)
	}
	if c.GetHeader("Authorization") == "" {
		return e.byCookie(c)
	}
	if user, password, ok := c.Request.BasicAuth(); ok && !e.NoPasswords {
		return e.byPassword(c, user, password)
	}
	if token, ok := bearer(c); ok {
		return e.bySession(c, token)
	}
	return claim.Caller{}, claim.ErrNoSession
}

func (e *Edge) bySession(c *gin.Context, token string) (claim.Caller, error) {
	caller, err := e.Sessions.Session(c.Request.Context(), "", token)
	return caller, e.Failed(c, Session, err)
}

// byCookie notes no failure of a browser that is not signed in.
func (e *Edge) byCookie(c *gin.Context) (claim.Caller, error) {
	cookies := c.GetHeader("Cookie")
	if cookies == "" {
		return claim.Caller{}, claim.ErrNoSession
	}
	caller, err := e.Sessions.Session(c.Request.Context(), cookies, "")
	if e.hasSession(c) {
		err = e.Failed(c, Session, err)
	}
	return caller, err
}

func (e *Edge) byPassword(c *gin.Context, user, password string) (caller claim.Caller, err error) {
	ctx := c.Request.Context()
	err = e.Passwords.Try(ctx, ClientAddress(c), func() error {
		caller, err = e.Sessions.Login(ctx, user, password)
		return err
	})
	return caller, e.Failed(c, Password, err)
}
