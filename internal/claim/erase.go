package claim

import (
	"context"
	"errors"

	"github.com/holdline/holdline/internal/audit"
)

// UserDeleted is what the audit trail says of an identity that was deleted over SCIM.
const UserDeleted = "user_deleted"

// Deleted writes down who deleted an identity, and forgets it.
func (s *Service) Deleted(ctx context.Context, identityID string, who audit.Actor) error {
	now := s.Now()
	err := s.commit(ctx, Change{At: now, Events: []audit.Event{{IdentityID: identityID, Kind: UserDeleted, Actor: who, At: now}}})
	return errors.Join(err, s.EraseIdentity(ctx, identityID, who))
}

// EraseIdentity ends the claims of an identity that was deleted, and blanks its numbers,
// those of earlier claims too.
func (s *Service) EraseIdentity(ctx context.Context, identityID string, who audit.Actor) error {
	return RetryConcurrent(ctx, func() error {
		now := s.Now()
		snapshot, err := s.Store.Current(ctx, identityID, now.Add(-day))
		if err != nil {
			return err
		}
		living := append(snapshot.Staged, snapshot.Direct...)
		if snapshot.Active != nil {
			living = append(living, *snapshot.Active)
		}
		for _, c := range living {
			if _, err := s.endNow(ctx, c, Orphaned, "identity deleted", who); err != nil {
				return err
			}
		}
		if len(living) > 0 {
			return nil
		}
		last, err := s.Store.Last(ctx, identityID)
		if err != nil || last == nil || last.Number.IsZero() && last.Previous.IsZero() { // a removal has but the one before
			return err
		}
		return s.Store.Commit(ctx, Change{Transitions: []Transition{{From: last.State, Claim: *last, EraseIdentity: true}}, At: now})
	})
}
