package smsgateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/holdline/holdline/internal/claim"
)

// Message is one text as a gateway sends it.
type Message struct {
	ID         string // the text's; the same for every attempt
	Kind       claim.TextKind
	Channel    claim.Channel
	To         claim.Mobile // of a webhook's message: whom it is about
	Subject    string       // of a webhook's message
	Email      string       // where a webhook's message should end up
	Link       string       // of a notice: the one that Body holds
	Body       string
	Code       string        // the one that Body holds; blank in a notice
	Validity   time.Duration // of the code, as Body says it
	Language   string        // what the person reads: BCP 47 tags, best first; blank for the default
	Written    string        // the language of Body, as a BCP 47 tag
	IdentityID string
	// Write makes Body anew in the best of some languages (BCP 47), and says which;
	// nil if it cannot be written anew.
	Write func(languages []string) (body, language string, err error)

	// What the gateway's settings say of it.
	templateID string
	data       object
}

// Format prints the id and the masked number for every verb.
func (m Message) Format(state fmt.State, _ rune) {
	_, _ = fmt.Fprintf(state, "text %s to %s", m.ID, m.To)
}

// LogValue prints the id and the masked number.
func (m Message) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(m)) }

// Gateway sends texts. An implementer must hold to this: the message's ID is an
// idempotency key; the end of ctx ends the call; an error that wraps
// [ErrRefused] means that trying again is in vain, any other that it is not;
// [ErrUnclear] and [ErrUnsure] mean that the message may have been taken, [ErrLocal] that nobody
// was asked, and a [*RetryError] says when to try again; no error holds the number, the code,
// credentials or what the provider answered. The provider's id may be blank.
type Gateway interface {
	Send(ctx context.Context, m Message) (providerID string, err error)
}

// ErrRefused means that this gateway will never take the message. Another may.
var ErrRefused = errors.New("refused")

// ErrAccount means that the gateway refuses the operator and not the message:
// credentials, credit, permissions. It wraps [ErrRefused]: another gateway may
// take the message, and this one should be looked after.
var ErrAccount = fmt.Errorf("%w: the provider refuses the account", ErrRefused)

// RetryError is a failure that passes, from a provider that says when.
type RetryError struct {
	Reason string
	After  time.Duration
}

func (e *RetryError) Error() string { return e.Reason }

// minutes is a code's remaining time as texts say it: whole minutes, never none.
func minutes(validity time.Duration) int { return max(1, int(validity/time.Minute)) }
