package storetest

import (
	"context"
	"maps"
	"sync"
	"time"

	"github.com/holdline/holdline/internal/claim"
)

// Trials are working claim.Trials in memory. The zero value is empty.
type Trials struct {
	mu   sync.Mutex
	byID map[string]claim.Trial
}

var _ claim.Trials = (*Trials)(nil)

// BeginTrial implements claim.Trials.
func (s *Trials) BeginTrial(_ context.Context, identityID string, now, expires time.Time, most int) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.DeleteFunc(s.byID, func(_ string, t claim.Trial) bool { return !t.Expires.After(micro(now)) })
	others := len(s.byID)
	if _, again := s.byID[identityID]; again {
		others--
	}
	if others >= most {
		return false, nil
	}
	if s.byID == nil {
		s.byID = map[string]claim.Trial{}
	}
	s.byID[identityID] = claim.Trial{IdentityID: identityID, Expires: micro(expires)}
	return true, nil
}

// Trial implements claim.Trials.
func (s *Trials) Trial(_ context.Context, identityID string, now time.Time) (*claim.Trial, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, ok := s.byID[identityID]
	if !ok || !t.Expires.After(micro(now)) {
		return nil, nil //nolint:nilnil // None is no error.
	}
	return &t, nil
}

// NoteStaged implements claim.Trials.
func (s *Trials) NoteStaged(_ context.Context, identityID string, held bool) error {
	return s.note(identityID, func(t *claim.Trial) { t.Staged++; t.Held = held })
}

// NoteActivated implements claim.Trials.
func (s *Trials) NoteActivated(_ context.Context, identityID string) error {
	return s.note(identityID, func(t *claim.Trial) { t.Activated++ })
}

func (s *Trials) note(identityID string, what func(*claim.Trial)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t, ok := s.byID[identityID]; ok {
		what(&t)
		s.byID[identityID] = t
	}
	return nil
}

// EndTrial implements claim.Trials.
func (s *Trials) EndTrial(_ context.Context, identityID string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.byID, identityID)
	return nil
}
