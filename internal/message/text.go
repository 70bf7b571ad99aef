package message

import (
	"context"
	"time"

	"github.com/holdline/holdline/internal/otp"
	"github.com/holdline/holdline/internal/phone"
)

// TextKind says what a text is for.
type TextKind string

// The kinds of text. All but the first are notices.
const (
	TextCode      TextKind = "code"      // carries a code to the number that is wanted
	TextRequested TextKind = "requested" // tells a person that another number is wanted
	TextChanged   TextKind = "changed"   // tells a person that their number was replaced
	TextRemoved   TextKind = "removed"   // tells a person that their number was removed
	TextTaken     TextKind = "taken"     // tells a person that another account proved their number, and has it now
	TextDisputed  TextKind = "disputed"  // tells the operator that a person denies a change
)

// Channel says how a text travels.
type Channel string

// The channels.
const (
	ChannelSMS     Channel = "sms"
	ChannelWebhook Channel = "webhook" // to the operator, who writes an e-mail or raises an alarm
)

// Text is one message to send: to whom and which code, but not the code.
type Text struct {
	ID         string
	Kind       TextKind // blank is TextCode
	Channel    Channel  // blank is ChannelSMS
	IdentityID string
	To         phone.Number
	Code       otp.CodeRef   // of a notice, only the claim
	Expires    time.Time     // the code's; a text is not sent later
	Validity   time.Duration // how long the code is good, as the message says it
	Language   string        // what the person reads: BCP 47 tags, best first; blank for the default
	ClientIP   string        // the client that asked for it, for the limits
	CreatedAt  time.Time     // or, for a text that has to wait, when it may go out
	LeaseUntil time.Time     // until then only the process that queued it sends it
}

// TextState is what became of a text.
type TextState string

// The states of a text.
const (
	TextQueued  TextState = "queued"
	TextSent    TextState = "sent"
	TextFailed  TextState = "failed"  // no gateway takes it, and none will
	TextDropped TextState = "dropped" // its code was dead before it could be sent

	// TextNone says of a claim that it was opened without a text. It is not stored.
	TextNone TextState = "none"

	// These two come from receipts, and are not stored with the text.
	TextDelivered   TextState = "delivered"
	TextUndelivered TextState = "undelivered"
)

// Kept reports whether texts are kept in such a state.
func (s TextState) Kept() bool {
	return s == TextQueued || s == TextSent || s == TextFailed || s == TextDropped
}

// QueuedText is a text that a worker found in the outbox.
type QueuedText struct {
	Text
	Tries int
	// Current reports whether its claim is still open and waits for just this code;
	// a notice waits for nothing, and is always current.
	Current bool
	// Unclear reports whether a provider may have taken it in an earlier try.
	Unclear bool
}

// ReasonUnclear begins the reason for putting off a text that a provider may have
// taken; it makes [QueuedText] Unclear.
const ReasonUnclear = "unclear: "

// TextResult is how sending a text ended.
type TextResult struct {
	TextID     string
	State      TextState
	Gateway    string
	ProviderID string // the provider's message id
	Reason     string // why it is not plainly sent; never a number or a code
	At         time.Time
}

// Outbox finds and settles texts. Sending is at least once: a process that dies
// between sending and Done leaves a text that is sent again with the same code
// and the same id.
type Outbox interface {
	// DueTexts returns at most n queued texts whose lease or put-off is over: first
	// those that expired, then newest first.
	DueTexts(ctx context.Context, now time.Time, n int) ([]QueuedText, error)
	// TakeText leases a due text to this caller until then; of several callers
	// one gets true.
	TakeText(ctx context.Context, t QueuedText, until time.Time) (bool, error)
	// Done records the ends of queued texts, all of them or none. A text ends once: one
	// that has ended already is left alone. Results of one call have one At.
	Done(ctx context.Context, results ...TextResult) error
	// PutOff counts a try in vain and makes the text due at the given time.
	PutOff(ctx context.Context, textID string, until time.Time, reason string) error
	// DropTexts ends queued texts that must not be sent, and PostponeTexts makes
	// them due at the given time, no try counted. Both leave those alone that
	// somebody took since they were read: whose lease is not over now.
	DropTexts(ctx context.Context, textIDs []string, now time.Time, reason string) error
	PostponeTexts(ctx context.Context, textIDs []string, now, until time.Time) error
}
