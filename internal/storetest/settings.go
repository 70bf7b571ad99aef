package storetest

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/holdline/holdline/internal/audit"
	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/settings"
)

// Settings are working settings.Store in memory. The zero value is empty.
type Settings struct {
	mu     sync.Mutex
	kept   map[settings.Key]settings.Setting
	events []audit.Event
	fail   error
}

var _ settings.Store = (*Settings)(nil)

// Fail makes every call fail with err, until it is nil.
func (s *Settings) Fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fail = err
}

// Events returns the audit trail.
func (s *Settings) Events() []audit.Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.events)
}

// Settings implements settings.Store.
func (s *Settings) Settings(context.Context) ([]settings.Setting, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := []settings.Setting{}
	for _, name := range slices.Sorted(maps.Keys(s.kept)) {
		list = append(list, s.kept[name])
	}
	return list, s.fail
}

// ChangeSettings implements settings.Store. It works on a copy, and keeps it if
// all went well.
func (s *Settings) ChangeSettings(_ context.Context, changes []settings.Change, by audit.Actor, at time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail != nil {
		return s.fail
	}
	next, events := map[settings.Key]settings.Setting{}, s.events
	maps.Copy(next, s.kept)
	for _, change := range changes {
		if next[change.Key].Value != change.From {
			return claim.ErrConcurrentUpdate
		}
		next[change.Key] = settings.Setting{Key: change.Key, Value: change.To, By: by.ID, At: micro(at)}
		if change.To == "" {
			delete(next, change.Key)
		}
		events = append(events, change.Event)
	}
	s.kept, s.events = next, events
	return nil
}
