package claim

import (
	"context"
	"time"
)

// Ended is how a claim came to its end.
type Outcome struct {
	State State
	// Direct tells that no code was typed: see [Claim.Direct].
	Direct bool
	// Conflict is why an accepted number could not be kept: [ErrNumberTaken] or what
	// wraps it, [ErrChangedElsewhere] or [ErrNumberRefused]; nil for other ends.
	Conflict error
	At       time.Time
}

// Ended returns how the caller's last claim came to its end. The error is
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
		if state, reason, _ := outcome(conflict); state == last.State && reason == last.Reason {
			ended.Conflict = conflict
		}
	}
	return ended, nil
}
