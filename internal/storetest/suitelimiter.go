package storetest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/holdline/holdline/internal/problem"
	"github.com/holdline/holdline/internal/ratelimit"
)

// tenPerQuarter gives one back each 90 seconds.
var tenPerQuarter = ratelimit.Limit{Most: 10, Window: 15 * time.Minute}

// TestLimiter holds a limiter to what the comments of ratelimit.Limiter promise.
// Each call of newLimiter returns one that has counted nothing.
func TestLimiter(t *testing.T, newLimiter func(*testing.T) ratelimit.Limiter) {
	t.Helper()
	for name, test := range map[string]func(*limiting){
		"a burst is let through, and no more":   burst,
		"takings come back one by one":          refill,
		"names are counted apart":               apart,
		"what is given back can be taken again": giveBack,
		"giving back makes nothing out of none": giveBackNothing,
		"an allowance of one":                   single,
		"an allowance may change":               changed,
		"takers at once get what there is":      takersAtOnce,
		"those who give back at once are heard": giversAtOnce,
		"any sequence does what a bucket does":  likeABucket,
		"a clock behind the others is harmless": lateClock,
		"without a bound everything is granted": unbounded,
	} {
		t.Run(name, func(t *testing.T) { test(&limiting{fixture{T: t}, newLimiter(t)}) })
	}
}

// limiting is a test's empty limiter and its short words for it.
type limiting struct {
	fixture
	limiter ratelimit.Limiter
}

func (l *limiting) take(a ratelimit.Limit, now time.Time, times int) {
	l.Helper()
	for range times {
		l.want(l.limiter.Take(l.Context(), "a", a, now), nil)
	}
}

func (l *limiting) refused(a ratelimit.Limit, now, until time.Time) {
	l.Helper()
	err := l.limiter.Take(l.Context(), "a", a, now)
	l.want(err, ratelimit.ErrTooManyTries)
	limit := (*problem.LimitError)(nil)
	if !errors.As(err, &limit) {
		l.Fatalf("got %T, want a limit", err)
	}
	l.same(limit.Until, until)
}

func (l *limiting) giveBack(a ratelimit.Limit, now time.Time) {
	l.Helper()
	l.want(l.limiter.GiveBack(l.Context(), "a", a, now), nil)
}

func burst(l *limiting) {
	l.take(tenPerQuarter, noon, 10)
	for range 3 {
		l.refused(tenPerQuarter, noon, noon.Add(90*time.Second))
	}
}

func refill(l *limiting) {
	l.take(tenPerQuarter, noon, 10)
	later := noon.Add(90 * time.Second)
	l.refused(tenPerQuarter, later.Add(-time.Microsecond), later)
	l.take(tenPerQuarter, later, 1)
	l.refused(tenPerQuarter, later, later.Add(90*time.Second))
	l.take(tenPerQuarter, later.Add(15*time.Minute), 10)
	// No rest, however long, saves up more than the limit.
	l.take(tenPerQuarter, later.Add(day), 10)
	l.refused(tenPerQuarter, later.Add(day), later.Add(day+90*time.Second))
}

func apart(l *limiting) {
	l.take(tenPerQuarter, noon, 10)
	l.want(l.limiter.Take(l.Context(), "A", tenPerQuarter, noon), nil)
	l.refused(tenPerQuarter, noon, noon.Add(90*time.Second))
}

func giveBack(l *limiting) {
	l.take(tenPerQuarter, noon, 10)
	l.giveBack(tenPerQuarter, noon.Add(time.Second))
	l.giveBack(tenPerQuarter, noon.Add(time.Second))
	l.take(tenPerQuarter, noon.Add(time.Second), 2)
	l.refused(tenPerQuarter, noon.Add(time.Second), noon.Add(90*time.Second))
}

func giveBackNothing(l *limiting) {
	l.giveBack(tenPerQuarter, noon)
	l.take(tenPerQuarter, noon, 1)
	for range 5 {
		l.giveBack(tenPerQuarter, noon)
	}
	l.take(tenPerQuarter, noon, 10)
	l.refused(tenPerQuarter, noon, noon.Add(90*time.Second))
	l.giveBack(tenPerQuarter, noon.Add(day)) // the time gave it back long ago
	l.take(tenPerQuarter, noon.Add(day), 10)
	l.refused(tenPerQuarter, noon.Add(day), noon.Add(day+90*time.Second))
}

func single(l *limiting) {
	one := ratelimit.Limit{Most: 1, Window: time.Minute}
	l.take(one, noon, 1)
	l.refused(one, noon.Add(time.Second), noon.Add(time.Minute))
	l.take(one, noon.Add(time.Minute), 1)
}

func changed(l *limiting) {
	l.take(tenPerQuarter, noon, 10)
	twenty := ratelimit.Limit{Most: 20, Window: 15 * time.Minute}
	l.refused(twenty, noon, noon.Add(45*time.Second))
	l.take(twenty, noon.Add(45*time.Second), 1)
}

func lateClock(l *limiting) {
	l.take(tenPerQuarter, noon, 9)
	// A clock that is a little behind gains nothing, and loses nothing for others.
	l.refused(tenPerQuarter, noon.Add(-time.Second), noon)
	l.take(tenPerQuarter, noon, 1)
	l.refused(tenPerQuarter, noon, noon.Add(90*time.Second))
}

func unbounded(l *limiting) {
	for _, a := range []ratelimit.Limit{{}, {Window: time.Hour}, {Most: 1}} {
		l.take(a, noon, 3)
		l.giveBack(a, noon)
	}
}

func takersAtOnce(l *limiting) {
	for round, now := range []time.Time{noon, noon.Add(15 * time.Minute)} { // once with no row, once with one
		l.wantWinners(together(l.Context(), 50, func(ctx context.Context, _ int) error {
			return l.limiter.Take(ctx, "a", tenPerQuarter, now)
		}), 10, ratelimit.ErrTooManyTries)
		if l.Failed() {
			l.Fatalf("round %d", round)
		}
	}
}

func giversAtOnce(l *limiting) {
	l.take(tenPerQuarter, noon, 10)
	l.wantWinners(together(l.Context(), 8, func(ctx context.Context, _ int) error {
		return l.limiter.GiveBack(ctx, "a", tenPerQuarter, noon)
	}), 8, nil)
	l.take(tenPerQuarter, noon, 8)
	l.refused(tenPerQuarter, noon, noon.Add(90*time.Second))
}

// bucket is the algorithm's other form (ITU-T I.371, annex A): a bucket that
// leaks, which a taking fills up by the interval.
type bucket struct {
	level time.Duration
	at    time.Time
}

func (b *bucket) leak(now time.Time) {
	b.level, b.at = max(0, b.level-now.Sub(b.at)), now
}

func (b *bucket) take(a ratelimit.Limit, now time.Time) (time.Time, bool) {
	b.leak(now)
	if b.level > a.Tolerance() {
		return now.Add(b.level - a.Tolerance()), false
	}
	b.level += a.Interval()
	return time.Time{}, true
}

func likeABucket(l *limiting) {
	run := 0
	rapid.Check(l.T, func(t *rapid.T) {
		if run++; run > modelRuns {
			return
		}
		a := ratelimit.Limit{
			Most:   rapid.IntRange(1, 7).Draw(t, "most"),
			Window: time.Duration(rapid.Int64Range(1, int64(time.Hour)).Draw(t, "window")),
		}
		b, name, now := bucket{at: noon}, fmt.Sprint("run ", run), noon
		t.Repeat(map[string]func(*rapid.T){
			"take": func(t *rapid.T) {
				err := l.limiter.Take(t.Context(), name, a, now)
				until, ok := b.take(a, now)
				limit := (*problem.LimitError)(nil)
				if ok != (err == nil) || !ok && (!errors.As(err, &limit) || !limit.Until.Equal(until)) {
					t.Fatalf("got %+v, want %t until %v", err, ok, until)
				}
			},
			"give back": func(t *rapid.T) {
				b.leak(now)
				b.level = max(0, b.level-a.Interval())
				if err := l.limiter.GiveBack(t.Context(), name, a, now); err != nil {
					t.Fatal(err)
				}
			},
			"wait": func(t *rapid.T) {
				microseconds := rapid.Int64Range(0, 2*a.Interval().Microseconds()).Draw(t, "microseconds")
				now = now.Add(time.Duration(microseconds) * time.Microsecond)
			},
		})
	})
}
