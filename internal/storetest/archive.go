package storetest

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/holdline/holdline/internal/admin"
	"github.com/holdline/holdline/internal/audit"
	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/message"
)

var _ admin.Store = (*Store)(nil)

// newest compares rows for a list, newest first.
func newest(at time.Time, id string, otherAt time.Time, otherID string) int {
	return cmp.Or(otherAt.Compare(at), cmp.Compare(otherID, id))
}

// behind reports whether a row comes after the cursor.
func behind(c admin.Cursor, at time.Time, id string) bool {
	return c == (admin.Cursor{}) || newest(at, id, micro(c.At), c.ID) > 0
}

// fits reports whether a value is what is asked for; blank asks for nothing.
func fits[T ~string](asked, value T) bool { return asked == "" || asked == value }

// FindClaims implements admin.Store.
func (s *Store) FindClaims(_ context.Context, q admin.ClaimQuery) ([]claim.Claim, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []claim.Claim
	for _, c := range s.claims {
		if (q.IdentityIDs == nil || slices.Contains(q.IdentityIDs, c.IdentityID)) && q.Fits(c.State, c.Number) && behind(q.After, c.CreatedAt, c.ID) {
			found = append(found, c)
		}
	}
	slices.SortFunc(found, func(a, b claim.Claim) int { return newest(a.CreatedAt, a.ID, b.CreatedAt, b.ID) })
	return found[:min(q.Limit, len(found))], s.fail
}

// FindTexts implements admin.Store.
func (s *Store) FindTexts(_ context.Context, q admin.TextQuery) ([]admin.TextRecord, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []admin.TextRecord
	for _, t := range slices.SortedFunc(maps.Values(s.texts), func(a, b text) int {
		return newest(a.CreatedAt, a.ID, b.CreatedAt, b.ID)
	}) {
		if !fits(q.ClaimID, t.Code.ClaimID) || !fits(q.IdentityID, t.IdentityID) || !fits(q.State, t.state) || !fits(q.Gateway, t.gateway) ||
			!behind(q.After, t.CreatedAt, t.ID) {
			continue
		}
		record := admin.TextRecord{
			Text: t.Text, State: t.state.With(s.receipt(t)), Tries: t.tries,
			Gateway: t.gateway, Reason: t.reason, DoneAt: t.doneAt,
		}
		if q.ClaimID+q.IdentityID != "" {
			record.Receipts = s.receiptsOf(t)
		}
		found = append(found, record)
	}
	return found[:min(q.Limit, len(found))], s.fail
}

// FindEvents implements admin.Store.
func (s *Store) FindEvents(_ context.Context, q admin.EventQuery) ([]admin.EventRecord, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []admin.EventRecord
	for _, e := range slices.Backward(s.events) {
		if fits(q.ClaimID, e.ClaimID) && fits(q.IdentityID, e.IdentityID) && fits(q.Kind, e.Kind) &&
			(q.Before == 0 || e.ID < q.Before) {
			found = append(found, e)
		}
	}
	return found[:min(q.Limit, len(found))], s.fail
}

// RecordEvent implements admin.Store.
func (s *Store) RecordEvent(_ context.Context, e audit.Event) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail == nil {
		s.note(e)
	}
	return s.fail
}

// Waiting implements admin.Store.
func (s *Store) Waiting(context.Context) (admin.Waiting, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var waiting admin.Waiting
	for _, c := range s.claims {
		switch c.State {
		case claim.Open:
			waiting.Open++
		case claim.Verified:
			waiting.Verified++
		default:
		}
	}
	for _, a := range s.alarms {
		if !a.Closed() {
			waiting.Alarms++
		}
	}
	for _, t := range s.texts {
		if t.state == message.TextQueued {
			waiting.Queued++
			if waiting.OldestText.IsZero() || t.CreatedAt.Before(waiting.OldestText) {
				waiting.OldestText = micro(t.CreatedAt)
			}
		}
	}
	return waiting, s.fail
}

// Beginnings implements admin.Store.
func (s *Store) Beginnings(_ context.Context, digits int, since time.Time) ([]admin.Beginning, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	counts := map[string]*admin.Beginning{}
	for _, c := range s.claims {
		text := c.Number.Dialled()
		text = text[:min(len(text), digits+1)]
		if counts[text] == nil {
			counts[text] = &admin.Beginning{Text: text}
		}
		switch {
		case c.Direct:
		case c.State == claim.Open:
			counts[text].Open++
		case c.State == claim.Applied && c.EndedAt.After(since):
			counts[text].Confirmed++
		}
	}
	var found []admin.Beginning
	for _, text := range slices.Sorted(maps.Keys(counts)) {
		if b := *counts[text]; b.Open+b.Confirmed > 0 {
			found = append(found, b)
		}
	}
	return found, s.fail
}
