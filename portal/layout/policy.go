package layout

import (
	"fmt"

	"github.com/gin-gonic/gin"

	"github.com/holdline/holdline/internal/web"
)

// Policy says what a handler's pages may do beyond showing themselves: lists of
// sources as in a content security policy, each blank for none.
type Policy struct {
	Forms     string // where forms may go to, redirects after them included
	Connect   string // what scripts may load
	Frames    string // what pages may show in frames
	Ancestors string // which pages may show these in frames
	// InlineImages lets stylesheets hold pictures (data:).
	InlineImages bool
}

// String is the content security policy. Scripts, styles and pictures come from
// the page's own origin, and none of them stands in the page itself.
func (p Policy) String() string {
	images := "'self'"
	if p.InlineImages {
		images += " data:"
	}
	return fmt.Sprintf("default-src 'none'; script-src 'self'; style-src 'self'; img-src %s; "+
		"connect-src %s; frame-src %s; form-action %s; base-uri 'none'; frame-ancestors %s",
		images, orNone(p.Connect), orNone(p.Frames), orNone(p.Forms), orNone(p.Ancestors))
}

func orNone(sources string) string {
	if sources == "" {
		return "'none'"
	}
	return sources
}

// Guard returns what sets the headers of pages. For pages that live on an engine
// beside other routes; [Engine] has it already.
func Guard(policy Policy) gin.HandlerFunc {
	return func(c *gin.Context) {
		header := c.Writer.Header()
		header.Set("Content-Security-Policy", policy.String())
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("Referrer-Policy", "same-origin")
		header.Set("Cache-Control", "no-store")
	}
}

// Engine returns an engine whose answers carry the policy and are not kept.
func Engine(policy Policy) *gin.Engine {
	gin.SetMode(gin.ReleaseMode)
	engine := gin.New()
	engine.RedirectTrailingSlash = false
	engine.Use(Guard(policy))
	return engine
}

// OwnForms refuses forms that are not from a page of one of the origins. Whatever
// changes something on the strength of a cookie goes through it.
func OwnForms(origins *web.Origins, refused gin.HandlerFunc) gin.HandlerFunc {
	return func(c *gin.Context) {
		if origins.CheckForm(c.Request) != nil {
			refused(c)
			c.Abort()
		}
	}
}
