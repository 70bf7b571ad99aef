package console

import (
	"errors"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/holdline/holdline/internal/admin"
	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/internal/problem"
	"github.com/holdline/holdline/internal/web"
)

type problemPage struct {
	frame
	Text string
}

// fail shows an error as a page.
func (s *console) fail(c *gin.Context, v *visit, err error) {
	status, title, text := s.words(c, err)
	s.problem(c, v, status, title, text)
}

func (s *console) problem(c *gin.Context, v *visit, status int, title, text string) {
	c.Abort()
	s.pages.Show(c, status, "problem", problemPage{s.frame(v, title), text})
}

// words tells an error as people would. What is our fault is logged.
func (s *console) words(c *gin.Context, err error) (status int, title, text string) {
	limit := (*problem.LimitError)(nil)
	if errors.As(err, &limit) {
		s.retryAfter(c, limit.Until)
	}
	switch {
	case errors.Is(err, errNoPage):
		return http.StatusNotFound, "There is nothing here", "The address may be mistyped, or the page is gone."
	case errors.Is(err, admin.ErrNoClaim):
		return http.StatusNotFound, "There is no such claim", "Ended claims are kept for some time only, and then removed."
	case errors.Is(err, claim.ErrNoAlarm):
		return http.StatusNotFound, "There is no such alarm", "Alarms are kept as long as the claims that they are about."
	case errors.Is(err, claim.ErrAlarmClosed):
		return http.StatusConflict, "The case is closed", "Somebody has decided on it already. Nothing was done."
	case errors.Is(err, admin.ErrNoPerson):
		return http.StatusNotFound, "There is no such person", "Kratos has no such account, and nothing is left of one here."
	case errors.Is(err, admin.ErrPrivilegedPerson):
		return http.StatusForbidden, "This is a privileged person", "Only administrators who are privileged themselves may do this to one. Nothing was done."
	case errors.Is(err, admin.ErrMoreThanOwn):
		return http.StatusForbidden, "More than your own right", "A token of yours can allow no more than you may do yourself. Nothing was made."
	case errors.Is(err, admin.ErrTokenTaken):
		return http.StatusConflict, "The name is taken", "A token of this name is in force. Revoke it first, or take another name."
	case errors.Is(err, admin.ErrNoToken):
		return http.StatusNotFound, "There is no such token", "No token of this name is in force. Somebody may have revoked it already."
	case errors.Is(err, errForged):
		return http.StatusForbidden, "This form was not from the console", "Nothing was changed. Open the console itself and repeat there what you did."
	case errors.Is(err, errMalformed):
		return http.StatusBadRequest, "The request cannot be read", "Nothing was changed. Go back, load the page again and repeat what you did."
	case errors.Is(err, phone.ErrBadNumber):
		return http.StatusBadRequest, "Not a number", web.ProblemFor(err, "").Description + " Enter a whole number as it is dialled, or one masked as it is shown here."
	case errors.Is(err, claim.ErrNothingPending):
		return http.StatusConflict, "Nothing is pending", "This claim is not open any more, so that nothing was done."
	case errors.Is(err, claim.ErrBeingApplied):
		return http.StatusConflict, "The number is being written", "The right code was entered, and the number is being written to the account just now. Nothing was done."
	case errors.Is(err, claim.ErrTooSoon) && limit != nil:
		return http.StatusTooManyRequests, "Too soon", "The last text is too recent. The next one may be sent after " + s.clock(limit.Until) + "."
	case errors.Is(err, claim.ErrTooManyTexts) && limit != nil:
		return http.StatusTooManyRequests, "Too many texts", "The limit on texts is reached. More may be sent after " + s.clock(limit.Until) + "."
	case errors.Is(err, claim.ErrCallingCodeFull) && limit != nil:
		return http.StatusTooManyRequests, "No texts to this country", "Texts to this country are stopped or their budget is spent. Look again after " + s.clock(limit.Until) + "."
	case errors.Is(err, phone.ErrNumberNotServed):
		return http.StatusConflict, "Not texted", "Numbers of this kind or country are not texted."
	case errors.Is(err, problem.ErrStoreUnavailable):
		_ = c.Error(err)
		return http.StatusServiceUnavailable, "The database does not answer", "Nothing is known of it just now. Try again in a moment."
	case errors.Is(err, claim.ErrIdentitiesUnavailable):
		_ = c.Error(err)
		return http.StatusServiceUnavailable, "Kratos does not answer", "Nobody can be recognised without it. Try again in a moment."
	}
	fault := web.ProblemOf(err)
	if fault.Status >= http.StatusInternalServerError {
		_ = c.Error(err)
	}
	return fault.Status, http.StatusText(fault.Status), fault.Description
}

// retryAfter says in seconds when a limit ends (RFC 9110, section 10.2.3).
func (s *console) retryAfter(c *gin.Context, until time.Time) {
	c.Header("Retry-After", strconv.Itoa(max(1, int(math.Ceil(until.Sub(s.Now()).Seconds())))))
}

// clock writes a moment, with its day if that is another one.
func (s *console) clock(at time.Time) string {
	now := s.Now().UTC()
	if at = at.UTC(); at.YearDay() == now.YearDay() && at.Year() == now.Year() {
		return at.Format("15:04:05 UTC")
	}
	return at.Format("2 Jan 2006, 15:04:05 UTC")
}
