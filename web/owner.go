package web

import (
	"context"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/holdline/holdline/claim"
)

// Sessions prove who an owner is. Errors: claim.ErrNoSession, a
// *claim.LimitError, or one that wraps claim.ErrDirectoryAway.
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
	caller, err := e.Sessions.Session(c.Request.Context(), c.GetHeader("Cookie"), "")
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
	ctx := c.Request.Context()
	if token := c.GetHeader("X-Session-Token"); token != "" {
		return e.Sessions.Session(ctx, "", token)
	}
	if header := c.GetHeader("Authorization"); header != "" {
		if user, password, ok := c.Request.BasicAuth(); ok && !e.NoPasswords {
			return e.Sessions.Login(ctx, user, password)
		}
		scheme, token, _ := strings.Cut(header, " ")
		if token = strings.TrimSpace(token); strings.EqualFold(scheme, "Bearer") && token != "" {
			return e.Sessions.Session(ctx, "", token)
		}
		return claim.Caller{}, claim.ErrNoSession
	}
	if cookie := c.GetHeader("Cookie"); cookie != "" {
		return e.Sessions.Session(ctx, cookie, "")
	}
	return claim.Caller{}, claim.ErrNoSession
}
