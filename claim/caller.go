package claim

import "time"

// Caller is an owner who proved who they are.
type Caller struct {
	IdentityID string
	// AuthenticatedAt is when they last signed in.
	AuthenticatedAt time.Time
	// Seen is the identity as the directory showed it while the caller was
	// authenticated just now; nil if that came from a cache.
	Seen *Identity
	// Address is the client's, where it is known.
	Address string
	// Language lists what the person reads, best first: BCP 47 tags, separated by
	// commas; blank for nothing known.
	Language string
}

// Actor returns the caller as the cause of a transition.
func (c Caller) Actor() Actor { return Actor{Kind: Owner, ID: c.IdentityID, Address: c.Address} }
