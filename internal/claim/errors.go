package claim

import (
	"errors"
	"fmt"

	"github.com/holdline/holdline/internal/problem"
)

// What a caller can have done wrong, or met.
var (
	ErrRemovalDenied  = problem.New(problem.Invalid, "HLD-40003", "The mobile number cannot be removed.", "claim: the number must not be removed")
	ErrWrongCode      = problem.New(problem.Invalid, "18001", "The code is not valid.", "claim: code does not match a pending claim")
	ErrCodeExpired    = problem.New(problem.Invalid, "18002", "The code has expired. Ask for a new one.", "claim: code has expired")
	ErrNothingPending = problem.New(problem.NotFound, "HLD-40401", "No mobile number is pending.", "claim: nothing is pending")
	ErrBeingApplied   = problem.New(problem.Conflict, "HLD-40904", "A confirmed number is still being saved. Try again in a moment.", "claim: an accepted number is still being written")
	// ErrStaleForm: a form was filled in before the number that it began with was
	// replaced, and would put that one back.
	ErrStaleForm   = problem.New(problem.Conflict, "HLD-40908", "Reload the page: your number was changed meanwhile.", "claim: the form is older than the number")
	ErrNumberTaken = problem.New(problem.Conflict, "HLD-40901", "Another account has this number.", "claim: another identity has the number")
	// ErrNumberProved and ErrNumberBound are ErrNumberTaken of which more is known.
	ErrNumberProved     = problem.Within(ErrNumberTaken, problem.Conflict, "HLD-40901", "Another account has this number and has confirmed it.", ", and has proved it")
	ErrNumberBound      = problem.Within(ErrNumberTaken, problem.Conflict, "HLD-40901", "Another account signs in with this number, so it cannot be moved.", ", and signs in by it")
	ErrChangedElsewhere = problem.New(problem.Conflict, "HLD-40902", "The mobile number was changed elsewhere meanwhile.", "claim: the number was changed elsewhere meanwhile")
	ErrNumberRefused    = problem.New(problem.Conflict, "HLD-40903", "The account does not accept this number.", "claim: the identity's schema refuses the number")
	ErrSessionTooOld    = problem.New(problem.Forbidden, "HLD-40301", "Sign in again to change the mobile number.", "claim: the session is too old for this")
	// ErrMalformedCode is an ErrWrongCode that cost no try.
	ErrMalformedCode = fmt.Errorf("%w: it does not look like one", ErrWrongCode)
	// ErrNeedsSecondFactor: a session that is good for other things lacks one.
	ErrNeedsSecondFactor = problem.New(problem.Forbidden, "HLD-40304", "A second factor is missing. Sign in with it as well.", "claim: a second factor is missing for this")

	// ErrPrivilegedOff: privileged users do not verify numbers here.
	ErrPrivilegedOff = problem.New(problem.Invalid, "17007", "Verification by privileged users is switched off.", "claim: verification by privileged users is off")

	ErrTooSoon      = problem.New(problem.Limited, "HLD-42901", "The last text was sent only a moment ago.", "claim: the last text is too recent")
	ErrTooManyTexts = problem.New(problem.Limited, "HLD-42902", "Too many texts were asked for.", "claim: too many texts")
	// ErrChangesBlocked: somebody said of a change that they did not want it.
	ErrChangesBlocked = problem.New(problem.Limited, "HLD-42905", "The number cannot be changed for now, because somebody said that they did not want a change.", "claim: changes are blocked after a dispute")
	// ErrCallingCodeFull: the country's budget is spent, or its traffic stopped.
	ErrCallingCodeFull = problem.New(problem.Limited, "HLD-42904", "Texts to this country cannot be sent just now. Try again later.", "claim: no more texts to this calling code for now")
)

// What a store or the directory can answer.
var (
	ErrConcurrentUpdate      = problem.New(problem.Unavailable, "HLD-50303", "This account is being changed by somebody else. Try again in a moment.", "claim: somebody else was faster")
	ErrTextedBefore          = errors.New("claim: the identity had a text to this number")
	ErrExists                = errors.New("claim: exists already")
	ErrLeased                = problem.New(problem.Unavailable, "HLD-50303", "This account is being changed by somebody else. Try again in a moment.", "claim: another worker is writing this identity")
	ErrIdentitiesUnavailable = problem.New(problem.Unavailable, "HLD-50302", "The service cannot be used just now. Try again in a moment.", "claim: the directory does not answer")
	ErrNoIdentity            = problem.New(problem.NotFound, "HLD-40402", "There is no such identity.", "claim: no such identity")
)

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
	LimitDisputeBlock  = "dispute_block"
	// LimitClientText is no setting: a client causes one text per number and identity
	// until the person acts.
	LimitClientText = "one_text_per_client"
	// LimitInactive is no setting either: who is switched off could not type the code.
	LimitInactive = "identity_inactive"
)
