package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// changesResult is what changes of number came to.
type changesResult struct {
	comparison
	pace       pace
	contenders []contender
	tallies    []tally // empty of floors
	loaded     time.Duration
	failures   int64 // answers of the real Kratos that said it failed
	pool, data int   // the buffer pool, and what the many claims take, MiB
}

// measureChanges lets all contenders compete.
func measureChanges(ctx context.Context, b *bench) (_ section, err error) {
	r := &changesResult{pace: b.pace, contenders: contenders(b.pace)}
	all := make([]contestant, len(r.contenders))
	defer func() { err = errors.Join(err, stopAll(all)) }()
	if all[hooks], err = startVariant(ctx, b, r.contenders[hooks], nil); err != nil {
		return nil, err
	}
	first := all[hooks].(*variant)
	// One more is made to be recorded.
	if err := first.prime(ctx, firstClaims-1); err != nil {
		return nil, err
	}
	for i, c := range r.contenders {
		if i == hooks {
			continue
		}
		b.say("starting %s", c.name)
		began := time.Now()
		if all[i], err = c.start(ctx, b, c, first); err != nil {
			return nil, err
		}
		if c.many {
			r.loaded = time.Since(began)
		}
	}
	if r.pool, r.data, err = b.server.room(ctx, "bench_"+r.contenders[many].name); err != nil {
		return nil, err
	}
	if r.comparison, err = compete(ctx, b, b.server, all); err != nil {
		return nil, err
	}
	r.tallies = make([]tally, len(all))
	for i, one := range all {
		if v, ok := one.(*variant); ok {
			r.tallies[i] = v.count()
			if k, ok := v.target.(*kratos); ok {
				r.failures += k.failures.Load()
			}
		}
	}
	return r, nil
}

func (r *changesResult) fault() error {
	var faults []error
	for i, t := range r.tallies {
		if t.expected == nil {
			continue // a floor
		}
		if err := t.fault(); err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", r.contenders[i].name, err))
		}
	}
	return errors.Join(faults...)
}
