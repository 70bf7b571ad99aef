package claim

import (
	"context"
	"errors"
	"time"

	"github.com/holdline/holdline/internal/audit"
	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/internal/phone"
)

// What the audit trail says of numbers that were written or removed without a
// code.
const (
	NumberWritten = "number_written"
	NumberRemoved = "number_removed"
	// NumberTaken stands at both: who lost an unproven number and who proved it.
	NumberTaken = "number_taken"
)

// ends reports whether storing a number ends one that was verified. The same
// number in other words ends nothing.
func (r Request) ends(number phone.Number) bool {
	return r.StoredVerified && !r.Stored.IsZero() && !r.Stored.Same(number)
}

// announce stages a direct write or a removal, so that the number that it ends is told
// even if nobody lives to say that it happened. A form's is staged whatever number it
// began with: one may be confirmed before Kratos stores it. The caller says whose it
// is, from where, and which numbers. A repeated delivery meets its own row.
func (s *Service) stageDirect(ctx context.Context, c Claim) error {
	now := s.Now()
	c.ID = directID(c.IdentityID, c.FlowID, c.Number)
	c.Direct, c.State, c.CreatedAt, c.DueAt = true, Staged, now, now.Add(reconcileAfter)
	c.PendingSync = SyncShownBefore // its number is never shown as pending
	change := Change{Create: &c, At: now}
	if c.Source == SourceSettings {
		change.Basis = basis(c.Previous, now)
		change.RefuseBlocked = !c.Number.Same(c.Previous) // others have asked, see propose
	}
	err := s.Store.Commit(ctx, change)
	if !errors.Is(err, ErrExists) {
		return err
	}
	known, err := s.Store.Find(ctx, c.ID)
	if err != nil || known != nil && known.State == Staged && now.Sub(known.CreatedAt) < reconcileAfter {
		return err
	}
	c.ID = s.NewID() // the same again in a flow that was refused before
	return s.Store.Commit(ctx, change)
}

// directID computes the id of a flow's direct claim, which is another one than that
// of its claim for a code.
func directID(identityID, flowID string, number phone.Number) string {
	return stagedID(identityID, flowID+"\x00direct", time.Time{}, number)
}

// tell adds to a change that a direct claim's number is stored: the claim is
// applied, the number that it ended is told, and the audit trail says who did it.
// Others that were to end the same number come to nothing.
func (s *Service) tell(change *Change, snapshot IdentityClaims, c Claim, was replaced, who audit.Actor) {
	kind, text := NumberWritten, message.TextChanged
	switch {
	case c.Source == SourceTakeover:
		kind, text = NumberTaken, message.TextTaken
	case c.Number.IsZero():
		kind, text = NumberRemoved, message.TextRemoved
	}
	done := asEnded(c, Applied, "", change.At)
	done.Previous, done.PreviousVerified = was.number, was.verified
	line := NewEvent(done, kind, who, change.At)
	line.Number = done.About().String()
	change.Transitions = append(change.Transitions, Transition{From: c.State, Claim: done})
	change.Events = append(change.Events, line)
	if was.verified || c.Source == SourceTakeover {
		change.Notices = append(change.Notices, s.notices(done, text, was, change.At)...)
	}
	for _, other := range snapshot.Direct {
		if other.ID != c.ID && other.Previous.Same(c.Previous) && other.Source != SourceSettings { // a form says itself when it is stored
			late := asEnded(other, Discarded, toldAlready, change.At)
			change.Transitions = append(change.Transitions, Transition{From: Staged, Claim: late})
			change.Events = append(change.Events, NewEvent(late, string(Discarded), who, change.At))
		}
	}
}

// Why a direct claim is discarded: the number was not stored, which may turn out to be
// wrong, or what it ended has been told.
const (
	notStored   = "not stored"
	toldAlready = "told already"
)

// ending is what the storing of a direct claim's number comes to.
type ending struct {
	was      replaced // the number that it ends
	overtook bool     // that one took the place of what the claim set out from
	told     bool     // somebody else's change to the same has been told
	// instead is the number that it ends if its own is the one that is stored now: one
	// that was confirmed over what was written meanwhile.
	instead *replaced
}

// endingOf finds out what a direct claim ends: the number that it set out from or, if
// one that was confirmed took the place of that between its being ruled on and its
// being stored, the other one. Of one that was written directly nobody is told.
func (s *Service) endingOf(ctx context.Context, c Claim) (ending, error) {
	e := ending{was: replaced{c.Previous, c.PreviousVerified}}
	last, err := s.Store.Applied(ctx, c.IdentityID)
	switch {
	case err != nil || last == nil || last.EndedAt.Before(c.CreatedAt):
	case last.Number.Same(c.Previous): // removed and confirmed anew
		e.was.verified = e.was.verified || !last.Direct
	case c.PreviousVerified && !last.Direct && !last.Previous.Same(c.Previous) && !last.Number.Same(c.Number):
		e.instead = &replaced{last.Number, true}
	case !last.Previous.Same(c.Previous) && (c.PreviousVerified || last.Direct || last.Number.Same(c.Number)):
	case last.Number.Same(c.Number):
		e.told = true
	case last.Direct:
		e.was.verified, e.overtook = false, true
	default:
		e.was, e.overtook = replaced{last.Number, true}, true
	}
	return e, err
}

// settleFlow applies the direct claim of a settings flow that Kratos has stored.
func (s *Service) settleFlow(ctx context.Context, f StoredFlow, who audit.Actor) error {
	number := phone.ParseStored(s.Plan, f.Mobile)
	return RetryConcurrent(ctx, func() error {
		now := s.Now()
		snapshot, err := s.Store.Current(ctx, f.IdentityID, now.Add(-day))
		if err != nil {
			return err
		}
		found := snapshot.stagedDirect(f.FlowID, number)
		if found == nil {
			found, err = s.givenUp(ctx, f, number)
		}
		if err != nil || found == nil || snapshot.beingWritten() {
			return err
		}
		end, err := s.endingOf(ctx, *found)
		if err != nil || end.told && found.State != Staged {
			return err
		}
		if end.told {
			_, err = s.endNow(ctx, *found, Discarded, toldAlready, who)
			return err
		}
		if end.overtook || end.instead != nil { // or was overtaken, which only the directory knows
			seen, err := s.Identities.Identity(ctx, f.IdentityID)
			stored := err == nil && number.IsStored(s.Plan, seen.Mobile)
			switch {
			case err != nil, end.overtook && !stored:
				return err
			case end.instead != nil && stored:
				end.was = *end.instead
			}
		}
		change := Change{At: now}
		s.tell(&change, snapshot, *found, end.was, who)
		return s.commit(ctx, change)
	})
}

// givenUp returns the direct claim of a flow that took so long that it was
// discarded; nil for none.
func (s *Service) givenUp(ctx context.Context, f StoredFlow, number phone.Number) (*Claim, error) {
	found, err := s.Store.Find(ctx, directID(f.IdentityID, f.FlowID, number))
	if err != nil || found == nil || found.State != Discarded || found.Reason != notStored {
		return nil, err
	}
	last, err := s.Store.Last(ctx, f.IdentityID)
	if err != nil || last != nil && last.State == Applied && last.Direct && last.FlowID == f.FlowID {
		return nil, err // sent again since, and told
	}
	return found, nil
}

// reconcileDirect finds out what became of a direct write that nobody has settled.
func (s *Service) reconcileDirect(ctx context.Context, c Claim, now time.Time) error {
	seen, err := s.Identities.Identity(ctx, c.IdentityID)
	switch {
	case errors.Is(err, ErrNoIdentity):
		return s.EraseIdentity(ctx, c.IdentityID, audit.Actor{Kind: audit.System})
	case err != nil:
		return err
	}
	snapshot, err := s.Store.Current(ctx, c.IdentityID, now.Add(-day))
	if err != nil || snapshot.beingWritten() {
		return err
	}
	end, err := s.endingOf(ctx, c)
	if err != nil {
		return err
	}
	stored := phone.ParseStored(s.Plan, seen.Mobile)
	happened := stored.Same(c.Number)
	if happened && end.instead != nil {
		end.was = *end.instead
	}
	switch {
	case !happened && now.Sub(c.CreatedAt) < discardAfter:
		return nil
	case !happened && !stored.Same(end.was.number):
		// Something else is stored by now; whoever wrote that may have told the number.
		last, err := s.Store.Last(ctx, c.IdentityID)
		if err != nil {
			return err
		}
		happened = last == nil || last.State != Applied || !last.Previous.Same(end.was.number) || last.EndedAt.Before(c.CreatedAt)
	}
	if !happened || end.told {
		reason := notStored
		if end.told {
			reason = toldAlready
		}
		_, err = s.endNow(ctx, c, Discarded, reason, audit.Actor{Kind: audit.System})
		return err
	}
	change := Change{At: now}
	s.tell(&change, snapshot, c, end.was, c.by())
	return s.commit(ctx, change)
}

// by is who began a direct claim, as far as the claim says.
func (c Claim) by() audit.Actor {
	if c.Source == SourceSettings {
		return audit.Actor{Kind: audit.Owner, ID: c.IdentityID, ClientIP: c.LastAddress}
	}
	return audit.Actor{Kind: audit.System}
}
