package claim

import (
	"context"
	"errors"
	"time"

	"github.com/holdline/holdline/internal/audit"
	"github.com/holdline/holdline/internal/phone"
)

// Kratos stores the whole of an identity as a form began with, whatever was written
// meanwhile, up to 93 seconds after the form was sent (docs/kratos.md, D). So what
// was written is looked at again, soon and when every form that was on its way has
// been stored.
const (
	firstLook = 5 * time.Second
	lastLook  = 100 * time.Second
	// staleFor is how long after a write the number that it replaced, and no other,
	// is taken for a form's that came late.
	staleFor = 5 * time.Minute
)

// NumberRestored is what the audit trail says of an accepted number that a form had
// put the one before in the place of.
const NumberRestored = "number_restored"

// basis is what a form was filled in upon that began with a number.
func basis(stored phone.Number, now time.Time) *Basis {
	return &Basis{Stored: stored, Since: now.Add(-staleFor)}
}

// Overwritten reports whether a number that is stored is one which this claim, the
// last that was applied, has replaced so recently that a form put it back. What a
// person has denied may be put back by anybody.
func (c *Claim) Overwritten(by Basis) bool {
	return c != nil && c.State == Applied && c.Reason != disputed && c.EndedAt.After(by.Since) &&
		c.Previous.Same(by.Stored) && !c.Previous.Same(c.Number)
}

// remedy is what has to be written so that an identity shows what its claims say.
type remedy struct {
	restore bool         // the applied number
	mark    phone.Number // shown as pending; zero for no change
	unmark  bool
}

func (r remedy) needed() bool { return r.restore || r.unmark || !r.mark.IsZero() }

// remedyFor compares an identity with its claims, from the view of one that has been
// applied, has ended or is open.
func (s *Service) remedyFor(c Claim, living IdentityClaims, seen Identity, now time.Time) remedy {
	r := remedy{restore: c.Overwritten(*basis(phone.ParseStored(s.Plan, seen.Mobile), now))}
	switch held := living.Active; {
	case seen.Pending != "" && living.wants(phone.ParseStored(s.Plan, seen.Pending)):
	case held != nil && held.State == Open:
		r.mark = held.Number
	case seen.Pending != "":
		r.unmark = true
	}
	return r
}

// look looks at an identity once more, and needs its lease only if it is not as it
// should be.
func (s *Service) look(ctx context.Context, c Claim) error {
	now := s.Now()
	living, err := s.Store.Current(ctx, c.IdentityID, now.Add(-day))
	if err != nil {
		return err
	}
	seen, err := s.Identities.Identity(ctx, c.IdentityID)
	if err != nil || s.remedyFor(c, living, seen, now).needed() {
		return s.syncPending(ctx, c)
	}
	return s.Store.Commit(ctx, Change{Transitions: []Transition{{From: c.State, Claim: lookedAt(c, false, now)}}, At: now})
}

// lookedAt says when a claim's identity is looked at next.
func lookedAt(c Claim, wrote bool, now time.Time) Claim {
	c.DueTries = 0
	switch {
	case wrote || c.PendingSync == SyncShow || c.PendingSync == SyncClear:
		c.PendingSync, c.DueAt = SyncLook, now.Add(firstLook)
	case c.PendingSync == SyncLook:
		c.PendingSync, c.DueAt = SyncLastLook, now.Add(lastLook-firstLook)
	default:
		c.PendingSync, c.DueAt = SyncDone, time.Time{}
	}
	if c.State == Open && (c.DueAt.IsZero() || c.LapsesAt.Before(c.DueAt)) {
		c.DueAt = c.LapsesAt
	}
	return c
}

// remedy writes what is not as it should be, and returns the claim as it is then.
func (s *Service) remedy(ctx context.Context, c Claim, living IdentityClaims, seen Identity, change *Change) (Claim, error) {
	r := s.remedyFor(c, living, seen, change.At)
	done := lookedAt(c, r.needed(), change.At)
	if r.restore {
		restored, reason, err := s.restore(ctx, c, seen)
		switch {
		case err != nil:
			return c, err
		case reason != "":
			done.State, done.Reason = Conflict, reason
			change.Events = append(change.Events, NewEvent(done, string(Conflict), audit.Actor{Kind: audit.System}, change.At))
		case restored:
			line := NewEvent(c, NumberRestored, audit.Actor{Kind: audit.System}, change.At)
			line.Reason = "overwritten by a form"
			change.Events = append(change.Events, line)
		}
	}
	var err error
	switch {
	case !r.mark.IsZero():
		err = s.Identities.ShowPending(ctx, c.IdentityID, r.mark)
	case r.unmark && (!r.restore || c.Direct || !c.shownBy(s.Plan, seen)): // else it went with the number
		err = s.Identities.ClearPending(ctx, c.IdentityID)
	}
	return done, err
}

// shownBy reports whether an identity shows the claim's number as pending.
func (c Claim) shownBy(plan phone.Parser, seen Identity) bool {
	return seen.Pending != "" && c.Number.IsStored(plan, seen.Pending)
}

// restore writes an applied number again, if no other has been applied since. The
// reason says why that cannot be any more.
func (s *Service) restore(ctx context.Context, c Claim, seen Identity) (restored bool, reason string, _ error) {
	last, err := s.Store.Applied(ctx, c.IdentityID)
	if err != nil || last == nil || last.ID != c.ID {
		return false, "", err
	}
	if c.Direct {
		err = s.Identities.Write(ctx, c.IdentityID, c.Number)
	} else {
		err = s.Identities.ApplyNumber(ctx, c.IdentityID, c.Number, c.shownBy(s.Plan, seen))
	}
	if state, why, over := resultOf(err); over && state == Conflict {
		return false, why, nil
	}
	return err == nil, "", err
}

// lookNow does a claim's errand at once; if it cannot, a worker does.
func (s *Service) lookNow(ctx context.Context, c Claim) {
	ctx, cancel := detached(ctx, writeTimeout)
	defer cancel()
	err := s.syncPending(ctx, c)
	if err == nil || errors.Is(err, ErrConcurrentUpdate) {
		return
	}
	s.Log.WarnContext(ctx, "identity not looked at yet", "claim", c.ID, "identity", c.IdentityID, "error", err)
	if c.PendingSync == SyncDone {
		c.PendingSync = SyncLook
	}
	s.retryLater(ctx, c)
}
