package claimtest

import (
	"context"
	"time"

	"github.com/holdline/holdline/claim"
)

// DueTexts implements claim.Outbox.
func (s *Store) DueTexts(_ context.Context, now time.Time, n int) ([]claim.QueuedText, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var due []claim.QueuedText
	for _, t := range s.newestTexts() {
		if t.state != claim.TextQueued || t.LeaseUntil.After(micro(now)) {
			continue
		}
		c := s.claims[t.Code.ClaimID]
		due = append(due, claim.QueuedText{
			Text: t.Text, Tries: t.tries, Current: c.State == claim.Open && c.Code() == t.Code,
		})
	}
	return due[:min(n, len(due))], s.fail
}

// TakeText implements claim.Outbox.
func (s *Store) TakeText(_ context.Context, t claim.QueuedText, until time.Time) (bool, error) {
	taken := false
	err := s.settle(t.ID, func(kept *text) {
		taken = kept.tries == t.Tries && kept.LeaseUntil.Equal(micro(t.LeaseUntil)) && kept.LeaseUntil.Before(micro(until))
		if taken {
			kept.LeaseUntil = micro(until)
		}
	})
	return taken, err
}

// Done implements claim.Outbox.
func (s *Store) Done(_ context.Context, r claim.TextResult) error {
	return s.settle(r.TextID, func(t *text) { t.state = r.State })
}

// PutOff implements claim.Outbox.
func (s *Store) PutOff(_ context.Context, textID string, until time.Time, _ string) error {
	return s.settle(textID, func(t *text) { t.LeaseUntil = micro(until); t.tries++ })
}

// settle changes a text that is still queued.
func (s *Store) settle(id string, do func(*text)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, ok := s.texts[id]
	if s.fail != nil || !ok || t.state != claim.TextQueued {
		return s.fail
	}
	do(&t)
	s.texts[id] = t
	return nil
}
