package web

import (
	"context"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/holdline/holdline/internal/audit"
	"github.com/holdline/holdline/internal/auth"
	"github.com/holdline/holdline/internal/claim"
)

// Clients prove which client a bearer token is of. [auth.Authenticator] do.
type Clients interface {
	// Recognises reports whether a bearer token is meant to be a client's, good or
	// not, rather than a session's.
	Recognises(token string) bool
	// Client returns the token in force. Errors: auth.ErrNoToken, a
	// *problem.LimitError, or one that wraps problem.ErrStoreUnavailable.
	Client(ctx context.Context, token, address string) (auth.Token, error)
}

// scopeError is auth.ErrNoScope with the scope.
type scopeError struct{ lacks auth.Scope }

func (e *scopeError) Error() string { return auth.ErrNoScope.Error() + ": " + string(e.lacks) }

func (e *scopeError) Unwrap() error { return auth.ErrNoScope }

// Client authenticates a client by its bearer token (RFC 6750, section 2.1), and
// holds it to the scopes. A request without a bearer token is
// auth.ErrNoSession, a token without a scope auth.ErrNoScope; other errors are
// those of [Clients].
func (s *Server) Client(c *gin.Context, scopes ...auth.Scope) (auth.Token, error) {
	text, ok := bearer(c)
	if !ok {
		return auth.Token{}, auth.ErrNoSession
	}
	token, err := s.Clients.Client(c.Request.Context(), text, ClientAddress(c))
	if err != nil {
		return auth.Token{}, s.Failed(c, Token, err)
	}
	s.SetActor(c, audit.Client, token.Name)
	for _, scope := range scopes {
		if !token.Has(scope) {
			return auth.Token{}, &scopeError{scope}
		}
	}
	return token, nil
}

// IsClient tells whom a request that owners and clients may make comes from: a
// client if it says so, an owner otherwise. It proves nothing.
func (s *Server) IsClient(c *gin.Context) bool {
	text, ok := bearer(c)
	return ok && c.GetHeader("X-Session-Token") == "" && s.Clients != nil && s.Clients.Recognises(text)
}

// Owner authenticates an owner.
func (s *Server) Owner(c *gin.Context) (claim.Caller, error) { return s.owner(c) }

// bearer returns the request's bearer token.
func bearer(c *gin.Context) (string, bool) {
	scheme, token, _ := strings.Cut(c.GetHeader("Authorization"), " ")
	token = strings.TrimSpace(token)
	return token, strings.EqualFold(scheme, "Bearer") && token != ""
}
