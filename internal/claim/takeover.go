package claim

import (
	"cmp"
	"context"
	"errors"

	"github.com/holdline/holdline/internal/audit"
	"github.com/holdline/holdline/internal/phone"
)

// Taken says what becomes of a number whose code came back while another identity
// has it.
type Taken string

// The policies for taken numbers.
const (
	// TakenRefuse leaves the number where it is.
	TakenRefuse Taken = "refuse"
	// TakenUnverified takes it from an identity that has not proved it.
	TakenUnverified Taken = "take_unverified"
)

// Holder is an identity that has a number which another one has proved.
type Holder struct {
	Identity
	// Bound tells that the number is a means to sign in that stays with the identity
	// whatever is written.
	Bound bool
}

// Holders finds who has a number, and takes it from them. Errors are those of
// [Identities].
type Holders interface {
	// Holders returns who has the number in an identity's directory, as it is there
	// now, beside the identity itself; nobody if they cannot be found.
	Holders(ctx context.Context, identityID string, number phone.Number) ([]Holder, error)
	// Vacate removes the number, and the marker if it shows that number, in one
	// request, and compares what came of it.
	Vacate(ctx context.Context, identityID string, number phone.Number) error
}

// mostTakings bounds how often a number is taken for one write: somebody may put it
// back in between.
const mostTakings = 3

// adoptTaken is adopt for a number that another identity has: proof takes it from
// whoever has not proved it. The lease is the claim's own, and may be another one
// afterwards. The holders whose number was taken are to be told, by settleTakings,
// once the claim has ended.
func (s *Service) applyTaken(ctx context.Context, c Claim, lease *Lease) (old replaced, stray bool, taken []string, err error) {
	err = ErrNumberTaken
	if s.Holders == nil || s.Policy().Taken != TakenUnverified {
		return old, false, nil, err
	}
	for range mostTakings {
		holder, fault := s.take(ctx, c, lease)
		if holder != "" {
			taken = append(taken, holder)
		}
		unknown := errors.Is(fault, errNoHolder)
		if fault != nil && !unknown {
			return old, stray, taken, fault
		}
		old, stray, err = s.applyNumber(ctx, c, nil) // nobody may have it any more
		if unknown || !errors.Is(err, ErrNumberTaken) {
			return old, stray, taken, err
		}
	}
	return old, stray, taken, err
}

// errNoHolder: who has the number cannot be found.
var errNoHolder = errors.New("claim: nobody is found who has the number")

// take removes the number from its holder, and returns who that is once the taking is
// recorded. The leases of both are held meanwhile; they are acquired in the order of
// the identities' ids, so that two who take from each other do not wait for ever.
func (s *Service) take(ctx context.Context, c Claim, lease *Lease) (string, error) {
	holder, err := s.takeable(ctx, c)
	if err != nil {
		return "", err
	}
	if holder.ID < c.IdentityID {
		s.release(ctx, *lease)
	}
	theirs, err := s.awaitLease(ctx, holder.ID, "", workersPatience)
	if err != nil {
		return "", err
	}
	defer s.release(ctx, theirs)
	if holder.ID < c.IdentityID {
		if *lease, err = s.awaitLease(ctx, c.IdentityID, c.ID, workersPatience); err != nil {
			return "", err
		}
	}
	// What was seen before may have changed while nobody held the leases.
	kept, err := s.Store.Find(ctx, c.ID)
	if err != nil || kept == nil || kept.State != Verified {
		return "", cmp.Or(err, ErrConcurrentUpdate)
	}
	present, err := s.takeable(ctx, c)
	switch {
	case err != nil:
		return "", err
	case present.ID != holder.ID:
		return "", ErrLeased // another one's lease is needed now
	}
	if _, _, err := s.inForce(ctx, c, nil); err != nil {
		return "", err
	}
	if err := s.recordTaking(ctx, c, present); err != nil {
		return "", err
	}
	err = s.Holders.Vacate(ctx, holder.ID, c.Number)
	if errors.Is(err, ErrNumberRefused) { // their schema wants a number
		err = ErrNumberTaken
	}
	return holder.ID, err
}

// takeable returns who has the claim's number and has not proved it; errNoHolder for
// nobody, although the directory says that somebody has it.
func (s *Service) takeable(ctx context.Context, c Claim) (Holder, error) {
	holders, err := s.Holders.Holders(ctx, c.IdentityID, c.Number)
	if err != nil {
		return Holder{}, err
	}
	for _, h := range holders {
		switch {
		case h.Verified && phone.ParseStored(s.Plan, h.Mobile).Same(c.Number):
			return Holder{}, ErrNumberProved
		case h.Bound:
			return Holder{}, ErrNumberBound
		}
	}
	if len(holders) == 0 {
		return Holder{}, errNoHolder
	}
	return holders[0], nil
}

// recordTaking writes down, before anything is taken, that a claim takes its number
// from a holder, so that a crash leaves nothing half done: the holder is staged to
// lose the number, and the claim says how that ends. A code that they wait for is
// dead. Whoever has typed theirs has proved the number too: ErrNumberProved.
func (s *Service) recordTaking(ctx context.Context, c Claim, h Holder) error {
	return RetryConcurrent(ctx, func() error {
		now := s.Now()
		snapshot, err := s.Store.Current(ctx, h.ID, now.Add(-day))
		if err != nil {
			return err
		}
		change := Change{At: now}
		if held := snapshot.Active; held != nil && held.Number.Same(c.Number) {
			if held.State == Verified {
				return ErrNumberProved
			}
			dead := asEnded(*held, Cancelled, "number taken", now)
			change.Transitions = append(change.Transitions, Transition{From: Open, Claim: dead})
			change.Events = append(change.Events, NewEvent(dead, string(Cancelled), audit.Actor{Kind: audit.System}, now))
		}
		staged := Claim{
			ID: directID(h.ID, c.ID, phone.Number{}), IdentityID: h.ID, FlowID: c.ID, Source: SourceTakeover,
			Previous: c.Number, Direct: true, State: Staged, PendingSync: SyncShownBefore, Language: h.Locale,
			CreatedAt: now, DueAt: now.Add(writeLease),
		}
		change.Create = &staged
		known, err := s.Store.Find(ctx, staged.ID)
		switch {
		case err != nil:
			return err
		case known != nil && known.State == Staged: // begun before a crash
			change.Create = nil
		case known != nil: // begun, and undone
			staged.Version = known.Version
			change.Create, change.Transitions = nil, append(change.Transitions, Transition{From: known.State, Claim: staged})
		}
		if change.Create == nil && len(change.Transitions) == 0 {
			return nil
		}
		return s.commit(ctx, change)
	})
}

// settleTakings ends what recordTaking began, now that the claim has ended. What
// cannot be done now is left to the workers.
func (s *Service) settleTakings(ctx context.Context, c Claim, holders []string) {
	for _, id := range holders {
		staged, err := s.Store.Find(ctx, directID(id, c.ID, phone.Number{}))
		if err == nil && staged != nil && staged.State == Staged {
			err = ignoreRace(s.reconcileTaking(ctx, *staged))
		}
		if err != nil {
			s.Log.WarnContext(ctx, "taking not settled yet", "claim", c.ID, "identity", id, "error", err)
		}
	}
}

// reconcileTaking brings the taking of a number to its end, as the claim that took it
// came to its own: the loser is told, or has the number again.
func (s *Service) reconcileTaking(ctx context.Context, c Claim) error {
	winner, err := s.Store.Find(ctx, c.FlowID)
	if err != nil || winner != nil && !winner.State.Final() {
		return err // still under way
	}
	lease, err := s.awaitLease(ctx, c.IdentityID, "", workersPatience)
	if err != nil {
		return err
	}
	defer s.release(ctx, lease)
	seen, err := s.Identities.Identity(ctx, c.IdentityID)
	if errors.Is(err, ErrNoIdentity) {
		return s.EraseIdentity(ctx, c.IdentityID, audit.Actor{Kind: audit.System})
	}
	if err != nil {
		return err
	}
	has := c.Previous.IsStored(s.Plan, seen.Mobile)
	if winner != nil && winner.State == Applied && !has {
		return s.tellTaken(ctx, c, *winner)
	}
	if !has && seen.Mobile == "" {
		err = s.Identities.Write(ctx, c.IdentityID, c.Previous)
		if err != nil && !errors.Is(err, ErrNumberTaken) && !errors.Is(err, ErrNumberRefused) {
			return err
		}
	}
	reason := "not taken"
	if err != nil {
		reason = "not given back: " + publicReason(err)
	}
	_, err = s.endNow(ctx, c, Discarded, reason, audit.Actor{Kind: audit.System})
	return err
}

// publicReason is why a number could not be given back.
func publicReason(err error) string {
	_, reason, _ := resultOf(err)
	return reason
}

// tellTaken writes the taking down at both, and tells the loser.
func (s *Service) tellTaken(ctx context.Context, c, winner Claim) error {
	snapshot, err := s.Store.Current(ctx, c.IdentityID, s.Now().Add(-day))
	if err != nil {
		return err
	}
	change := Change{At: s.Now()}
	s.tell(&change, snapshot, c, replaced{c.Previous, c.PreviousVerified}, audit.Actor{Kind: audit.System})
	change.Events[0].Reason = "proved by " + winner.IdentityID
	theirs := NewEvent(winner, NumberTaken, audit.Actor{Kind: audit.System}, change.At)
	theirs.Reason = "from " + c.IdentityID
	change.Events = append(change.Events, theirs)
	return s.commit(ctx, change)
}

// losing reports whether an identity is without the number that its claim set out
// from because another one proved that number.
func (s *Service) losing(ctx context.Context, c Claim) (bool, error) {
	snapshot, err := s.Store.Current(ctx, c.IdentityID, s.Now().Add(-day))
	if err != nil {
		return false, err
	}
	last, err := s.Store.Applied(ctx, c.IdentityID)
	if err != nil {
		return false, err
	}
	direct := snapshot.Direct
	if last != nil && !last.EndedAt.Before(c.CreatedAt) {
		direct = append(direct, *last)
	}
	for _, d := range direct {
		if d.Source == SourceTakeover && d.Previous.Same(c.Previous) {
			return true, nil
		}
	}
	return false, nil
}
