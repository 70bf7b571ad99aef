package verify

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/otp"
	"github.com/holdline/holdline/internal/web"
	"github.com/holdline/holdline/portal/layout"
)

// Disputes do what the page of a notice's link is for. [claim.Service] does it.
type Disputes interface {
	Disputable(ctx context.Context, link string) (claim.Denial, error)
	Dispute(ctx context.Context, link, address string) (claim.Denial, error)
}

// DisputeOptions are what the page behind the link of a notice needs.
type DisputeOptions struct {
	Claims Disputes
	Brand  Brand
	// KratosURL is that of [Options].
	KratosURL func(identityID string) string
	// Block is for how long a denial blocks further changes.
	Block func() time.Duration
	Now   func() time.Time
	Log   *slog.Logger
}

// disputeStates are the page's states with their status and heading.
var disputeStates = map[string]struct {
	status int
	title  string
}{
	"ask":        {http.StatusOK, "title_dispute"},
	"done":       {http.StatusOK, "title_thanks"},
	"taken_back": {http.StatusOK, "title_nothing"},
	"late":       {http.StatusGone, "title_dead"},
	"dead":       {http.StatusNotFound, "title_dead"},
	"busy":       {http.StatusServiceUnavailable, "title_away"},
	"away":       {http.StatusServiceUnavailable, "title_away"},
}

type disputePage struct {
	frame
	State  string
	Denial claim.Denial
	Block  wait // of a denial that is still to be made
	Paused bool // changes are blocked now
	SignIn string
	Again  string // the page itself
}

type disputes struct {
	DisputeOptions
	words words
	pages *layout.Pages
}

// MountDispute adds the page behind the link of a notice, at path/{link}. Looking
// at it changes nothing, because phones and mail programs open links by
// themselves; its one button denies the change. Whoever has the link may press it,
// from wherever: nothing counts that a browser adds by itself, so no other site gains
// by sending the form, and a mail program that says little of itself is not refused.
func MountDispute(r gin.IRouter, path string, o DisputeOptions) error {
	words, err := newWords(o.Brand.Name, o.Brand.Language)
	if err != nil {
		return err
	}
	pages, err := o.Brand.pagesFor("")
	if err != nil {
		return err
	}
	d := disputes{o, words, pages}
	group := r.Group(path, layout.Guard(layout.Policy{Forms: "'self'"}))
	pages.Mount(group)
	group.GET("/:link", func(c *gin.Context) {
		denial, err := d.Claims.Disputable(c.Request.Context(), c.Param("link"))
		d.show(c, denial, err)
	})
	group.POST("/:link", func(c *gin.Context) {
		denial, err := d.Claims.Dispute(c.Request.Context(), c.Param("link"), web.ClientAddress(c))
		if d.stateOf(denial, err) == "away" {
			d.show(c, denial, err)
			return
		}
		query := url.Values{}
		if lang := web.PreferredLanguage(c.Query("lang")); lang != "" {
			query.Set("lang", lang)
		}
		seeOther(c, query) // loading the page again denies nothing again
	})
	return nil
}

// seeOther leads back to the page with another query. The address is relative, so that
// it holds under every host that reaches the page.
func seeOther(c *gin.Context, query url.Values) {
	c.Header("Location", "?"+query.Encode())
	c.Header("Content-Type", "text/html; charset=utf-8") // of no body, as net/http has it
	c.Status(http.StatusSeeOther)
	c.Writer.WriteHeaderNow()
}

func (d disputes) stateOf(denial claim.Denial, err error) string {
	switch {
	case errors.Is(err, claim.ErrLinkLate):
		return "late"
	case errors.Is(err, otp.ErrLinkDead):
		return "dead"
	case errors.Is(err, claim.ErrBeingApplied):
		return "busy"
	case err != nil:
		return "away"
	case denial.Alarm != nil:
		return "done"
	case denial.Case == claim.DenialTakenBack:
		return "taken_back"
	default:
		return "ask"
	}
}

func (d disputes) show(c *gin.Context, denial claim.Denial, err error) {
	p := disputePage{State: d.stateOf(denial, err), Denial: denial, Again: "?" + c.Request.URL.RawQuery}
	face := disputeStates[p.State]
	status := face.status
	if p.State == "away" {
		web.LogError(c, d.Log, "page failed", err)
		status = web.ProblemOf(err).Status
	}
	now := d.Now()
	p.Block = waitUntil(now.Add(d.Block()), now)
	if alarm := denial.Alarm; alarm != nil {
		p.Paused = alarm.BlockedUntil.After(now)
		p.SignIn = d.KratosURL(alarm.IdentityID) + settingsPath
	}
	v := d.words.voice(web.PreferredLanguage(c.Query("lang")), c.GetHeader("Accept-Language"))
	around, err := d.Brand.frame(d.pages, v, face.title)
	if err != nil {
		d.Log.ErrorContext(c.Request.Context(), "page failed", "route", c.FullPath(), "error", err)
	}
	around.Languages = d.words.choices(v, func(lang string) string { return "?lang=" + lang })
	p.frame = around
	d.pages.Show(c, status, "dispute", p)
}
