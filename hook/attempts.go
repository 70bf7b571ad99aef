package hook

import (
	"maps"
	"sync"
	"time"

	"github.com/holdline/holdline/internal/ratelimit"
)

// attempts bound the wrong keys of an address, by the generic cell rate algorithm
// (see [ratelimit.Limiter]). Each process counts for itself: a form must not wait for
// the database only to find out that Kratos is Kratos. An address that has sent a
// right key is Kratos', and never kept out, so that nobody beside it can stop the
// forms of everybody.
type attempts struct {
	allowance ratelimit.Limit

	mu      sync.Mutex
	arrival map[string]time.Time // the theoretical arrival time, by network
	known   map[string]bool      // networks that have sent a right key
}

// mostAddresses is how many addresses are kept until those are forgotten that have
// everything of their limit again.
const mostAddresses = 10_000

// take takes one try, before the key is compared; otherwise it tells when the next
// one is allowed. A right key gives it back with proved.
func (a *attempts) take(network string, now time.Time) (until time.Time, ok bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.allowance.Bounded() || a.known[network] {
		return time.Time{}, true
	}
	if len(a.arrival) >= mostAddresses {
		maps.DeleteFunc(a.arrival, func(_ string, at time.Time) bool { return !at.After(now) })
	}
	if a.arrival == nil {
		a.arrival, a.known = map[string]time.Time{}, map[string]bool{}
	}
	at := a.arrival[network]
	if limit := now.Add(a.allowance.Tolerance()); at.After(limit) {
		return at.Add(-a.allowance.Tolerance()), false
	}
	if at.Before(now) {
		at = now
	}
	a.arrival[network] = at.Add(a.allowance.Interval())
	return time.Time{}, true
}

// proved forgets the tries of an address that has sent a right key.
func (a *attempts) proved(network string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.known != nil && !a.known[network] {
		a.known[network] = true
		delete(a.arrival, network)
	}
}
