package console

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"
	"golang.org/x/text/language"
	"golang.org/x/text/language/display"

	"github.com/holdline/holdline/internal/fraud"
	"github.com/holdline/holdline/internal/phone"
)

type trafficPage struct {
	frame
	Spans []trafficSpan
	Shown trafficSpan
	Total trafficRow
	Codes []trafficRow
	Mode  fraud.Mode
	// Suggestion is judged by the last thirty days, whatever time is shown.
	Suggestion suggestion
}

// trafficSpan is a time that can be looked at.
type trafficSpan struct {
	Name, Value string
	back        time.Duration
}

const day = 24 * time.Hour

var trafficSpans = []trafficSpan{
	{"1 hour", "1h", time.Hour}, {"24 hours", "24h", day}, {"7 days", "7d", 7 * day}, {"30 days", "30d", 30 * day},
}

// trafficRow is one calling code's traffic, with the widths of its bar.
type trafficRow struct {
	fraud.Traffic
	Country string
	Alarm   fraud.Alarm
	Stopped bool
	// Of the widest bar, in thousandths: codes that came back, those that were sent
	// besides, and texts that no provider took.
	Confirmed1000, Open1000, Unsent1000 int
}

// Rest is where the part of the bar after the confirmed codes ends.
func (r trafficRow) Rest() int { return r.Confirmed1000 + r.Open1000 }

// Share is how many of the codes that were sent came back.
func (r trafficRow) Share() string { return share(r.Confirmed, r.Sent) }

func share(part, whole int) string {
	if whole == 0 {
		return "–"
	}
	return strconv.Itoa(100*part/whole) + " %"
}

func counted(n int) string { return strconv.Itoa(n) }

func (s *console) traffic(c *gin.Context, v *visit) error {
	asked := c.DefaultQuery("span", "24h")
	i := slices.IndexFunc(trafficSpans, func(t trafficSpan) bool { return t.Value == asked })
	if i < 0 {
		return errMalformed
	}
	now := s.Now()
	found, err := s.Archive.Traffic(c.Request.Context(), now.Add(-trafficSpans[i].back), now)
	if err != nil {
		return err
	}
	p := trafficPage{frame: s.frame(v, "Traffic"), Spans: trafficSpans, Shown: trafficSpans[i], Mode: s.Policy().Traffic.Mode}
	p.Codes, p.Total = trafficRows(found), total(found)
	if p.Suggestion, err = s.suggestion(c.Request.Context()); err != nil {
		return err
	}
	alarms := s.Alarms()
	for i := range p.Codes {
		row := &p.Codes[i]
		row.Alarm = alarms[row.CallingCode].Alarm
		row.Stopped = p.Mode == fraud.Enforce && row.Alarm == fraud.AlarmShare
	}
	s.pages.Show(c, http.StatusOK, "traffic", p)
	return nil
}

func total(all []fraud.Traffic) trafficRow {
	var sum trafficRow
	for _, t := range all {
		sum.Texts += t.Texts
		sum.Sent += t.Sent
		sum.Confirmed += t.Confirmed
	}
	return sum
}

// trafficRows puts the busiest calling code first, and measures bars by it.
func trafficRows(found []fraud.Traffic) []trafficRow {
	found = slices.SortedFunc(slices.Values(found), func(a, b fraud.Traffic) int {
		return cmp.Or(cmp.Compare(b.Texts, a.Texts), cmp.Compare(a.CallingCode, b.CallingCode))
	})
	codes := make([]trafficRow, len(found))
	for i, t := range found {
		widest := max(1, found[0].Texts)
		// A claim may be confirmed by a text that a provider took without saying so.
		confirmed := min(t.Confirmed, t.Texts)
		sent := max(confirmed, min(t.Sent, t.Texts))
		codes[i] = trafficRow{
			Traffic: t, Country: country(t.CallingCode), Confirmed1000: 1000 * confirmed / widest,
			Open1000: 1000 * (sent - confirmed) / widest, Unsent1000: 1000 * (t.Texts - sent) / widest,
		}
	}
	return codes
}

func codeAndCountry(callingCode string) string { return "+" + callingCode + " " + country(callingCode) }

// country names who has a calling code.
func country(callingCode string) string {
	regions := phone.RegionsOf(callingCode)
	switch {
	case callingCode == "":
		return "Numbers without a calling code"
	case len(regions) == 0:
		return "Unknown"
	case regions[0] == "001":
		return "International service"
	}
	region, err := language.ParseRegion(regions[0])
	if err != nil {
		return regions[0]
	}
	name := display.English.Regions().Name(region)
	if others := len(regions) - 1; others > 0 {
		name += " and " + counted(others) + " more"
	}
	return name
}
