package persistence

import (
	"context"
	"time"

	"gorm.io/gorm"

	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/persistence/database"
)

// Due implements [claim.Backlog].
func (s *Store) Due(ctx context.Context, now time.Time, n int) ([]claim.Claim, error) {
	var rows []claimRow
	err := s.db.Read(ctx, "due", "claims", func(tx *gorm.DB) error {
		return tx.Where("due_at <= ?", database.Time(now)).Order("due_at, id").Limit(n).Find(&rows).Error
	})
	claims := make([]claim.Claim, len(rows))
	for i, row := range rows {
		claims[i] = row.claim()
	}
	return claims, err
}

// Take implements [claim.Backlog]. Every taking raises the tries and every move
// the version, so the two name what was read.
func (s *Store) Take(ctx context.Context, c claim.Claim, until time.Time) (bool, error) {
	var taken int64
	err := s.db.Write(ctx, "take", "claims", func(tx *gorm.DB) error {
		done := tx.Model(&claimRow{}).
			Where("id = ? AND state = ? AND version = ? AND due_tries = ? AND due_at IS NOT NULL",
				c.ID, string(c.State), c.Version, c.DueTries).
			UpdateColumns(map[string]any{"due_at": database.Time(until), "due_tries": gorm.Expr("due_tries + 1")})
		taken = done.RowsAffected
		return done.Error
	})
	return taken == 1, s.db.Classify(err)
}

// Prune implements [claim.Backlog]: it forgets the claims with their texts,
// audit lines and alarms, then leases that nobody gave back, and receipts. Each step finds
// its rows along an index and locks no others: changes of number go on meanwhile.
func (s *Store) Prune(ctx context.Context, before time.Time, n int) (int, error) {
	var old []struct{ ID, IdentityID string }
	err := s.db.Read(ctx, "prune", "claims", func(tx *gorm.DB) error {
		old = nil
		return tx.Model(&claimRow{}).Select("id", "identity_id").Where("ended_at < ?", database.Time(before)).
			Order("ended_at").Limit(n).Scan(&old).Error
	})
	if err != nil {
		return 0, err
	}
	if len(old) == 0 {
		if leases, err := s.pruneLeases(ctx, before, n); err != nil || leases == n { // there may be more
			return leases, err
		}
		return s.pruneReceipts(ctx, before, n)
	}
	ids, identities := make([]string, len(old)), make([]string, len(old))
	for i, c := range old {
		ids[i], identities[i] = c.ID, c.IdentityID
	}
	err = s.db.Transaction(ctx, "prune", "claims", func(tx *gorm.DB) error {
		// Whose claims are forgotten is found by them no longer: see [people.Indexer]. They are
		// listed: for a query of them MariaDB would lock everybody.
		err := tx.Model(&personRow{}).Where("identity_id IN ?", identities).
			UpdateColumn("seen_at", database.Time(neverSeen)).Error
		if err != nil {
			return err
		}
		for _, rows := range []any{&textRow{}, &eventRow{}} {
			if err := tx.Where("claim_id IN ?", ids).Delete(rows).Error; err != nil {
				return err
			}
		}
		if err := tx.Where("id IN ?", ids).Delete(&alarmRow{}).Error; err != nil {
			return err
		}
		return tx.Where("id IN ?", ids).Delete(&claimRow{}).Error
	})
	if err != nil {
		return 0, s.db.Classify(err)
	}
	return len(ids), nil
}

// pruneLeases forgets leases and returns how many.
func (s *Store) pruneLeases(ctx context.Context, before time.Time, n int) (int, error) {
	var identities []string
	err := s.db.Read(ctx, "prune", "identity_leases", func(tx *gorm.DB) error {
		identities = nil
		return tx.Model(&leaseRow{}).Where("ends_at < ?", database.Time(before)).
			Order("ends_at").Limit(n).Pluck("identity_id", &identities).Error
	})
	if err != nil || len(identities) == 0 {
		return 0, err
	}
	return len(identities), s.db.Classify(s.db.Write(ctx, "prune", "identity_leases", func(tx *gorm.DB) error {
		return tx.Where("identity_id IN ? AND ends_at < ?", identities, database.Time(before)).Delete(&leaseRow{}).Error
	}))
}
