package claim

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/holdline/holdline/internal/audit"
)

// Settle ends a proposal. Without a failure the identity was written as proposed:
// what was staged is opened and texted, and what was overtaken ends. After a
// transient failure it may have been written or not, which workers find out; any other
// failure discards what was staged.
func (s *Service) Settle(ctx context.Context, p Proposal, failure error) error {
	switch {
	case failure != nil && p.flowID != "" && !errors.Is(failure, ErrIdentitiesUnavailable):
		return s.discard(ctx, p)
	case failure != nil:
		return nil //nolint:nilerr // the caller has it; nothing is left to settle
	case p.Decision == Challenge:
		return s.open(ctx, activation{
			identityID: p.seen.ID, flowID: p.flowID, number: p.Pending,
			present: replaced{p.request.Stored, p.request.StoredVerified}, who: p.change.Who, language: p.change.Language,
			client: p.change.Client, inactive: p.change.Inactive, alone: p.alone, along: p.Along,
		})
	case p.leftOut != nil:
		return s.commitLeftOut(ctx, p)
	case p.Decision == CancelPending, !p.HoldsBack():
		return s.overtake(ctx, p)
	default:
		return nil
	}
}

// discard ends the claim of a change that was refused.
func (s *Service) discard(ctx context.Context, p Proposal) error {
	return RetryConcurrent(ctx, func() error {
		snapshot, err := s.Store.Current(ctx, p.seen.ID, s.Now().Add(-day))
		if err != nil {
			return err
		}
		staged := snapshot.findStaged(p.flowID, p.Pending)
		if p.Decision != Challenge {
			staged = snapshot.stagedDirect(p.flowID, p.Number)
		}
		if staged == nil {
			return nil
		}
		_, err = s.endNow(ctx, *staged, Discarded, "change refused", p.change.Who)
		return err
	})
}

// NumberLeftOut is what the audit trail says of a number that was left out of a
// change whose rest was written.
const NumberLeftOut = "number_left_out"

// commitLeftOut writes down that a number was left out, and why.
func (s *Service) commitLeftOut(ctx context.Context, p Proposal) error {
	now := s.Now()
	return s.commit(ctx, Change{At: now, Events: []audit.Event{{
		IdentityID: p.seen.ID, Kind: NumberLeftOut, Actor: p.change.Who, Number: p.request.Wanted.String(),
		Reason: strings.TrimPrefix(p.leftOut.Error(), "claim: "), At: now,
	}}})
}

// overtake ends the open claim of an identity whose number was written or taken
// back, and tells the number that ended with it. The marker went with that write.
func (s *Service) overtake(ctx context.Context, p Proposal) error {
	return RetryConcurrent(ctx, func() error {
		now := s.Now()
		living, err := s.Store.Current(ctx, p.seen.ID, now.Add(-day))
		if err != nil {
			return err
		}
		if p.Decision == CancelPending && living.Active != nil && living.Active.State == Verified {
			return ErrBeingApplied
		}
		reason := "number written directly"
		if p.Decision == CancelPending {
			reason = takenBack
		}
		change := Change{At: now}
		withdraw(&change, living, reason, p.change.Who)
		direct := p.stagedDirect(living)
		if direct != nil {
			s.tell(&change, living, *direct, replaced{direct.Previous, direct.PreviousVerified}, p.change.Who)
		} else if kind := p.written(); kind != "" {
			change.Events = append(change.Events, audit.Event{
				IdentityID: p.seen.ID, Kind: kind, Actor: p.change.Who, Number: p.Number.String(), At: now,
			})
		}
		if len(change.Events) == 0 {
			return nil
		}
		return s.commit(ctx, change)
	})
}

// stagedDirect returns the direct claim that was staged for a proposal, nil for none or
// once a worker has told it.
func (p Proposal) stagedDirect(living IdentityClaims) *Claim {
	if p.HoldsBack() || p.flowID == "" {
		return nil // most proposals end nothing
	}
	return living.stagedDirect(p.flowID, p.Number)
}

// written is the kind of event for what was written and ended no verified number;
// blank for nothing.
func (p Proposal) written() string {
	switch {
	case p.HoldsBack() || p.flowID != "" || p.Number.Same(p.request.Stored):
		return ""
	case p.Number.IsZero():
		return NumberRemoved
	default:
		return NumberWritten
	}
}

// SettleNew opens the claim for the number that a new identity was made without.
// Limits put its text off, since the identity is there.
func (s *Service) SettleNew(ctx context.Context, p Proposal, identityID string) error {
	p.seen = Identity{ID: identityID}
	switch {
	case p.leftOut != nil:
		return s.commitLeftOut(ctx, p)
	case p.Decision != Challenge:
		return s.overtake(ctx, p)
	}
	now := s.Now()
	staged := p.staged()
	staged.ID, staged.Number = stagedID(identityID, p.flowID, time.Time{}, p.Pending), p.Pending
	staged.State, staged.CreatedAt, staged.DueAt = Staged, now, now.Add(reconcileAfter)
	if err := s.Store.Commit(ctx, Change{Create: &staged, At: now}); err != nil {
		return err
	}
	return s.open(ctx, activation{
		identityID: identityID, flowID: p.flowID, number: p.Pending,
		who: p.change.Who, language: p.change.Language,
		client: p.change.Client, inactive: p.change.Inactive,
	})
}
