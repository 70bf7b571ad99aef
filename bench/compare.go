package main

import (
	"context"
	"errors"
	"slices"
	"time"
)

// target is the share of an instant provider's changes per second that must be
// left with a slow one.
const target = 0.95

// comparison is what two variants came to, side by side.
type comparison struct {
	labels  [2]string
	rows    []row
	tallies [2]tally
	others  float64 // the share of the machine that other programs took
}

// row is the blocks of both variants with so many users; those of one index ran
// one after the other.
type row struct {
	users   int
	samples [2][]sample
}

// compare lets an instant and a slow provider take turns. Which comes first
// changes from pair to pair, so that what drifts falls on both.
func compare(ctx context.Context, s settings, server *server, dir string) (c comparison, err error) {
	c.labels = [2]string{"at once", "after " + s.delay.String()}
	var variants [2]*variant
	for i, delay := range []time.Duration{0, s.delay} {
		v, err := startVariant(ctx, s, server, dir, []string{"instant", "slow"}[i], delay)
		if err != nil {
			return c, errors.Join(err, stopAll(variants))
		}
		variants[i] = v
	}
	if err := c.turns(ctx, s, server, variants); err != nil {
		return c, errors.Join(err, stopAll(variants))
	}
	err = stopAll(variants)
	for i, v := range variants {
		c.tallies[i] = v.count()
	}
	return c, err
}

// turns runs all blocks.
func (c *comparison) turns(ctx context.Context, s settings, server *server, variants [2]*variant) error {
	from, err := usageOf(ctx, server, variants[0].holdline, variants[1].holdline)
	if err != nil {
		return err
	}
	for _, users := range s.users {
		c.rows = append(c.rows, row{users: users})
	}
	for pair := range s.pairs {
		for i := range c.rows {
			for turn := range 2 {
				which := (turn + pair) % 2
				got, err := variants[which].block(ctx, c.rows[i].users, s.ramp, s.block)
				if err != nil {
					return err
				}
				c.rows[i].samples[which] = append(c.rows[i].samples[which], got)
			}
		}
	}
	to, err := usageOf(ctx, server, variants[0].holdline, variants[1].holdline)
	c.others = others(from, to)
	return err
}

func stopAll(variants [2]*variant) error {
	var faults []error
	for _, v := range variants {
		if v != nil {
			faults = append(faults, v.stop())
		}
	}
	return errors.Join(faults...)
}

// fault is an error if either variant lost or doubled anything.
func (c comparison) fault() error {
	return errors.Join(c.tallies[0].fault(), c.tallies[1].fault())
}

// spread is the middle, the lowest and the highest of some values.
type spread struct{ median, low, high float64 }

func spreadOf(values []float64) spread {
	sorted := slices.Sorted(slices.Values(values))
	return spread{quantile(sorted, 0.5), quantile(sorted, 0), quantile(sorted, 1)}
}

// of is the spread of something that the samples of a variant have.
func (r row) of(which int, pick func(sample) float64) spread {
	var values []float64
	for _, s := range r.samples[which] {
		values = append(values, pick(s))
	}
	return spreadOf(values)
}

// ratio compares the slow one's rate with the instant one's, pair by pair.
func (r row) ratio() spread {
	var values []float64
	for i, instant := range r.samples[0] {
		values = append(values, r.samples[1][i].rate/instant.rate)
	}
	return spreadOf(values)
}
