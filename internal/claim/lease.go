package claim

import (
	"context"
	"errors"
	"fmt"
	"time"
)

const (
	// leasePatience is how long an operation waits for others to let go of its
	// identity.
	leasePatience = 7 * time.Second
	// workersPatience is how long a worker does, which others wait for.
	workersPatience = 2 * time.Second
	// settleTime is short, because the caller's time is over.
	settleTime   = 3 * time.Second
	leasePause   = 15 * time.Millisecond
	longestPause = 250 * time.Millisecond
)

// WithLease does something while nobody else of Holdline writes the identity:
// Kratos has no lock of its own. The work goes on when the caller goes away, and
// has to end with its context, before the lease does. ErrLeased means that others
// did not let go in time.
func (s *Service) WithLease(ctx context.Context, identityID string, do func(context.Context) error) error {
	lease, err := s.awaitLease(ctx, identityID, "", leasePatience)
	if err != nil {
		return fmt.Errorf("wait for the identity: %w", err)
	}
	held := &holding{Lease: lease}
	defer func() {
		if !held.released {
			s.release(ctx, lease)
		}
	}()
	room := min(writeTimeout, lease.Until.Sub(s.Now())-time.Second)
	within, cancel := detached(ctx, room)
	defer cancel()
	return do(context.WithValue(within, holdingKey{}, held))
}

// holding is a lease that work is done under. What ends the work may give it back.
type holding struct {
	Lease
	released bool
}

type holdingKey struct{}

// heldLease returns the lease of an identity under which a context's work is done; nil
// for none.
func heldLease(ctx context.Context, identityID string) *holding {
	held, _ := ctx.Value(holdingKey{}).(*holding)
	if held == nil || held.IdentityID != identityID || held.released {
		return nil
	}
	return held
}

// detached returns a context for work that goes on when the caller goes away. It has
// so much room, and not more than the caller, who waits for an answer.
func detached(ctx context.Context, room time.Duration) (context.Context, context.CancelFunc) {
	free, cancel := context.WithTimeout(context.WithoutCancel(ctx), room)
	deadline, ok := ctx.Deadline()
	if !ok {
		return free, cancel
	}
	bounded, cancelBounded := context.WithDeadline(free, deadline)
	return bounded, func() { cancelBounded(); cancel() }
}

// settling returns a context for what is not to be left undone when the time for the
// work itself is over: it has settleTime more.
func settling(ctx context.Context) (context.Context, context.CancelFunc) {
	free := context.WithoutCancel(ctx)
	if deadline, ok := ctx.Deadline(); ok {
		return context.WithDeadline(free, deadline.Add(settleTime))
	}
	return context.WithTimeout(free, writeTimeout)
}

// awaitLease asks for a lease until it gets one; see lease for the claim's id. The
// error is ErrLeased if patience or ctx ends first. Patience does not cut a try
// short: nobody would know of a lease that was written nevertheless.
func (s *Service) awaitLease(ctx context.Context, identityID, claimID string, patience time.Duration) (Lease, error) {
	over := time.NewTimer(patience)
	defer over.Stop()
	for pause := leasePause; ; pause = min(2*pause, longestPause) {
		lease, err := s.lease(ctx, identityID, claimID)
		if !errors.Is(err, ErrLeased) {
			return lease, err
		}
		wait := time.NewTimer(s.Jitter(pause))
		select {
		case <-wait.C:
			continue
		case <-over.C:
		case <-ctx.Done():
		}
		wait.Stop()
		return Lease{}, ErrLeased
	}
}

// lease takes the right to write an identity, without waiting for it. With the
// id of a verified claim the lease ends with that state; otherwise it must be
// released.
func (s *Service) lease(ctx context.Context, identityID, claimID string) (Lease, error) {
	now := s.Now()
	lease := Lease{IdentityID: identityID, Owner: s.NewID(), ClaimID: claimID, Until: now.Add(writeLease)}
	return lease, s.Store.Acquire(ctx, lease, now)
}

// release gives a lease back, also when the caller has gone away.
func (s *Service) release(ctx context.Context, lease Lease) {
	ctx, cancel := settling(ctx)
	defer cancel()
	if err := s.Store.Release(ctx, lease); err != nil {
		s.Log.WarnContext(ctx, "lease not released", "identity", lease.IdentityID, "error", err)
	}
}
