package storetest

import (
	"context"
	"sync"
	"time"

	"github.com/holdline/holdline/internal/problem"
	"github.com/holdline/holdline/internal/ratelimit"
)

// Limiter is a working ratelimit.Limiter in memory. The zero value is ready.
type Limiter struct {
	mu   sync.Mutex
	tats map[string]time.Time // theoretical arrival times
	fail error
}

var _ ratelimit.Limiter = (*Limiter)(nil)

// Fail makes every call fail with err, until it is nil.
func (l *Limiter) Fail(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.fail = err
}

// Take implements ratelimit.Limiter.
func (l *Limiter) Take(_ context.Context, name string, a ratelimit.Limit, now time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fail != nil || !a.Bounded() {
		return l.fail
	}
	tat, now := l.tats[name], micro(now)
	if ahead := tat.Add(-a.Tolerance()); ahead.After(now) {
		return &problem.LimitError{Reason: ratelimit.ErrTooManyTries, Until: ahead}
	}
	if tat.Before(now) {
		tat = now
	}
	if l.tats == nil {
		l.tats = map[string]time.Time{}
	}
	l.tats[name] = tat.Add(a.Interval())
	return nil
}

// room tells when the next taking of a limit conforms.
func (l *Limiter) room(name string, a ratelimit.Limit) time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !a.Bounded() {
		return time.Time{}
	}
	return l.tats[name].Add(-a.Tolerance())
}

// GiveBack implements ratelimit.Limiter.
func (l *Limiter) GiveBack(_ context.Context, name string, a ratelimit.Limit, now time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if tat := l.tats[name]; l.fail == nil && a.Bounded() && tat.After(micro(now)) {
		l.tats[name] = tat.Add(-a.Interval())
	}
	return l.fail
}
