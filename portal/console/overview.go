package console

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/holdline/holdline/internal/admin"
	"github.com/holdline/holdline/internal/fraud"
	"github.com/holdline/holdline/internal/statistics"
)

type overviewPage struct {
	frame
	Troubles []trouble
	Waiting  admin.Waiting
	Day      statistics.Counts // of the last 24 hours
	Chart    chart
	Gateways []gatewayRow
	Replica  string
	Events   []admin.EventRecord
}

// Share is how many of the changes that were asked for were confirmed.
func (p overviewPage) Share() string { return activityRow{Counts: p.Day}.Share() }

// lastLines is how much of the audit trail the overview shows.
const lastLines = 8

func (s *console) overview(c *gin.Context, v *visit) error {
	ctx := c.Request.Context()
	p := overviewPage{frame: s.frame(v, "Overview"), Replica: s.Replica}
	found, err := s.Admin.FindGateways(ctx)
	if err != nil {
		return err
	}
	p.Waiting, p.Gateways = found.Waiting, gatewayRows(found.Gateways)
	over, err := s.activityOf(c, statistics.Spans()[0], "")
	if err != nil {
		return err
	}
	p.Day, p.Chart = over.Total.Counts, over.Changes
	if p.Troubles, err = s.troubles(ctx, p); err != nil {
		return err
	}
	if p.Events, err = s.Archive.FindEvents(ctx, admin.EventQuery{Limit: lastLines}); err != nil {
		return err
	}
	s.pages.Show(c, http.StatusOK, "overview", p)
	return nil
}

// trouble is something that is wrong, in a sentence, and where to look.
type trouble struct {
	Severe bool
	Text   string
	Path   string
	Link   string
}

const (
	// waitsLong is how long a text waits while nothing is wrong.
	waitsLong = 2 * time.Minute
	// accepted numbers are written within a second; so many are not on their way by chance.
	unwrittenMany = 3
	endsSoon      = 7 * day
)

// troubles says what is wrong, the worst first.
func (s *console) troubles(ctx context.Context, p overviewPage) ([]trouble, error) {
	var all []trouble
	add := func(severe bool, text, path, link string) {
		all = append(all, trouble{severe, text, Path + path, link})
	}
	failing := 0
	for _, g := range p.Gateways {
		if g.State == "open" {
			failing++
		}
	}
	switch {
	case len(p.Gateways) == 0:
		add(true, "No gateway is configured: no text can be sent.", "/gateways", "Gateways")
	case failing == len(p.Gateways):
		add(true, "No text can be sent: every gateway fails.", "/gateways", "Gateways")
	case failing > 0:
		for _, g := range p.Gateways {
			if g.State == "open" {
				add(false, "The gateway "+g.ID+" fails; others send in its place.", "/gateways", "Gateways")
			}
		}
	}
	if p.Waiting.Alarms > 0 {
		add(true, saying(p.Waiting.Alarms)+" that they did not want a change of number.", "/alarms", "Alarms")
	}
	if p.Waiting.Verified >= unwrittenMany {
		add(true, counted(p.Waiting.Verified)+" confirmed numbers are not in Kratos yet: it may not answer.", "/claims?state=verified", "Verified claims")
	}
	if waits := s.Now().Sub(p.Waiting.OldestText); p.Waiting.Queued > 0 && waits > waitsLong {
		add(failing == 0, "A text has waited for "+span(waits.Truncate(time.Minute))+".", "/texts?state=queued", "Queued texts")
	}
	if !s.Policy().Enabled {
		add(true, "Verification is switched off: changed numbers are written at once.", "/settings", "Verification")
	}
	for _, a := range s.alarms(s.Policy().Traffic.Mode) {
		add(a.Stopped, a.Sentence(), "/traffic", "Traffic")
	}
	suggested, err := s.suggestion(ctx)
	if err != nil {
		return nil, err
	}
	if odd := suggested.Odd(); odd != "" {
		add(false, "Much is asked for, and nearly nothing confirmed: "+odd+".", "/traffic#suggestion", "Traffic")
	}
	if policy := s.Policy(); suggested.Missing == "" && len(policy.Coverage.Allowed) == 0 && policy.Traffic.Mode != fraud.Enforce {
		add(false, "Numbers of all countries are texted; "+counted(suggested.Percent())+" % of what is confirmed is to "+suggested.Usual()+".", "/traffic#suggestion", "Traffic")
	}
	configured, kept, err := s.Admin.FindTokens(ctx)
	if err != nil {
		return nil, err
	}
	for _, t := range slices.Concat(configured, kept) {
		if now := s.Now(); t.InForce(now) && !t.ExpiresAt.IsZero() && t.ExpiresAt.Before(now.Add(endsSoon)) {
			add(false, "The token "+t.Name+" ends on "+t.ExpiresAt.UTC().Format("2 January")+".", "/tokens", "Tokens")
		}
	}
	slices.SortStableFunc(all, func(a, b trouble) int {
		switch {
		case a.Severe == b.Severe:
			return 0
		case a.Severe:
			return -1
		default:
			return 1
		}
	})
	return all, nil
}

func saying(n int) string {
	if n == 1 {
		return "One person says"
	}
	return counted(n) + " people say"
}

// alarm is a calling code whose traffic looks unsound.
type alarm struct {
	CallingCode string
	Stopped     bool
	fraud.Alert
}

// Share is the evidence of too low a share.
func (a alarm) Share() string { return share(a.Confirmed, a.Texts) }

// Sentence says what is wrong and what is done about it.
func (a alarm) Sentence() string {
	text := codeAndCountry(a.CallingCode) + ": " + string(a.Alarm)
	switch {
	case a.Confirmed > 0:
		text += " (" + a.Share() + " of " + counted(a.Texts) + ")"
	case a.Texts > 0:
		text += " (of " + counted(a.Texts) + " texts)"
	}
	if a.Stopped {
		return text + ". Texts to it are stopped."
	}
	return text + ". Texts still go out."
}

func (s *console) alarms(mode fraud.Mode) []alarm {
	var all []alarm
	for code, verdict := range s.Alarms() {
		stopped := mode == fraud.Enforce && verdict.Alarm == fraud.AlarmShare
		all = append(all, alarm{code, stopped, verdict})
	}
	slices.SortFunc(all, func(a, b alarm) int { return b.Texts - a.Texts })
	return all
}
