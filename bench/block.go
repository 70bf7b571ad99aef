package main

import (
	"context"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// block is a time in which some users repeat an operation, each one after the other:
// for the ramp, and then for the time that is measured.
type block struct {
	users          int
	ramp, measured time.Duration
	// once does the operation for a user and returns how long it took.
	once func(ctx context.Context, user int) (time.Duration, error)
	// used returns what was used up to now; the time and the count are added.
	used func(context.Context) (mark, error)
}

// sample is what one block measured. Costs are per operation.
type sample struct {
	rate     float64 // operations per second
	p50, p99 float64 // of an operation, ms
	cpu      float64 // Holdline's, ms
	memory   float64 // Holdline's at most, MiB
	calls    float64 // to Kratos
	work             // of the database
}

// mark is what was used up to a moment.
type mark struct {
	at    time.Time
	done  int // operations
	cpu   time.Duration
	calls int64
	work  work
}

// run returns when all that was begun is done.
func (b block) run(ctx context.Context) (sample, error) {
	var over atomic.Bool
	var mu sync.Mutex
	var took []time.Duration // of the operations that ended, in their order
	take := func(ctx context.Context) (mark, error) {
		m, err := b.used(ctx)
		mu.Lock()
		defer mu.Unlock()
		m.at, m.done = time.Now(), len(took)
		return m, err
	}
	var from, to mark
	group, running := errgroup.WithContext(ctx)
	for user := range b.users {
		group.Go(func() error {
			for !over.Load() {
				d, err := b.once(running, user)
				if err != nil {
					return err
				}
				mu.Lock()
				took = append(took, d)
				mu.Unlock()
			}
			return nil
		})
	}
	group.Go(func() (err error) {
		defer over.Store(true)
		if err = wait(running, b.ramp); err != nil {
			return err
		}
		if from, err = take(running); err != nil {
			return err
		}
		if err = wait(running, b.measured); err != nil {
			return err
		}
		to, err = take(running)
		return err
	})
	if err := group.Wait(); err != nil {
		return sample{}, err
	}
	return sampleOf(from, to, slices.Sorted(slices.Values(took[from.done:to.done]))), nil
}

// sampleOf compares two marks; took is sorted.
func sampleOf(from, to mark, took []time.Duration) sample {
	n := float64(max(1, len(took)))
	return sample{
		rate: float64(len(took)) / to.at.Sub(from.at).Seconds(),
		p50:  millis(quantile(took, 0.50)), p99: millis(quantile(took, 0.99)),
		cpu:   millis(to.cpu-from.cpu) / n,
		calls: float64(to.calls-from.calls) / n,
		work:  to.work.since(from.work).per(n),
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
