package statistics

import (
	"cmp"
	"slices"
	"time"
)

// Span is a stretch of time up to now, in hours or days.
type Span struct {
	Name string // 24h, 7d, 30d or 90d
	N    int
	Step time.Duration
}

const day = 24 * time.Hour

// Spans are those that are shown, the shortest first.
func Spans() []Span {
	return []Span{{"24h", 24, time.Hour}, {"7d", 7 * 24, time.Hour}, {"30d", 30, day}, {"90d", 90, day}}
}

// ParseSpan returns the span of a name.
func ParseSpan(name string) (Span, bool) {
	for _, span := range Spans() {
		if span.Name == name {
			return span, true
		}
	}
	return Span{}, false
}

// Bounds are the beginning of a span's first step, and the end of the one that now is in.
func (s Span) Bounds(now time.Time) (since, until time.Time) {
	last := now.UTC().Truncate(s.Step)
	return last.Add(-time.Duration(s.N-1) * s.Step), last.Add(s.Step)
}

// Bucket is an hour or a day.
type Bucket struct {
	Start time.Time
	Counts
}

// Country is the sum of a calling code.
type Country struct {
	CallingCode string
	Counts
}

// Series is what happened in a span, step by step.
type Series struct {
	Since     time.Time
	Buckets   []Bucket
	Countries []Country // of all calling codes, the busiest first
	Total     Counts
}

// NewSeries sums hours up; buckets and total are of one calling code, or of all for a blank one.
func NewSeries(hours []Hour, span Span, now time.Time, callingCode string) Series {
	since, _ := span.Bounds(now)
	s := Series{Since: since, Buckets: make([]Bucket, span.N)}
	for i := range s.Buckets {
		s.Buckets[i].Start = since.Add(time.Duration(i) * span.Step)
	}
	countries := map[string]*Country{}
	for _, hour := range hours {
		code, ok := hour.Subject.CallingCode()
		if !ok {
			continue
		}
		if countries[code] == nil {
			countries[code] = &Country{CallingCode: code}
		}
		countries[code].Add(hour.Counts)
		if callingCode == "" || callingCode == code {
			s.Total.Add(hour.Counts)
			if i := int(hour.Start.Sub(since) / span.Step); i >= 0 && i < span.N {
				s.Buckets[i].Add(hour.Counts)
			}
		}
	}
	for _, country := range countries {
		s.Countries = append(s.Countries, *country)
	}
	slices.SortFunc(s.Countries, func(a, b Country) int {
		return cmp.Or(cmp.Compare(b.Requested, a.Requested), cmp.Compare(a.CallingCode, b.CallingCode))
	})
	return s
}
