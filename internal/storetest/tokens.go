package storetest

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/holdline/holdline/internal/audit"
	"github.com/holdline/holdline/internal/auth"
	"github.com/holdline/holdline/internal/claim"
)

// Tokens are working auth.Tokens in memory. The zero value is empty.
type Tokens struct {
	mu     sync.Mutex
	byName map[string]auth.Token
	events []audit.Event
	looks  int
	fail   error
}

var _ auth.Tokens = (*Tokens)(nil)

// Fail makes every call fail with err, until it is nil.
func (s *Tokens) Fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fail = err
}

// Looks tells how often a token was looked up.
func (s *Tokens) Looks() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.looks
}

// Events returns the audit trail.
func (s *Tokens) Events() []audit.Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.events)
}

// Create implements auth.Tokens.
func (s *Tokens) Create(_ context.Context, t auth.Token, e audit.Event, allow func([]auth.Token) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail != nil {
		return s.fail
	}
	if allow != nil {
		if err := allow(s.list()); err != nil {
			return err
		}
	}
	for _, kept := range s.byName {
		if kept.Name == t.Name && kept.InForce(e.At) || kept.Digest == t.Digest {
			return claim.ErrExists
		}
	}
	if s.byName == nil {
		s.byName = map[string]auth.Token{}
	}
	t.Scopes, t.CreatedAt, t.ExpiresAt = slices.Clone(t.Scopes), micro(t.CreatedAt), micro(t.ExpiresAt)
	s.byName[t.Name] = t
	s.events = append(s.events, e)
	return nil
}

// Revoke implements auth.Tokens.
func (s *Tokens) Revoke(_ context.Context, name string, withMade bool, who audit.Actor, at time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, ok := s.byName[name]
	switch {
	case s.fail != nil:
		return s.fail
	case !ok || !t.RevokedAt.IsZero():
		return auth.ErrNoToken
	}
	revoked := []auth.Token{t}
	if withMade {
		revoked = append(revoked, auth.MadeBy(s.list(), t, at)...)
	}
	for _, t := range revoked {
		t.RevokedAt = micro(at)
		s.byName[t.Name] = t
		s.events = append(s.events, auth.Token{Name: t.Name}.Event(auth.TokenRevoked, who, at))
	}
	return nil
}

// List implements auth.Tokens.
func (s *Tokens) List(context.Context) ([]auth.Token, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.list(), s.fail
}

func (s *Tokens) list() []auth.Token {
	list := []auth.Token{}
	for _, name := range slices.Sorted(maps.Keys(s.byName)) {
		list = append(list, s.byName[name])
	}
	return list
}

// Find implements auth.Tokens.
func (s *Tokens) Find(_ context.Context, digest auth.TokenDigest) (auth.Token, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.looks++
	if s.fail != nil {
		return auth.Token{}, s.fail
	}
	for _, t := range s.byName {
		if t.Digest == digest && t.RevokedAt.IsZero() {
			return t, nil
		}
	}
	return auth.Token{}, auth.ErrNoToken
}

// Used implements auth.Tokens.
func (s *Tokens) Used(_ context.Context, digest auth.TokenDigest, at time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, t := range s.byName {
		if s.fail == nil && t.Digest == digest && t.RevokedAt.IsZero() && t.LastUsed.Before(micro(at)) {
			t.LastUsed = micro(at)
			s.byName[name] = t
		}
	}
	return s.fail
}
