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
// audit lines and alarms, then leases that nobody gave back, and receipts.
func (s *Store) Prune(ctx context.Context, before time.Time, n int) (int, error) {
	var ids []string
	err := s.db.Read(ctx, "prune", "claims", func(tx *gorm.DB) error {
		return tx.Model(&claimRow{}).Where("ended_at < ?", database.Time(before)).
			Order("ended_at").Limit(n).Pluck("id", &ids).Error
	})
	if err != nil {
		return 0, err
	}
	if len(ids) == 0 {
		err := s.db.Write(ctx, "prune", "claims", func(tx *gorm.DB) error {
			return tx.Where("ends_at < ?", database.Time(before)).Delete(&leaseRow{}).Error
		})
		if err != nil {
			return 0, s.db.Classify(err)
		}
		return s.pruneReceipts(ctx, before, n)
	}
	err = s.db.Transaction(ctx, "prune", "claims", func(tx *gorm.DB) error {
		// Whose claims are forgotten is found by them no longer: see [people.Indexer].
		err := tx.Model(&personRow{}).Where("identity_id IN (?)", tx.Model(&claimRow{}).Where("id IN ?", ids).Select("identity_id")).
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
