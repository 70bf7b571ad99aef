// Package problem has the kinds of error that callers meet. Each error is defined
// where it arises, with the kind, the code and the sentence that its caller is shown;
// the surfaces turn the kind into their protocol's terms.
package problem

import (
	"errors"
	"time"
)

// Kind is what an error means to its caller.
type Kind int

// The kinds, and the status of HTTP that each one has (RFC 9110, section 15).
const (
	Internal        Kind = iota // 500: a fault of ours
	Invalid                     // 400
	Unauthenticated             // 401
	Forbidden                   // 403
	NotFound                    // 404
	NotAllowed                  // 405
	Conflict                    // 409
	TooLarge                    // 413
	Unsupported                 // 415
	Limited                     // 429
	Unavailable                 // 503
)

// Error is an error that a caller is told of. Compare with errors.Is, by the
// variable that holds it.
type Error struct {
	Kind Kind
	// Code is stable; programs go by it.
	Code string
	// Text is the sentence for the caller. It never repeats what the caller sent.
	// Blank: the whole error says it.
	Text string

	log   string // for our own log
	cause error
}

// New returns an error; log is what it is called in our own log.
func New(kind Kind, code, text, log string) error {
	return &Error{Kind: kind, Code: code, Text: text, log: log}
}

// Within returns an error that is also the broader one.
func Within(broader error, kind Kind, code, text, log string) error {
	return &Error{Kind: kind, Code: code, Text: text, log: broader.Error() + log, cause: broader}
}

func (e *Error) Error() string { return e.log }

// Unwrap returns the broader error; nil for none.
func (e *Error) Unwrap() error { return e.cause }

// KindOf returns what an error means to its caller: Internal for one that is not told.
func KindOf(err error) Kind {
	if told := (*Error)(nil); errors.As(err, &told) {
		return told.Kind
	}
	return Internal
}

// What any store can answer.
var (
	// ErrStoreUnavailable: the store does not answer, or not in time.
	ErrStoreUnavailable = New(Unavailable, "HLD-50301", "The service cannot be used just now. Try again in a moment.", "the store does not answer")
)

// LimitError is a limit that passes.
type LimitError struct {
	Reason error
	Until  time.Time // when to try again
	Name   string    // of the limit, as the configuration has it; blank where the reason says all
}

func (e *LimitError) Error() string { return e.Reason.Error() }

// Unwrap returns the limit that was met.
func (e *LimitError) Unwrap() error { return e.Reason }
