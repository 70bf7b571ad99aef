// Package statistics counts by the hour what became of claims and texts, so that charts cost the
// same whatever has happened: [Counter] counts each hour from the rows that it made, and counts it
// again until nothing more is expected of it.
package statistics

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/holdline/holdline/internal/claim"
)

// Subject is what something is counted for: a calling code or a gateway.
type Subject string

const (
	codePrefix    = "code:"
	gatewayPrefix = "gateway:"
)

// CallingCode is the subject of numbers with a calling code; blank for those without.
func CallingCode(code string) Subject { return Subject(codePrefix + code) }

// Gateway is the subject of the texts that a gateway sent.
func Gateway(id string) Subject { return Subject(gatewayPrefix + id) }

// CallingCode returns the calling code; not ok for another subject.
func (s Subject) CallingCode() (code string, ok bool) {
	return strings.CutPrefix(string(s), codePrefix)
}

// Gateway returns the gateway; not ok for another subject.
func (s Subject) Gateway() (id string, ok bool) { return strings.CutPrefix(string(s), gatewayPrefix) }

// Counts are those of one subject. The first five are of calling codes. Texts are counted for
// both: those with codes by calling code, those that went by SMS by gateway.
type Counts struct {
	Requested int // claims that were opened, by when they were made
	Confirmed int // whose number was written after its code came back, by when that was
	Failed    int // that were locked, lapsed, or could not be written
	Withdrawn int // that were cancelled, or gave way to another wish
	Wrong     int // wrong codes of the claims that came to an end

	Sent   int // texts that the gateway took, by when they were queued
	Unsent int // that nobody took: all others of a calling code, those that this gateway was asked for last
	// Delay is how long the texts that were taken had waited, all together.
	Delay time.Duration
}

// Add adds other counts.
func (c *Counts) Add(other Counts) {
	c.Requested += other.Requested
	c.Confirmed += other.Confirmed
	c.Failed += other.Failed
	c.Withdrawn += other.Withdrawn
	c.Wrong += other.Wrong
	c.Sent += other.Sent
	c.Unsent += other.Unsent
	c.Delay += other.Delay
}

// AverageDelay is how long a text waited on average; zero for none.
func (c Counts) AverageDelay() time.Duration {
	if c.Sent == 0 {
		return 0
	}
	return c.Delay / time.Duration(c.Sent)
}

// Hour is an hour of one subject.
type Hour struct {
	Start   time.Time
	Subject Subject
	Counts
}

// CodeTotal is the sum of a calling code's hours.
type CodeTotal struct {
	CallingCode          string
	Requested, Confirmed int
	Busiest              int       // most that were requested in one hour
	First                time.Time // the first hour of it
}

// Store keeps counts. An implementer must hold to this: an hour is replaced whole or not at all;
// errors wrap problem.ErrStoreUnavailable.
type Store interface {
	// Count counts an hour from the claims and texts that it made.
	Count(ctx context.Context, start time.Time) (map[Subject]Counts, error)
	// Replace replaces all counts of an hour, if they differ.
	Replace(ctx context.Context, start time.Time, counts map[Subject]Counts) error
	// Hours returns the counts from an hour on, up to another, in order.
	Hours(ctx context.Context, since, until time.Time) ([]Hour, error)
	// CallingCodes returns the sums of each calling code over the same hours, by its digits.
	CallingCodes(ctx context.Context, since, until time.Time) ([]CodeTotal, error)
	// Forget forgets the hours before a moment.
	Forget(ctx context.Context, before time.Time) error
	// Counted returns up to which moment all hours have been counted for the last time, and SetCounted
	// moves that on; zero for none.
	Counted(ctx context.Context) (time.Time, error)
	SetCounted(ctx context.Context, until time.Time) error
}

// Leases keep all replicas but one from counting.
type Leases interface {
	// Acquire takes a lease, or returns [claim.ErrLeased] while somebody has it.
	Acquire(ctx context.Context, lease claim.Lease, now time.Time) error
	Release(ctx context.Context, lease claim.Lease) error
}

// Counter keeps the counts up with what happens.
type Counter struct {
	Store     Store
	Leases    Leases
	Owner     string // this replica
	Retention func() time.Duration
	Now       func() time.Time
}

const (
	leaseName = "statistics"
	leaseTime = time.Minute
	// settled is how long after its end an hour may still change: a text is tried again for so long.
	settled = time.Hour
	// mostHours is how many hours are counted at a time; after an upgrade there are years of them.
	mostHours = 72
)

// Once counts the hours that may have changed, unless another replica does.
func (c *Counter) Once(ctx context.Context) error {
	now := c.Now()
	lease := claim.Lease{IdentityID: leaseName, Owner: c.Owner, Until: now.Add(leaseTime)}
	switch err := c.Leases.Acquire(ctx, lease, now); {
	case errors.Is(err, claim.ErrLeased):
		return nil
	case err != nil:
		return err
	}
	err := c.count(ctx, now)
	return errors.Join(err, c.Leases.Release(context.WithoutCancel(ctx), lease))
}

func (c *Counter) count(ctx context.Context, now time.Time) error {
	counted, err := c.Store.Counted(ctx)
	if err != nil {
		return fmt.Errorf("read progress: %w", err)
	}
	oldest := now.Add(-c.Retention()).Truncate(time.Hour)
	if counted.Before(oldest) {
		counted = oldest
	}
	// The present comes first: whoever looks at a chart after an upgrade looks at its end.
	present := now.Truncate(time.Hour)
	if counted.Before(present.Add(-time.Hour)) {
		if err := c.hour(ctx, present); err != nil {
			return err
		}
	}
	start := counted
	for n := 0; n < mostHours && !start.After(present); n++ {
		if err := c.hour(ctx, start); err != nil {
			return err
		}
		start = start.Add(time.Hour)
		if !start.Add(settled).After(now) {
			counted = start
		}
	}
	if err := c.Store.SetCounted(ctx, counted); err != nil {
		return fmt.Errorf("write progress: %w", err)
	}
	return c.Store.Forget(ctx, oldest)
}

func (c *Counter) hour(ctx context.Context, start time.Time) error {
	counts, err := c.Store.Count(ctx, start)
	if err != nil {
		return fmt.Errorf("count an hour: %w", err)
	}
	return c.Store.Replace(ctx, start, counts)
}
