package web

import (
	"context"

	"github.com/gin-gonic/gin"

	"github.com/holdline/holdline/internal/audit"
	"github.com/holdline/holdline/internal/auth"
	"github.com/holdline/holdline/internal/claim"
)

// Sessions prove who an owner is. Errors: auth.ErrNoSession, a
// *problem.LimitError, or one that wraps claim.ErrIdentitiesUnavailable.
type Sessions interface {
	// Session asks for the session of a token, or else of a Cookie header.
	Session(ctx context.Context, cookie, token string) (claim.Caller, error)
	// Login signs in with a password, once.
	Login(ctx context.Context, user, password string) (claim.Caller, error)
}

// owner authenticates by X-Session-Token, Authorization (Bearer, Basic) or the
// session cookie, in this order; only the first that is present counts.
func (s *Server) owner(c *gin.Context) (claim.Caller, error) {
	caller, err := s.authenticate(c)
	if err == nil {
		s.SetActor(c, audit.Owner, caller.IdentityID)
	}
	return withRequest(c, caller), err
}

// Browser authenticates an owner by Kratos' session cookie and by nothing else,
// for pages: what a browser shows must be what its own session may see.
func (s *Server) Browser(c *gin.Context) (claim.Caller, error) {
	caller, err := s.byCookie(c)
	if err == nil {
		s.SetActor(c, audit.Owner, caller.IdentityID)
	}
	return withRequest(c, caller), err
}

// withRequest adds to a caller what the request itself tells.
func withRequest(c *gin.Context, caller claim.Caller) claim.Caller {
	caller.ClientIP = ClientAddress(c)
	locale := ""
	if caller.Seen != nil {
		locale = caller.Seen.Locale
	}
	caller.Language = PreferredLanguage(locale, c.GetHeader("Accept-Language"))
	return caller
}

func (s *Server) authenticate(c *gin.Context) (claim.Caller, error) {
	if token := c.GetHeader("X-Session-Token"); token != "" {
		return s.bySession(c, token)
	}
	if c.GetHeader("Authorization") == "" {
		return s.byCookie(c)
	}
	if user, password, ok := c.Request.BasicAuth(); ok && !s.NoPasswords {
		return s.byPassword(c, user, password)
	}
	if token, ok := bearer(c); ok {
		return s.bySession(c, token)
	}
	return claim.Caller{}, auth.ErrNoSession
}

func (s *Server) bySession(c *gin.Context, token string) (claim.Caller, error) {
	caller, err := s.Sessions.Session(c.Request.Context(), "", token)
	return caller, s.Failed(c, Session, err)
}

// byCookie notes no failure of a browser that is not signed in. Browsers send cookies
// for any page, so that the page must be a trusted one.
func (s *Server) byCookie(c *gin.Context) (claim.Caller, error) {
	cookies := c.GetHeader("Cookie")
	if cookies == "" {
		return claim.Caller{}, auth.ErrNoSession
	}
	if err := s.Origins.Check(c.Request); err != nil {
		return claim.Caller{}, err
	}
	caller, err := s.Sessions.Session(c.Request.Context(), cookies, "")
	if s.hasSession(c) {
		err = s.Failed(c, Session, err)
	}
	return caller, err
}

// byPassword asks for a trusted page too, because browsers repeat passwords by
// themselves.
func (s *Server) byPassword(c *gin.Context, user, password string) (caller claim.Caller, err error) {
	if err := s.Origins.Check(c.Request); err != nil {
		return claim.Caller{}, err
	}
	ctx := c.Request.Context()
	err = s.Passwords.Try(ctx, ClientAddress(c), func() error {
		caller, err = s.Sessions.Login(ctx, user, password)
		return err
	})
	return caller, s.Failed(c, Password, err)
}
