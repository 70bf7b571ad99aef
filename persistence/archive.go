package persistence

import (
	"context"
	"time"

	"gorm.io/gorm"

	"github.com/holdline/holdline/internal/admin"
	"github.com/holdline/holdline/internal/audit"
	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/persistence/database"
	"github.com/holdline/holdline/persistence/dialect"
)

var _ admin.Store = (*Store)(nil)

// FindClaims implements [admin.Store]. Of an identity or a number there are
// few claims; a mask or a state may fit many.
func (s *Store) FindClaims(ctx context.Context, q admin.ClaimQuery) ([]claim.Claim, error) {
	p := page{table: "claims", index: "claims_newest"}
	switch {
	case !q.Number.IsZero():
		p.index = "claims_newest_number"
	case q.IdentityID != "":
		p.index = "claims_newest_identity"
	case q.Masked != "" && q.State != "":
		p.index = "claims_newest_mask_state"
	case q.Masked != "":
		p.index = "claims_newest_mask"
	case q.State != "":
		p.index = "claims_newest_state"
	}
	if q.Masked != "" {
		mask, ok := q.Mask()
		if !ok {
			return nil, nil
		}
		p.is("mask", mask)
	}
	p.is("number_key", q.Number.Dialled())
	p.is("identity_id", q.IdentityID)
	p.is("state", string(q.State))
	p.after(q.After)
	var rows []claimRow
	err := s.find(ctx, &rows, p, newestMade, q.Limit)
	claims := make([]claim.Claim, len(rows))
	for i, row := range rows {
		claims[i] = row.claim()
	}
	return claims, err
}

// find reads a page into a slice of rows.
func (s *Store) find(ctx context.Context, rows any, p page, order string, limit int) error {
	query, args := p.sql(s.db.Dialect(), order, limit)
	return s.db.Read(ctx, "find", p.table, func(tx *gorm.DB) error { return tx.Raw(query, args...).Scan(rows).Error })
}

// eventRecordRow is a line of the table audit_events with its number.
type eventRecordRow struct {
	ID    int64
	Event eventRow `gorm:"embedded"`
}

// FindEvents implements [admin.Store].
func (s *Store) FindEvents(ctx context.Context, q admin.EventQuery) ([]admin.EventRecord, error) {
	p := page{table: "audit_events", index: dialect.PrimaryKey}
	switch {
	case q.ClaimID != "":
		p.index = "audit_events_claim"
	case q.IdentityID != "":
		p.index = "audit_events_newest_identity"
	case q.Kind != "":
		p.index = "audit_events_newest_kind"
	}
	p.is("claim_id", q.ClaimID)
	p.is("identity_id", q.IdentityID)
	p.is("kind", q.Kind)
	if q.Before != 0 {
		p.and("id < ?", q.Before)
	}
	var rows []eventRecordRow
	err := s.find(ctx, &rows, p, newestLine, q.Limit)
	events := make([]admin.EventRecord, len(rows))
	for i, row := range rows {
		events[i] = admin.EventRecord{ID: row.ID, Event: row.Event.event()}
	}
	return events, err
}

// RecordEvent implements [admin.Store].
func (s *Store) RecordEvent(ctx context.Context, e audit.Event) error {
	return s.db.Classify(s.db.Write(ctx, "record event", "audit_events", func(tx *gorm.DB) error {
		return tx.Create(newEventRows([]audit.Event{e})).Error
	}))
}

// waitingQuery counts in indexes that begin with the state, without rows.
const waitingQuery = `
SELECT (SELECT COUNT(*) FROM claims WHERE state = ?) AS open,
  (SELECT COUNT(*) FROM claims WHERE state = ?) AS verified,
  (SELECT COUNT(*) FROM texts WHERE state = ?) AS queued,
  (SELECT MIN(created_at) FROM texts WHERE state = ?) AS oldest_text,
  (SELECT COUNT(*) FROM alarms WHERE outcome = ?) AS alarms`

type waitingRow struct {
	Open, Verified, Queued, Alarms int
	OldestText                     database.Time
}

// Waiting implements [admin.Store].
func (s *Store) Waiting(ctx context.Context) (admin.Waiting, error) {
	var row waitingRow
	err := s.db.Read(ctx, "waiting", "claims", func(tx *gorm.DB) error {
		return tx.Raw(waitingQuery, string(claim.Open), string(claim.Verified), string(message.TextQueued), string(message.TextQueued), string(claim.AlarmOpen)).
			Scan(&row).Error
	})
	return admin.Waiting{
		Open: row.Open, Verified: row.Verified, Queued: row.Queued, OldestText: time.Time(row.OldestText), Alarms: row.Alarms,
	}, err
}
