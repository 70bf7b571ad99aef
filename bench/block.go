package main

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// sample is what one block measured. Costs are per change.
type sample struct {
	rate       float64 // changes per second
	p50, p99   float64 // of a change, ms
	statements float64
	trips      float64
	cpu        float64 // Holdline's, ms
	memory     float64 // Holdline's at the end, MiB
}

// load is a block under way.
type load struct {
	*variant
	over atomic.Bool

	mu     sync.Mutex
	took   []time.Duration // of the changes that ended, in their order
	people []person
}

// block lets users change numbers one after the other: for the ramp, and then
// for the time that is measured. The ramp is no shorter than the provider's delay, so
// that what earlier changes left to be done weighs as much at the begin of the
// measured time as at its end. The block returns when all that it began is done.
func (v *variant) block(ctx context.Context, users int, ramp, measured time.Duration) (sample, error) {
	l := &load{variant: v}
	var from, to mark
	group, running := errgroup.WithContext(ctx)
	for range users {
		group.Go(func() error { return l.user(running) })
	}
	group.Go(func() (err error) {
		defer l.over.Store(true)
		if err = wait(running, ramp); err != nil {
			return err
		}
		if from, err = l.mark(running); err != nil {
			return err
		}
		if err = wait(running, measured); err != nil {
			return err
		}
		to, err = l.mark(running)
		return err
	})
	if err := group.Wait(); err != nil {
		return sample{}, fmt.Errorf("%s, %d users: %w\n%s", v.name, users, err, v.holdline.lastWords())
	}
	if err := l.settle(ctx); err != nil {
		return sample{}, err
	}
	memory, err := v.holdline.memory()
	result := sampleOf(from, to, slices.Sorted(slices.Values(l.took[from.changes:to.changes])))
	result.memory = memory
	return result, err
}

// user changes numbers until the block is over.
func (l *load) user(ctx context.Context) error {
	for !l.over.Load() {
		p, err := l.variant.people.next()
		if err != nil {
			return err
		}
		took, err := l.change(ctx, p)
		if err != nil {
			return err
		}
		l.mu.Lock()
		l.took = append(l.took, took)
		l.people = append(l.people, p)
		l.mu.Unlock()
	}
	return nil
}

// mark is what was counted at a moment.
type mark struct {
	at      time.Time
	changes int
	cpu     time.Duration
	work    work
}

func (l *load) mark(ctx context.Context) (m mark, err error) {
	if m.work, err = l.server.work(ctx); err != nil {
		return m, err
	}
	if m.cpu, err = l.holdline.cpu(); err != nil {
		return m, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	m.at, m.changes = time.Now(), len(l.took)
	return m, nil
}

// sampleOf compares two marks; took is sorted.
func sampleOf(from, to mark, took []time.Duration) sample {
	n := float64(max(1, len(took)))
	return sample{
		rate: float64(len(took)) / to.at.Sub(from.at).Seconds(),
		p50:  millis(quantile(took, 0.50)), p99: millis(quantile(took, 0.99)),
		statements: (to.work.statements - from.work.statements) / n,
		trips:      (to.work.trips - from.work.trips) / n,
		cpu:        millis(to.cpu-from.cpu) / n,
	}
}

func millis(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// quantile returns the smallest value that this share of all does not exceed;
// zero of none.
func quantile[T any](sorted []T, share float64) (value T) {
	if len(sorted) > 0 {
		value = sorted[max(1, int(math.Ceil(share*float64(len(sorted)))))-1]
	}
	return value
}

func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
