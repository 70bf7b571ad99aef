package claim

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/holdline/holdline/internal/audit"
	"github.com/holdline/holdline/internal/phone"
)

const (
	// reconcileAfter is when a staged claim that was not activated is looked
	// after, and discardAfter when it is given up.
	reconcileAfter = 5 * time.Second
	discardAfter   = 2 * time.Minute

	dueBatch     = 50
	choreWorkers = 8
	pruneBatch   = 500
)

// RunDue does once what is due: it writes accepted numbers, finds lost
// activations, ends claims whose lifetime is over and mends markers. It returns
// how many claims it looked at; several replicas may run it at once.
func (s *Service) RunDue(ctx context.Context) (int, error) {
	due, err := s.Store.Due(ctx, s.Now(), dueBatch)
	if err != nil {
		return 0, fmt.Errorf("find due claims: %w", err)
	}
	var workers sync.WaitGroup
	free := make(chan struct{}, choreWorkers)
	for _, c := range due {
		free <- struct{}{}
		workers.Go(func() {
			defer func() { <-free }()
			if err := s.runClaim(ctx, c); err != nil {
				s.Log.WarnContext(ctx, "chore not done yet", "claim", c.ID, "identity", c.IdentityID,
					"state", c.State, "tries", c.DueTries, "error", err)
			}
		})
	}
	workers.Wait()
	return len(due), ctx.Err()
}

// chore takes one due claim and does what its state asks for. Taking it puts it
// off, so that what fails comes up again later.
func (s *Service) runClaim(ctx context.Context, c Claim) error {
	now := s.Now()
	wait := writeLease
	if c.State == Staged {
		wait = reconcileAfter
	}
	until := now.Add(max(wait, s.backoff(c.DueTries)))
	mine, err := s.Store.Take(ctx, c, until)
	if err != nil || !mine {
		return err
	}
	c.DueAt, c.DueTries = until, c.DueTries+1
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	err = s.due(ctx, c, now)
	if errors.Is(err, ErrLeased) {
		// Whoever writes the identity is done long before a lease is over, and having
		// met them was no try in vain.
		c.DueTries--
		s.dueIn(ctx, c, s.Jitter(backoffFirst))
	}
	return ignoreRace(err)
}

// due does what a claim's state asks for.
func (s *Service) due(ctx context.Context, c Claim, now time.Time) error {
	switch {
	case c.State == Verified:
		return s.writeLater(ctx, c)
	case c.State == Staged && c.Source == SourceTakeover:
		return s.reconcileTaking(ctx, c)
	case c.State == Staged && c.Direct:
		return s.reconcileDirect(ctx, c, now)
	case c.State == Staged:
		return s.reconcile(ctx, c, now)
	case c.State == Open && !now.Before(c.LapsesAt):
		lapsed, err := s.endNow(ctx, c, Lapsed, "", audit.Actor{Kind: audit.System})
		if err == nil {
			s.clearPendingNow(ctx, lapsed)
		}
		return err
	case c.PendingSync == SyncShow, c.PendingSync == SyncClear:
		return s.syncPending(ctx, c)
	case c.PendingSync == SyncLook, c.PendingSync == SyncLastLook:
		return s.look(ctx, c)
	default:
		return nil
	}
}

// writeLater writes an accepted number that could not be written at once. It waits
// for its turn: a client that asks for another number again and again, and is told
// that this one is still being written, must not keep it from that.
func (s *Service) writeLater(ctx context.Context, c Claim) error {
	lease, err := s.awaitLease(ctx, c.IdentityID, c.ID, workersPatience)
	if err != nil {
		return err
	}
	err = s.write(ctx, c, lease, nil)
	if _, _, ended := resultOf(err); ended {
		return nil // said in the log and the audit trail
	}
	return err
}

// reconcile looks whether Kratos stored the flow of a claim whose activation
// did not arrive. One with a marker to set is known to be stored.
func (s *Service) reconcile(ctx context.Context, c Claim, now time.Time) error {
	seen, err := s.Identities.Identity(ctx, c.IdentityID)
	system := audit.Actor{Kind: audit.System}
	switch {
	case errors.Is(err, ErrNoIdentity):
		return s.EraseIdentity(ctx, c.IdentityID, system)
	case err != nil:
		return err
	case c.PendingSync == SyncShow, c.PendingSync != SyncShownBefore && c.Number.IsStored(s.Plan, seen.Pending):
		return s.activate(ctx, activation{
			identityID: c.IdentityID, flowID: c.FlowID, number: c.Number, who: system, stored: true,
			present: replaced{phone.ParseStored(s.Plan, seen.Mobile), seen.Verified},
		})
	case now.Sub(c.CreatedAt) < discardAfter:
		return nil
	default:
		_, err = s.endNow(ctx, c, Discarded, "flow not stored", system)
		return ignoreRace(err)
	}
}

// Prune forgets what ended longer ago than the policy's retention.
func (s *Service) Prune(ctx context.Context) error {
	for {
		n, err := s.Store.Prune(ctx, s.Now().Add(-s.Policy().Retention), pruneBatch)
		if err != nil {
			return fmt.Errorf("prune: %w", err)
		}
		if n == 0 || ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

// ignoreRace drops the news that somebody else did the work.
func ignoreRace(err error) error {
	if errors.Is(err, ErrConcurrentUpdate) || errors.Is(err, ErrLeased) {
		return nil
	}
	return err
}

// backoff returns how long to wait after so many tries in vain.
func (s *Service) backoff(tries int) time.Duration {
	wait := backoffFirst << min(tries, 16)
	return s.Jitter(min(wait, backoffLongest))
}
