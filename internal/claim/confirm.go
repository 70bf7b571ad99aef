package claim

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/holdline/holdline/internal/audit"
	"github.com/holdline/holdline/internal/otp"
	"github.com/holdline/holdline/internal/problem"
	"github.com/holdline/holdline/internal/ratelimit"
)

// Confirm takes the code that the caller typed. Nil means that it was right and
// that the number is, or will be, the caller's: a transient failure, such as Kratos
// being away, is retried by a worker. Errors: ErrWrongCode also for a used,
// replaced or unknown code, and as ErrMalformedCode for what looks like none;
// ErrCodeExpired; ErrTooManyTries with its end;
// ErrSessionTooOld; a *SecondFactorError, if the claim was opened with a second
// factor that the caller has and did not use; ErrPrivilegedOff, if somebody else
// types it; ErrNumberTaken, ErrChangedElsewhere and ErrNumberRefused end the claim.
func (s *Service) Confirm(ctx context.Context, who Caller, code string) error {
	policy := s.Policy()
	if !policy.recentEnough(who.AuthenticatedAt, s.Now()) {
		return ErrSessionTooOld
	}
	if who.By.Kind != "" && !policy.VerifyPrivileged {
		return ErrPrivilegedOff
	}
	var claim Claim
	err := RetryConcurrent(ctx, func() (err error) {
		claim, err = s.try(ctx, who, code)
		return err
	})
	if err != nil || claim.State == Verified {
		return err
	}
	return s.accept(ctx, claim, who)
}

// try counts a try, then compares. The claim that it returns is the one that
// the code is right for.
func (s *Service) try(ctx context.Context, who Caller, code string) (Claim, error) {
	now, policy := s.Now(), s.Policy()
	snapshot, err := s.Store.Current(ctx, who.IdentityID, now.Add(-day))
	if err != nil {
		return Claim{}, err
	}
	if snapshot.Active == nil {
		return Claim{}, ErrWrongCode
	}
	claim := *snapshot.Active
	if claim.Assurance == AAL2 && who.By.Kind == "" {
		if err := policy.assured(ctx, who.SignIn()); err != nil {
			return Claim{}, err
		}
	}
	if !s.Codes.MayMatch(claim.Code(), code) {
		return Claim{}, ErrMalformedCode // no try, whatever the claim's state
	}
	if claim.State == Open && (!now.Before(claim.CodeExpires) || !now.Before(claim.LapsesAt)) {
		return Claim{}, ErrCodeExpired
	}
	limit := policy.tries(snapshot)
	if limit == 0 {
		return Claim{}, &problem.LimitError{Reason: ratelimit.ErrTooManyTries, Until: snapshot.TriesSince.Add(day), Name: LimitIdentityTries}
	}
	if claim.Attempts >= limit {
		return Claim{}, s.lock(ctx, claim, limit, who)
	}
	if err := s.Store.Try(ctx, claim.Code(), limit); err != nil {
		return Claim{}, err
	}
	right, err := s.Codes.Match(claim.Code(), code)
	if errors.Is(err, otp.ErrUnknownKey) {
		return Claim{}, ErrCodeExpired // its key has left the ring: a resend makes a new one
	}
	if err != nil {
		return Claim{}, fmt.Errorf("derive code: %w", err)
	}
	if !right {
		return Claim{}, s.lockAfterLast(ctx, claim, limit, who)
	}
	return claim, nil
}

// wrong locks the claim after its last try.
func (s *Service) lockAfterLast(ctx context.Context, c Claim, limit int, who Caller) error {
	s.Log.InfoContext(ctx, "wrong code", "claim", c.ID, "identity", c.IdentityID)
	snapshot, err := s.Store.Current(ctx, c.IdentityID, s.Now().Add(-day))
	if err != nil {
		return err
	}
	if held := snapshot.Active; held != nil && held.ID == c.ID && held.Attempts >= limit {
		return s.lock(ctx, *held, limit, who)
	}
	return ErrWrongCode
}

// lock ends an open claim that had its tries. A verified one is past guessing.
func (s *Service) lock(ctx context.Context, c Claim, limit int, who Caller) error {
	if c.State == Open {
		locked, err := s.endNow(ctx, c, Locked, fmt.Sprintf("%d tries", limit), who.Actor())
		if err != nil && !errors.Is(err, ErrConcurrentUpdate) {
			return err
		}
		if err == nil {
			s.clearPendingNow(ctx, locked)
		}
	}
	return ErrWrongCode
}

// accept makes an open claim verified, so that its number will be written
// whatever happens, and writes it now if it can. A race does not cost the caller
// another try: the code was right.
func (s *Service) accept(ctx context.Context, c Claim, who Caller) error {
	verified, done, err := s.verify(ctx, c, who)
	if err != nil || done {
		return err
	}
	lease, err := s.lease(ctx, c.IdentityID, c.ID)
	if err != nil {
		s.Log.InfoContext(ctx, "number not written yet", "claim", c.ID, "identity", c.IdentityID, "error", err)
		s.retryLater(ctx, verified)
		return nil
	}
	return s.write(ctx, verified, lease, who.Seen)
}

// startedAnew is ErrWrongCode when the identity has had a claim since this one was
// locked: a right code that comes to its end late is not to undo that.
func (s *Service) startedAnew(ctx context.Context, locked Claim) error {
	snapshot, err := s.Store.Current(ctx, locked.IdentityID, s.Now().Add(-day))
	if err != nil {
		return err
	}
	last, err := s.Store.Last(ctx, locked.IdentityID)
	if err == nil && (snapshot.Active != nil || last != nil && last.ID != locked.ID) {
		return ErrWrongCode
	}
	return err
}

// verify commits the transition. It reports whether somebody else already did. A
// claim that was locked by wrong codes beside this right one, which was counted
// in time, is unlocked again.
func (s *Service) verify(ctx context.Context, c Claim, who Caller) (verified Claim, done bool, err error) {
	err = RetryConcurrent(ctx, func() error {
		now := s.Now()
		verified = c
		verified.State, verified.Reason, verified.EndedAt = Verified, "", time.Time{}
		verified.PendingSync = SyncDone
		verified.DueAt, verified.DueTries = now.Add(writeLease), 0
		err := s.commit(ctx, Change{
			Transitions: []Transition{{From: c.State, Claim: verified}},
			Events:      []audit.Event{NewEvent(verified, string(Verified), who.Actor(), now)}, At: now,
		})
		if !errors.Is(err, ErrConcurrentUpdate) {
			return err
		}
		present, readErr := s.Store.Find(ctx, c.ID)
		switch {
		case readErr != nil:
			return readErr
		case present == nil || present.Code() != c.Code():
			return ErrWrongCode
		case present.State == Verified || present.State == Applied:
			done = true
			return nil
		case present.State == Locked:
			if err := s.startedAnew(ctx, *present); err != nil {
				return err
			}
			c = *present
			return ErrConcurrentUpdate
		case present.State == Open:
			c = *present
			return ErrConcurrentUpdate
		default:
			return ErrWrongCode
		}
	})
	verified.Version++
	return verified, done, err
}
