package people

import (
	"context"
	"time"

	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/phone"
)

// Profile is what Kratos has of a person.
type Profile struct {
	claim.Identity
	Name      string   // to call them by; blank for none
	Names     []string // all traits that are names
	Emails    []string
	UserNames []string // what they sign in with, e-mail addresses and numbers apart
	Active    bool
	CreatedAt time.Time
}

// Directory reads people where they are kept. Errors: [claim.ErrNoIdentity]; a
// transient failure wraps [claim.ErrIdentitiesUnavailable].
type Directory interface {
	Profile(ctx context.Context, identityID string) (Profile, error)
	// Identify returns who signs in with an identifier.
	Identify(ctx context.Context, identifier string) (identityID string, err error)
}

// Entry is what the index has of a person.
type Entry struct {
	IdentityID string
	Terms      []string // sorted
	Key        string   // of its numbers: see [Keys.ID]
	// SeenAt is when Kratos was asked; zero for an entry that is to be made anew.
	SeenAt time.Time
}

// Found is the answer to a search.
type Found struct {
	IdentityIDs []string
	// More says that there are others.
	More bool
}

// Index keeps what people are found by. An implementer must hold to this: an entry
// is put whole or not at all; errors wrap problem.ErrStoreUnavailable.
type Index interface {
	// Search returns at most limit people who meet all conditions, of which there is
	// one at least.
	Search(ctx context.Context, all []Match, limit int) (Found, error)
	Put(ctx context.Context, e Entry) error
	// Delete forgets a person; one who is not there is no error.
	Delete(ctx context.Context, identityID string) error
	// Entries returns those of these people who are there, by their ids.
	Entries(ctx context.Context, identityIDs []string) (map[string]Entry, error)
	// Outdated returns at most n people who were seen before a moment, or whose
	// numbers are hashed with another key, the ones seen longest ago first.
	Outdated(ctx context.Context, before time.Time, key string, n int) ([]string, error)
	// Reached returns the claim up to which people have been indexed, and Reach moves
	// that on. The zero place is before all claims.
	Reached(ctx context.Context) (Place, error)
	Reach(ctx context.Context, to Place) error
}

// Place is a claim's place among all, by when they were made.
type Place struct {
	At time.Time
	ID string
}

// Claims are the claims that people are found for.
type Claims interface {
	// ClaimsFrom returns at most n claims behind a place that were made before a
	// moment, oldest first.
	ClaimsFrom(ctx context.Context, behind Place, before time.Time, n int) ([]claim.Claim, error)
	// NumbersOf returns all numbers that a person's claims are about; none if there
	// is no claim.
	NumbersOf(ctx context.Context, identityID string) ([]phone.Number, error)
}
