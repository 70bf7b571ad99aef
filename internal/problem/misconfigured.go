package problem

import "fmt"

// ErrMisconfigured means that something which Holdline needs is missing or refused, and stays
// so until an operator changes it.
var ErrMisconfigured = New(Internal, "HLD-50002", "The service is not set up completely. Its log says what is missing.", "misconfigured")

// MisconfiguredError is an ErrMisconfigured with what an operator has to do about it.
type MisconfiguredError struct {
	Mend  string
	Cause error
}

// Misconfigured returns a [MisconfiguredError].
func Misconfigured(cause error, mend string) error { return &MisconfiguredError{mend, cause} }

// Error ends with the mend, so that every line of the log that has the error says it.
func (e *MisconfiguredError) Error() string {
	return fmt.Sprintf("%v: %v: %s", ErrMisconfigured, e.Cause, e.Mend)
}

// Unwrap returns ErrMisconfigured and the cause.
func (e *MisconfiguredError) Unwrap() []error { return []error{ErrMisconfigured, e.Cause} }
