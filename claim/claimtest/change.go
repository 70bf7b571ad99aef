package claimtest

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/holdline/holdline/claim"
)

// Commit implements claim.Claims. It works on a copy, and keeps it if all went
// well.
func (s *Store) Commit(ctx context.Context, change claim.Change) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail != nil {
		return s.fail
	}
	next := &Store{claims: maps.Clone(s.claims), texts: maps.Clone(s.texts), leases: maps.Clone(s.leases)}
	for _, move := range change.Moves {
		if err := next.move(move); err != nil {
			return err
		}
	}
	if change.Create != nil {
		if err := next.create(change); err != nil {
			return err
		}
	}
	if change.Text != nil {
		if err := next.queue(change); err != nil {
			return err
		}
	}
	for _, notice := range change.Notices {
		next.keep(notice)
	}
	if err := s.spend(ctx, change); err != nil {
		return err
	}
	s.claims, s.texts, s.leases = next.claims, next.texts, next.leases
	s.note(change.Events...)
	return nil
}

// spend takes the text from its calling code's budget.
func (s *Store) spend(ctx context.Context, change claim.Change) error {
	if change.Text == nil {
		return nil
	}
	budget := claim.Allowance{Most: change.Limits.PerCodeHour, Window: time.Hour}
	err := s.budgets.Take(ctx, change.Text.To.CallingCode(), budget, change.At)
	if full := (*claim.LimitError)(nil); errors.As(err, &full) {
		return &claim.LimitError{Reason: claim.ErrCallingCodeFull, Until: full.Until, Name: claim.LimitCodeTexts}
	}
	return err
}

// move writes a transition, but not what a claim was made with.
func (s *Store) move(m claim.Move) error {
	kept, ok := s.claims[m.Claim.ID]
	if !ok || kept.State != m.From || kept.Version != m.Claim.Version {
		return claim.ErrRaced
	}
	next := stored(m.Claim)
	next.IdentityID, next.FlowID, next.Origin = kept.IdentityID, kept.FlowID, kept.Origin
	next.Number, next.Was, next.WasVerified, next.CreatedAt = kept.Number, kept.Was, kept.WasVerified, kept.CreatedAt
	next.Direct = kept.Direct
	next.Attempts = kept.Attempts
	next.Version++
	if m.Forget {
		next.Number, next.Was = claim.Mobile{}, claim.Mobile{}
		for id, t := range s.texts {
			if t.IdentityID == next.IdentityID {
				t.To = claim.Mobile{}
				s.texts[id] = t
			}
		}
		for id, c := range s.claims {
			if c.IdentityID == next.IdentityID {
				c.Number, c.Was = claim.Mobile{}, claim.Mobile{}
				s.claims[id] = c
			}
		}
	}
	if m.From.Ended() && next.State == claim.Verified && s.leases[next.IdentityID].ClaimID == next.ID {
		delete(s.leases, next.IdentityID) // it ended with the claim, and does not come back with it
	}
	return s.put(next)
}

// put keeps a claim unless its identity's place is taken.
func (s *Store) put(c claim.Claim) error {
	if c.State.Held() {
		for _, other := range s.claims {
			if other.ID != c.ID && other.IdentityID == c.IdentityID && other.State.Held() {
				return claim.ErrRaced
			}
		}
	}
	s.claims[c.ID] = c
	return nil
}

func (s *Store) create(change claim.Change) error {
	c := stored(*change.Create)
	if _, exists := s.claims[c.ID]; exists {
		return claim.ErrExists
	}
	if change.Text == nil {
		if err := s.room(change, c.IdentityID, c.Number.Key(), c.LastAddress); err != nil {
			return err
		}
	}
	return s.put(c)
}

func (s *Store) queue(change claim.Change) error {
	t := *change.Text
	if err := s.room(change, t.IdentityID, t.To.Key(), t.Address); err != nil {
		return err
	}
	s.keep(t)
	return nil
}

// keep queues a text.
func (s *Store) keep(t claim.Text) {
	t.Kind, t.Channel = cmp.Or(t.Kind, claim.TextCode), cmp.Or(t.Channel, claim.ChannelSMS)
	t.Expires, t.CreatedAt, t.LeaseUntil = micro(t.Expires), micro(t.CreatedAt), micro(t.LeaseUntil)
	if t.LeaseUntil.IsZero() {
		t.LeaseUntil = t.CreatedAt
	}
	s.texts[t.ID] = text{Text: t, state: claim.TextQueued}
}

// room fails when one more text would break a limit, or not be the first.
func (s *Store) room(change claim.Change, identity, number, address string) error {
	if until, name := s.fullUntil(change, identity, number, address); !until.IsZero() {
		return &claim.LimitError{Reason: claim.ErrTooManyTexts, Until: until, Name: name}
	}
	for _, t := range s.texts {
		recent := t.CreatedAt.After(micro(change.At.Add(-change.Fresh)))
		if change.Fresh > 0 && t.isCode() && t.IdentityID == identity && t.To.Key() == number && recent {
			return claim.ErrTextedBefore
		}
	}
	return nil
}

// fullUntil tells when the limits have room for one more text; zero for now.
func (s *Store) fullUntil(change claim.Change, identity, number, address string) (until time.Time, name string) {
	check := func(limit string, most int, window time.Duration, value string, of func(text) string) {
		var within []time.Time
		for _, t := range s.texts {
			if t.isCode() && of(t) == value && t.CreatedAt.After(micro(change.At.Add(-window))) {
				within = append(within, t.CreatedAt)
			}
		}
		if value == "" || most <= 0 || len(within) < most {
			return
		}
		slices.SortFunc(within, func(a, b time.Time) int { return b.Compare(a) })
		if end := within[most-1].Add(window); end.After(until) {
			until, name = end, limit
		}
	}
	const day = 24 * time.Hour
	check(claim.LimitIdentityTexts, change.Limits.PerIdentityDay, day, identity, func(t text) string { return t.IdentityID })
	check(claim.LimitNumberTexts, change.Limits.PerNumberDay, day, number, func(t text) string { return t.To.Key() })
	check(claim.LimitAddressTexts, change.Limits.PerAddressHour, time.Hour, address, func(t text) string { return t.Address })
	return until, name
}

// stored returns a claim with its times as a store keeps them.
func stored(c claim.Claim) claim.Claim {
	for _, t := range []*time.Time{&c.CodeExpires, &c.NextText, &c.DueAt, &c.CreatedAt, &c.LapsesAt, &c.EndedAt} {
		*t = micro(*t)
	}
	return c
}
