package claim

import (
	"context"
	"errors"
	"time"

	"github.com/holdline/holdline/internal/audit"
)

// tidy removes an ended claim's marker at once; if it cannot, a worker does.
func (s *Service) clearPendingNow(ctx context.Context, c Claim) {
	if c.PendingSync == SyncClear {
		s.lookNow(ctx, c)
	}
}

// errand brings an identity in line with its claims, under its lease, and says when
// to look again.
func (s *Service) syncPending(ctx context.Context, c Claim) error {
	lease, err := s.lease(ctx, c.IdentityID, "")
	if err != nil {
		return err
	}
	defer s.release(ctx, lease)
	now := s.Now()
	living, err := s.Store.Current(ctx, c.IdentityID, now.Add(-day))
	if err != nil {
		return err
	}
	change := Change{At: now}
	seen, err := s.Identities.Identity(ctx, c.IdentityID)
	done := lookedAt(c, false, now)
	if err == nil {
		done, err = s.remedy(ctx, c, living, seen, &change)
	}
	gone := errors.Is(err, ErrNoIdentity)
	if gone && c.State == Open {
		return s.EraseIdentity(ctx, c.IdentityID, audit.Actor{Kind: audit.System}) // ends this claim too
	}
	if err != nil && !gone {
		return err
	}
	if gone {
		done.PendingSync, done.DueAt = SyncDone, time.Time{}
	}
	err = s.concludeSync(ctx, c, Transition{From: c.State, Claim: done, EraseIdentity: gone}, change)
	if err == nil && gone {
		s.forgetRest(ctx, c.IdentityID)
	}
	return err
}

// concludeSync commits what came of an errand. What was written is audited even if
// the claim has changed meanwhile: somebody else looks again then.
func (s *Service) concludeSync(ctx context.Context, c Claim, move Transition, change Change) error {
	change.Transitions = []Transition{move}
	err := s.commit(ctx, change)
	if !errors.Is(err, ErrConcurrentUpdate) || len(change.Events) == 0 {
		return err
	}
	return RetryConcurrent(ctx, func() error {
		present, err := s.Store.Find(ctx, c.ID)
		if err != nil {
			return err
		}
		change.Transitions = nil
		if present != nil && present.State == c.State {
			move.Claim.Version = present.Version
			change.Transitions = []Transition{move}
		}
		return s.commit(ctx, change)
	})
}

// resurrected meets a marker that no living claim stands behind: a form that was
// being stored while a number was written, or a marker removed, has put back what it
// read before. What ended last looks at the identity once more.
func (s *Service) repairPending(ctx context.Context, a activation) error {
	last, err := s.Store.Last(ctx, a.identityID)
	if err != nil || last == nil {
		return err
	}
	s.lookNow(ctx, *last)
	applied, err := s.Store.Applied(ctx, a.identityID)
	if err == nil && applied.Overwritten(*basis(a.present.number, s.Now())) && applied.ID != last.ID {
		s.lookNow(ctx, *applied)
	}
	return err
}
