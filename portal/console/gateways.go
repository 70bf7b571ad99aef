package console

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/holdline/holdline/internal/admin"
	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/portal/layout"
)

type gatewaysPage struct {
	frame
	Gateways []gatewayRow
	Waiting  admin.Waiting
	Oldest   time.Duration // how long the oldest text has waited; zero for none
	Replica  string
	Number   string
	Fault    string
}

// gatewayRow is a gateway in words.
type gatewayRow struct{ admin.Gateway }

// Success is how many of the texts were taken.
func (g gatewayRow) Success() string { return share(g.Day.Sent, g.Day.Sent+g.Day.Unsent) }

// Latency is how long a text waits until it is taken, on average.
func (g gatewayRow) Latency() string {
	average := g.Day.AverageDelay()
	switch {
	case g.Day.Sent == 0:
		return "–"
	case average < time.Second:
		return average.Round(time.Millisecond).String()
	default:
		return average.Round(time.Second / 10).String()
	}
}

// Badge is the colour of a gateway's state.
func (g gatewayRow) Badge() string {
	switch g.State {
	case "closed":
		return "good"
	case "open":
		return "bad"
	default:
		return "warn"
	}
}

// Words is a gateway's state in words: those of a circuit breaker mislead.
func (g gatewayRow) Words() string {
	switch g.State {
	case "closed":
		return "working"
	case "open":
		return "failing"
	case "half-open":
		return "being tried"
	default:
		return g.State
	}
}

func gatewayRows(found []admin.Gateway) []gatewayRow {
	rows := make([]gatewayRow, len(found))
	for i, g := range found {
		rows[i] = gatewayRow{g}
	}
	return rows
}

func (s *console) gateways(c *gin.Context, v *visit) error {
	return s.showGateways(c, v, http.StatusOK, "", "")
}

func (s *console) showGateways(c *gin.Context, v *visit, status int, number, fault string) error {
	found, err := s.Admin.FindGateways(c.Request.Context())
	if err != nil {
		return err
	}
	p := gatewaysPage{
		frame: s.frame(v, "Gateways"), Gateways: gatewayRows(found.Gateways), Waiting: found.Waiting, Oldest: found.Oldest,
		Replica: s.Replica, Number: number, Fault: fault,
	}
	s.pages.Show(c, status, "gateways", p)
	return nil
}

// sendTest sends a text with a code that nobody takes, and says how that went.
func (s *console) sendTest(c *gin.Context, v *visit) error {
	gateway, number := c.PostForm("gateway"), strings.TrimSpace(c.PostForm("number"))
	message, err := s.Admin.SendTest(c.Request.Context(), gateway, number, v.who.Actor)
	failed := (*admin.GatewayError)(nil)
	switch {
	case errors.Is(err, admin.ErrNoGateway):
		return errMalformed
	case err == nil:
		v.notice = layout.Notice{Kind: "success", Text: "The gateway " + gateway + " has taken the text" + withID(message) + ". Look at the phone."}
		return s.showGateways(c, v, http.StatusOK, "", "")
	case errors.As(err, &failed):
		v.notice = layout.Notice{Kind: "error", Text: "The gateway " + gateway + " did not take the text: " + failed.Error() + "."}
		return s.showGateways(c, v, http.StatusOK, number, "")
	case errors.Is(err, phone.ErrBadNumber), errors.Is(err, phone.ErrNumberNotServed):
		status, _, words := s.words(c, err)
		return s.showGateways(c, v, status, number, words)
	}
	status, _, words := s.words(c, err)
	if status >= http.StatusInternalServerError {
		return err
	}
	v.notice = layout.Notice{Kind: "error", Text: words}
	return s.showGateways(c, v, status, number, "")
}

func withID(message string) string {
	if message == "" {
		return ""
	}
	return ", under the id " + message
}
