package console

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/holdline/holdline/internal/admin"
	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/internal/statistics"
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

// gatewayRow is a gateway as this process sees it, and what all of them have sent by it.
type gatewayRow struct {
	Gateway
	Day statistics.Counts // of the last 24 hours
}

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
func (g Gateway) Badge() string {
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
func (g Gateway) Words() string {
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

func (s *console) gatewayRows(hours []statistics.Hour) []gatewayRow {
	sums := map[string]*statistics.Counts{}
	for _, hour := range hours {
		if id, ok := hour.Subject.Gateway(); ok {
			if sums[id] == nil {
				sums[id] = &statistics.Counts{}
			}
			sums[id].Add(hour.Counts)
		}
	}
	var rows []gatewayRow
	for _, g := range s.Gateways() {
		row := gatewayRow{Gateway: g}
		if sum := sums[g.ID]; sum != nil {
			row.Day = *sum
		}
		rows = append(rows, row)
	}
	return rows
}

func (s *console) gateways(c *gin.Context, v *visit) error {
	return s.showGateways(c, v, http.StatusOK, "", "")
}

func (s *console) showGateways(c *gin.Context, v *visit, status int, number, fault string) error {
	ctx, now := c.Request.Context(), s.Now()
	p := gatewaysPage{frame: s.frame(v, "Gateways"), Replica: s.Replica, Number: number, Fault: fault}
	hours, err := s.Statistics.Hours(ctx, now.Add(-day), now)
	if err != nil {
		return err
	}
	p.Gateways = s.gatewayRows(hours)
	if p.Waiting, err = s.Archive.Waiting(ctx); err != nil {
		return err
	}
	if p.Waiting.Queued > 0 {
		p.Oldest = max(0, now.Sub(p.Waiting.OldestText)).Truncate(time.Second)
	}
	s.pages.Show(c, status, "gateways", p)
	return nil
}

// sendTest sends a text with a code that nobody takes, and says how that went.
func (s *console) sendTest(c *gin.Context, v *visit) error {
	gateway, number := c.PostForm("gateway"), strings.TrimSpace(c.PostForm("number"))
	if !slices.ContainsFunc(s.Gateways(), func(g Gateway) bool { return g.ID == gateway }) {
		return errMalformed
	}
	message, err := s.Claims.SendTest(c.Request.Context(), gateway, number, v.who.Actor)
	failed := (*admin.GatewayError)(nil)
	switch {
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
