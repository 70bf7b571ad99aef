package portal

import (
	"html/template"
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
	page, err := template.ParseFS(templates, "templates/phone.gohtml")
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
	engine.GET("/", func(c *gin.Context) { show(c, http.StatusOK, page, texts()) })
	engine.GET("/texts", func(c *gin.Context) { c.JSON(http.StatusOK, texts()) })
	return engine
}
