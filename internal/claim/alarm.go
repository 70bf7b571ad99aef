package claim

import (
	"context"
	"time"

	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/internal/phone"
)

// Alarm is a person's word that they did not want a change: what was denied, what was
// done at once, and what became of the case. There is one for each change, whoever
// presses the button again. All times are the database's, in UTC; zero means never.
type Alarm struct {
	// ID is that of the claim that was denied.
	ID         string
	IdentityID string
	// Denied says what was denied: [message.TextRequested] (a number that was waiting),
	// [message.TextChanged], [message.TextRemoved] or [message.TextTaken].
	Denied message.TextKind
	// Number is what the identity was to have, or has; zero after a removal. Previous is
	// what it had before: what "restore" would write.
	Number           phone.Number
	Previous         phone.Number
	PreviousVerified bool
	// CancelledID is the claim that was waiting and was cancelled with it; blank for none.
	CancelledID string
	ClientIP    string // from where it was denied
	RaisedAt    time.Time

	SessionsEndedAt time.Time // when every session of the identity had been ended
	DueAt           time.Time // when a worker must look at it
	DueTries        int       // how often one did, in vain

	BlockedUntil time.Time // until then the identity's number cannot be changed
	LiftedAt     time.Time // when that was lifted, before its time
	LiftedBy     string    // by whom: an identity, or an administrator's name

	ClosedAt time.Time
	ClosedBy string
	Outcome  AlarmOutcome

	Version int
}

// AlarmOutcome says what came of a case.
type AlarmOutcome string

// The outcomes.
const (
	AlarmOpen     AlarmOutcome = ""         // nobody has decided yet
	AlarmRestored AlarmOutcome = "restored" // the number from before is in force again
	AlarmClosed   AlarmOutcome = "closed"   // nothing more is to be done
)

// Closed reports whether somebody has decided on the case.
func (a Alarm) Closed() bool { return a.Outcome != AlarmOpen }

// Alarms keeps alarms. They are raised and changed by [Claims.Commit].
type Alarms interface {
	// Alarm reads the alarm of a denied claim; nil for none.
	Alarm(ctx context.Context, claimID string) (*Alarm, error)
	// BlockedUntil returns until when changes of an identity's number are blocked, as
	// seen now; zero for not.
	BlockedUntil(ctx context.Context, identityID string, now time.Time) (time.Time, error)
	// AlarmSince reads the first alarm that was raised about an identity at a moment or
	// later; nil for none.
	AlarmSince(ctx context.Context, identityID string, moment time.Time) (*Alarm, error)
	// BlockingAlarms reads the alarms that block an identity's changes now.
	BlockingAlarms(ctx context.Context, identityID string, now time.Time) ([]Alarm, error)
	// DueAlarms returns at most n alarms whose DueAt has come, oldest first.
	DueAlarms(ctx context.Context, now time.Time, n int) ([]Alarm, error)
}
