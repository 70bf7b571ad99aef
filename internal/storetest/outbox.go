package storetest

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/message"
)

// DueTexts implements message.Outbox.
func (s *Store) DueTexts(_ context.Context, now time.Time, n int) ([]message.QueuedText, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var due []message.QueuedText
	for _, t := range s.newestTexts() {
		if t.state != message.TextQueued || t.LeaseUntil.After(micro(now)) {
			continue
		}
		c := s.claims[t.Code.ClaimID]
		due = append(due, message.QueuedText{
			Text: t.Text, Tries: t.tries, Current: !t.isCode() || c.State == claim.Open && c.Code() == t.Code,
			Unclear: strings.HasPrefix(t.reason, message.ReasonUnclear),
		})
	}
	slices.SortStableFunc(due, func(a, b message.QueuedText) int {
		return cmp.Compare(alive(a, now), alive(b, now))
	})
	return due[:min(n, len(due))], s.fail
}

// alive is 0 for a text that expired, else 1.
func alive(t message.QueuedText, now time.Time) int {
	if !t.Expires.IsZero() && !micro(now).Before(t.Expires) {
		return 0
	}
	return 1
}

// TakeText implements message.Outbox.
func (s *Store) TakeText(_ context.Context, t message.QueuedText, until time.Time) (bool, error) {
	taken := false
	err := s.settle(t.ID, func(kept *text) {
		taken = kept.tries == t.Tries && kept.LeaseUntil.Equal(micro(t.LeaseUntil)) && kept.LeaseUntil.Before(micro(until))
		if taken {
			kept.LeaseUntil = micro(until)
		}
	})
	return taken, err
}

// Done implements message.Outbox.
func (s *Store) Done(_ context.Context, results ...message.TextResult) error {
	var errs []error
	for _, r := range results {
		errs = append(errs, s.settle(r.TextID, func(t *text) {
			t.state, t.gateway, t.providerID = r.State, r.Gateway, r.ProviderID
			t.reason, t.doneAt = r.Reason, micro(results[0].At)
		}))
	}
	return errors.Join(errs...)
}

// PutOff implements message.Outbox.
func (s *Store) PutOff(_ context.Context, textID string, until time.Time, reason string) error {
	return s.settle(textID, func(t *text) { t.LeaseUntil, t.reason = micro(until), reason; t.tries++ })
}

// DropTexts implements message.Outbox.
func (s *Store) DropTexts(_ context.Context, textIDs []string, now time.Time, reason string) error {
	return s.settleDue(textIDs, now, func(t *text) { t.state, t.reason, t.doneAt = message.TextDropped, reason, micro(now) })
}

// PostponeTexts implements message.Outbox.
func (s *Store) PostponeTexts(_ context.Context, textIDs []string, now, until time.Time) error {
	return s.settleDue(textIDs, now, func(t *text) { t.LeaseUntil = micro(until) })
}

// settleDue changes queued texts that nobody has a lease of.
func (s *Store) settleDue(ids []string, now time.Time, do func(*text)) error {
	var errs []error
	for _, id := range ids {
		errs = append(errs, s.settle(id, func(t *text) {
			if !t.LeaseUntil.After(micro(now)) {
				do(t)
			}
		}))
	}
	return errors.Join(errs...)
}

// settle changes a text that is still queued.
func (s *Store) settle(id string, do func(*text)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, ok := s.texts[id]
	if s.fail != nil || !ok || t.state != message.TextQueued {
		return s.fail
	}
	do(&t)
	s.texts[id] = t
	return nil
}
