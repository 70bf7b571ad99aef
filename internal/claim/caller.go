package claim

import (
	"context"
	"time"

	"github.com/holdline/holdline/internal/audit"
)

// Caller is an owner who proved who they are, or somebody who may act for one.
type Caller struct {
	IdentityID string
	// SessionID is Kratos' session that proved it; blank for another proof.
	SessionID string
	// AuthenticatedAt is when they last signed in.
	AuthenticatedAt time.Time
	// Assurance is how they did, and Factors what a [SignIn] has under this name.
	Assurance Assurance
	Factors   func(context.Context) ([]string, error)
	// Seen is the identity as the directory showed it while the caller was
	// authenticated just now; nil if that came from a cache.
	Seen *Identity
	// Address is the client's, where it is known.
	ClientIP string
	// Language lists what the person reads, best first: BCP 47 tags, separated by
	// commas; blank for nothing known.
	Language string
	// By is who acts in the owner's place: a privileged user or an administrator;
	// zero for the owner.
	By audit.Actor
	// ClaimID is the only claim that is meant; blank for the one that is held.
	ClaimID string
}

// SignIn is how the caller proved who they are.
func (c Caller) SignIn() SignIn { return SignIn{c.AuthenticatedAt, c.Assurance, c.Factors} }

// Actor returns the caller as the cause of a transition.
func (c Caller) Actor() audit.Actor {
	if c.By.Kind != "" {
		return c.By
	}
	return audit.Actor{Kind: audit.Owner, ID: c.IdentityID, ClientIP: c.ClientIP}
}

// means reports whether a held claim is the one that the caller speaks of.
func (c Caller) means(held *Claim) bool {
	return held != nil && (c.ClaimID == "" || c.ClaimID == held.ID)
}
