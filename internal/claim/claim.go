package claim

import (
	"time"

	"github.com/holdline/holdline/internal/otp"
	"github.com/holdline/holdline/internal/phone"
)

// State is where a claim is in its life; the package comment draws it.
type State string

// The states. Staged, open and verified claims live; the others have ended.
const (
	Staged     State = "staged"
	Open       State = "open"
	Verified   State = "verified"
	Applied    State = "applied"
	Discarded  State = "discarded"
	Superseded State = "superseded"
	Cancelled  State = "cancelled"
	Locked     State = "locked"
	Lapsed     State = "lapsed"
	Conflict   State = "conflict"
	Orphaned   State = "orphaned"
)

// Known reports whether there is such a state.
func (s State) Known() bool {
	switch s {
	case Staged, Open, Verified, Applied, Discarded, Superseded, Cancelled, Locked, Lapsed, Conflict, Orphaned:
		return true
	default:
		return false
	}
}

// Active reports whether a claim in this state fills its identity's one place for
// an open or verified claim.
func (s State) Active() bool { return s == Open || s == Verified }

// Final reports whether nothing can become of the claim any more.
func (s State) Final() bool { return s != Staged && !s.Active() }

// PendingSync says what still has to be done to the identity's pending number.
type PendingSync string

// The marker's errands.
const (
	SyncDone  PendingSync = ""
	SyncShow  PendingSync = "set"
	SyncClear PendingSync = "clear"
	// MarkerLook and MarkerLast look at the identity again, soon and once more when
	// every form has been stored that was on its way: see [Service.RunDue].
	SyncLook     PendingSync = "look"
	SyncLastLook PendingSync = "last"
	// MarkerOld is no errand: a staged claim's number was shown as pending before
	// its flow, so that seeing it shown does not prove the flow stored.
	SyncShownBefore PendingSync = "old"
)

// Claim says that an identity wants a mobile number. All times are the
// database's, in UTC; zero means never.
type Claim struct {
	ID         string
	IdentityID string
	FlowID     string // of the settings flow; blank otherwise
	Source     Source
	Number     phone.Number // wanted
	Previous   phone.Number // what the identity had when the claim was made
	// WasVerified tells that Was was marked verified.
	PreviousVerified bool
	// Direct tells that no code stands behind the claim: it is staged when Number is
	// about to be written directly or, with none, Was to be removed, and applied once
	// that has happened. It is never open or verified.
	Direct bool
	// Assurance is how well its owner had proved who they are when they opened it.
	Assurance Assurance

	State   State
	Version int
	Reason  string // why it ended, where the state does not say

	CodeKey     string
	CodeNumber  int
	CodeExpires time.Time
	Attempts    int // tries counted against this claim, right ones too
	Texts       int // texts queued for this claim
	NextText    time.Time
	ClientText  ClientText
	LastAddress string // the client address that the last text was asked from
	Language    string // that the last text was written in, as it was asked for
	PendingSync PendingSync
	DueAt       time.Time // when a worker must look at it
	DueTries    int       // how often one did, in vain
	CreatedAt   time.Time
	LapsesAt    time.Time
	EndedAt     time.Time
}

// ClientText says what a provisioning client has to do with a claim. It causes one
// text per number and identity; after that its claims open without one, until the
// person has typed a code or asked for one.
type ClientText string

// The parts of a client.
const (
	ClientNone   ClientText = ""       // none
	ClientAsked  ClientText = "asked"  // it asked for the claim, and has caused no text to the number
	ClientTexted ClientText = "texted" // it asked for the claim, and has caused its text with this claim or an earlier one
)

// unanswered reports whether a client has caused a text that the person has not
// acted on.
func (c Claim) unanswered() bool {
	confirmed := c.State == Verified || c.State == Applied || c.State == Conflict
	return c.ClientText == ClientTexted && c.Attempts == 0 && !confirmed
}

// Untexted reports whether an open claim has had no text, and so has no code yet:
// a limit forbade it, or a client's one text was spent. Its owner can ask for one.
func (c Claim) Untexted() bool { return c.State == Open && c.CodeNumber == 0 }

// Code names the claim's present code.
func (c Claim) Code() otp.CodeRef {
	return otp.CodeRef{ClaimID: c.ID, Key: c.CodeKey, Number: c.CodeNumber}
}
