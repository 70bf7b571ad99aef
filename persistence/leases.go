package persistence

import (
	"context"
	"errors"
	"time"

	"gorm.io/gorm"

	"github.com/holdline/holdline/claim"
)

// void holds for a lease that has ended, by time or with its claim.
const void = `identity_id = ? AND (ends_at <= ? OR claim_id <> '' AND NOT EXISTS (
  SELECT 1 FROM claims AS c WHERE c.id = identity_leases.claim_id AND c.state = ?))`

// Acquire implements [claim.Leases].
func (s *Store) Acquire(ctx context.Context, lease claim.Lease, now time.Time) error {
	err := s.insert(ctx, lease)
	if !errors.Is(err, gorm.ErrDuplicatedKey) {
		return away(err)
	}
	var removed int64
	err = s.db.write(ctx, func(tx *gorm.DB) error {
		done := tx.Where(void, lease.IdentityID, moment(now), string(claim.Verified)).Delete(&leaseRow{})
		removed = done.RowsAffected
		return done.Error
	})
	if err != nil {
		return away(err)
	}
	if removed == 0 {
		return claim.ErrLeased
	}
	err = s.insert(ctx, lease)
	if errors.Is(err, gorm.ErrDuplicatedKey) {
		return claim.ErrLeased
	}
	return away(err)
}

func (s *Store) insert(ctx context.Context, lease claim.Lease) error {
	return s.db.write(ctx, func(tx *gorm.DB) error {
		return tx.Create(&leaseRow{
			IdentityID: lease.IdentityID, Owner: lease.Owner, ClaimID: lease.ClaimID, EndsAt: moment(lease.Until),
		}).Error
	})
}

// Release implements [claim.Leases].
func (s *Store) Release(ctx context.Context, lease claim.Lease) error {
	return away(s.db.write(ctx, func(tx *gorm.DB) error {
		return tx.Where("identity_id = ? AND owner = ?", lease.IdentityID, lease.Owner).Delete(&leaseRow{}).Error
	}))
}
