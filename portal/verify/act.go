package verify

import (
	"errors"
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/holdline/holdline/internal/auth"
	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/internal/ratelimit"
	"github.com/holdline/holdline/internal/web"
)

// What a redirect says of the form before it. It is part of an address that
// anybody can make, so it only asks the page to show what the store knows.
const (
	saidBack      = "back" // from Kratos' login
	saidDone      = "done"
	saidResent    = "resent"
	saidCancelled = "cancelled"
	saidWrong     = "wrong"
	saidNoCode    = "no-code"
	saidOver      = "over"
	saidAway      = "away"
	saidOthersOut = "signed-out-others"
	saidOthersIn  = "others-signed-in" // ending their sessions failed
	saidLifted    = "lifted"
	saidBlocked   = "blocked"
)

// said tells a form's failures apart. What is not here is our own fault.
var said = []struct {
	err  error
	said string
}{
	{claim.ErrMalformedCode, saidNoCode},
	{claim.ErrWrongCode, saidWrong},
	{claim.ErrCodeExpired, "expired"},
	{ratelimit.ErrTooManyTries, "locked"},
	{claim.ErrSessionTooOld, "sign-in"},
	{claim.ErrNeedsSecondFactor, "sign-in"},
	{claim.ErrNumberTaken, saidOver},
	{claim.ErrChangedElsewhere, saidOver},
	{claim.ErrNumberRefused, saidOver},
	{claim.ErrNothingPending, saidOver},
	{claim.ErrBeingApplied, saidDone},
	{claim.ErrTooSoon, "too-soon"},
	{claim.ErrTooManyTexts, "too-many-texts"},
	{claim.ErrCallingCodeFull, "country-full"},
	{claim.ErrChangesBlocked, saidBlocked},
	{phone.ErrNumberNotServed, "not-served"},
}

// act does what one of the form's buttons says. Whose claim it is about, the
// session says and nothing else.
func (s *site) act(c *gin.Context) {
	c.Request.Body = http.MaxBytesReader(c.Writer, c.Request.Body, maxForm)
	if c.Request.ParseForm() != nil {
		s.forbid(c)
		return
	}
	who, err := s.server.Browser(c)
	v := s.visit(c, who)
	switch {
	case errors.Is(err, auth.ErrNoSession):
		seeOther(c, v.carry("signed-out"))
		return
	case err != nil:
		s.fail(c, v, err)
		return
	}
	done, err := s.press(c, v, who)
	if err != nil {
		failed := s.saidOf(c, err)
		if done == saidOthersOut { // the change itself is done
			failed = saidOthersIn
		}
		done = failed
	}
	seeOther(c, v.carry(done))
}

func (s *site) press(c *gin.Context, v visit, who claim.Caller) (string, error) {
	ctx := c.Request.Context()
	switch c.PostForm("action") {
	case "resend":
		who.Language = web.PreferredLanguage(v.lang, who.Language) // the text is for who reads this page
		return saidResent, s.Claims.Resend(ctx, who)
	case "cancel":
		return saidCancelled, s.Claims.Cancel(ctx, who)
	case "sign-out-others":
		return saidOthersOut, s.EndOtherSessions(ctx, who.IdentityID, c.GetHeader("Cookie"))
	case "lift":
		return saidLifted, s.Claims.LiftBlock(ctx, who)
	default:
		return saidDone, s.Claims.Confirm(ctx, who, c.PostForm("code"))
	}
}

func (s *site) saidOf(c *gin.Context, err error) string {
	for _, row := range said {
		if errors.Is(err, row.err) {
			return row.said
		}
	}
	s.Log.ErrorContext(c.Request.Context(), "form failed", "route", c.FullPath(), "error", err)
	return saidAway
}

// forbid answers a form that is not from this page.
func (s *site) forbid(c *gin.Context) {
	v := s.visit(c, claim.Caller{})
	s.render(c, v, page{State: "forbidden", Again: s.address(v, "")})
}
