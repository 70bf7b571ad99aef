package console

import (
	"net/http"
	"slices"

	"github.com/gin-gonic/gin"

	"github.com/holdline/holdline/internal/admin"
	"github.com/holdline/holdline/internal/fraud"
)

type overviewPage struct {
	frame
	Waiting  admin.Waiting
	Traffic  trafficRow // of the last 24 hours
	Alarms   []alarm
	Mode     fraud.Mode
	Gateways []Gateway
	Replica  string
	Verify   bool // whether numbers are verified at all
	Events   []admin.EventRecord
}

// alarm is a calling code whose traffic looks unsound.
type alarm struct {
	CallingCode, Country string
	Stopped              bool
	fraud.Alert
}

// Share is the evidence of too low a share.
func (a alarm) Share() string { return share(a.Confirmed, a.Texts) }

// lastLines is how much of the audit trail the overview shows.
const lastLines = 8

func (s *console) overview(c *gin.Context, v *visit) error {
	ctx, now, policy := c.Request.Context(), s.Now(), s.Policy()
	p := overviewPage{frame: s.frame(v, "Overview"), Gateways: s.Gateways(), Replica: s.Replica, Mode: policy.Traffic.Mode, Verify: policy.Enabled}
	var err error
	if p.Waiting, err = s.Archive.Waiting(ctx); err != nil {
		return err
	}
	traffic, err := s.Archive.Traffic(ctx, now.Add(-day), now)
	if err != nil {
		return err
	}
	p.Traffic = total(traffic)
	if p.Events, err = s.Archive.FindEvents(ctx, admin.EventQuery{Limit: lastLines}); err != nil {
		return err
	}
	p.Alarms = s.alarms(p.Mode)
	s.pages.Show(c, http.StatusOK, "overview", p)
	return nil
}

func (s *console) alarms(mode fraud.Mode) []alarm {
	var all []alarm
	for code, verdict := range s.Alarms() {
		stopped := mode == fraud.Enforce && verdict.Alarm == fraud.AlarmShare
		all = append(all, alarm{code, country(code), stopped, verdict})
	}
	slices.SortFunc(all, func(a, b alarm) int { return b.Texts - a.Texts })
	return all
}

type gatewaysPage struct {
	frame
	Gateways []Gateway
	Replica  string
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

func (s *console) gateways(c *gin.Context, v *visit) error {
	s.pages.Show(c, http.StatusOK, "gateways", gatewaysPage{s.frame(v, "Gateways"), s.Gateways(), s.Replica})
	return nil
}
