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
	leasePatience = 10 * time.Second
	// workersPatience is how long a worker does, which others wait for.
	workersPatience = 2 * time.Second
	leasePause      = 15 * time.Millisecond
	longestPause    = 250 * time.Millisecond
)

// Exclusively does something while nobody else of Holdline writes the identity:
// Kratos has no lock of its own. The work goes on when the caller goes away, and
// has to end with its context, before the lease does. ErrLeased means that others
// did not let go in time.
func (s *Service) Exclusively(ctx context.Context, identityID string, do func(context.Context) error) error {
	lease, err := s.awaitLease(ctx, identityID, "", leasePatience)
	if err != nil {
		return fmt.Errorf("wait for the identity: %w", err)
	}
	defer s.release(ctx, lease)
	room := min(writeTimeout, lease.Until.Sub(s.Now())-time.Second)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), room)
	defer cancel()
	return do(ctx)
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
