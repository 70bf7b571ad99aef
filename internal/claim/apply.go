package claim

import (
	"context"
	"errors"
	"time"

	"github.com/holdline/holdline/internal/audit"
	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/internal/phone"
)

const (
	backoffFirst   = time.Second
	backoffLongest = time.Minute
)

// write brings a verified claim's number to the directory under its lease. The
// caller may go away meanwhile: the write goes on. A transient failure is left to
// the worker and is no error.
func (s *Service) write(ctx context.Context, c Claim, lease Lease, seen *Identity) error {
	// Past its lease a write could meet another's.
	room := min(writeTimeout, lease.Until.Sub(s.Now())-time.Second)
	ctx, cancel := detached(ctx, room)
	defer cancel()
	old, stray, refusal := s.applyNumber(ctx, c, seen)
	var taken []string
	if errors.Is(refusal, ErrNumberTaken) {
		old, stray, taken, refusal = s.applyTaken(ctx, c, &lease)
	}
	state, reason, over := resultOf(refusal)
	if !over {
		s.Log.WarnContext(ctx, "number not written yet", "claim", c.ID, "identity", c.IdentityID,
			"tries", c.DueTries, "error", refusal)
		s.retryLater(ctx, c)
		s.release(ctx, lease)
		return nil
	}
	now := s.Now()
	done := asEnded(c, state, reason, now)
	var notices []message.Text
	if state == Applied {
		done.Previous, done.PreviousVerified = old.number, old.verified
		if stray {
			done.PendingSync, done.DueAt = SyncClear, now
		}
		notices = s.notices(c, message.TextChanged, old, now)
	}
	done, err := s.commitEnd(ctx, c.State, done, audit.Actor{Kind: audit.System}, notices...)
	if err != nil {
		// The worker will find the number in place, or meet the same refusal.
		s.Log.ErrorContext(ctx, "outcome not recorded yet", "claim", c.ID, "state", state, "error", err)
		s.release(ctx, lease)
		return refusal
	}
	s.clearPendingNow(ctx, done)
	s.settleTakings(ctx, c, taken)
	if state == Orphaned {
		s.forgetRest(ctx, c.IdentityID)
	}
	return refusal
}

// forgetRest ends the other claims of an identity that turned out to be gone. One
// that stays behind is met by a worker when it is due.
func (s *Service) forgetRest(ctx context.Context, identityID string) {
	if err := s.EraseIdentity(ctx, identityID, audit.Actor{Kind: audit.System}); err != nil {
		s.Log.WarnContext(ctx, "claims of a deleted identity not ended yet", "identity", identityID, "error", err)
	}
}

// adopt writes the number unless it is there already, and tells which one it
// replaces, and whether the identity shows another number as pending, which may
// be a stray. It refuses when the identity no longer has the number that the
// claim set out from.
func (s *Service) applyNumber(ctx context.Context, c Claim, seen *Identity) (old replaced, stray bool, _ error) {
	seen, old, err := s.inForce(ctx, c, seen)
	if err != nil {
		return old, false, err
	}
	stored := phone.ParseStored(s.Plan, seen.Mobile)
	marked := seen.Pending != "" && c.Number.IsStored(s.Plan, seen.Pending)
	stray = seen.Pending != "" && !marked
	if stored.Same(c.Number) && seen.Verified && !marked {
		return s.replacedBefore(ctx, c, old), stray, nil // written before a crash
	}
	return old, stray, s.Identities.ApplyNumber(ctx, c.IdentityID, c.Number, marked)
}

// inForce returns the identity of a claim, read anew if it was not seen, and the
// number that the claim replaces. The identity must still have the number that the
// claim set out from, or one that the claim overtakes: ErrChangedElsewhere.
func (s *Service) inForce(ctx context.Context, c Claim, seen *Identity) (*Identity, replaced, error) {
	old := replaced{c.Previous, c.PreviousVerified}
	if seen == nil {
		identity, err := s.Identities.Identity(ctx, c.IdentityID)
		if err != nil {
			return nil, old, err
		}
		seen = &identity
	}
	stored := phone.ParseStored(s.Plan, seen.Mobile)
	if stored.Same(c.Number) || stored.Same(c.Previous) {
		return seen, old, nil
	}
	old, err := s.overtakes(ctx, c, replaced{stored, seen.Verified})
	return seen, old, err
}

// replacedBefore tells which number a claim replaced that was written already:
// the one that it set out from, or one that was confirmed meanwhile.
func (s *Service) replacedBefore(ctx context.Context, c Claim, old replaced) replaced {
	last, err := s.Store.Applied(ctx, c.IdentityID)
	if err == nil && last != nil && last.EndedAt.After(c.CreatedAt) {
		return replaced{last.Number, !last.Direct}
	}
	return old
}

// overtakes returns what a claim replaces whose identity has another number than it
// set out from: one that the identity itself confirmed while the claim was under way,
// and wished for before it, so that the later wish stands, or the number before, which
// a form put back. Anything else is ErrChangedElsewhere.
func (s *Service) overtakes(ctx context.Context, c Claim, stored replaced) (replaced, error) {
	if lost, err := s.losing(ctx, c); err != nil || lost && stored.number.IsZero() {
		return stored, err
	}
	last, err := s.Store.Applied(ctx, c.IdentityID)
	switch {
	case err != nil:
		return stored, err
	case last == nil || last.CreatedAt.After(c.CreatedAt):
		return stored, ErrChangedElsewhere
	case last.Overwritten(*basis(stored.number, s.Now())):
		return replaced{last.Number, !last.Direct}, nil
	case !last.Number.Same(stored.number) || last.EndedAt.Before(c.CreatedAt):
		return stored, ErrChangedElsewhere
	default:
		return stored, nil
	}
}

// outcome tells how a write ended its claim; false if it did not.
func resultOf(err error) (State, string, bool) {
	switch {
	case err == nil:
		return Applied, "", true
	case errors.Is(err, ErrNumberProved):
		return Conflict, "number taken, and proved by its holder", true
	case errors.Is(err, ErrNumberBound):
		return Conflict, "number taken, and its holder signs in by it", true
	case errors.Is(err, ErrNumberTaken):
		return Conflict, "number taken", true
	case errors.Is(err, ErrChangedElsewhere):
		return Conflict, "number changed elsewhere", true
	case errors.Is(err, ErrNumberRefused):
		return Conflict, "number refused by the schema", true
	case errors.Is(err, ErrNoIdentity):
		return Orphaned, "identity deleted", true
	default:
		return "", "", false
	}
}

// putOff makes a claim due again after a back-off, also when the time for the
// work itself is spent.
func (s *Service) retryLater(ctx context.Context, c Claim) {
	s.dueIn(ctx, c, s.backoff(c.DueTries))
}

// dueAgain makes a claim due again after a wait, with as many tries as it says.
func (s *Service) dueIn(ctx context.Context, c Claim, wait time.Duration) {
	ctx, cancel := settling(ctx)
	defer cancel()
	now := s.Now()
	c.DueAt = now.Add(wait)
	err := s.Store.Commit(ctx, Change{Transitions: []Transition{{From: c.State, Claim: c}}, At: now})
	if ignoreRace(err) != nil {
		s.Log.WarnContext(ctx, "claim not put off", "claim", c.ID, "error", err)
	}
}
