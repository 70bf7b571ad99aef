package portal

import (
	"net/http"
	"time"

	"github.com/gin-gonic/gin"
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

// Phone returns the page of a phone that shows the arriving texts, and /texts,
// the same as JSON. It uses relative addresses only, so that it can be mounted
// anywhere, and source may be called at any time. It shows codes: keep it off
// public listeners.
func Phone(source func() []PhoneText) http.Handler {
	engine := newEngine(contentPolicy{Connect: "'self'"})
	pages, err := parsePages()
	if err == nil {
		err = serveAssets(engine)
	}
	if err != nil {
		panic(err) // what is embedded is broken; a test would have shown
	}
	texts := func() []PhoneText {
		arrived := []PhoneText{} // [] in JSON, not null
		for _, text := range source() {
			text.At = text.At.UTC()
			arrived = append(arrived, text)
		}
		return arrived
	}
	engine.GET("/", func(c *gin.Context) { pages.show(c, http.StatusOK, "phone", texts()) })
	engine.GET("/texts", func(c *gin.Context) { c.JSON(http.StatusOK, texts()) })
	return engine
}
