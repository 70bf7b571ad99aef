package users

import (
	"context"
	"errors"
	"time"

	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/scim"
)

// Written are identities that were just written, on their way to the index: whoever
// wrote them does not wait for it.
type Written struct {
	now     func() time.Time
	waiting chan seenRecord
}

// seenRecord is an identity, and when it was so.
type seenRecord struct {
	record scim.Record
	at     time.Time
}

// mostWaiting bounds the identities that wait to be indexed.
const mostWaiting = 1024

// NewWritten returns an empty one. Now is the database's time.
func NewWritten(now func() time.Time) *Written {
	return &Written{now, make(chan seenRecord, mostWaiting)}
}

// Add takes an identity as it is now. One that finds no room is left to the
// reconciler.
func (w *Written) Add(record scim.Record) {
	select {
	case w.waiting <- seenRecord{record, w.now()}:
	default:
	}
}

// Index has the index know of what is added, until ctx ends.
func (w *Written) Index(ctx context.Context, s *Service) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case seen := <-w.waiting:
			_, err := s.found(ctx, seen.record, seen.at, nil)
			if err != nil && !errors.Is(err, claim.ErrNoIdentity) && ctx.Err() == nil {
				s.Log.WarnContext(ctx, "user not indexed yet", "identity", seen.record.ID, "error", err)
			}
		}
	}
}
