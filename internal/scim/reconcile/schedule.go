package reconcile

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/holdline/holdline/internal/claim"
)

// Leases keep all replicas but one from passing.
type Leases interface {
	// Acquire takes a lease, or returns [claim.ErrLeased] while somebody has it.
	Acquire(ctx context.Context, lease claim.Lease, now time.Time) error
	Extend(ctx context.Context, lease claim.Lease) error
	Release(ctx context.Context, lease claim.Lease) error
}

// Schedule says when the passes of several replicas are. A first pass is tried again
// soon if it fails, as for want of Kratos.
type Schedule struct {
	*Reconciler
	Leases   Leases
	Owner    string        // this replica
	Interval time.Duration // from one pass to the next
	// Done hears how each pass of this replica ended. It may be nil.
	Done func(Progress, error)
	// Passed does what is left to do after a pass of this replica that came to its end.
	// It may be nil.
	Passed func(context.Context, Progress) error
}

const (
	// leaseName is what the lease is kept under. It is a short lease that its holder
	// extends, so that another replica goes on soon after one has died.
	leaseName    = "scim reconciler"
	leaseTime    = 10 * time.Second
	extendsAfter = 3 * time.Second
	// firstPause and longestPause are how long after a first pass that failed the next
	// one is tried.
	firstPause   = 100 * time.Millisecond
	longestPause = time.Second
)

// Run passes until ctx ends: again and again until a first pass has come to its end,
// and then as often as the interval says.
func (s Schedule) Run(ctx context.Context) error {
	pause, complete, level := firstPause, false, slog.LevelWarn
	ticker := time.NewTicker(pause)
	defer ticker.Stop()
	for {
		if err := s.Once(ctx); err != nil && ctx.Err() == nil {
			s.Log.Log(ctx, level, "background work failed", "work", "reconcile the index of users", "error", err)
		}
		if !complete {
			found, err := s.Index.Complete(ctx)
			complete = found && err == nil
			pause, level = min(2*pause, longestPause), slog.LevelDebug // has been said
			if complete {
				pause, level = s.Interval, slog.LevelWarn
			}
			ticker.Reset(pause)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// Once passes, unless another replica does so now or has done so since the last
// interval began.
func (s Schedule) Once(ctx context.Context) error {
	now := s.Now()
	last, err := s.Index.LastPass(ctx)
	if err != nil || now.Sub(last) < s.Interval-time.Second/2 {
		return err
	}
	lease := claim.Lease{IdentityID: leaseName, Owner: s.Owner, Until: now.Add(leaseTime)}
	switch err := s.Leases.Acquire(ctx, lease, now); {
	case errors.Is(err, claim.ErrLeased):
		return nil
	case err != nil:
		return err
	}
	done, err := s.extending(ctx, lease)
	if s.Done != nil {
		s.Done(done, err)
	}
	// The next turn comes anyway, when the lease is over.
	return errors.Join(err, s.Leases.Release(context.WithoutCancel(ctx), lease))
}

// extending passes and extends the lease meanwhile.
func (s Schedule) extending(ctx context.Context, lease claim.Lease) (Progress, error) {
	working, stop := context.WithCancel(ctx)
	var extender sync.WaitGroup
	extender.Go(func() {
		ticker := time.NewTicker(extendsAfter)
		defer ticker.Stop()
		for {
			select {
			case <-working.Done():
				return
			case <-ticker.C:
			}
			lease.Until = s.Now().Add(leaseTime)
			if err := s.Leases.Extend(working, lease); err != nil && working.Err() == nil {
				s.Log.WarnContext(ctx, "background work failed", "work", "go on reconciling", "error", err)
			}
		}
	})
	defer extender.Wait()
	defer stop()
	p, err := s.Pass(ctx)
	if err == nil && s.Passed != nil {
		err = s.Passed(ctx, p)
	}
	return p, err
}
