package web

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/holdline/holdline/internal/auth"
	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/problem"
)

// What the server itself refuses.
var (
	ErrMalformed = problem.New(problem.Invalid, "HLD-40001", "The request cannot be read: one JSON object with the documented members is expected.", "web: request cannot be read")
	ErrTooLarge  = problem.New(problem.TooLarge, "HLD-41301", "The request is too large.", "web: request body is too large")
	// ErrCodeNumber is an ErrMalformed: the code is a JSON number.
	ErrCodeNumber  = problem.Within(ErrMalformed, problem.Invalid, "HLD-40001", "The code is a number: send it as text, in quotes, because a number loses its leading zeros.", ": code is a number")
	ErrMediaType   = problem.New(problem.Unsupported, "HLD-41501", "The request must be JSON, and say so in its content type.", "web: request body is not JSON")
	ErrScenario    = problem.New(problem.Invalid, "UAR-10011", "The recovery scenario is missing or wrong, or nothing is pending.", "web: wrong scenario or nothing to resend")
	ErrNoRoute     = problem.New(problem.NotFound, "HLD-40400", "There is nothing here.", "web: no such route")
	ErrMethod      = problem.New(problem.NotAllowed, "HLD-40501", "This method is not allowed here.", "web: method not allowed")
	ErrNoHookKey   = problem.New(problem.Unauthenticated, "HLD-40102", "The hook key is missing or wrong.", "web: hook key is missing or wrong")
	ErrForbidden   = problem.New(problem.Forbidden, "HLD-40303", "Only privileged users may do this.", "web: only privileged users may do this")
	ErrUnavailable = problem.New(problem.Unavailable, "HLD-50300", "Not ready.", "web: not ready")
	// ErrDigits: a form changes a number whose digits Kratos' jsonnet cannot keep.
	ErrDigits = problem.New(problem.Invalid, "HLD-40006", "Save your other changes first, and then the mobile number.", "web: a number of the form has too many digits for a hook")
)

// Problem is an error as an API client is told of it. Its text never repeats
// what the client sent.
type Problem struct {
	Status      int
	Code        string
	Description string
}

// statusOf is the status of each kind of problem.
var statusOf = map[problem.Kind]int{
	problem.Internal:        http.StatusInternalServerError,
	problem.Invalid:         http.StatusBadRequest,
	problem.Unauthenticated: http.StatusUnauthorized,
	problem.Forbidden:       http.StatusForbidden,
	problem.NotFound:        http.StatusNotFound,
	problem.NotAllowed:      http.StatusMethodNotAllowed,
	problem.Conflict:        http.StatusConflict,
	problem.TooLarge:        http.StatusRequestEntityTooLarge,
	problem.Unsupported:     http.StatusUnsupportedMediaType,
	problem.Limited:         http.StatusTooManyRequests,
	problem.Unavailable:     http.StatusServiceUnavailable,
}

// StatusClientClosed is the status of a request whose caller went away, which nobody
// reads but logs and metrics. The number is nginx's.
const StatusClientClosed = 499

// unlisted is all that is said of an error that nobody planned for.
var unlisted = problem.New(problem.Internal, "HLD-50001", "Something went wrong.", "unlisted")

// errHungUp is a request whose body ends before it is whole.
var errHungUp = errors.New("web: caller hung up")

// HungUp reports whether a request's caller is gone, so that nobody reads an answer.
func HungUp(c *gin.Context, err error) bool {
	return errors.Is(err, errHungUp) || errors.Is(c.Request.Context().Err(), context.Canceled)
}

// AnswerNobody ends a request whose caller has hung up: there is no body.
func AnswerNobody(c *gin.Context) {
	c.Abort()
	c.Status(StatusClientClosed)
	c.Writer.WriteHeaderNow()
}

// LogError logs an error of a request if it is no fault of its caller's. What is over
// in a while is a warning, but for a database that does not answer. Why a listener is
// not ready is logged by who asked.
func LogError(c *gin.Context, log *slog.Logger, message string, err error) {
	kind := problem.KindOf(err)
	if HungUp(c, err) || errors.Is(err, ErrUnavailable) || kind != problem.Internal && kind != problem.Unavailable {
		return
	}
	level := slog.LevelError
	if errors.Is(err, context.DeadlineExceeded) || kind == problem.Unavailable && !errors.Is(err, problem.ErrStoreUnavailable) {
		level = slog.LevelWarn
	}
	log.Log(c.Request.Context(), level, message, "route", c.FullPath(), "error", err)
}

// ProblemOf returns an error as it is told.
func ProblemOf(err error) Problem {
	found := (*problem.Error)(nil)
	if !errors.As(err, &found) {
		errors.As(unlisted, &found)
		if errors.Is(err, context.DeadlineExceeded) {
			errors.As(problem.ErrStoreUnavailable, &found)
		}
	}
	text := cmp.Or(found.Text, err.Error())
	if factor := (*claim.SecondFactorError)(nil); errors.As(err, &factor) {
		text = "A second factor is missing: " + strings.Join(factor.Missing, " or ") + ". Sign in with it as well."
	}
	return Problem{statusOf[found.Kind], found.Code, text}
}

type errorBody struct {
	Code        string `json:"code"`
	Message     string `json:"message"`
	Description string `json:"description"`
	TraceID     string `json:"traceId"`
}

// Fail answers with an error.
func (s *Server) Fail(c *gin.Context, err error) {
	if HungUp(c, err) {
		AnswerNobody(c)
		return
	}
	if s.RenderError != nil {
		s.RenderError(c, err)
		return
	}
	fault := s.BeginError(c, err)
	if s.ProblemPage != nil {
		c.Header("Vary", "Accept")
		if WantsPage(c.Request) {
			c.Abort()
			s.ProblemPage(c, fault)
			return
		}
	}
	c.AbortWithStatusJSON(fault.Status, errorBody{
		Code: fault.Code, Message: http.StatusText(fault.Status),
		Description: fault.Description, TraceID: RequestID(c.Request.Context()),
	})
}

// WantsPage reports whether a request is one of a browser that is to show the answer:
// its Accept names HTML, and JSON not before it (RFC 9110, section 12.5.1).
func WantsPage(r *http.Request) bool {
	accept := strings.ToLower(strings.Join(r.Header.Values("Accept"), ","))
	before, _, html := strings.Cut(accept, "text/html")
	return html && !strings.Contains(before, "json")
}

// BeginError begins the answer to an error for who writes its body in another form: it
// logs what is our fault, and sets the headers. Limits and outages say in Retry-After
// (RFC 9110, section 10.2.3) when to try again, and refused callers hear in
// WWW-Authenticate what they lack (RFC 6750, section 3).
func (s *Server) BeginError(c *gin.Context, err error) Problem {
	fault := ProblemFor(err, c.GetHeader("Accept-Language"))
	LogError(c, s.Log, "request failed", err)
	if fault.Status == http.StatusServiceUnavailable {
		c.Header("Retry-After", RetryOutage)
	}
	if limit := (*problem.LimitError)(nil); errors.As(err, &limit) {
		c.Header("Retry-After", retryAfter(limit.Until.Sub(s.Now())))
	}
	scope := (*scopeError)(nil)
	switch {
	case errors.Is(err, auth.ErrNoToken):
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
