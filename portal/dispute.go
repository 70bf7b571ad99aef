package portal

import (
	"context"
	"errors"
	"html/template"
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/holdline/holdline/claim"
)

// DisputeOptions are what the page of a notice's link needs.
type DisputeOptions struct {
	// Claims does what the page is for. [claim.Service] does it.
	Claims interface {
		Disputable(ctx context.Context, link string) error
		Dispute(ctx context.Context, link, address string) (claim.Dispute, error)
	}
	Product string
	// Address tells a request's client.
	Address func(*http.Request) string
}

type disputePage struct {
	Title, Product string
	State          string // ask, done, dead, busy or away
	Dispute        claim.Dispute
}

// Dispute returns the page behind the link of a notice, at /{link}. Looking at
// it changes nothing, because phones and mail programs open links by themselves;
// its one button denies the change. Whoever has the link may press it.
func Dispute(o DisputeOptions) http.Handler {
	engine := newEngine(contentPolicy{Forms: "'self'"})
	page, err := template.ParseFS(templates, "templates/dispute.gohtml")
	if err == nil {
		err = serveAssets(engine)
	}
	if err != nil {
		panic(err) // what is embedded is broken; a test would have shown
	}
	answer := func(c *gin.Context, dispute claim.Dispute, err error, state string) {
		d := disputePage{Title: "Did you change your number?", Product: o.Product, State: state, Dispute: dispute}
		status := http.StatusOK
		switch {
		case errors.Is(err, claim.ErrLinkDead):
			status, d.State, d.Title = http.StatusNotFound, "dead", "This link is not good any more"
		case errors.Is(err, claim.ErrBeingApplied):
			status, d.State, d.Title = http.StatusServiceUnavailable, "busy", "Try again in a moment"
		case err != nil:
			status, d.State, d.Title = http.StatusServiceUnavailable, "away", "Try again in a moment"
		case state == "done":
			d.Title = "Thank you"
		}
		show(c, status, page, d)
	}
	engine.GET("/:link", func(c *gin.Context) {
		answer(c, claim.Dispute{}, o.Claims.Disputable(c.Request.Context(), c.Param("link")), "ask")
	})
	engine.POST("/:link", func(c *gin.Context) {
		dispute, err := o.Claims.Dispute(c.Request.Context(), c.Param("link"), o.Address(c.Request))
		answer(c, dispute, err, "done")
	})
	return engine
}
