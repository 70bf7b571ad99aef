package persistence

import (
	"context"
	"errors"
	"time"

	"gorm.io/gorm"

	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/persistence/database"
)

// void holds for a lease that has ended, by time or with its claim.
const void = `identity_id = ? AND (ends_at <= ? OR claim_id <> '' AND NOT EXISTS (
  SELECT 1 FROM claims AS c WHERE c.id = identity_leases.claim_id AND c.state = ?))`

// leftLeases is how many identities are remembered whose lease ended with its
// claim, and so still stands in the table.
const leftLeases = 1 << 14

// Acquire implements [claim.Leases], usually in one statement: it adds the lease,
// or first takes over the one that this process has left there.
func (s *Store) Acquire(ctx context.Context, lease claim.Lease, now time.Time) error {
	ways := []func(context.Context, claim.Lease, time.Time) (bool, error){s.addLease, s.takeOverLease}
	if s.left.Contains(lease.IdentityID) {
		ways[0], ways[1] = ways[1], ways[0]
	}
	for _, way := range ways {
		taken, err := way(ctx, lease, now)
		if err != nil {
			return s.db.Classify(err)
		}
		if taken {
			if lease.ClaimID != "" {
				s.left.Add(lease.IdentityID, struct{}{})
			}
			return nil
		}
	}
	return claim.ErrLeased
}

// addLease reports whether nobody had a lease.
func (s *Store) addLease(ctx context.Context, lease claim.Lease, _ time.Time) (bool, error) {
	err := s.db.Write(ctx, "acquire", "identity_leases", func(tx *gorm.DB) error {
		return insert(tx, leaseRow{
			IdentityID: lease.IdentityID, Owner: lease.Owner, ClaimID: lease.ClaimID, EndsAt: database.Time(lease.Until),
		})
	})
	if errors.Is(err, gorm.ErrDuplicatedKey) {
		return false, nil
	}
	return err == nil, err
}

// takeOverLease reports whether somebody had a lease that has ended.
func (s *Store) takeOverLease(ctx context.Context, lease claim.Lease, now time.Time) (bool, error) {
	var changed int64
	err := s.db.Write(ctx, "acquire", "identity_leases", func(tx *gorm.DB) (err error) {
		changed, err = update(tx, "identity_leases",
			[]assignment{{"owner", lease.Owner}, {"claim_id", lease.ClaimID}, {"ends_at", database.Time(lease.Until)}},
			void, lease.IdentityID, database.Time(now), string(claim.Verified))
		return err
	})
	return changed == 1, err
}

// Release implements [claim.Leases].
func (s *Store) Release(ctx context.Context, lease claim.Lease) error {
	s.left.Remove(lease.IdentityID)
	return s.db.Classify(s.db.Write(ctx, "release", "identity_leases", func(tx *gorm.DB) error {
		return tx.Where("identity_id = ? AND owner = ?", lease.IdentityID, lease.Owner).Delete(&leaseRow{}).Error
	}))
}

// Extend has a lease that is still this owner's end later.
func (s *Store) Extend(ctx context.Context, lease claim.Lease) error {
	return s.db.Classify(s.db.Write(ctx, "extend", "identity_leases", func(tx *gorm.DB) error {
		_, err := update(tx, "identity_leases", []assignment{{"ends_at", database.Time(lease.Until)}},
			"identity_id = ? AND owner = ?", lease.IdentityID, lease.Owner)
		return err
	}))
}
