package claim

import (
	"cmp"
	"context"
	"errors"
	"fmt"

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
	var verified Claim
	var lease *Lease
	err := RetryConcurrent(ctx, func() (err error) {
		verified, lease, err = s.try(ctx, who, code)
		return err
	})
	switch {
	case err != nil || verified.State != Verified:
		return err
	case lease == nil:
		s.Log.InfoContext(ctx, "number not written yet", "claim", verified.ID, "identity", verified.IdentityID, "error", ErrLeased)
		s.retryLater(ctx, verified)
		return nil
	}
	return s.write(ctx, verified, *lease, who.Seen)
}

// try counts a try and compares. A right code makes an open claim verified in the
// same transaction, so that its number will be written whatever happens; that claim is
// returned, with the lease of its identity if that was free. A claim that somebody
// else's right code has verified before needs nothing more, and none is returned.
func (s *Service) try(ctx context.Context, who Caller, code string) (verified Claim, lease *Lease, err error) {
	claim, limit, err := s.claimToTry(ctx, who, code)
	if err != nil {
		return Claim{}, nil, err
	}
	right, err := s.Codes.Match(claim.Code(), code)
	unknown := errors.Is(err, otp.ErrUnknownKey)
	if err != nil && !unknown {
		return Claim{}, nil, fmt.Errorf("derive code: %w", err)
	}
	if right && claim.State == Open {
		return s.verify(ctx, claim, limit, who)
	}
	// Nothing that differs for a wrong code leaves before its try is committed.
	if err := s.Store.Try(ctx, claim.Code(), limit); err != nil {
		return Claim{}, nil, err
	}
	switch {
	case unknown:
		return Claim{}, nil, ErrCodeExpired // its key has left the ring: a resend makes a new one
	case !right:
		return Claim{}, nil, s.afterWrongCode(ctx, claim, limit, who)
	default:
		return Claim{}, nil, nil
	}
}

// claimToTry returns the claim that a code is typed for, if it may be tried, and how many
// tries it has at most.
func (s *Service) claimToTry(ctx context.Context, who Caller, code string) (Claim, int, error) {
	now, policy := s.Now(), s.Policy()
	snapshot, err := s.Store.Current(ctx, who.IdentityID, now.Add(-day))
	if err != nil {
		return Claim{}, 0, err
	}
	if snapshot.Active == nil {
		return Claim{}, 0, ErrWrongCode
	}
	claim := *snapshot.Active
	if claim.Assurance == AAL2 && who.By.Kind == "" {
		if err := policy.assured(ctx, who.SignIn()); err != nil {
			return Claim{}, 0, err
		}
	}
	if !s.Codes.MayMatch(claim.Code(), code) {
		return Claim{}, 0, ErrMalformedCode // no try, whatever the claim's state
	}
	if claim.State == Open && (!now.Before(claim.CodeExpires) || !now.Before(claim.LapsesAt)) {
		return Claim{}, 0, ErrCodeExpired
	}
	limit := policy.tries(snapshot)
	if limit == 0 {
		return Claim{}, 0, &problem.LimitError{Reason: ratelimit.ErrTooManyTries, Until: snapshot.TriesSince.Add(day), Name: LimitIdentityTries}
	}
	if claim.Attempts >= limit {
		return Claim{}, 0, s.lock(ctx, claim, limit, who)
	}
	return claim, limit, nil
}

// WrongCode is what the audit trail calls a code that was wrong and counted.
const WrongCode = "wrong_code"

// afterWrongCode notes a wrong code, and locks the claim after its last try.
func (s *Service) afterWrongCode(ctx context.Context, c Claim, limit int, who Caller) error {
	s.Log.InfoContext(ctx, "wrong code", "claim", c.ID, "identity", c.IdentityID)
	now := s.Now()
	noted := NewEvent(c, WrongCode, who.Actor(), now)
	noted.Reason = ""
	if err := s.Store.Commit(ctx, Change{Events: []audit.Event{noted}, At: now}); err != nil {
		return err
	}
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

// verify commits the try and the transition of an open claim whose code was right.
// ErrConcurrentUpdate: neither, unless somebody else's right code was first.
func (s *Service) verify(ctx context.Context, c Claim, limit int, who Caller) (Claim, *Lease, error) {
	now := s.Now()
	verified := c
	verified.State, verified.PendingSync = Verified, SyncDone
	verified.DueAt, verified.DueTries = now.Add(writeLease), 0
	lease := Lease{IdentityID: c.IdentityID, Owner: s.NewID(), ClaimID: c.ID, Until: now.Add(writeLease)}
	var taken *Lease
	err := s.commit(ctx, Change{
		Transitions: []Transition{{From: Open, Claim: verified, Try: limit}},
		Lease:       &lease, Leased: func() { taken = &lease },
		Events: []audit.Event{NewEvent(verified, string(Verified), who.Actor(), now)}, At: now,
	})
	verified.Version++
	if !errors.Is(err, ErrConcurrentUpdate) {
		return verified, taken, err
	}
	present, readErr := s.Store.Find(ctx, c.ID)
	if readErr == nil && present != nil && present.State == Applied && present.Code() == c.Code() {
		return *present, nil, nil
	}
	return Claim{}, nil, cmp.Or(readErr, err)
}
