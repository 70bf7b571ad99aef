package console

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/holdline/holdline/internal/statistics"
)

type activityPage struct {
	frame
	Spans     []activitySpan
	Shown     activitySpan
	Code      string // the calling code that is shown; blank for all
	Countries []activityRow
	Total     activityRow
	Changes   chart
	Wrong     chart
	Buckets   []bucket // newest first, for the table
	// CountedLately is false where the newest hour is missing: the counting stands still.
	Since time.Time
}

// activitySpan is a time that can be looked at, by the hour or by the day.
type activitySpan struct {
	Name, Value string
	n           int
	step        time.Duration
}

// By says what a bar is.
func (a activitySpan) By() string {
	if a.step == day {
		return "day"
	}
	return "hour"
}

var activitySpans = []activitySpan{
	{"24 hours", "24h", 24, time.Hour}, {"7 days", "7d", 7 * 24, time.Hour}, {"30 days", "30d", 30, day}, {"90 days", "90d", 90, day},
}

// bucket is an hour or a day.
type bucket struct {
	At time.Time
	statistics.Counts
	IsDay bool
}

// activityRow is the sum of one country.
type activityRow struct {
	CallingCode, Country, Path string
	statistics.Counts
}

// Share is how many of what was asked for was confirmed. What is confirmed may have been asked for before.
func (a activityRow) Share() string { return share(min(a.Confirmed, a.Requested), a.Requested) }

// chart is bars of parts on each other, in thousandths of the highest one.
type chart struct {
	Title  string // for whoever cannot see it
	Most   int
	Width  int
	Bars   []chartBar
	Labels []time.Time // of the first, the middle and the last bar
	IsDay  bool
}

type chartBar struct {
	Title string
	Parts []chartPart
}

type chartPart struct {
	Class               string
	X, Y, Width, Height int
}

// The size of a chart's own plane. A bar leaves a fifth of its place free.
const (
	chartHeight = 1000
	barPlace    = 100
	barWidth    = 80
)

// chartOf draws one bar for each bucket, its parts from below.
func chartOf(title string, buckets []bucket, parts []string, of func(bucket) []int, words func(bucket) string) chart {
	c := chart{Title: title, Width: max(1, len(buckets)) * barPlace}
	for _, b := range buckets {
		sum := 0
		for _, n := range of(b) {
			sum += n
		}
		c.Most = max(c.Most, sum)
	}
	for i, b := range buckets {
		bar, y := chartBar{Title: words(b)}, chartHeight
		for part, n := range of(b) {
			height := n * chartHeight / max(1, c.Most)
			if n > 0 {
				height = max(height, chartHeight/100) // what happened is seen
			}
			if height > 0 {
				y -= height
				bar.Parts = append(bar.Parts, chartPart{parts[part], i*barPlace + (barPlace-barWidth)/2, max(0, y), barWidth, height}) //nolint:gosec // of returns one number for each part
			}
		}
		c.Bars = append(c.Bars, bar)
		c.IsDay = b.IsDay
	}
	if n := len(buckets); n > 0 {
		c.Labels = []time.Time{buckets[0].At, buckets[n/2].At, buckets[n-1].At}
	}
	return c
}

func (s *console) activity(c *gin.Context, v *visit) error {
	asked := c.DefaultQuery("span", "24h")
	i := slices.IndexFunc(activitySpans, func(a activitySpan) bool { return a.Value == asked })
	if i < 0 {
		return errMalformed
	}
	span := activitySpans[i]
	p := activityPage{frame: s.frame(v, "Over time"), Spans: activitySpans, Shown: span, Code: c.Query("code")}
	last := s.Now().UTC().Truncate(span.step)
	p.Since = last.Add(-time.Duration(span.n-1) * span.step)
	hours, err := s.Statistics.Hours(c.Request.Context(), p.Since, last.Add(span.step))
	if err != nil {
		return err
	}
	p.sum(hours, span)
	p.draw(span)
	s.pages.Show(c, http.StatusOK, "activity", p)
	return nil
}

// sum puts hours into buckets and countries.
func (p *activityPage) sum(hours []statistics.Hour, span activitySpan) {
	p.Buckets = make([]bucket, span.n)
	for i := range p.Buckets {
		p.Buckets[i] = bucket{At: p.Since.Add(time.Duration(i) * span.step), IsDay: span.step == day}
	}
	countries := map[string]*activityRow{}
	for _, hour := range hours {
		code, ok := hour.Subject.CallingCode()
		if !ok {
			continue
		}
		if countries[code] == nil {
			countries[code] = &activityRow{CallingCode: code, Country: country(code), Path: p.path(code)}
		}
		countries[code].Add(hour.Counts)
		if p.Code == "" || p.Code == code {
			p.Total.Add(hour.Counts)
			if i := int(hour.Start.Sub(p.Since) / span.step); i >= 0 && i < span.n {
				p.Buckets[i].Add(hour.Counts)
			}
		}
	}
	for _, row := range countries {
		p.Countries = append(p.Countries, *row)
	}
	slices.SortFunc(p.Countries, func(a, b activityRow) int {
		return cmp.Or(cmp.Compare(b.Requested, a.Requested), cmp.Compare(a.CallingCode, b.CallingCode))
	})
}

// path leads to one country alone.
func (p *activityPage) path(code string) string {
	asked := url.Values{"span": {p.Shown.Value}}
	if code != "" {
		asked.Set("code", code)
	}
	return Path + "/activity?" + asked.Encode()
}

// All leads to all countries together.
func (p activityPage) All() string { return p.path("") }

// Country names the one that is shown alone.
func (p activityPage) Country() string { return country(p.Code) }

func (p *activityPage) draw(span activitySpan) {
	when := func(b bucket) string {
		if b.IsDay {
			return b.At.Format("Mon 2 Jan")
		}
		return b.At.Format("Mon 2 Jan 15:04")
	}
	p.Changes = chartOf("Changes of number by the "+span.By()+": "+counted(p.Total.Requested)+" requested, "+counted(p.Total.Confirmed)+
		" confirmed, "+counted(p.Total.Failed)+" failed, "+counted(p.Total.Withdrawn)+" withdrawn", p.Buckets,
		[]string{"good", "bad", "rest"}, func(b bucket) []int { return []int{b.Confirmed, b.Failed, b.Withdrawn} },
		func(b bucket) string {
			return when(b) + ": " + counted(b.Requested) + " requested, " + counted(b.Confirmed) + " confirmed, " +
				counted(b.Failed) + " failed, " + counted(b.Withdrawn) + " withdrawn"
		})
	p.Wrong = chartOf("Wrong codes by the "+span.By()+": "+counted(p.Total.Wrong), p.Buckets, []string{"warn"},
		func(b bucket) []int { return []int{b.Wrong} }, func(b bucket) string { return when(b) + ": " + counted(b.Wrong) + " wrong codes" })
	slices.Reverse(p.Buckets)
	p.Buckets = slices.DeleteFunc(p.Buckets, func(b bucket) bool { return b.Counts == (statistics.Counts{}) })
}
