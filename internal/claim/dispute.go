package claim

import (
	"context"

	"github.com/holdline/holdline/internal/audit"
	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/internal/otp"
)

// Dispute is what came of a person's word that they did not want a change.
type Dispute struct {
	Cancelled bool // a claim that was still open is cancelled
	Reported  bool // the number is changed already; the operator has been told
}

// disputed is an applied claim's reason once somebody has denied it.
const disputed = "disputed"

// Dispute takes the word of whoever holds the link of a notice. Of a claim that
// is applied the operator is told, once, and an open claim of the same identity
// is cancelled with it. The link of a claim that was replaced by another wish
// speaks of that one. The error is [otp.ErrLinkDead] for a link that is made up or
// too old, and for a claim that came to nothing by itself; [ErrBeingApplied]
// is transient.
func (s *Service) Dispute(ctx context.Context, link, address string) (Dispute, error) {
	var outcome Dispute
	err := RetryConcurrent(ctx, func() error {
		found, err := s.disputable(ctx, link)
		if err != nil {
			return err
		}
		if found.State == Applied && found.Reason == disputed {
			outcome = Dispute{Reported: true} // a second click
			return nil
		}
		outcome, err = s.deny(ctx, *found, audit.Actor{Kind: audit.LinkHolder, ClientIP: address})
		return err
	})
	return outcome, err
}

// Disputable returns what a link speaks of, as the notice that says the same today
// would, and changes nothing. Errors are those of [Service.Dispute].
func (s *Service) Disputable(ctx context.Context, link string) (message.TextKind, error) {
	found, err := s.disputable(ctx, link)
	switch {
	case err != nil:
		return "", err
	case found.State == Open:
		return message.TextRequested, nil
	case found.Source == SourceTakeover:
		return message.TextTaken, nil
	case found.Direct && found.Number.IsZero():
		return message.TextRemoved, nil
	default:
		return message.TextChanged, nil
	}
}

// disputable finds the claim that a link speaks of, if it can still be denied.
func (s *Service) disputable(ctx context.Context, link string) (*Claim, error) {
	id, err := s.Codes.Linked(link)
	if err != nil {
		return nil, err
	}
	found, err := s.Store.Find(ctx, id)
	if err == nil && found != nil && found.State == Superseded {
		found, err = s.successor(ctx, *found)
	}
	if err != nil {
		return nil, err
	}
	late := func(c *Claim) bool { return s.Now().After(c.EndedAt.Add(s.Policy().Notices.Window)) }
	switch {
	case found == nil, found.State == Applied && late(found):
		return nil, otp.ErrLinkDead
	case found.State == Verified:
		return nil, ErrBeingApplied
	case found.State != Open && found.State != Applied:
		return nil, otp.ErrLinkDead
	default:
		return found, nil
	}
}

// successor returns the claim that took a superseded one's place in the end; nil
// for none.
func (s *Service) successor(ctx context.Context, c Claim) (*Claim, error) {
	snapshot, err := s.Store.Current(ctx, c.IdentityID, s.Now().Add(-day))
	if err != nil || snapshot.Active != nil {
		return snapshot.Active, err
	}
	last, err := s.Store.Last(ctx, c.IdentityID)
	if err != nil || last == nil || last.EndedAt.Before(c.EndedAt) {
		return nil, err
	}
	return last, nil
}

// deny does all that a dispute does in one change.
func (s *Service) deny(ctx context.Context, c Claim, who audit.Actor) (Dispute, error) {
	now := s.Now()
	snapshot, err := s.Store.Current(ctx, c.IdentityID, now.Add(-day))
	if err != nil {
		return Dispute{}, err
	}
	var outcome Dispute
	change := Change{At: now}
	if c.State == Applied {
		outcome.Reported = true
		c.Reason = disputed
		change.Transitions = append(change.Transitions, Transition{From: Applied, Claim: c})
		change.Notices = s.notices(c, message.TextDisputed, replaced{}, now)
		change.Events = append(change.Events, NewEvent(c, disputed, who, now))
	}
	var cancelled Claim
	if held := snapshot.Active; held != nil && held.State == Open {
		outcome.Cancelled = true
		cancelled = asEnded(*held, Cancelled, disputed, now)
		change.Transitions = append(change.Transitions, Transition{From: Open, Claim: cancelled})
		change.Events = append(change.Events, NewEvent(cancelled, string(Cancelled), who, now))
	}
	if len(change.Transitions) == 0 {
		return outcome, ErrConcurrentUpdate // it has ended since it was found
	}
	if err := s.commit(ctx, change); err != nil {
		return Dispute{}, err
	}
	if outcome.Reported {
		s.Log.WarnContext(ctx, "change disputed", "claim", c.ID, "identity", c.IdentityID)
	}
	if outcome.Cancelled {
		cancelled.Version++
		s.clearPendingNow(ctx, cancelled)
	}
	return outcome, nil
}
