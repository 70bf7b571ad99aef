package ratelimit

import (
	"context"
	"time"
)

// Limit is what one name may take: Most at once, and after that one more
// each time Window/Most has passed. So it is Most in a Window in the long run,
// and at most twice as many in any one Window. Zero in either is no limit.
type Limit struct {
	Most   int
	Window time.Duration
}

// Bounded reports whether there is a limit at all.
func (a Limit) Bounded() bool { return a.Most > 0 && a.Window > 0 }

// Interval is the time in which one taking of a limit comes back: the
// increment T of the generic cell rate algorithm (ITU-T I.371, annex A), in whole
// microseconds.
func (a Limit) Interval() time.Duration {
	return max((a.Window / time.Duration(a.Most)).Truncate(time.Microsecond), time.Microsecond)
}

// Tolerance is how far the takings may be ahead of their pace: the limit τ of
// the algorithm, which lets Most of them come at once.
func (a Limit) Tolerance() time.Duration { return time.Duration(a.Most-1) * a.Interval() }

// Limiter counts what names take, so that all replicas agree. An implementer
// must hold to the virtual scheduling form of the generic cell rate algorithm:
// a name has a theoretical arrival time TAT; a taking conforms if TAT is not
// later than now plus the tolerance, and then raises TAT, or now if that is
// later, by the interval. However many take at the same moment, no more conform
// than the limit has; without a bound all do. Names are stored in clear: a
// person's stands there as a keyed hash.
type Limiter interface {
	// Take takes one, or fails with a *problem.LimitError (ErrTooManyTries) that tells
	// when the next one conforms. An error that wraps problem.ErrStoreUnavailable may have taken
	// one nevertheless.
	Take(ctx context.Context, name string, a Limit, now time.Time) error
	// GiveBack undoes a Take of the same limit. What the time has given back
	// already stays as it is.
	GiveBack(ctx context.Context, name string, a Limit, now time.Time) error
}
