package verify

import (
	"context"
	"errors"
	"log/slog"
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/internal/otp"
	"github.com/holdline/holdline/internal/web"
	"github.com/holdline/holdline/portal/layout"
)

// Disputes do what the page of a notice's link is for. [claim.Service] does it.
type Disputes interface {
	Disputable(ctx context.Context, link string) (message.TextKind, error)
	Dispute(ctx context.Context, link, address string) (claim.Dispute, error)
}

type disputePage struct {
	frame
	State   string // ask, done, dead, busy or away
	Asks    string // the message that says what the link is about
	Dispute claim.Dispute
}

type disputes struct {
	claims Disputes
	brand  Brand
	words  words
	pages  *layout.Pages
	log    *slog.Logger
}

// MountDispute adds the page behind the link of a notice, at path/{link}. Looking
// at it changes nothing, because phones and mail programs open links by
// themselves; its one button denies the change. Whoever has the link may press it,
// from wherever: nothing counts that a browser adds by itself, so no other site gains
// by sending the form, and a mail program that says little of itself is not refused.
func MountDispute(r gin.IRouter, path string, claims Disputes, brand Brand, log *slog.Logger) error {
	words, err := newWords(brand.Name, brand.Language)
	if err != nil {
		return err
	}
	pages, err := brand.pagesFor("")
	if err != nil {
		return err
	}
	d := disputes{claims, brand, words, pages, log}
	group := r.Group(path, layout.Guard(layout.Policy{Forms: "'self'"}))
	pages.Mount(group)
	group.GET("/:link", func(c *gin.Context) {
		about, err := claims.Disputable(c.Request.Context(), c.Param("link"))
		d.answer(c, disputePage{Asks: asks(about)}, err, "ask")
	})
	group.POST("/:link", func(c *gin.Context) {
		dispute, err := claims.Dispute(c.Request.Context(), c.Param("link"), web.ClientAddress(c))
		d.answer(c, disputePage{Dispute: dispute}, err, "done")
	})
	return nil
}

// asks names the message that says what a link is about.
func asks(about message.TextKind) string {
	switch about {
	case message.TextRemoved:
		return "dispute_ask_removed"
	case message.TextTaken:
		return "dispute_ask_taken"
	case message.TextCode, message.TextRequested, message.TextChanged, message.TextDisputed:
	}
	return "dispute_ask"
}

func (d disputes) answer(c *gin.Context, p disputePage, err error, state string) {
	status, title := http.StatusOK, "title_dispute"
	switch {
	case errors.Is(err, otp.ErrLinkDead):
		status, state, title = http.StatusNotFound, "dead", "title_dead"
	case errors.Is(err, claim.ErrBeingApplied):
		status, state, title = http.StatusServiceUnavailable, "busy", "title_away"
	case err != nil:
		web.LogError(c, d.log, "page failed", err)
		status, state, title = web.ProblemOf(err).Status, "away", "title_away"
	case state == "done":
		title = "title_thanks"
	}
	lang := web.PreferredLanguage(c.Query("lang"))
	v := d.words.voice(lang, c.GetHeader("Accept-Language"))
	around, err := d.brand.frame(d.pages, v, title)
	if err != nil {
		d.log.ErrorContext(c.Request.Context(), "page failed", "route", c.FullPath(), "error", err)
	}
	around.Languages = d.words.choices(v, func(lang string) string { return "?lang=" + lang })
	p.frame, p.State = around, state
	d.pages.Show(c, status, "dispute", p)
}
