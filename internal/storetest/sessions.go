package storetest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/holdline/holdline/internal/audit"
	"github.com/holdline/holdline/internal/auth"
	"github.com/holdline/holdline/internal/problem"
)

// AdminSessions are working auth.AdminSessionStore in memory. The zero value is
// empty.
type AdminSessions struct {
	mu       sync.Mutex
	byDigest map[auth.SessionDigest]auth.AdminSession
	events   []audit.Event
	touches  int
	fail     error
}

var _ auth.AdminSessionStore = (*AdminSessions)(nil)

// errSessionKept says that a session's secret is not new.
var errSessionKept = errors.New("a session with this digest is kept")

// Fail makes every call fail with err, until it is nil.
func (s *AdminSessions) Fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fail = err
}

// Events returns the audit trail.
func (s *AdminSessions) Events() []audit.Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.events)
}

// Touches tells how often the use of a session was noted.
func (s *AdminSessions) Touches() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.touches
}

// BeginSession implements auth.AdminSessionStore.
func (s *AdminSessions) BeginSession(_ context.Context, session auth.AdminSession, e audit.Event) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail != nil {
		return s.fail
	}
	if _, kept := s.byDigest[session.Digest]; kept {
		return fmt.Errorf("%w: %w", problem.ErrStoreUnavailable, errSessionKept)
	}
	if s.byDigest == nil {
		s.byDigest = map[auth.SessionDigest]auth.AdminSession{}
	}
	session.CreatedAt, session.SeenAt = micro(session.CreatedAt), micro(session.SeenAt)
	s.byDigest[session.Digest] = session
	s.events = append(s.events, e)
	return nil
}

// FindSession implements auth.AdminSessionStore.
func (s *AdminSessions) FindSession(_ context.Context, d auth.SessionDigest) (auth.AdminSession, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail != nil {
		return auth.AdminSession{}, s.fail
	}
	session, ok := s.byDigest[d]
	if !ok {
		return auth.AdminSession{}, auth.ErrNoSession
	}
	return session, nil
}

// TouchSession implements auth.AdminSessionStore.
func (s *AdminSessions) TouchSession(_ context.Context, d auth.SessionDigest, at time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if session, ok := s.byDigest[d]; s.fail == nil && ok && session.SeenAt.Before(micro(at)) {
		session.SeenAt = micro(at)
		s.byDigest[d] = session
		s.touches++
	}
	return s.fail
}

// EndSession implements auth.AdminSessionStore.
func (s *AdminSessions) EndSession(_ context.Context, d auth.SessionDigest, e audit.Event) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.byDigest[d]; s.fail == nil && ok {
		delete(s.byDigest, d)
		s.events = append(s.events, e)
	}
	return s.fail
}

// PruneSessions implements auth.AdminSessionStore.
func (s *AdminSessions) PruneSessions(_ context.Context, before time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail == nil {
		maps.DeleteFunc(s.byDigest, func(_ auth.SessionDigest, session auth.AdminSession) bool {
			return session.SeenAt.Before(micro(before))
		})
	}
	return s.fail
}
