package web

import (
	"context"
	"errors"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/holdline/holdline/internal/audit"
	"github.com/holdline/holdline/internal/auth"
	"github.com/holdline/holdline/internal/claim"
)

// PrivilegedCaller is who may act for others: a client whose token may manage claims, or a
// privileged person.
type PrivilegedCaller struct {
	audit.Actor
	// SignedIn is when a person last did; a client's token is always fresh.
	SignedIn time.Time
	// Privileged callers may write to privileged people: these themselves, and clients
	// whose token says so.
	Privileged bool
	// Realm is the only one whose people the caller may act for; blank for any.
	Realm string
}

// IsPrivileged reports whether an identity's own record makes it a privileged
// person.
func (s *Server) IsPrivileged(ctx context.Context, identityID string) (bool, error) {
	if s.Privileged == nil {
		return false, nil
	}
	return s.Privileged(ctx, identityID)
}

// PrivilegedCaller authenticates who may act for others. Errors are those of [Server.Client]
// and [Server.Owner], ErrForbidden for a person who is not privileged, and those of
// Assured.
func (s *Server) PrivilegedCaller(c *gin.Context) (PrivilegedCaller, error) {
	if s.IsClient(c) {
		token, err := s.Client(c, auth.ScopeClaimsManage)
		return PrivilegedCaller{
			Actor:    audit.Actor{Kind: audit.Privileged, ID: token.Name, ClientIP: ClientAddress(c)},
			SignedIn: s.Now(), Privileged: token.Privileged,
		}, err
	}
	owner, err := s.owner(c)
	if err != nil {
		return PrivilegedCaller{}, err
	}
	privileged, err := s.IsPrivileged(c.Request.Context(), owner.IdentityID)
	switch {
	case errors.Is(err, claim.ErrNoIdentity): // deleted a moment ago
		err = auth.ErrNoSession
	case err == nil && !privileged:
		err = ErrForbidden
	case err == nil && s.Assured != nil:
		err = s.Assured(c.Request.Context(), owner.SignIn())
	}
	if err == nil {
		s.SetActor(c, audit.Privileged, owner.IdentityID)
	}
	// Who is trusted with one realm is not therefore trusted with the primary one.
	realm, _ := claim.SplitRealm(owner.IdentityID)
	if realm == claim.PrimaryRealm {
		realm = ""
	}
	return PrivilegedCaller{
		Actor:    audit.Actor{Kind: audit.Privileged, ID: owner.IdentityID, ClientIP: ClientAddress(c)},
		SignedIn: owner.AuthenticatedAt, Privileged: true, Realm: realm,
	}, err
}
