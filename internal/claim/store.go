package claim

import (
	"context"
	"time"

	"github.com/holdline/holdline/internal/audit"
	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/internal/otp"
	"github.com/holdline/holdline/internal/phone"
)

// IdentityClaims is what a store knows of one identity at one moment.
type IdentityClaims struct {
	Active *Claim  // open or verified; nil for none
	Staged []Claim // that wait for a code to be sent; newest first
	Direct []Claim // staged, but for no code (see [Claim.Direct]); newest first
	// TriesElsewhere counts the tries since the asked time on the identity's
	// other claims; TriesSince is the oldest of those claims' creation.
	TriesElsewhere int
	TriesSince     time.Time
	// TriesBefore are those among them that were spent on the held claim's number,
	// in claims that were replaced or taken back.
	TriesBefore int
}

// Transition is one transition of a claim that was read before. Claim carries the new
// values and the version that was read; the store writes the next version.
type Transition struct {
	From  State
	Claim Claim
	// Forget blanks the numbers of all the identity's claims and texts: the
	// identity is gone.
	EraseIdentity bool
	// Try, unless zero, counts one try of so many at most with the transition, which
	// fails if the claim has had them, or has another code number. See [Claims.Try].
	Try int
}

// TextLimits bound how many texts go out: in a sliding window, and for a calling
// code by the generic cell rate algorithm (see [ratelimit.Limit]). Zero is no limit.
// All but the last are about texts with codes.
type TextLimits struct {
	PerIdentityDay int
	// PerNumberHour and PerNumberDay are shared by all who ask for texts to a
	// number. Beyond them an identity that has a verified number (as the claim of
	// the text tells) keeps [OwnTextsPerNumberDay] to it, up to
	// [TextLimits.PerNumberDayInAll]: otherwise accounts made for it could keep a
	// number's owner out.
	PerNumberHour  int
	PerNumberDay   int
	PerAddressHour int
	PerCodeHour    int // of the number's calling code
	// NoticesPerNumberDay bounds the notices that a number receives.
	NoticesPerNumberDay int
}

// OwnTextsPerNumberDay is how many texts in 24 hours an identity with a verified
// number has to a number whoever else asks.
const OwnTextsPerNumberDay = 1

// PerNumberDayInAll is how many texts a number receives in 24 hours at most, the
// own ones of identities with a verified number included; zero for no limit.
func (l TextLimits) PerNumberDayInAll() int { return 2 * l.PerNumberDay }

// History is what the identity's ended claims for one number leave behind since
// the number was confirmed last.
type History struct {
	Texts    int
	NextText time.Time
	Since    time.Time // when the newest claim with so many texts was made; zero for none
}

// Add takes an ended claim into account, if it was for the number; claims are
// added oldest first. The number of texts passes from claim to claim, so the
// greatest counts, and a confirmed number starts afresh.
func (h *History) Add(c Claim, number phone.Number) {
	switch {
	case !c.Number.Same(number) || c.Texts == 0:
		return
	case c.State == Verified || c.State == Applied || c.State == Conflict:
		*h = History{}
		return
	}
	if c.Texts >= h.Texts {
		h.Texts, h.Since = c.Texts, c.CreatedAt
	}
	if c.NextText.After(h.NextText) {
		h.NextText = c.NextText
	}
}

// Basis is what a form was filled in upon. A change with one fails with
// ErrStaleForm if Stored is the number that the claim which was applied last has
// replaced since then, and with ErrBeingApplied if it creates a claim while one is
// verified. Where it is Vacant, the change fails with ErrConcurrentUpdate if it creates a
// claim while another of the identity is open or verified.
type Basis struct {
	Stored phone.Number
	Since  time.Time
	Vacant bool
}

// Change is what happens in one transaction: all of it or nothing.
type Change struct {
	// Create adds a staged or open claim.
	Create *Claim
	// Transitions happen in order, before Create. They write neither what the claim was
	// made with (identity, flow, source, numbers, creation) nor its attempts, which
	// only a try counts; but a claim that is applied keeps what it replaced as Previous.
	Transitions []Transition
	// Text is queued, leased to this process until its LeaseUntil.
	Text *message.Text
	// Limits are kept by Text, also by several that are queued in the same
	// instant. Without a text they are looked up for the one that Create will lead
	// to (number, identity and Create.LastAddress).
	Limits TextLimits
	// Fresh makes the change fail when this identity had a text to this number
	// less than so long ago. Zero does not ask.
	NoTextWithin time.Duration
	// Answered makes a change with a Text fail with ErrTextedBefore if a client has had
	// this identity texted at this number, and it has not acted on that.
	Answered bool
	// Basis bears on Create and Text; nil asks nothing.
	Basis *Basis
	// RefuseBlocked makes a change with Create or Text fail with a *problem.LimitError
	// (ErrChangesBlocked) while an alarm blocks the changes of their identity.
	RefuseBlocked bool
	// Raise adds an alarm; ErrConcurrentUpdate if its claim has one. Alarms are written as
	// they are, but for what they were raised with; one whose version is not the one
	// that is stored fails the change with ErrConcurrentUpdate.
	Raise  *Alarm
	Alarms []Alarm
	// Notices are queued beside it, leased like Text, within
	// Limits.NoticesPerNumberDay. One that finds no room is left out, with the line
	// of [NoticeWithheldEvent], and Withhold hears of it when the change is made.
	Notices  []message.Text
	Withhold func(notice message.Text)
	Events   []audit.Event
	// Lease is taken with the change, unless others have it, which is no reason to fail:
	// Leased hears of it when the change is made, and it was taken.
	Lease  *Lease
	Leased func()
	// Release gives back the lease that the change was made under.
	Release *Lease
	// Along is written with the change by stores that can; nil for nothing.
	Along *Along
	// At is the moment of the change.
	At time.Time
}

// Along is what another store keeps in the same database, such as the index of users,
// and would commit just after a change of the claims.
type Along struct {
	Write any  // in the terms of that database
	Done  bool // it was written; else its own store has to
}

// Claims keeps claims. An implementer must hold to this: a change is atomic; a
// move whose claim is no longer in the named state and version fails the whole
// change with ErrConcurrentUpdate; a second open or verified claim of an identity fails it
// with ErrConcurrentUpdate; a created claim whose id exists fails it with ErrExists; a
// limit fails it with a *problem.LimitError (ErrTooManyTexts, ErrCallingCodeFull), and a
// text that should be the first with ErrTextedBefore. Anything else wraps
// problem.ErrStoreUnavailable, and may or may not have been committed.
type Claims interface {
	// Current reads an identity's living claims. Tries are counted from since.
	Current(ctx context.Context, identityID string, since time.Time) (IdentityClaims, error)
	// Last reads the identity's claim that ended last; nil for none.
	Last(ctx context.Context, identityID string) (*Claim, error)
	// Applied reads the identity's claim that was applied last; nil for none.
	Applied(ctx context.Context, identityID string) (*Claim, error)
	// Find reads a claim by its id; nil for none.
	Find(ctx context.Context, claimID string) (*Claim, error)
	// Newest reads the identity's newest claim for a number that was opened at some
	// time; nil for none.
	Newest(ctx context.Context, identityID string, number phone.Number) (*Claim, error)
	// History reads what the identity's ended claims for a number, made since
	// then, leave behind.
	History(ctx context.Context, identityID string, number phone.Number, since time.Time) (History, error)
	// RoomAt tells when the limits, the budget of the number's calling code among
	// them, allow one more text with a code like this, for the claim that it names;
	// zero for now.
	NextAllowed(ctx context.Context, text message.Text, limits TextLimits, now time.Time) (time.Time, error)
	// TextState reads what became of the claim's newest text with a code, as
	// receipts tell it where there are any; blank for none.
	TextState(ctx context.Context, claimID string) (message.TextState, error)
	// Commit makes a change.
	Commit(ctx context.Context, change Change) error
	// Try counts one try against a held claim, durably, before the code is
	// compared. ErrConcurrentUpdate: not counted, because the claim is no longer held, has
	// another code number, or has had limit tries.
	Try(ctx context.Context, ref otp.CodeRef, limit int) error
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
	// Take puts a due claim off until then, and reports whether this caller did
	// it: of several workers one gets true. It raises DueTries.
	Take(ctx context.Context, c Claim, until time.Time) (bool, error)
	// Prune forgets at most n claims that ended before the given time, with
	// their texts, or else at most n leases and at most n receipts that are older. It
	// returns how many; zero means that nothing is left.
	Prune(ctx context.Context, before time.Time, n int) (int, error)
}

// Store is all of these, for what keeps them in one place.
type Store interface {
	Claims
	Leases
	Backlog
	Alarms
	message.Outbox
	message.Receipts
}

// Identity is what Holdline knows of a person: what the directory stores now.
type Identity struct {
	ID       string
	Mobile   string // as stored; blank for none
	Verified bool   // the mobile number is marked verified
	Pending  string // the marker; blank for none
	// Privileged tells that their record makes them a privileged person; a session
	// does not show it.
	Privileged bool
	Locale     string // the language that they set for themselves, in any form; blank for none
}

// Identities writes identities. Errors: ErrNoIdentity, ErrNumberTaken,
// ErrNumberRefused; a transient failure wraps ErrIdentitiesUnavailable.
type Identities interface {
	Identity(ctx context.Context, id string) (Identity, error)
	// Adopt writes the number, verified, and removes the marker when told so, in
	// one request, and compares what came of it.
	ApplyNumber(ctx context.Context, id string, number phone.Number, unmark bool) error
	// Write writes the number, not verified, or removes it where it is zero.
	Write(ctx context.Context, id string, number phone.Number) error
	// Mark shows the number as pending.
	ShowPending(ctx context.Context, id string, number phone.Number) error
	// Unmark removes the marker. One that is gone already is no error.
	ClearPending(ctx context.Context, id string) error
	// CodeIdentifier reports whether the schema makes the mobile number an
	// identifier for sign-in by code.
	CodeIdentifier(ctx context.Context, schemaID string) (bool, error)
}

// wants reports whether a living claim is for the number.
func (l IdentityClaims) wants(number phone.Number) bool {
	if l.Active != nil && l.Active.Number.Same(number) {
		return true
	}
	for _, c := range l.Staged {
		if c.Number.Same(number) && c.PendingSync != SyncShownBefore {
			return true
		}
	}
	return false
}

// findStaged returns the newest staged claim of a flow for a number.
func (l IdentityClaims) findStaged(flowID string, number phone.Number) *Claim {
	for i := range l.Staged {
		if c := &l.Staged[i]; c.FlowID == flowID && c.Number.Same(number) {
			return c
		}
	}
	return nil
}

// beingWritten reports whether an accepted number is on its way to the directory. What
// a form that is stored meanwhile has ended shows afterwards.
func (l IdentityClaims) beingWritten() bool {
	return l.Active != nil && l.Active.State == Verified
}

// announced returns a staged direct claim of a flow for a number, newest first;
// nil for none.
func (l IdentityClaims) stagedDirect(flowID string, number phone.Number) *Claim {
	for i := range l.Direct {
		if c := &l.Direct[i]; c.FlowID == flowID && c.Number.Same(number) {
			return c
		}
	}
	return nil
}
