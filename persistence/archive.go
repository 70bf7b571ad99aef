package persistence

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"gorm.io/gorm"

	"github.com/holdline/holdline/internal/admin"
	"github.com/holdline/holdline/internal/audit"
	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/persistence/database"
	"github.com/holdline/holdline/persistence/dialect"
)

var _ admin.Store = (*Store)(nil)

// FindClaims implements [admin.Store].
func (s *Store) FindClaims(ctx context.Context, q admin.ClaimQuery) ([]claim.Claim, error) {
	if q.IdentityIDs != nil {
		return s.claimsOf(ctx, q)
	}
	p := page{table: "claims", index: "claims_newest"}
	if q.State != "" {
		p.index = "claims_newest_state"
	}
	p.is("state", string(q.State))
	p.after(q.After)
	var rows []claimRow
	err := s.find(ctx, &rows, p, newestMade, q.Limit)
	return claimsOf(rows), err
}

func claimsOf(rows []claimRow) []claim.Claim {
	claims := make([]claim.Claim, len(rows))
	for i, row := range rows {
		claims[i] = row.claim()
	}
	return claims
}

// claimPlace is as much of a claim as decides whether it is on a page.
type claimPlace struct {
	ID, State, Number string
	CreatedAt         database.Time
}

// claimsOf returns the claims of some people. Theirs are few, so that they are sorted here, and
// no index need know when they were made.
func (s *Store) claimsOf(ctx context.Context, q admin.ClaimQuery) ([]claim.Claim, error) {
	var fitting []claimPlace
	for ids := range slices.Chunk(q.IdentityIDs, identitiesAtOnce) {
		var places []claimPlace
		err := s.db.Read(ctx, "find", "claims", func(tx *gorm.DB) error {
			places = nil
			return tx.Raw("SELECT id, state, number, created_at FROM claims"+s.db.Dialect().Index("claims_newest_identity")+
				" WHERE identity_id IN ?", ids).Scan(&places).Error
		})
		if err != nil {
			return nil, err
		}
		for _, c := range places {
			if q.Fits(claim.State(c.State), phone.FromStore(c.Number)) && q.After.Behind(time.Time(c.CreatedAt), c.ID) {
				fitting = append(fitting, c)
			}
		}
	}
	slices.SortFunc(fitting, func(a, b claimPlace) int {
		return cmp.Or(time.Time(b.CreatedAt).Compare(time.Time(a.CreatedAt)), cmp.Compare(b.ID, a.ID))
	})
	fitting = fitting[:min(max(0, q.Limit), len(fitting))]
	if len(fitting) == 0 {
		return []claim.Claim{}, nil
	}
	ids := make([]string, len(fitting))
	for i, c := range fitting {
		ids[i] = c.ID
	}
	var rows []claimRow
	err := s.db.Read(ctx, "find", "claims", func(tx *gorm.DB) error {
		rows = nil
		return tx.Where("id IN ?", ids).Find(&rows).Error
	})
	slices.SortFunc(rows, func(a, b claimRow) int { return cmp.Compare(slices.Index(ids, a.ID), slices.Index(ids, b.ID)) })
	return claimsOf(rows), err
}

// identitiesAtOnce is how many people's claims are asked for in one statement.
const identitiesAtOnce = 200

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

// openBeginnings reads the index over states, and confirmedBeginnings that over ends: no index need
// know more for a count that is asked for once in a while.
const (
	openBeginnings = `
SELECT SUBSTR(number_key, 1, ?) AS text, COUNT(*) AS n FROM claims
WHERE state = ? AND direct = ? GROUP BY 1`
	confirmedBeginnings = `
SELECT SUBSTR(number_key, 1, ?) AS text, COUNT(*) AS n FROM claims
WHERE ended_at > ? AND state = ? AND direct = ? GROUP BY 1`
)

// Beginnings implements [admin.Store].
func (s *Store) Beginnings(ctx context.Context, digits int, since time.Time) ([]admin.Beginning, error) {
	counts := map[string]admin.Beginning{}
	count := func(query string, add func(*admin.Beginning, int), args ...any) error {
		var rows []struct {
			Text string
			N    int
		}
		err := s.db.Read(ctx, "beginnings", "claims", func(tx *gorm.DB) error {
			rows = nil
			return tx.Raw(query, args...).Scan(&rows).Error
		})
		for _, row := range rows {
			b := counts[row.Text]
			b.Text = row.Text
			add(&b, row.N)
			counts[row.Text] = b
		}
		return err
	}
	const plus = len("+")
	err := errors.Join(
		count(openBeginnings, func(b *admin.Beginning, n int) { b.Open = n }, plus+digits, string(claim.Open), false),
		count(confirmedBeginnings, func(b *admin.Beginning, n int) { b.Confirmed = n }, plus+digits, database.Time(since), string(claim.Applied), false),
	)
	found := make([]admin.Beginning, 0, len(counts))
	for _, text := range slices.Sorted(maps.Keys(counts)) {
		found = append(found, counts[text])
	}
	return found, err
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
