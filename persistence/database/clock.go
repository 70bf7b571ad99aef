package database

import (
	"context"
	"sync"
	"time"
)

// Clock tells the database's time without asking for it: it measures how far
// this process's clock is from it, and trusts the monotonic clock in between.
// A database without a clock of its own has the machine's.
type Clock struct {
	db    *DB
	local func() time.Time

	mu     sync.RWMutex
	here   time.Time // local, with its monotonic reading
	there  time.Time // the database's time at that moment
	synced bool
}

// measurements is how often one Sync asks; the shortest round trip counts.
const measurements = 3

// NewClock returns a clock that has been set once. The local clock is time.Now,
// whose monotonic reading it needs. Call [Clock.Sync] from time to time.
func NewClock(ctx context.Context, db *DB, local func() time.Time) (*Clock, error) {
	c := &Clock{db: db, local: local}
	return c, c.Sync(ctx)
}

// Now returns the database's time in UTC, in microseconds.
func (c *Clock) Now() time.Time {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.at(c.local())
}

// at converts a local time. The caller holds the lock.
func (c *Clock) at(local time.Time) time.Time {
	return c.there.Add(local.Sub(c.here)).Truncate(time.Microsecond)
}

// Sync measures again. A deviation within the measurement's own uncertainty is
// not followed, so that the clock does not tremble.
func (c *Clock) Sync(ctx context.Context) error {
	best, err := c.measure(ctx)
	if err != nil {
		return err
	}
	for range measurements - 1 {
		next, err := c.measure(ctx)
		if err != nil {
			return err
		}
		if next.uncertainty < best.uncertainty {
			best = next
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.synced && best.there.Sub(c.at(best.here)).Abs() <= best.uncertainty {
		return nil
	}
	c.here, c.there, c.synced = best.here, best.there, true
	return nil
}

// measurement says which local time was which time of the database.
type measurement struct {
	here, there time.Time
	uncertainty time.Duration
}

// measure takes the database to have looked at its clock half way between
// question and answer.
func (c *Clock) measure(ctx context.Context) (measurement, error) {
	query := c.db.dialect.Now()
	if query == "" {
		now := c.local()
		return measurement{here: now, there: now.Round(0).UTC()}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var there time.Time
	sent := c.local()
	if err := c.db.gorm.WithContext(ctx).Raw(query).Row().Scan(&there); err != nil {
		return measurement{}, c.db.Classify(err)
	}
	half := c.local().Sub(sent) / 2
	return measurement{here: sent.Add(half), there: there.UTC(), uncertainty: half}, nil
}
