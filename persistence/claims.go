package persistence

import (
	"context"
	"time"

	"gorm.io/gorm"

	"github.com/holdline/holdline/claim"
)

var held = []string{string(claim.Open), string(claim.Verified)}

// currentRow is a living claim, or nothing, beside the identity's other tries.
type currentRow struct {
	Claim      claimRow `gorm:"embedded"`
	Tries      int
	TriesSince moment
}

// currentQuery yields one row more than nothing, so that the tries are known
// also when no claim lives.
const currentQuery = `
SELECT c.*, t.tries, t.tries_since
FROM (
  SELECT COALESCE(SUM(attempts), 0) AS tries, MIN(created_at) AS tries_since FROM claims
  WHERE identity_id = ? AND created_at > ? AND attempts > 0 AND state NOT IN ?
) AS t
LEFT JOIN claims AS c ON c.identity_id = ? AND c.state IN ?
ORDER BY c.created_at DESC, c.id DESC`

// Current implements [claim.Claims].
func (s *Store) Current(ctx context.Context, identityID string, since time.Time) (claim.Snapshot, error) {
	var rows []currentRow
	err := s.db.read(ctx, func(tx *gorm.DB) error {
		rows = nil
		return tx.Raw(currentQuery, identityID, moment(since), held, identityID, living).Scan(&rows).Error
	})
	var snapshot claim.Snapshot
	for _, row := range rows {
		snapshot.TriesElsewhere, snapshot.TriesSince = row.Tries, time.Time(row.TriesSince)
		switch c := row.Claim.claim(); {
		case c.State == claim.Staged:
			snapshot.Staged = append(snapshot.Staged, c)
		case c.State.Held():
			snapshot.Held = &c
		}
	}
	return snapshot, err
}

var living = append([]string{string(claim.Staged)}, held...)

// Last implements [claim.Claims].
func (s *Store) Last(ctx context.Context, identityID string) (*claim.Claim, error) {
	var rows []claimRow
	err := s.db.read(ctx, func(tx *gorm.DB) error {
		return tx.Where("identity_id = ? AND ended_at IS NOT NULL AND state NOT IN ?", identityID, living).
			Order("ended_at DESC, created_at DESC, id DESC").Limit(1).Find(&rows).Error
	})
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	last := rows[0].claim()
	return &last, nil
}

// TextState implements [claim.Claims].
func (s *Store) TextState(ctx context.Context, claimID string) (claim.TextState, error) {
	var states []string
	err := s.db.read(ctx, func(tx *gorm.DB) error {
		return tx.Model(&textRow{}).Where("claim_id = ?", claimID).
			Order("created_at DESC, code_number DESC, id DESC").Limit(1).Pluck("state", &states).Error
	})
	if err != nil || len(states) == 0 {
		return "", err
	}
	return claim.TextState(states[0]), nil
}
