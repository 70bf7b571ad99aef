package storetest

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/holdline/holdline/internal/statistics"
)

// Statistics are counts by the hour that were put in by hand. The zero value is empty.
type Statistics struct {
	mu    sync.Mutex
	hours []statistics.Hour
	fail  error
}

// Put adds the counts of an hour.
func (s *Statistics) Put(hours ...statistics.Hour) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hours = append(s.hours, hours...)
}

// Fail makes every call fail with err, until it is nil.
func (s *Statistics) Fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fail = err
}

// Hours is as in statistics.Store.
func (s *Statistics) Hours(_ context.Context, since, until time.Time) ([]statistics.Hour, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []statistics.Hour
	for _, h := range s.hours {
		if !h.Start.Before(since) && h.Start.Before(until) {
			found = append(found, h)
		}
	}
	slices.SortFunc(found, func(a, b statistics.Hour) int {
		return cmp.Or(a.Start.Compare(b.Start), cmp.Compare(a.Subject, b.Subject))
	})
	return found, s.fail
}

// CallingCodes is as in statistics.Store.
func (s *Statistics) CallingCodes(ctx context.Context, since, until time.Time) ([]statistics.CodeTotal, error) {
	hours, err := s.Hours(ctx, since, until)
	totals := map[string]*statistics.CodeTotal{}
	for _, h := range hours {
		code, ok := h.Subject.CallingCode()
		if !ok {
			continue
		}
		if totals[code] == nil {
			totals[code] = &statistics.CodeTotal{CallingCode: code, First: h.Start}
		}
		t := totals[code]
		t.Requested, t.Confirmed, t.Busiest = t.Requested+h.Requested, t.Confirmed+h.Confirmed, max(t.Busiest, h.Requested)
	}
	var found []statistics.CodeTotal
	for _, code := range slices.Sorted(maps.Keys(totals)) {
		found = append(found, *totals[code])
	}
	return found, err
}
