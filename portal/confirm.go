package portal

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/gin-gonic/gin"
)

const (
	maxForm = 8 << 10
	// Kratos tells Holdline of a stored flow while the browser is already on its
	// way here, so an announced claim is waited for a little.
	announced = 3 * time.Second
	askAgain  = 100 * time.Millisecond
)

type confirmPage struct {
	frame
	Claim       *pending // nil when nothing is pending any more
	Saving      bool     // the code was right; Kratos has not got the number yet
	CodeExpired bool
	CodeMinutes int
	ResendIn    int
	SignIn      string // where to sign in again, if that is what is missing
}

// confirmPage shows the pending number. Kratos sends browsers here after every
// saved profile, so with nothing pending it leads on.
func (d demo) confirmPage(c *gin.Context) {
	claim, err := d.awaitClaim(c)
	var page confirmPage
	if c.Query("done") == "resent" {
		page.Notice = notice{"info", "A new code is on its way."}
	}
	switch refused := (*refusal)(nil); {
	case err == nil:
		d.showClaim(c, http.StatusOK, page, &claim)
	case errors.As(err, &refused) && refused.Status == http.StatusNotFound:
		c.Redirect(http.StatusSeeOther, "/")
	case errors.As(err, &refused) && refused.Status == http.StatusUnauthorized:
		c.Redirect(http.StatusSeeOther, d.signIn(c, false))
	default:
		d.broken(c, "Holdline")
	}
}

// awaitClaim returns the browser's claim, and waits for one that the identity
// announces but that is not there yet.
func (d demo) awaitClaim(c *gin.Context) (pending, error) {
	claim, err := d.holdline.claim(c)
	if !isMissing(err) {
		return claim, err
	}
	who, whoErr := d.kratos.whoami(c)
	if whoErr != nil || text(who.MetadataPublic, d.PendingKey) == "" {
		return claim, err
	}
	deadline := time.NewTimer(announced)
	defer deadline.Stop()
	ticker := time.NewTicker(askAgain)
	defer ticker.Stop()
	for isMissing(err) {
		select {
		case <-c.Request.Context().Done():
			return claim, err
		case <-deadline.C:
			return claim, err
		case <-ticker.C:
			claim, err = d.holdline.claim(c)
		}
	}
	return claim, err
}

func isMissing(err error) bool {
	refused := (*refusal)(nil)
	return errors.As(err, &refused) && refused.Status == http.StatusNotFound
}

// confirm does what one of the form's buttons says.
func (d demo) confirm(c *gin.Context) {
	c.Request.Body = http.MaxBytesReader(c.Writer, c.Request.Body, maxForm)
	var next string
	var err error
	switch c.PostForm("action") {
	case "resend":
		next, err = "/confirm?done=resent", d.holdline.resend(c)
	case "cancel":
		next, err = "/?done=cancelled", d.holdline.cancel(c)
	default:
		next, err = "/?done=confirmed", d.validate(c)
	}
	if err == nil {
		c.Redirect(http.StatusSeeOther, next)
		return
	}
	d.refused(c, err)
}

// validate hands the code over without the spaces that people type between digits.
func (d demo) validate(c *gin.Context) error {
	code := strings.Join(strings.Fields(c.PostForm("code")), "")
	if code == "" {
		return &refusal{Status: http.StatusBadRequest, Description: "Type the code that was texted to you."}
	}
	return d.holdline.validate(c, code)
}

// refused shows why something did not work, beside what is pending still.
func (d demo) refused(c *gin.Context, err error) {
	refused := (*refusal)(nil)
	if !errors.As(err, &refused) {
		d.broken(c, "Holdline")
		return
	}
	if refused.Status == http.StatusUnauthorized {
		c.Redirect(http.StatusSeeOther, d.signIn(c, false))
		return
	}
	var page confirmPage
	page.Notice = notice{"error", refused.Description}
	if refused.Wait > 0 {
		page.Notice.Text += " Try again " + inWords(refused.Wait) + "."
	}
	if refused.Status == http.StatusForbidden {
		page.SignIn = d.signIn(c, true)
	}
	claim, err := d.holdline.claim(c)
	if err != nil {
		d.showClaim(c, refused.Status, page, nil)
		return
	}
	d.showClaim(c, refused.Status, page, &claim)
}

func (d demo) showClaim(c *gin.Context, status int, page confirmPage, claim *pending) {
	around := d.frame("Confirm your number")
	around.Notice = page.Notice
	page.frame, page.Claim = around, claim
	if claim != nil {
		page.Saving = claim.State == "verified"
		page.ResendIn = claim.in(claim.NextResendAt)
		left := claim.in(claim.CodeExpiresAt)
		page.CodeMinutes = (left + 59) / 60
		page.CodeExpired = left == 0 && claim.CodeExpiresAt != nil && !claim.Now.IsZero()
	}
	if page.Saving {
		page.Refresh = 2
	}
	d.pages.show(c, status, "confirm", page)
}

// inWords says when something is possible again.
func inWords(seconds int) string {
	switch {
	case seconds < 120:
		return fmt.Sprintf("in %d s", seconds)
	case seconds < 7200:
		return fmt.Sprintf("in %d minutes", (seconds+59)/60)
	default:
		return fmt.Sprintf("in %d hours", (seconds+3599)/3600)
	}
}
