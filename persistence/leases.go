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
	for _, way := range s.leaseWays(lease) {
		var taken bool
		err := s.db.Write(ctx, "acquire", "identity_leases", func(tx *gorm.DB) (err error) {
			taken, err = way(tx, lease, now)
			return err
		})
		switch {
		case errors.Is(err, gorm.ErrDuplicatedKey): // somebody was as quick
		case err != nil:
			return s.db.Classify(err)
		case taken:
			s.remember(lease)
			return nil
		}
	}
	return claim.ErrLeased
}

// takeLease acquires a lease within a transaction, if nobody has it.
func (s *Store) takeLease(lease claim.Lease, now time.Time, taken *bool) statement {
	return func(tx *gorm.DB) (err error) {
		*taken = false
		for _, way := range s.leaseWays(lease) {
			*taken, err = way(tx, lease, now)
			if errors.Is(err, gorm.ErrDuplicatedKey) {
				return claim.ErrConcurrentUpdate // and there is no going on in every database
			}
			if err != nil || *taken {
				return err
			}
		}
		return nil
	}
}

// leaseWays are the ways to a lease, each a statement, the likelier first.
func (s *Store) leaseWays(lease claim.Lease) [2]func(*gorm.DB, claim.Lease, time.Time) (bool, error) {
	if s.left.Contains(lease.IdentityID) {
		return [...]func(*gorm.DB, claim.Lease, time.Time) (bool, error){takeOverLease, addLease}
	}
	return [...]func(*gorm.DB, claim.Lease, time.Time) (bool, error){addLease, takeOverLease}
}

// remember keeps in mind that a lease will end with its claim.
func (s *Store) remember(lease claim.Lease) {
	if lease.ClaimID != "" {
		s.left.Add(lease.IdentityID, struct{}{})
	}
}

// addLease reports whether nobody had a lease.
func addLease(tx *gorm.DB, lease claim.Lease, _ time.Time) (bool, error) {
	err := insertWithin(tx, leaseRow{
		IdentityID: lease.IdentityID, Owner: lease.Owner, ClaimID: lease.ClaimID, EndsAt: database.Time(lease.Until),
	}, nil, guard{"NOT EXISTS (SELECT 1 FROM identity_leases WHERE identity_id = ?)", []any{lease.IdentityID}})
	if errors.Is(err, errFull) {
		return false, nil
	}
	return err == nil, err
}

// takeOverLease reports whether somebody had a lease that has ended.
func takeOverLease(tx *gorm.DB, lease claim.Lease, now time.Time) (bool, error) {
	changed, err := update(tx, "identity_leases",
		[]assignment{{"owner", lease.Owner}, {"claim_id", lease.ClaimID}, {"ends_at", database.Time(lease.Until)}},
		void, lease.IdentityID, database.Time(now), string(claim.Verified))
	return changed == 1, err
}

// Release implements [claim.Leases].
func (s *Store) Release(ctx context.Context, lease claim.Lease) error {
	s.left.Remove(lease.IdentityID)
	return s.db.Classify(s.db.Write(ctx, "release", "identity_leases", func(tx *gorm.DB) error {
		return tx.Where("identity_id = ? AND owner = ?", lease.IdentityID, lease.Owner).Delete(&leaseRow{}).Error
	}))
}

// releaseLease is Release within a transaction.
func releaseLease(lease claim.Lease) statement {
	return func(tx *gorm.DB) error {
		_, err := database.Exec(tx, "DELETE FROM identity_leases WHERE identity_id = ? AND owner = ?", lease.IdentityID, lease.Owner)
		return err
	}
}

// Extend has a lease that is still this owner's end later.
func (s *Store) Extend(ctx context.Context, lease claim.Lease) error {
	return s.db.Classify(s.db.Write(ctx, "extend", "identity_leases", func(tx *gorm.DB) error {
		_, err := update(tx, "identity_leases", []assignment{{"ends_at", database.Time(lease.Until)}},
			"identity_id = ? AND owner = ?", lease.IdentityID, lease.Owner)
		return err
	}))
}
