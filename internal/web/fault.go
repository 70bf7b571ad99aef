package web

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/holdline/holdline/internal/claim"
)

// What the edge itself refuses.
var (
	ErrMalformed = errors.New("web: request cannot be read")
	ErrTooLarge  = errors.New("web: request body is too large")
	// ErrCodeNumber is an ErrMalformed: the code is a JSON number.
	ErrCodeNumber  = fmt.Errorf("%w: code is a number", ErrMalformed)
	ErrMediaType   = errors.New("web: request body is not JSON")
	ErrScenario    = errors.New("web: wrong scenario or nothing to resend")
	ErrNoRoute     = errors.New("web: no such route")
	ErrMethod      = errors.New("web: method not allowed")
	ErrNoHookKey   = errors.New("web: hook key is missing or wrong")
	ErrForbidden   = errors.New("web: only privileged users may do this")
	ErrUnavailable = errors.New("web: not ready")
	// ErrDigits: a form changes a number whose digits Kratos' jsonnet cannot keep.
	ErrDigits = errors.New("web: a number of the form has too many digits for a hook")
)

// Fault is the face that an error shows to an API client. Its text never repeats
// what the client sent.
type Fault struct {
	Status      int
	Code        string
	Description string // blank for what the error itself says, which is then for clients
}

// faults is the one place where errors get their HTTP face. The numeric codes
// and UAR-10011 are those of WSO2 Identity Server's user APIs.
var faults = []struct {
	err   error
	fault Fault
}{
	{claim.ErrWrongCode, Fault{http.StatusBadRequest, "18001", "The code is not valid."}},
	{claim.ErrCodeExpired, Fault{http.StatusBadRequest, "18002", "The code has expired. Ask for a new one."}},
	{ErrScenario, Fault{http.StatusBadRequest, "UAR-10011", "The recovery scenario is missing or wrong, or nothing is pending."}},
	{claim.ErrBadNumber, Fault{http.StatusBadRequest, "HLD-40002", "This is not a number that can receive texts."}},
	{claim.ErrRemovalDenied, Fault{http.StatusBadRequest, "HLD-40003", "The mobile number cannot be removed."}},
	{claim.ErrNumberNotServed, Fault{http.StatusBadRequest, "HLD-40004", "Numbers of this kind or country are not accepted."}},
	{claim.ErrPrivilegedOff, Fault{http.StatusBadRequest, "17007", "Verification by privileged users is switched off."}},
	{claim.ErrBadSetting, Fault{http.StatusBadRequest, "HLD-40005", ""}},
	{ErrCodeNumber, Fault{http.StatusBadRequest, "HLD-40001", "The code is a number: send it as text, in quotes, because a number loses its leading zeros."}},
	{ErrDigits, Fault{http.StatusBadRequest, "HLD-40006", "Save your other changes first, and then the mobile number."}},
	{ErrMalformed, Fault{http.StatusBadRequest, "HLD-40001", "The request cannot be read: one JSON object with the documented members is expected."}},
	{claim.ErrReceiptUnreadable, Fault{http.StatusBadRequest, "HLD-40021", "The receipt cannot be read."}},
	{claim.ErrSecondFactor, Fault{http.StatusUnauthorized, "HLD-40104", "A second factor is missing. Sign in with it as well."}},
	{claim.ErrNoSession, Fault{http.StatusUnauthorized, "HLD-40101", "A valid session or valid credentials are needed."}},
	{claim.ErrNoToken, Fault{http.StatusUnauthorized, "HLD-40103", "This token is invalid or has expired."}},
	{ErrNoHookKey, Fault{http.StatusUnauthorized, "HLD-40102", "The hook key is missing or wrong."}},
	{claim.ErrReceiptUnproven, Fault{http.StatusUnauthorized, "HLD-40121", "The signature or the secret is missing or wrong."}},
	{claim.ErrSessionTooOld, Fault{http.StatusForbidden, "HLD-40301", "Sign in again to change the mobile number."}},
	{claim.ErrNeedsSecondFactor, Fault{http.StatusForbidden, "HLD-40304", "A second factor is missing. Sign in with it as well."}},
	{claim.ErrNoScope, Fault{http.StatusForbidden, "HLD-40302", "The token does not allow this."}},
	{ErrForbidden, Fault{http.StatusForbidden, "HLD-40303", "Only privileged users may do this."}},
	{claim.ErrNothingPending, Fault{http.StatusNotFound, "HLD-40401", "No mobile number is pending."}},
	{claim.ErrLinkDead, Fault{http.StatusNotFound, "HLD-40403", "This link is invalid or has expired."}},
	{claim.ErrNoClaim, Fault{http.StatusNotFound, "HLD-40404", "There is no such claim."}},
	{claim.ErrNoIdentity, Fault{http.StatusNotFound, "HLD-40402", "There is no such identity."}},
	{ErrNoRoute, Fault{http.StatusNotFound, "HLD-40400", "There is nothing here."}},
	{claim.ErrReceiptUnknown, Fault{http.StatusNotFound, "HLD-40421", "No gateway of this name takes receipts."}},
	{ErrMethod, Fault{http.StatusMethodNotAllowed, "HLD-40501", "This method is not allowed here."}},
	{claim.ErrNumberProved, Fault{http.StatusConflict, "HLD-40901", "Another account has this number and has confirmed it."}},
	{claim.ErrNumberBound, Fault{http.StatusConflict, "HLD-40901", "Another account signs in with this number, so it cannot be moved."}},
	{claim.ErrNumberTaken, Fault{http.StatusConflict, "HLD-40901", "Another account has this number."}},
	{claim.ErrChangedElsewhere, Fault{http.StatusConflict, "HLD-40902", "The mobile number was changed elsewhere meanwhile."}},
	{claim.ErrNumberRefused, Fault{http.StatusConflict, "HLD-40903", "The account does not accept this number."}},
	{claim.ErrStaleForm, Fault{http.StatusConflict, "HLD-40908", "Reload the page: your number was changed meanwhile."}},
	{claim.ErrBeingApplied, Fault{http.StatusConflict, "HLD-40904", "A confirmed number is still being saved. Try again in a moment."}},
	{ErrTooLarge, Fault{http.StatusRequestEntityTooLarge, "HLD-41301", "The request is too large."}},
	{claim.ErrReceiptTooLarge, Fault{http.StatusRequestEntityTooLarge, "HLD-41321", "The receipt is too large."}},
	{ErrMediaType, Fault{http.StatusUnsupportedMediaType, "HLD-41501", "The request must be JSON, and say so in its content type."}},
	{claim.ErrTooSoon, Fault{http.StatusTooManyRequests, "HLD-42901", "The last text was sent only a moment ago."}},
	{claim.ErrTooManyTexts, Fault{http.StatusTooManyRequests, "HLD-42902", "Too many texts were asked for."}},
	{claim.ErrTooManyTries, Fault{http.StatusTooManyRequests, "HLD-42903", "Too many tries."}},
	{claim.ErrCallingCodeFull, Fault{http.StatusTooManyRequests, "HLD-42904", "Texts to this country cannot be sent just now. Try again later."}},
	{ErrUnavailable, Fault{http.StatusServiceUnavailable, "HLD-50300", "Not ready."}},
	{claim.ErrStoreAway, Fault{http.StatusServiceUnavailable, "HLD-50301", "The service cannot be used just now. Try again in a moment."}},
	{claim.ErrLeased, Fault{http.StatusServiceUnavailable, "HLD-50303", "This account is being changed by somebody else. Try again in a moment."}},
	{claim.ErrDirectoryAway, Fault{http.StatusServiceUnavailable, "HLD-50302", "The service cannot be used just now. Try again in a moment."}},
	{context.DeadlineExceeded, Fault{http.StatusServiceUnavailable, "HLD-50301", "The service cannot be used just now. Try again in a moment."}},
}

// StatusClientClosed is the status of a request whose caller went away, which nobody
// reads but logs and metrics. The number is nginx's.
const StatusClientClosed = 499

// unlisted is all that is said of an error that nobody planned for.
var unlisted = Fault{http.StatusInternalServerError, "HLD-50001", "Something went wrong."}

// FaultOf returns an error's face.
func FaultOf(err error) Fault {
	for _, row := range faults {
		if !errors.Is(err, row.err) {
			continue
		}
		if factor := (*claim.SecondFactorError)(nil); errors.As(err, &factor) {
			row.fault.Description = "A second factor is missing: " + strings.Join(factor.Missing, " or ") + ". Sign in with it as well."
		}
		if row.fault.Description == "" {
			row.fault.Description = err.Error()
		}
		return row.fault
	}
	return unlisted
}

type errorBody struct {
	Code        string `json:"code"`
	Message     string `json:"message"`
	Description string `json:"description"`
	TraceID     string `json:"traceId"`
}

// Fail answers with an error's face.
func (e *Edge) Fail(c *gin.Context, err error) {
	if e.Face != nil {
		e.Face(c, err)
		return
	}
	fault := e.Head(c, err)
	c.AbortWithStatusJSON(fault.Status, errorBody{
		Code: fault.Code, Message: http.StatusText(fault.Status),
		Description: fault.Description, TraceID: RequestID(c.Request.Context()),
	})
}

// Head begins the answer to an error for who writes its body in another form: it
// logs what is our fault, and sets the headers. Limits and outages say in Retry-After
// (RFC 9110, section 10.2.3) when to try again, and refused callers hear in
// WWW-Authenticate what they lack (RFC 6750, section 3).
func (e *Edge) Head(c *gin.Context, err error) Fault {
	fault := FaultFor(err, c.GetHeader("Accept-Language"))
	if fault.Status >= http.StatusInternalServerError {
		if errors.Is(c.Request.Context().Err(), context.Canceled) {
			fault.Status = StatusClientClosed
			e.Log.InfoContext(c.Request.Context(), "caller went away", "route", c.FullPath(), "error", err)
		} else {
			e.Log.ErrorContext(c.Request.Context(), "request failed", "route", c.FullPath(), "error", err)
		}
	}
	if fault.Status == http.StatusServiceUnavailable {
		c.Header("Retry-After", RetryOutage)
	}
	if limit := (*claim.LimitError)(nil); errors.As(err, &limit) {
		c.Header("Retry-After", retryAfter(limit.Until.Sub(e.Now())))
	}
	scope := (*scopeError)(nil)
	switch {
	case errors.Is(err, claim.ErrNoToken):
		c.Header("WWW-Authenticate", challenge+`, error="invalid_token"`)
	case errors.As(err, &scope):
		c.Header("WWW-Authenticate", challenge+`, error="insufficient_scope", scope="`+string(scope.lacks)+`"`)
	case fault.Status == http.StatusUnauthorized:
		c.Header("WWW-Authenticate", challenge)
	}
	c.Header("Cache-Control", "no-store")
	return fault
}

// RetryOutage is the Retry-After of what is away for a time that nobody knows, in
// seconds.
const RetryOutage = "5"

const challenge = `Bearer realm="holdline"`

// retryAfter rounds a wait up to whole seconds, at least one.
func retryAfter(wait time.Duration) string {
	return strconv.Itoa(max(1, int(math.Ceil(wait.Seconds()))))
}
