package selfservice

import (
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/holdline/holdline/portal/layout"
)

// PhoneText is a text that arrived at the phone simulator.
type PhoneText struct {
	ID   string    `json:"id"`
	To   string    `json:"to"`
	Body string    `json:"body"`
	At   time.Time `json:"at"`
}

// Clock is the time that the page shows beside a text, which is in UTC there.
func (t PhoneText) Clock() string { return t.At.Format("15:04:05") + " UTC" }

type phonePage struct {
	layout.Frame
	Texts []PhoneText
}

// Phone returns the page of a phone that shows the arriving texts, and /texts,
// the same as JSON. It uses relative addresses only, so that it can be mounted
// anywhere, and source may be called at any time. It shows codes: keep it off
// public listeners. Pages of the origins in framedBy may show it; blank for none.
func Phone(source func() []PhoneText, framedBy string) http.Handler {
	pages := layout.Must(layout.New(layout.Options{Files: files}))
	engine := layout.Engine(layout.Policy{Connect: "'self'", Ancestors: framedBy})
	pages.Mount(engine)
	texts := func() []PhoneText {
		arrived := []PhoneText{} // [] in JSON, not null
		for _, text := range source() {
			text.At = text.At.UTC()
			arrived = append(arrived, text)
		}
		return arrived
	}
	engine.GET("/", func(c *gin.Context) {
		pages.Show(c, http.StatusOK, "phone", phonePage{english("Phone simulator", ""), texts()})
	})
	engine.GET("/texts", func(c *gin.Context) { c.JSON(http.StatusOK, texts()) })
	return engine
}
