package web

import (
	"context"
	"errors"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/holdline/holdline/internal/claim"
)

// Helper is who may act for others: a client whose token may manage claims, or a
// privileged person.
type Helper struct {
	claim.Actor
	// SignedIn is when a person last did; a client's token is always fresh.
	SignedIn time.Time
	// Privileged helpers may write to privileged people: these themselves, and clients
	// whose token says so.
	Privileged bool
	// Realm is the only one whose people the helper may act for; blank for any.
	Realm string
}

// IsPrivileged reports whether an identity's own record makes it a privileged
// person.
func (e *Edge) IsPrivileged(ctx context.Context, identityID string) (bool, error) {
	if e.Privileged == nil {
		return false, nil
	}
	return e.Privileged(ctx, identityID)
}

// Helper authenticates who may act for others. Errors are those of [Edge.Client]
// and [Edge.Owner], ErrForbidden for a person who is not privileged, and those of
// Assured.
func (e *Edge) Helper(c *gin.Context) (Helper, error) {
	if e.IsClient(c) {
		token, err := e.Client(c, claim.ScopeClaimsManage)
		return Helper{
			Actor:    claim.Actor{Kind: claim.Privileged, ID: token.Name, Address: ClientAddress(c)},
			SignedIn: e.Now(), Privileged: token.Privileged,
		}, err
	}
	owner, err := e.owner(c)
	if err != nil {
		return Helper{}, err
	}
	privileged, err := e.IsPrivileged(c.Request.Context(), owner.IdentityID)
	switch {
	case errors.Is(err, claim.ErrNoIdentity): // deleted a moment ago
		err = claim.ErrNoSession
	case err == nil && !privileged:
		err = ErrForbidden
	case err == nil && e.Assured != nil:
		err = e.Assured(c.Request.Context(), owner.SignIn())
	}
	if err == nil {
		e.Acts(c, claim.Privileged, owner.IdentityID)
	}
	// Who is trusted with one realm is not therefore trusted with the primary one.
	realm, _ := claim.SplitRealm(owner.IdentityID)
	if realm == claim.PrimaryRealm {
		realm = ""
	}
	return Helper{
		Actor:    claim.Actor{Kind: claim.Privileged, ID: owner.IdentityID, Address: ClientAddress(c)},
		SignedIn: owner.AuthenticatedAt, Privileged: true, Realm: realm,
	}, err
}
