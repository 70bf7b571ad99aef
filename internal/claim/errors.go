package claim

import (
	"errors"
	"fmt"
	"time"
)

// What a caller can have done wrong, or met.
var (
	ErrBadNumber      = errors.New("claim: not a usable telephone number")
	ErrRemovalDenied  = errors.New("claim: the number must not be removed")
	ErrWrongCode      = errors.New("claim: code does not match a pending claim")
	ErrCodeExpired    = errors.New("claim: code has expired")
	ErrNothingPending = errors.New("claim: nothing is pending")
	ErrBeingApplied   = errors.New("claim: an accepted number is still being written")
	// ErrStaleForm: a form was filled in before the number that it began with was
	// replaced, and would put that one back.
	ErrStaleForm   = errors.New("claim: the form is older than the number")
	ErrNumberTaken = errors.New("claim: another identity has the number")
	// ErrNumberProved and ErrNumberBound are ErrNumberTaken of which more is known.
	ErrNumberProved     = fmt.Errorf("%w, and has proved it", ErrNumberTaken)
	ErrNumberBound      = fmt.Errorf("%w, and signs in by it", ErrNumberTaken)
	ErrChangedElsewhere = errors.New("claim: the number was changed elsewhere meanwhile")
	ErrNumberRefused    = errors.New("claim: the identity's schema refuses the number")
	ErrNoSession        = errors.New("claim: no valid session or credentials")
	// ErrSecondFactor is an ErrNoSession that could become a session.
	ErrSecondFactor  = fmt.Errorf("%w: a second factor is missing", ErrNoSession)
	ErrSessionTooOld = errors.New("claim: the session is too old for this")
	// ErrMalformedCode is an ErrWrongCode that cost no try.
	ErrMalformedCode = fmt.Errorf("%w: it does not look like one", ErrWrongCode)
	// ErrNeedsSecondFactor: a session that is good for other things lacks one.
	ErrNeedsSecondFactor = errors.New("claim: a second factor is missing for this")

	// ErrPrivilegedOff: privileged users do not verify numbers here.
	ErrPrivilegedOff = errors.New("claim: verification by privileged users is off")
	ErrBadSetting    = errors.New("claim: not a value for this setting")
	ErrNoClaim       = errors.New("claim: no such claim")

	ErrNoToken = errors.New("claim: no token in force")
	ErrNoScope = errors.New("claim: the token lacks a scope")

	ErrLinkDead        = errors.New("claim: the link is invalid or has expired")
	ErrNumberNotServed = errors.New("claim: numbers of this kind or country are not texted")

	ErrTooSoon      = errors.New("claim: the last text is too recent")
	ErrTooManyTexts = errors.New("claim: too many texts")
	ErrTooManyTries = errors.New("claim: too many tries")
	// ErrCallingCodeFull: the country's budget is spent, or its traffic stopped.
	ErrCallingCodeFull = errors.New("claim: no more texts to this calling code for now")
)

// What a store or the directory can answer.
var (
	ErrStoreAway     = errors.New("claim: the store does not answer")
	ErrRaced         = errors.New("claim: somebody else was faster")
	ErrTextedBefore  = errors.New("claim: the identity had a text to this number")
	ErrExists        = errors.New("claim: exists already")
	ErrLeased        = errors.New("claim: another worker is writing this identity")
	ErrDirectoryAway = errors.New("claim: the directory does not answer")
	ErrNoIdentity    = errors.New("claim: no such identity")
	ErrUnknownKey    = errors.New("claim: the code's key is not in the key ring")
)

// What a receipt can have against it.
var (
	ErrReceiptUnknown    = errors.New("claim: no gateway of this name takes receipts")
	ErrReceiptUnproven   = errors.New("claim: the receipt's signature or secret is missing or wrong")
	ErrReceiptUnreadable = errors.New("claim: the receipt cannot be read")
	ErrReceiptTooLarge   = errors.New("claim: the receipt is too large")
)

// LimitError is a limit that holds for a while: [ErrTooSoon], [ErrTooManyTexts],
// [ErrTooManyTries] or [ErrCallingCodeFull], and when to try again.
type LimitError struct {
	Reason error
	Until  time.Time
	Name   string // one of the limits' names; blank where the reason says all
}

// The names of limits, as the configuration has them.
const (
	LimitCooldown      = "resend_cooldown"
	LimitClaimTexts    = "texts_per_claim"
	LimitIdentityTexts = "texts_per_identity_per_day"
	LimitNumberHour    = "texts_per_number_per_hour"
	LimitNumberTexts   = "texts_per_number_per_day"
	LimitNumberNotices = "notices_per_number_per_day"
	LimitAddressTexts  = "texts_per_address_per_hour"
	LimitIdentityTries = "attempts_per_identity_per_day"
	LimitCodeTexts     = "texts_per_calling_code_per_hour"
	LimitCodeShare     = "min_confirmed_share"
	// LimitClientText is no setting: a client causes one text per number and identity
	// until the person acts.
	LimitClientText = "one_text_per_client"
	// LimitInactive is no setting either: who is switched off could not type the code.
	LimitInactive = "identity_inactive"
)

func (e *LimitError) Error() string { return e.Reason.Error() }

// Unwrap returns the limit that was met.
func (e *LimitError) Unwrap() error { return e.Reason }

// NumberFault says what is wrong with a number that was typed.
type NumberFault string

// The faults of numbers.
const (
	NotANumber     NumberFault = "not_a_number"    // it has what belongs to no number
	NoCallingCode  NumberFault = "no_calling_code" // it begins with no calling code, or none that there is
	HasExtension   NumberFault = "extension"
	SeveralNumbers NumberFault = "several_numbers"
	TooShort       NumberFault = "too_short"
	TooLong        NumberFault = "too_long"
	WrongLength    NumberFault = "wrong_length" // between those that its country has
	LocalOnly      NumberFault = "local_only"   // the area code is missing
	ServiceNumber  NumberFault = "service_number"
)

// NumberError is an [ErrBadNumber] that says why.
type NumberError struct {
	Fault NumberFault
	// CallingCode is that of the country that the number would belong to; blank
	// where it makes no difference or is not known.
	CallingCode string
}

func (e *NumberError) Error() string { return ErrBadNumber.Error() + ": " + string(e.Fault) }

// Unwrap returns ErrBadNumber.
func (e *NumberError) Unwrap() error { return ErrBadNumber }
