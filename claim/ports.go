package claim

import (
	"context"
	"time"
)

// Snapshot is what a store knows of one identity at one moment.
type Snapshot struct {
	Held   *Claim  // open or verified; nil for none
	Staged []Claim // newest first
	// TriesElsewhere counts the tries since the asked time on the identity's
	// other claims; TriesSince is the oldest of those claims' creation.
	TriesElsewhere int
	TriesSince     time.Time
}

// Move is one transition of a claim that was read before. Claim carries the new
// values and the version that was read; the store writes the next version.
type Move struct {
	From  State
	Claim Claim
	// Forget blanks the claim's numbers, and those of its texts.
	Forget bool
}

// TextLimits bound how many texts go out in a sliding window. Zero is no limit.
type TextLimits struct {
	PerIdentityDay int
	PerNumberDay   int
	PerAddressHour int
}

// Change is what happens in one transaction: all of it or nothing.
type Change struct {
	// Create adds a staged or open claim.
	Create *Claim
	// Moves happen in order, before Create. They write neither what the claim was
	// made with (identity, flow, origin, numbers, creation) nor its attempts, which
	// only Try counts.
	Moves []Move
	// Text is queued, leased to this process until its LeaseUntil.
	Text *Text
	// Limits are checked for Text, or without one for the text that Create will
	// lead to (number, identity and Create.LastAddress), in the statement that
	// writes them. Those who write in the same instant may pass together.
	Limits TextLimits
	Events []Event
	// At is the moment of the change.
	At time.Time
}

// Claims keeps claims. An implementer must hold to this: a change is atomic; a
// move whose claim is no longer in the named state and version fails the whole
// change with ErrRaced; a second open or verified claim of an identity fails it
// with ErrRaced; a created claim whose id exists fails it with ErrExists; a
// limit fails it with a *LimitError (ErrTooManyTexts). Anything else wraps
// ErrStoreAway, and may or may not have been committed.
type Claims interface {
	// Current reads an identity's living claims. Tries are counted from since.
	Current(ctx context.Context, identityID string, since time.Time) (Snapshot, error)
	// Last reads the identity's claim that ended last; nil for none.
	Last(ctx context.Context, identityID string) (*Claim, error)
	// TextState reads what became of the claim's newest text; blank for none.
	TextState(ctx context.Context, claimID string) (TextState, error)
	// Commit makes a change.
	Commit(ctx context.Context, change Change) error
	// Try counts one try against a held claim, durably, before the code is
	// compared. ErrRaced: not counted, because the claim is no longer held, has
	// another code number, or has had limit tries.
	Try(ctx context.Context, ref CodeRef, limit int) error
}

// Leases let one worker at a time write an identity to the directory. A lease
// that names a claim ends by itself when that claim is no longer verified.
type Leases interface {
	// Acquire takes the lease from now until the lease's end, or returns ErrLeased.
	Acquire(ctx context.Context, lease Lease, now time.Time) error
	// Release gives a lease back; giving back one that is lost is no error.
	Release(ctx context.Context, lease Lease) error
}

// Lease is the right to write one identity for a moment.
type Lease struct {
	IdentityID string
	Owner      string // unique for each taking
	ClaimID    string // the verified claim that it serves, or blank
	Until      time.Time
}

// Backlog finds the claims that a worker must look at.
type Backlog interface {
	// Due returns at most n claims whose DueAt has come, oldest first.
	Due(ctx context.Context, now time.Time, n int) ([]Claim, error)
	// Take puts a due claim off until then, and tells whether this caller did
	// it: of several workers one gets true. It raises DueTries.
	Take(ctx context.Context, c Claim, until time.Time) (bool, error)
	// Prune forgets at most n claims that ended before the given time, with
	// their texts, and what else is older.
	Prune(ctx context.Context, before time.Time, n int) (int, error)
}

// Store is all of these, for what keeps them in one place.
type Store interface {
	Claims
	Leases
	Backlog
	Outbox
}

// Identity is what Holdline knows of a person: what the directory stores now.
type Identity struct {
	ID       string
	Mobile   string // as stored; blank for none
	Verified bool   // the mobile number is marked verified
	Pending  string // the marker; blank for none
}

// Directory writes identities. Errors: ErrNoIdentity, ErrNumberTaken,
// ErrNumberRefused; anything that passes wraps ErrDirectoryAway.
type Directory interface {
	Identity(ctx context.Context, id string) (Identity, error)
	// Adopt writes the number, verified, and removes the marker when told so, in
	// one request, and compares what came of it.
	Adopt(ctx context.Context, id string, number Mobile, unmark bool) error
	// Mark shows the number as pending.
	Mark(ctx context.Context, id string, number Mobile) error
	// Unmark removes the marker. One that is gone already is no error.
	Unmark(ctx context.Context, id string) error
	// CodeIdentifier tells whether the schema makes the mobile number an
	// identifier for sign-in by code.
	CodeIdentifier(ctx context.Context, schemaID string) (bool, error)
}
