package persistence

import (
	"context"
	"time"

	"gorm.io/gorm"

	"github.com/holdline/holdline/claim"
)

// void holds for a lease that has ended, by time or with its claim.
const void = `(identity_leases.ends_at <= ? OR identity_leases.claim_id <> '' AND NOT EXISTS (
  SELECT 1 FROM claims AS c WHERE c.id = identity_leases.claim_id AND c.state = ?))`

const takeLease = "INSERT INTO identity_leases (identity_id, owner, claim_id, ends_at) VALUES (?, ?, ?, ?)\n"

// What becomes of a lease that is there already: it is taken over if it is void,
// and else left as it is, by which no row changes. MySQL assigns from left to
// right, so the owner, who is new for each taking, tells the others.
var takeOver = map[dialect]string{
	mysqlDialect: `ON DUPLICATE KEY UPDATE owner = IF(` + void + `, ?, owner),
claim_id = IF(owner = ?, ?, claim_id), ends_at = IF(owner = ?, ?, ends_at)`,
	sqliteDialect: `ON CONFLICT (identity_id) DO UPDATE
SET owner = excluded.owner, claim_id = excluded.claim_id, ends_at = excluded.ends_at WHERE ` + void,
}

// Acquire implements [claim.Leases], in one statement.
func (s *Store) Acquire(ctx context.Context, lease claim.Lease, now time.Time) error {
	end := moment(lease.Until)
	values := []any{lease.IdentityID, lease.Owner, lease.ClaimID, end, moment(now), string(claim.Verified)}
	if s.db.dialect == mysqlDialect {
		values = append(values, lease.Owner, lease.Owner, lease.ClaimID, lease.Owner, end)
	}
	var changed int64
	err := s.db.write(ctx, func(tx *gorm.DB) error {
		done := tx.Exec(takeLease+takeOver[s.db.dialect], values...)
		changed = done.RowsAffected
		return done.Error
	})
	if err == nil && changed == 0 {
		return claim.ErrLeased
	}
	return away(err)
}

// Release implements [claim.Leases].
func (s *Store) Release(ctx context.Context, lease claim.Lease) error {
	return away(s.db.write(ctx, func(tx *gorm.DB) error {
		return tx.Where("identity_id = ? AND owner = ?", lease.IdentityID, lease.Owner).Delete(&leaseRow{}).Error
	}))
}
