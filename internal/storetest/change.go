package storetest

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/internal/problem"
	"github.com/holdline/holdline/internal/ratelimit"
)

// Commit implements claim.Claims. It works on a copy, and keeps it if all went
// well.
func (s *Store) Commit(ctx context.Context, change claim.Change) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail != nil {
		return s.fail
	}
	next := &Store{claims: maps.Clone(s.claims), texts: maps.Clone(s.texts), leases: maps.Clone(s.leases), alarms: maps.Clone(s.alarms)}
	for _, move := range change.Transitions {
		if err := next.move(move); err != nil {
			return err
		}
	}
	if err := next.alarm(change); err != nil {
		return err
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
	var withheld []message.Text
	for _, notice := range change.Notices {
		if next.roomForNotice(notice, change) {
			next.keep(notice)
		} else {
			withheld = append(withheld, notice)
		}
	}
	if err := s.spend(ctx, change); err != nil {
		return err
	}
	if change.Release != nil {
		next.release(*change.Release)
	}
	leased := change.Lease != nil && next.acquire(*change.Lease, change.At)
	s.claims, s.texts, s.leases, s.alarms = next.claims, next.texts, next.leases, next.alarms
	if leased {
		change.Leased()
	}
	s.note(change.Events...)
	for _, notice := range withheld {
		s.note(claim.NoticeWithheldEvent(notice, change.At))
		change.Withhold(notice)
	}
	return nil
}

// roomForNotice reports whether a number may receive one more notice.
func (s *Store) roomForNotice(notice message.Text, change claim.Change) bool {
	most, received := change.Limits.NoticesPerNumberDay, 0
	for _, t := range s.texts {
		if !t.isCode() && t.Channel == message.ChannelSMS && t.To.Key() == notice.To.Key() && t.CreatedAt.After(micro(change.At.Add(-day))) {
			received++
		}
	}
	return most == 0 || received < most || notice.Channel == message.ChannelWebhook || notice.To.IsZero()
}

// spend takes the text from its calling code's budget.
func (s *Store) spend(ctx context.Context, change claim.Change) error {
	if change.Text == nil {
		return nil
	}
	budget := ratelimit.Limit{Most: change.Limits.PerCodeHour, Window: time.Hour}
	err := s.budgets.Take(ctx, change.Text.To.CallingCode(), budget, change.At)
	if full := (*problem.LimitError)(nil); errors.As(err, &full) {
		return &problem.LimitError{Reason: claim.ErrCallingCodeFull, Until: full.Until, Name: claim.LimitCodeTexts}
	}
	return err
}

// move writes a transition, but not what a claim was made with.
func (s *Store) move(m claim.Transition) error {
	kept, ok := s.claims[m.Claim.ID]
	if !ok || kept.State != m.From || kept.Version != m.Claim.Version {
		return claim.ErrConcurrentUpdate
	}
	next := stored(m.Claim)
	next.IdentityID, next.FlowID, next.Source = kept.IdentityID, kept.FlowID, kept.Source
	next.Number, next.Previous, next.PreviousVerified, next.CreatedAt = kept.Number, kept.Previous, kept.PreviousVerified, kept.CreatedAt
	next.Direct, next.Assurance = kept.Direct, kept.Assurance
	if next.State == claim.Applied || next.State == claim.Open && !m.Claim.Previous.IsZero() {
		next.Previous, next.PreviousVerified = m.Claim.Previous, m.Claim.PreviousVerified
	}
	next.Attempts = kept.Attempts
	if m.Try > 0 {
		if kept.CodeNumber != m.Claim.CodeNumber || kept.Attempts >= m.Try {
			return claim.ErrConcurrentUpdate
		}
		next.Attempts++
	}
	next.Version++
	if m.EraseIdentity {
		next.Number, next.Previous = phone.Number{}, phone.Number{}
		for id, t := range s.texts {
			if t.IdentityID == next.IdentityID {
				t.To = phone.Number{}
				s.texts[id] = t
			}
		}
		for id, a := range s.alarms {
			if a.IdentityID == next.IdentityID {
				a.Number, a.Previous, a.ClientIP = phone.Number{}, phone.Number{}, ""
				s.alarms[id] = a
			}
		}
		for id, c := range s.claims {
			if c.IdentityID == next.IdentityID {
				c.Number, c.Previous = phone.Number{}, phone.Number{}
				s.claims[id] = c
			}
		}
	}
	return s.put(next)
}

// put keeps a claim unless its identity's place is taken.
func (s *Store) put(c claim.Claim) error {
	if c.State.Active() {
		for _, other := range s.claims {
			if other.ID != c.ID && other.IdentityID == c.IdentityID && other.State.Active() {
				return claim.ErrConcurrentUpdate
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
	if err := s.standing(change, c.IdentityID); err != nil {
		return err
	}
	if change.Text == nil {
		if err := s.room(change, c.IdentityID, c.Number.Key(), c.LastAddress, c.PreviousVerified); err != nil {
			return err
		}
	}
	return s.put(c)
}

// standing keeps a change's basis, and what blocks it.
func (s *Store) standing(change claim.Change, identityID string) error {
	if until := s.blockedUntil(identityID, change.At); change.RefuseBlocked && !until.IsZero() {
		return &problem.LimitError{Reason: claim.ErrChangesBlocked, Until: until, Name: claim.LimitDisputeBlock}
	}
	if change.Basis == nil {
		return nil
	}
	b := *change.Basis
	b.Since = micro(b.Since)
	if s.applied(identityID).Overwritten(b) {
		return claim.ErrStaleForm
	}
	for _, c := range s.claims {
		switch {
		case change.Create == nil || c.IdentityID != identityID:
		case c.State == claim.Verified:
			return claim.ErrBeingApplied
		case b.Vacant && c.State.Active():
			return claim.ErrConcurrentUpdate
		}
	}
	return nil
}

// answered reports whether no client has had an identity texted that has not acted on it.
func (s *Store) answered(t message.Text) bool {
	for _, c := range s.claims {
		switch c.State {
		case claim.Staged, claim.Discarded, claim.Verified, claim.Applied, claim.Conflict:
			continue
		case claim.Open, claim.Superseded, claim.Cancelled, claim.Locked, claim.Lapsed, claim.Orphaned:
		}
		if c.ID != t.Code.ClaimID && c.IdentityID == t.IdentityID && c.Number.Same(t.To) && c.ClientText == claim.ClientTexted && c.Attempts == 0 {
			return false
		}
	}
	return true
}

func (s *Store) queue(change claim.Change) error {
	t := *change.Text
	if err := s.standing(change, t.IdentityID); err != nil {
		return err
	}
	if change.Answered && !s.answered(t) {
		return claim.ErrTextedBefore
	}
	if err := s.room(change, t.IdentityID, t.To.Key(), t.ClientIP, s.claims[t.Code.ClaimID].PreviousVerified); err != nil {
		return err
	}
	s.keep(t)
	return nil
}

// keep queues a text.
func (s *Store) keep(t message.Text) {
	t.Kind, t.Channel = cmp.Or(t.Kind, message.TextCode), cmp.Or(t.Channel, message.ChannelSMS)
	t.Expires, t.CreatedAt, t.LeaseUntil = micro(t.Expires), micro(t.CreatedAt), micro(t.LeaseUntil)
	if t.LeaseUntil.IsZero() {
		t.LeaseUntil = t.CreatedAt
	}
	s.texts[t.ID] = text{Text: t, state: message.TextQueued}
}

// room fails when one more text would break a limit, or not be the first.
func (s *Store) room(change claim.Change, identity, number, address string, owner bool) error {
	if until, name := s.fullUntil(change, identity, number, address, owner); !until.IsZero() {
		return &problem.LimitError{Reason: claim.ErrTooManyTexts, Until: until, Name: name}
	}
	for _, t := range s.texts {
		recent := t.CreatedAt.After(micro(change.At.Add(-change.NoTextWithin)))
		if change.NoTextWithin > 0 && t.isCode() && t.IdentityID == identity && t.To.Key() == number && recent {
			return claim.ErrTextedBefore
		}
	}
	return nil
}

// fullUntil tells when the limits have room for one more text; zero for now.
func (s *Store) fullUntil(change claim.Change, identity, number, address string, owner bool) (until time.Time, name string) {
	full := func(most int, window time.Duration, of func(text) bool) (end time.Time) {
		var within []time.Time
		for _, t := range s.texts {
			if t.isCode() && of(t) && t.CreatedAt.After(micro(change.At.Add(-window))) {
				within = append(within, t.CreatedAt)
			}
		}
		if most <= 0 || len(within) < most {
			return end
		}
		slices.SortFunc(within, func(a, b time.Time) int { return b.Compare(a) })
		return within[most-1].Add(window)
	}
	meet := func(end time.Time, limit string) {
		if end.After(until) {
			until, name = end, limit
		}
	}
	limits, toNumber := change.Limits, func(t text) bool { return t.To.Key() == number }
	meet(full(limits.PerIdentityDay, day, func(t text) bool { return t.IdentityID == identity }), claim.LimitIdentityTexts)
	if number != "" {
		end, limit := full(limits.PerNumberHour, time.Hour, toNumber), claim.LimitNumberHour
		if byDay := full(limits.PerNumberDay, day, toNumber); byDay.After(end) {
			end, limit = byDay, claim.LimitNumberTexts
		}
		if owner && !end.IsZero() {
			own := full(claim.OwnTextsPerNumberDay, day, func(t text) bool { return toNumber(t) && t.IdentityID == identity })
			if all := full(limits.PerNumberDayInAll(), day, toNumber); all.After(own) {
				own = all
			}
			if own.Before(end) {
				end, limit = own, claim.LimitNumberTexts
			}
		}
		meet(end, limit)
	}
	if address != "" {
		meet(full(limits.PerAddressHour, time.Hour, func(t text) bool { return t.ClientIP == address }), claim.LimitAddressTexts)
	}
	return until, name
}

// stored returns a claim with its times as a store keeps them.
func stored(c claim.Claim) claim.Claim {
	for _, t := range []*time.Time{&c.CodeExpires, &c.NextText, &c.DueAt, &c.CreatedAt, &c.LapsesAt, &c.EndedAt} {
		*t = micro(*t)
	}
	return c
}
