package claim

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/holdline/holdline/internal/audit"
	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/internal/problem"
	"github.com/holdline/holdline/internal/ratelimit"
)

// Resend sends the caller's open claim another text. Errors: ErrNothingPending,
// and ErrTooSoon, ErrTooManyTexts or ErrChangesBlocked with their end.
func (s *Service) Resend(ctx context.Context, who Caller) error {
	return RetryConcurrent(ctx, func() error {
		now, policy := s.Now(), s.Policy()
		snapshot, err := s.Store.Current(ctx, who.IdentityID, now.Add(-day))
		if err != nil {
			return err
		}
		if !who.means(snapshot.Active) || snapshot.Active.State != Open || !now.Before(snapshot.Active.LapsesAt) {
			return ErrNothingPending
		}
		if trial, err := s.onTrial(ctx, who.IdentityID, snapshot.Active.Number, now); err != nil || trial {
			return cmp.Or[error](err, ErrNothingPending)
		}
		claim := *snapshot.Active
		if now.Before(claim.NextText) {
			return &problem.LimitError{Reason: ErrTooSoon, Until: claim.NextText, Name: LimitCooldown}
		}
		if !policy.textsLeft(claim.Texts) {
			return &problem.LimitError{Reason: ErrTooManyTexts, Until: claim.LapsesAt, Name: LimitClaimTexts}
		}
		if err := s.checkDestination(ctx, claim.Number, now); err != nil {
			return err
		}
		claim.ClientText = ClientNone // the person has acted
		text := s.newCode(&claim, policy, now, who.ClientIP, who.Language)
		return s.commit(ctx, Change{
			Transitions: []Transition{{From: Open, Claim: claim}}, Text: text, Limits: policy.textLimits(claim.Number), RefuseBlocked: true,
			Events: []audit.Event{NewEvent(claim, "resent", who.Actor(), now)}, At: now,
		})
	})
}

// takenBack is the reason of a claim that ended because its owner, or somebody for
// them, does not want the number any more.
const takenBack = "taken back"

// Cancel takes the caller's open claim back, and what is staged beside it. Errors:
// ErrNothingPending, and ErrBeingApplied when the code has been accepted already.
func (s *Service) Cancel(ctx context.Context, who Caller) error {
	return RetryConcurrent(ctx, func() error {
		now := s.Now()
		living, err := s.Store.Current(ctx, who.IdentityID, now.Add(-day))
		if err != nil {
			return err
		}
		meant := who.means(living.Active)
		for i := range living.Staged {
			meant = meant || who.means(&living.Staged[i])
		}
		if !meant {
			return ErrNothingPending
		}
		if living.Active != nil && living.Active.State == Verified {
			return ErrBeingApplied
		}
		change := Change{At: now}
		withdraw(&change, living, takenBack, who.Actor())
		if err := s.commit(ctx, change); err != nil {
			return err
		}
		first := change.Transitions[0].Claim
		first.Version++
		s.lookNow(ctx, first)
		return nil
	})
}

// withdraw adds to a change that an open claim is cancelled, and that what is staged
// beside it is discarded, so that nothing of it is opened later. The first of them
// clears what the identity shows of them.
func withdraw(change *Change, living IdentityClaims, reason string, who audit.Actor) {
	end := func(c Claim, state State) {
		done := asEnded(c, state, reason, change.At)
		done.PendingSync, done.DueAt = SyncDone, time.Time{}
		if len(change.Transitions) == 0 {
			done.PendingSync, done.DueAt = SyncClear, change.At
		}
		change.Transitions = append(change.Transitions, Transition{From: c.State, Claim: done})
		change.Events = append(change.Events, NewEvent(done, string(state), who, change.At))
	}
	if held := living.Active; held != nil && held.State == Open {
		end(*held, Cancelled)
	}
	for _, staged := range living.Staged {
		end(staged, Discarded)
	}
}

// Status is what an owner may know of their claim.
type Status struct {
	State        State
	Number       phone.Number // show it masked
	LapsesAt     time.Time
	CodeExpires  time.Time
	NextText     time.Time // past for at once; zero when no more texts may be asked for
	AttemptsLeft int
	TriesAgain   time.Time         // when there are tries again, if the day's are spent; else zero
	Text         message.TextState // of the newest text; TextNone if no code has been sent yet
	// NeedsFactor tells that the claim was opened with a second factor, and that the
	// caller has one and did not use it.
	NeedsFactor bool
}

// Status returns the state of the caller's open or verified claim. The error is
// ErrNothingPending when there is none.
func (s *Service) Status(ctx context.Context, who Caller) (Status, error) {
	now, policy := s.Now(), s.Policy()
	snapshot, err := s.Store.Current(ctx, who.IdentityID, now.Add(-day))
	if err != nil {
		return Status{}, err
	}
	held := snapshot.Active
	if held == nil || held.State == Open && !now.Before(held.LapsesAt) {
		return Status{}, ErrNothingPending
	}
	text, err := s.Store.TextState(ctx, held.ID)
	if err != nil {
		return Status{}, err
	}
	status := Status{
		State: held.State, Number: held.Number, LapsesAt: held.LapsesAt, CodeExpires: held.CodeExpires,
		AttemptsLeft: max(0, policy.tries(snapshot)-held.Attempts), Text: text,
	}
	if held.Untexted() {
		status.Text = message.TextNone
	}
	if held.Assurance == AAL2 {
		if err := policy.assured(ctx, who.SignIn()); errors.Is(err, ErrNeedsSecondFactor) {
			status.NeedsFactor = true
		} else if err != nil {
			return Status{}, err
		}
	}
	if policy.tries(snapshot) == 0 {
		status.TriesAgain = snapshot.TriesSince.Add(day)
	}
	if held.State != Open || !policy.textsLeft(held.Texts) {
		return status, nil
	}
	if status.NextText = held.NextText; status.NextText.IsZero() {
		status.NextText = held.CreatedAt // it was opened without a text: one may be asked for at once
	}
	another := message.Text{IdentityID: held.IdentityID, To: held.Number, Code: held.Code(), ClientIP: ratelimit.Network(who.ClientIP)}
	room, err := s.Store.NextAllowed(ctx, another, policy.textLimits(held.Number), now)
	if room.After(status.NextText) {
		status.NextText = room
	}
	return status, err
}

// Outcome is how a claim came to its end.
type Outcome struct {
	State State
	// Direct tells that no code was typed: see [Claim.Direct].
	Direct bool
	// Conflict is why an accepted number could not be kept: [ErrNumberTaken] or what
	// wraps it, [ErrChangedElsewhere] or [ErrNumberRefused]; nil for other ends.
	Conflict error
	At       time.Time
}

// LastOutcome returns how the caller's last claim came to its end. The error is
// [ErrNothingPending] when they never had one.
func (s *Service) LastOutcome(ctx context.Context, who Caller) (Outcome, error) {
	last, err := s.Store.Last(ctx, who.IdentityID)
	if err != nil {
		return Outcome{}, err
	}
	if last == nil {
		return Outcome{}, ErrNothingPending
	}
	ended := Outcome{State: last.State, Direct: last.Direct, At: last.EndedAt}
	for _, conflict := range []error{ErrNumberTaken, ErrNumberProved, ErrNumberBound, ErrChangedElsewhere, ErrNumberRefused} {
		if state, reason, _ := resultOf(conflict); state == last.State && reason == last.Reason {
			ended.Conflict = conflict
		}
	}
	return ended, nil
}
