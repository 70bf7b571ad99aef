package persistence

import (
	"cmp"
	"context"
	"slices"
	"time"

	"gorm.io/gorm"

	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/persistence/database"
)

var held = []string{string(claim.Open), string(claim.Verified)}

// currentRow is a living claim, or nothing, beside the identity's other tries.
type currentRow struct {
	Claim       claimRow `gorm:"embedded"`
	Tries       int
	TriesBefore int
	TriesSince  database.Time
}

// currentQuery yields one row more than nothing, so that the tries are known
// also when no claim lives. The few rows are sorted here: in the database that
// would take a table on disk for each query, and MariaDB 10.11 has been seen to
// die when a connection broke off just then.
const currentQuery = `
SELECT c.*, t.tries, t.tries_before, t.tries_since
FROM (
  SELECT COALESCE(SUM(attempts), 0) AS tries, MIN(created_at) AS tries_since,
    COALESCE(SUM(CASE WHEN state IN ? AND number = (SELECT number FROM claims WHERE held_identity = ?)
      THEN attempts ELSE 0 END), 0) AS tries_before
  FROM claims
  WHERE identity_id = ? AND created_at > ? AND attempts > 0 AND state NOT IN ?
) AS t
LEFT JOIN claims AS c ON c.identity_id = ? AND c.state IN ?`

// Current implements [claim.Claims].
func (s *Store) Current(ctx context.Context, identityID string, since time.Time) (claim.IdentityClaims, error) {
	var rows []currentRow
	err := s.db.Read(ctx, "current", "claims", func(tx *gorm.DB) error {
		rows = nil
		return tx.Raw(currentQuery, replaced, identityID, identityID, database.Time(since), held, identityID, living).Find(&rows).Error
	})
	var snapshot claim.IdentityClaims
	for _, row := range rows {
		snapshot.TriesElsewhere, snapshot.TriesBefore = row.Tries, row.TriesBefore
		snapshot.TriesSince = time.Time(row.TriesSince)
		switch c := row.Claim.claim(); {
		case c.State == claim.Staged && c.Direct:
			snapshot.Direct = append(snapshot.Direct, c)
		case c.State == claim.Staged:
			snapshot.Staged = append(snapshot.Staged, c)
		case c.State.Active():
			snapshot.Active = &c
		}
	}
	for _, claims := range [][]claim.Claim{snapshot.Staged, snapshot.Direct} {
		slices.SortFunc(claims, func(a, b claim.Claim) int {
			return cmp.Or(b.CreatedAt.Compare(a.CreatedAt), cmp.Compare(b.ID, a.ID))
		})
	}
	return snapshot, err
}

// replaced are the states of claims that gave way to another wish of their owner.
var replaced = []string{string(claim.Superseded), string(claim.Cancelled)}

var living = append([]string{string(claim.Staged)}, held...)

// Last implements [claim.Claims].
func (s *Store) Last(ctx context.Context, identityID string) (*claim.Claim, error) {
	var rows []claimRow
	err := s.db.Read(ctx, "last", "claims", func(tx *gorm.DB) error {
		return tx.Where("identity_id = ? AND ended_at IS NOT NULL AND state NOT IN ?", identityID, living).
			Order("ended_at DESC, created_at DESC, id DESC").Limit(1).Find(&rows).Error
	})
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	last := rows[0].claim()
	return &last, nil
}

// Applied implements [claim.Claims].
func (s *Store) Applied(ctx context.Context, identityID string) (*claim.Claim, error) {
	var rows []claimRow
	err := s.db.Read(ctx, "applied", "claims", func(tx *gorm.DB) error {
		return tx.Where("identity_id = ? AND state = ?", identityID, string(claim.Applied)).
			Order("ended_at DESC, created_at DESC, id DESC").Limit(1).Find(&rows).Error
	})
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	last := rows[0].claim()
	return &last, nil
}

// Find implements [claim.Claims].
func (s *Store) Find(ctx context.Context, claimID string) (*claim.Claim, error) {
	var rows []claimRow
	err := s.db.Read(ctx, "find", "claims", func(tx *gorm.DB) error {
		return tx.Where("id = ?", claimID).Limit(1).Find(&rows).Error
	})
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	found := rows[0].claim()
	return &found, nil
}

// neverOpen are the states of claims that were not opened.
var neverOpen = []string{string(claim.Staged), string(claim.Discarded)}

// Newest implements [claim.Claims].
func (s *Store) Newest(ctx context.Context, identityID string, number phone.Number) (*claim.Claim, error) {
	var rows []claimRow
	err := s.db.Read(ctx, "newest", "claims", func(tx *gorm.DB) error {
		return tx.Where("identity_id = ? AND number_key = ? AND state NOT IN ?", identityID, number.Dialled(), neverOpen).
			Order("created_at DESC, id DESC").Limit(1).Find(&rows).Error
	})
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	newest := rows[0].claim()
	return &newest, nil
}

// confirmed are the states of a claim whose code came back.
var confirmed = []string{string(claim.Verified), string(claim.Applied), string(claim.Conflict)}

// History implements [claim.Claims].
func (s *Store) History(ctx context.Context, identityID string, number phone.Number, since time.Time) (claim.History, error) {
	var rows []claimRow
	err := s.db.Read(ctx, "history", "claims", func(tx *gorm.DB) error {
		return tx.Where("identity_id = ? AND created_at > ? AND texts > 0 AND held_identity IS NULL",
			identityID, database.Time(since)).Order("created_at, id").Find(&rows).Error
	})
	var history claim.History
	for _, row := range rows {
		history.Add(row.claim(), number)
	}
	return history, err
}
