package main

import (
	"context"
	"errors"
	"slices"
	"time"
)

// contestant is what takes turns with others in being measured.
type contestant interface {
	// block measures it with so many users at once.
	block(ctx context.Context, users int) (sample, error)
	// programs are the processes that belong to it.
	programs() []*program
	// stop ends it, and everything that belongs to it.
	stop() error
}

// comparison is what contenders came to, side by side.
type comparison struct {
	rows   []row
	rounds int
	others float64 // the share of the machine that other programs took
}

// row is the blocks of all contenders with so many users; those of one index ran in
// one round.
type row struct {
	users   int
	samples [][]sample // of each contestant
}

// compete lets contenders take turns. Who comes first changes from round to round,
// so that what drifts falls on all.
func compete(ctx context.Context, b *bench, server served, all []contestant) (c comparison, err error) {
	var programs []*program
	for _, one := range all {
		programs = append(programs, one.programs()...)
	}
	for _, users := range b.users {
		c.rows = append(c.rows, row{users, make([][]sample, len(all))})
	}
	from, err := usageOf(ctx, server, programs)
	if err != nil {
		return c, err
	}
	for c.rounds = 0; c.rounds < b.rounds && (c.rounds == 0 || time.Since(b.began) < b.enough); c.rounds++ {
		for _, r := range c.rows {
			b.say("round %d of %d, users: %d", c.rounds+1, b.rounds, r.users)
			for turn := range all {
				which := (turn + c.rounds) % len(all)
				got, err := all[which].block(ctx, r.users)
				if err != nil {
					return c, err
				}
				r.samples[which] = append(r.samples[which], got)
			}
		}
	}
	c.others, err = othersSince(ctx, server, programs, from)
	return c, err
}

func stopAll(all []contestant) error {
	var faults []error
	for _, one := range slices.Backward(all) {
		if one == nil {
			continue // was not started
		}
		faults = append(faults, one.stop())
	}
	return errors.Join(faults...)
}

// spread is the middle, the lowest and the highest of some values.
type spread struct{ median, low, high float64 }

func spreadOf(values []float64) spread {
	sorted := slices.Sorted(slices.Values(values))
	return spread{quantile(sorted, 0.5), quantile(sorted, 0), quantile(sorted, 1)}
}

// of is the spread of something that the samples of a contestant have.
func (r row) of(which int, pick func(sample) float64) spread {
	var values []float64
	for _, s := range r.samples[which] {
		values = append(values, pick(s))
	}
	return spreadOf(values)
}
