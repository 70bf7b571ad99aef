package smsgateway

import (
	"context"
	"errors"
	"fmt"
	"time"
)

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

// ErrUnclear means that the provider got the request, and that no answer to it could
// be read: it may have taken the message. It is transient, but whoever tries again
// and again sends the same text again and again.
var ErrUnclear = errors.New("the provider may have taken it")

// ErrUnsure means that the provider answered, and that its answer is not
// understood: it lacks what the provider always says, or the rule for it fails. The
// provider may have taken the message. It is transient.
var ErrUnsure = errors.New("the provider's answer is not understood")

// ErrLocal means that this process, and not the gateway, is in the way. It is
// transient, and says nothing of the gateway's health.
var ErrLocal = errors.New("not asked")

// DefaultConcurrency is how many sends a gateway has at once unless the operator says
// otherwise. A provider that takes a second for each text then keeps up with five
// hundred changes a second, of two texts each.
const DefaultConcurrency = 1024
