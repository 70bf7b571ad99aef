package storetest

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/holdline/holdline/internal/admin"
	"github.com/holdline/holdline/internal/claim"
)

// alarm raises and changes a change's alarms.
func (s *Store) alarm(change claim.Change) error {
	if raised := change.Raise; raised != nil {
		if _, exists := s.alarms[raised.ID]; exists {
			return claim.ErrConcurrentUpdate
		}
		s.alarms[raised.ID] = storedAlarm(*raised)
	}
	for _, a := range change.Alarms {
		kept, ok := s.alarms[a.ID]
		if !ok || kept.Version != a.Version {
			return claim.ErrConcurrentUpdate
		}
		next := storedAlarm(a)
		next.IdentityID, next.Denied, next.Number, next.Previous = kept.IdentityID, kept.Denied, kept.Number, kept.Previous
		next.PreviousVerified, next.ClientIP, next.RaisedAt = kept.PreviousVerified, kept.ClientIP, kept.RaisedAt
		next.Version++
		s.alarms[a.ID] = next
	}
	return nil
}

// storedAlarm returns an alarm as a store keeps it.
func storedAlarm(a claim.Alarm) claim.Alarm {
	for _, moment := range []*time.Time{&a.RaisedAt, &a.SessionsEndedAt, &a.DueAt, &a.BlockedUntil, &a.LiftedAt, &a.ClosedAt} {
		if !moment.IsZero() {
			*moment = micro(*moment)
		}
	}
	return a
}

// Alarm implements claim.Alarms.
func (s *Store) Alarm(_ context.Context, claimID string) (*claim.Alarm, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, ok := s.alarms[claimID]
	if !ok || s.fail != nil {
		return nil, s.fail
	}
	return &a, nil
}

// BlockedUntil implements claim.Alarms.
func (s *Store) BlockedUntil(_ context.Context, identityID string, now time.Time) (time.Time, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.blockedUntil(identityID, now), s.fail
}

// blockedUntil is until when an identity's changes are blocked. The caller holds the lock.
func (s *Store) blockedUntil(identityID string, now time.Time) (until time.Time) {
	for _, a := range s.alarms {
		if a.IdentityID == identityID && a.BlockedUntil.After(micro(now)) && a.BlockedUntil.After(until) {
			until = a.BlockedUntil
		}
	}
	return until
}

// AlarmSince implements claim.Alarms.
func (s *Store) AlarmSince(_ context.Context, identityID string, moment time.Time) (*claim.Alarm, error) {
	found, err := s.alarmsWhere(func(a claim.Alarm) bool { return a.IdentityID == identityID && !a.RaisedAt.Before(micro(moment)) },
		func(a, b claim.Alarm) int { return newest(b.RaisedAt, b.ID, a.RaisedAt, a.ID) }, 1)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return &found[0], nil
}

// BlockingAlarms implements claim.Alarms.
func (s *Store) BlockingAlarms(_ context.Context, identityID string, now time.Time) ([]claim.Alarm, error) {
	return s.alarmsWhere(func(a claim.Alarm) bool { return a.IdentityID == identityID && a.BlockedUntil.After(micro(now)) },
		func(a, b claim.Alarm) int { return b.BlockedUntil.Compare(a.BlockedUntil) }, 1<<30)
}

// DueAlarms implements claim.Alarms.
func (s *Store) DueAlarms(_ context.Context, now time.Time, n int) ([]claim.Alarm, error) {
	return s.alarmsWhere(func(a claim.Alarm) bool { return !a.DueAt.IsZero() && !a.DueAt.After(micro(now)) },
		func(a, b claim.Alarm) int { return cmp.Or(a.DueAt.Compare(b.DueAt), cmp.Compare(a.ID, b.ID)) }, n)
}

// FindAlarms implements admin.Store.
func (s *Store) FindAlarms(_ context.Context, q admin.AlarmQuery) ([]claim.Alarm, error) {
	return s.alarmsWhere(func(a claim.Alarm) bool {
		return fits(q.IdentityID, a.IdentityID) && (!q.Open || !a.Closed()) && behind(q.After, a.RaisedAt, a.ID)
	}, func(a, b claim.Alarm) int { return newest(a.RaisedAt, a.ID, b.RaisedAt, b.ID) }, q.Limit)
}

func (s *Store) alarmsWhere(which func(claim.Alarm) bool, order func(a, b claim.Alarm) int, n int) ([]claim.Alarm, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []claim.Alarm
	for _, a := range slices.SortedFunc(maps.Values(s.alarms), order) {
		if which(a) && len(found) < n {
			found = append(found, a)
		}
	}
	return found, s.fail
}
