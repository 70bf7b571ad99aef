package admin

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/holdline/holdline/internal/audit"
	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/fraud"
	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/internal/phone"
)

// Cursor is a place in a list that is ordered by time, newest first: behind the
// row that has it. The zero value is the beginning.
type Cursor struct {
	At time.Time
	ID string
}

// String writes the place as clients are to hand it back, unread; the beginning
// is blank.
func (c Cursor) String() string {
	if c == (Cursor{}) {
		return ""
	}
	return strconv.FormatInt(c.At.UnixMicro(), 10) + "." + c.ID
}

// ParseCursor reads what String has written; it is not ok for anything else.
func ParseCursor(text string) (c Cursor, ok bool) {
	if text == "" {
		return Cursor{}, true
	}
	moment, id, found := strings.Cut(text, ".")
	micros, err := strconv.ParseInt(moment, 10, 64)
	if err != nil || !found {
		return Cursor{}, false
	}
	return Cursor{At: time.UnixMicro(micros).UTC(), ID: id}, true
}

// ClaimQuery asks for claims, newest first. Blank fields ask for nothing.
type ClaimQuery struct {
	State claim.State
	// IdentityIDs are the people whose claims are meant; nil for everybody. They are
	// few, and so are the claims of each.
	IdentityIDs []string
	// Number is the number that is wanted, and Masked one that is shown so (see
	// [phone.Number.String] and [ClaimQuery.Mask]). They narrow what IdentityIDs ask for, and
	// mean nothing without: package people knows whose numbers they are.
	Number phone.Number
	Masked string
	After  Cursor
	Limit  int
}

// Mask returns the masked number as [phone.Number.String] prints it, whatever blanks
// and punctuation were typed into it.
func (q ClaimQuery) Mask() string { return phone.FromStore(q.Masked).Dialled() }

// Fits reports whether a claim has the state and the number that are asked for.
func (q ClaimQuery) Fits(state claim.State, number phone.Number) bool {
	return (q.State == "" || state == q.State) && (q.Number.IsZero() || number.Same(q.Number)) &&
		(q.Masked == "" || number.String() == q.Mask())
}

// Behind reports whether a row comes after the cursor, newest first.
func (c Cursor) Behind(at time.Time, id string) bool {
	return c == (Cursor{}) || at.Before(c.At) || at.Equal(c.At) && id < c.ID
}

// TextQuery asks for texts and notices, newest first.
type TextQuery struct {
	ClaimID    string
	IdentityID string
	State      message.TextState // as it is stored: queued, sent, failed or dropped
	Gateway    string
	After      Cursor
	Limit      int
}

// TextRecord is a text and what became of it.
type TextRecord struct {
	message.Text
	State    message.TextState // with what receipts say
	Tries    int
	Gateway  string
	Reason   string
	DoneAt   time.Time
	Receipts []message.Receipt // oldest first; only where a claim or a person is asked for
}

// EventQuery asks for lines of the audit trail, newest first.
type EventQuery struct {
	ClaimID    string
	IdentityID string
	Kind       string
	Before     int64 // the id of the last line that was seen; 0 begins
	Limit      int
}

// EventRecord is a line of the audit trail with its place.
type EventRecord struct {
	ID int64
	audit.Event
}

// AlarmQuery asks for alarms, newest first. Blank fields ask for nothing.
type AlarmQuery struct {
	IdentityID string
	Open       bool   // only those that nobody has decided on
	After      Cursor // RaisedAt and ID of an alarm
	Limit      int
}

// Store shows administrators what is kept. An implementer must hold to this:
// a page costs the same wherever it is, and pages that follow each other's cursor
// show each row once, also while rows are added; errors wrap problem.ErrStoreUnavailable.
type Store interface {
	fraud.StatsReader
	Find(ctx context.Context, claimID string) (*claim.Claim, error)
	Alarm(ctx context.Context, claimID string) (*claim.Alarm, error)
	FindClaims(ctx context.Context, q ClaimQuery) ([]claim.Claim, error)
	FindTexts(ctx context.Context, q TextQuery) ([]TextRecord, error)
	FindEvents(ctx context.Context, q EventQuery) ([]EventRecord, error)
	FindAlarms(ctx context.Context, q AlarmQuery) ([]claim.Alarm, error)
	// RecordEvent adds a line to the audit trail by itself.
	RecordEvent(ctx context.Context, e audit.Event) error
	// Waiting counts what waits now.
	Waiting(ctx context.Context) (Waiting, error)
	// Beginnings counts claims by the plus and the first digits of their number: those that are open, and
	// those that were applied after a moment, without those that no code stands behind.
	Beginnings(ctx context.Context, digits int, since time.Time) ([]Beginning, error)
}

// Beginning is how many numbers begin so. Where an older form of a number is kept, it is that of it.
type Beginning struct {
	Text            string // such as +49
	Open, Confirmed int
}

// Waiting is how much waits: for codes, for Kratos and for providers.
type Waiting struct {
	Open     int // claims that wait for their code
	Verified int // claims whose code was right, and that Kratos has not got yet
	Queued   int // texts that no provider has taken yet
	// OldestText is when the oldest of the queued texts might have gone out; zero
	// for none.
	OldestText time.Time
	Alarms     int // changes that somebody denied, and that nobody has decided on
}
