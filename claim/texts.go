package claim

import (
	"context"
	"time"
)

// TextKind says what a text is for.
type TextKind string

// The kinds of text. All but the first are notices.
const (
	TextCode    TextKind = "code"    // carries a code to the number that is wanted
	TextChanged TextKind = "changed" // tells the number's former owner that it was replaced
)

// Text is one message to send: to whom and which code, but not the code.
type Text struct {
	ID         string
	Kind       TextKind // blank is TextCode
	IdentityID string
	To         Mobile
	Code       CodeRef       // of a notice, only the claim
	Expires    time.Time     // the code's; a text is not sent later
	Validity   time.Duration // how long the code is good, as the message says it
	Language   string        // BCP 47, blank for the default
	Address    string        // the client that asked for it, for the limits
	CreatedAt  time.Time
	LeaseUntil time.Time // until then only the process that queued it sends it
}

// TextState is what became of a text.
type TextState string

// The states of a text.
const (
	TextQueued  TextState = "queued"
	TextSent    TextState = "sent"
	TextFailed  TextState = "failed"  // no gateway takes it, and none will
	TextDropped TextState = "dropped" // its code was dead before it could be sent
)

// QueuedText is a text that a worker found in the outbox.
type QueuedText struct {
	Text
	Tries int
	// Current tells whether its claim is still open and waits for just this code.
	Current bool
}

// TextResult is how sending a text ended.
type TextResult struct {
	TextID     string
	State      TextState
	Gateway    string
	ProviderID string // the provider's message id
	Reason     string // for failed and dropped ones; never a number or a code
	At         time.Time
}

// Outbox finds and settles texts. Sending is at least once: a process that dies
// between sending and Done leaves a text that is sent again with the same code
// and the same id.
type Outbox interface {
	// DueTexts returns at most n queued texts whose lease or put-off is over,
	// newest first.
	DueTexts(ctx context.Context, now time.Time, n int) ([]QueuedText, error)
	// TakeText leases a due text to this caller until then; of several callers
	// one gets true.
	TakeText(ctx context.Context, t QueuedText, until time.Time) (bool, error)
	// Done records the end of a queued text.
	Done(ctx context.Context, r TextResult) error
	// PutOff counts a try in vain and makes the text due at the given time.
	PutOff(ctx context.Context, textID string, until time.Time, reason string) error
}
