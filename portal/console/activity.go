package console

import (
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
}

// activitySpan is a time that can be looked at, by the hour or by the day.
type activitySpan struct {
	statistics.Span
	Value string
}

// By says what a bar is.
func (a activitySpan) By() string {
	if a.Step == day {
		return "day"
	}
	return "hour"
}

// spanWords are the names of the spans.
var spanWords = map[string]string{"24h": "24 hours", "7d": "7 days", "30d": "30 days", "90d": "90 days"}

func activitySpans() []activitySpan {
	var all []activitySpan
	for _, span := range statistics.Spans() {
		shown := activitySpan{span, span.Name}
		shown.Name = spanWords[span.Name]
		all = append(all, shown)
	}
	return all
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
	span, ok := statistics.ParseSpan(c.DefaultQuery("span", "24h"))
	if !ok {
		return errMalformed
	}
	p, err := s.activityOf(c, span, c.Query("code"))
	if err != nil {
		return err
	}
	p.frame = s.frame(v, "Over time")
	s.pages.Show(c, http.StatusOK, "activity", p)
	return nil
}

// activityOf draws a span.
func (s *console) activityOf(c *gin.Context, span statistics.Span, code string) (activityPage, error) {
	series, err := s.Admin.Series(c.Request.Context(), span, code)
	if err != nil {
		return activityPage{}, err
	}
	p := activityPage{Spans: activitySpans(), Code: code, Total: activityRow{Counts: series.Total}}
	p.Shown = p.Spans[slices.IndexFunc(p.Spans, func(a activitySpan) bool { return a.Value == span.Name })]
	for _, b := range series.Buckets {
		p.Buckets = append(p.Buckets, bucket{At: b.Start, Counts: b.Counts, IsDay: span.Step == day})
	}
	for _, row := range series.Countries {
		p.Countries = append(p.Countries, activityRow{
			CallingCode: row.CallingCode, Country: country(row.CallingCode), Path: p.path(row.CallingCode), Counts: row.Counts,
		})
	}
	p.draw(p.Shown)
	return p, nil
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
