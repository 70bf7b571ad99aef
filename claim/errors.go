package claim

import (
	"errors"
	"time"
)

// What a caller can have done wrong, or met.
var (
	ErrBadNumber        = errors.New("claim: not a usable telephone number")
	ErrRemovalDenied    = errors.New("claim: the number must not be removed")
	ErrWrongCode        = errors.New("claim: code does not match a pending claim")
	ErrCodeExpired      = errors.New("claim: code has expired")
	ErrNothingPending   = errors.New("claim: nothing is pending")
	ErrBeingApplied     = errors.New("claim: an accepted number is still being written")
	ErrNumberTaken      = errors.New("claim: another identity has the number")
	ErrChangedElsewhere = errors.New("claim: the number was changed elsewhere meanwhile")
	ErrNumberRefused    = errors.New("claim: the identity's schema refuses the number")
	ErrNoSession        = errors.New("claim: no valid session or credentials")
	ErrSessionTooOld    = errors.New("claim: the session is too old for this")

	ErrTooSoon      = errors.New("claim: the last text is too recent")
	ErrTooManyTexts = errors.New("claim: too many texts")
	ErrTooManyTries = errors.New("claim: too many tries")
)

// What a store or the directory can answer.
var (
	ErrStoreAway     = errors.New("claim: the store does not answer")
	ErrRaced         = errors.New("claim: somebody else was faster")
	ErrExists        = errors.New("claim: exists already")
	ErrLeased        = errors.New("claim: another worker is writing this identity")
	ErrDirectoryAway = errors.New("claim: the directory does not answer")
	ErrNoIdentity    = errors.New("claim: no such identity")
	ErrUnknownKey    = errors.New("claim: the code's key is not in the key ring")
)

// LimitError is a limit that passes: [ErrTooSoon], [ErrTooManyTexts] or
// [ErrTooManyTries], and when to try again.
type LimitError struct {
	Reason error
	Until  time.Time
}

func (e *LimitError) Error() string { return e.Reason.Error() }

// Unwrap returns the limit that was met.
func (e *LimitError) Unwrap() error { return e.Reason }
