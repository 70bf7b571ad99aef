package claim

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Confirm takes the code that the caller typed. Nil means that it was right and
// that the number is, or will be, the caller's: what passes, such as Kratos
// being away, is retried by a worker. Errors: ErrWrongCode also for a used,
// replaced or unknown code; ErrCodeExpired; ErrTooManyTries with its end;
// ErrSessionTooOld; ErrNumberTaken, ErrChangedElsewhere and ErrNumberRefused end
// the claim.
func (s *Service) Confirm(ctx context.Context, who Caller, code string) error {
	if !s.Policy().fresh(who.AuthenticatedAt, s.Now()) {
		return ErrSessionTooOld
	}
	return again(ctx, func() error {
		claim, err := s.try(ctx, who, code)
		if err != nil || claim.State == Verified {
			return err
		}
		return s.accept(ctx, claim, who)
	})
}

// try counts a try, then compares. The claim that it returns is the one that
// the code is right for.
func (s *Service) try(ctx context.Context, who Caller, code string) (Claim, error) {
	now, policy := s.Now(), s.Policy()
	snapshot, err := s.Store.Current(ctx, who.IdentityID, now.Add(-day))
	if err != nil {
		return Claim{}, err
	}
	if snapshot.Held == nil {
		return Claim{}, ErrWrongCode
	}
	claim := *snapshot.Held
	if claim.State == Open && !now.Before(minTime(claim.CodeExpires, claim.LapsesAt)) {
		return Claim{}, ErrCodeExpired
	}
	limit := policy.tries(snapshot.TriesElsewhere)
	if limit == 0 {
		return Claim{}, &LimitError{ErrTooManyTries, snapshot.TriesSince.Add(day)}
	}
	if claim.Attempts >= limit {
		return Claim{}, s.lock(ctx, claim, limit, who)
	}
	if err := s.Store.Try(ctx, claim.Code(), limit); err != nil {
		return Claim{}, err
	}
	right, err := s.Codes.Match(claim.Code(), code)
	if errors.Is(err, ErrUnknownKey) {
		return Claim{}, ErrCodeExpired // its key has left the ring: a resend makes a new one
	}
	if err != nil {
		return Claim{}, fmt.Errorf("derive code: %w", err)
	}
	if !right {
		return Claim{}, s.wrong(ctx, claim, limit, who)
	}
	return claim, nil
}

// wrong locks the claim after its last try.
func (s *Service) wrong(ctx context.Context, c Claim, limit int, who Caller) error {
	s.Log.InfoContext(ctx, "wrong code", "claim", c.ID, "identity", c.IdentityID)
	snapshot, err := s.Store.Current(ctx, c.IdentityID, s.Now().Add(-day))
	if err != nil {
		return err
	}
	if held := snapshot.Held; held != nil && held.ID == c.ID && held.Attempts >= limit {
		return s.lock(ctx, *held, limit, who)
	}
	return ErrWrongCode
}

// lock ends an open claim that had its tries. A verified one is past guessing.
func (s *Service) lock(ctx context.Context, c Claim, limit int, who Caller) error {
	if c.State == Open {
		locked, err := s.end(ctx, c, Locked, fmt.Sprintf("%d tries", limit), who.Actor())
		if err != nil && !errors.Is(err, ErrRaced) {
			return err
		}
		if err == nil {
			s.tidy(ctx, locked)
		}
	}
	return ErrWrongCode
}

// accept makes an open claim verified, so that its number will be written
// whatever happens, and writes it now if it can.
func (s *Service) accept(ctx context.Context, c Claim, who Caller) error {
	now := s.Now()
	verified := c
	verified.State = Verified
	verified.Marker = MarkerDone
	verified.DueAt, verified.DueTries = now.Add(writeLease), 0
	err := s.commit(ctx, Change{
		Moves:  []Move{{From: Open, Claim: verified}},
		Events: []Event{event(verified, string(Verified), who.Actor(), now)}, At: now,
	})
	if err != nil {
		return err
	}
	verified.Version++
	lease, err := s.lease(ctx, c.IdentityID, c.ID)
	if err != nil {
		s.Log.InfoContext(ctx, "number not written yet", "claim", c.ID, "identity", c.IdentityID, "error", err)
		s.putOff(ctx, verified)
		return nil
	}
	return s.write(ctx, verified, lease, who.Seen)
}

func minTime(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
