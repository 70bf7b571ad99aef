package claim

import "context"

// Dispute is what came of a person's word that they did not want a change.
type Dispute struct {
	Cancelled bool // a claim that was still open is cancelled
	Reported  bool // the number is changed already; the operator has been told
}

// disputed is an applied claim's reason once somebody has denied it.
const disputed = "disputed"

// Dispute takes the word of whoever holds the link of a notice. Of a claim that
// is applied the operator is told, once, and an open claim of the same identity
// is cancelled with it. The error is [ErrLinkDead] for a link that is made up or
// too old, and for a claim that came to nothing by itself.
func (s *Service) Dispute(ctx context.Context, link, address string) (Dispute, error) {
	var outcome Dispute
	err := again(ctx, func() error {
		found, err := s.disputable(ctx, link)
		if err != nil {
			return err
		}
		who := Actor{Kind: LinkHolder, Address: address}
		if found.State == Applied {
			if found.Reason == disputed {
				outcome.Reported = true // a second click
				return nil
			}
			if err := s.report(ctx, *found, who); err != nil {
				return err
			}
			outcome.Reported = true
		}
		outcome.Cancelled, err = s.cancelDisputed(ctx, found.IdentityID, who)
		return err
	})
	return outcome, err
}

// Disputable tells whether a link is good, and changes nothing.
func (s *Service) Disputable(ctx context.Context, link string) error {
	_, err := s.disputable(ctx, link)
	return err
}

// disputable finds the claim that a link speaks of, if it can still be denied.
func (s *Service) disputable(ctx context.Context, link string) (*Claim, error) {
	id, err := s.Codes.Linked(link)
	if err != nil {
		return nil, err
	}
	found, err := s.Store.Find(ctx, id)
	if err != nil {
		return nil, err
	}
	late := func(c *Claim) bool { return s.Now().After(c.EndedAt.Add(s.Policy().Notices.Window)) }
	switch {
	case found == nil, found.State == Applied && late(found):
		return nil, ErrLinkDead
	case found.State == Verified:
		return nil, ErrBeingApplied
	case found.State != Open && found.State != Applied:
		return nil, ErrLinkDead
	default:
		return found, nil
	}
}

// report writes the dispute of a change that happened down, and tells the
// operator.
func (s *Service) report(ctx context.Context, c Claim, who Actor) error {
	now := s.Now()
	c.Reason = disputed
	s.Log.WarnContext(ctx, "change disputed", "claim", c.ID, "identity", c.IdentityID)
	return s.commit(ctx, Change{
		Moves:   []Move{{From: Applied, Claim: c}},
		Notices: s.notices(c, TextDisputed, replaced{number: c.Was}, now),
		Events:  []Event{event(c, disputed, who, now)}, At: now,
	})
}

// cancelDisputed takes an identity's open claim back, and tells whether there
// was one.
func (s *Service) cancelDisputed(ctx context.Context, identityID string, who Actor) (bool, error) {
	snapshot, err := s.Store.Current(ctx, identityID, s.Now().Add(-day))
	if err != nil || snapshot.Held == nil || snapshot.Held.State != Open {
		return false, err
	}
	cancelled, err := s.end(ctx, *snapshot.Held, Cancelled, disputed, who)
	if err != nil {
		return false, err
	}
	s.tidy(ctx, cancelled)
	return true, nil
}
