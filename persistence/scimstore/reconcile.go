package scimstore

import (
	"context"
	"slices"
	"time"

	"gorm.io/gorm"

	"github.com/holdline/holdline/internal/scim"
	"github.com/holdline/holdline/persistence/database"
)

// Reconcile implements [scim.Index].
func (x *Index) Reconcile(ctx context.Context, entries []scim.Entry) (changed int, err error) {
	for batch := range slices.Chunk(entries, batchSize) {
		n, err := x.reconcile(ctx, batch)
		changed += n
		if err != nil {
			return changed, err
		}
	}
	return changed, nil
}

// reconcile compares a batch with what is there and writes what differs.
func (x *Index) reconcile(ctx context.Context, entries []scim.Entry) (changed int, err error) {
	there := map[string]userRow{}
	var ids []string
	for _, e := range entries {
		ids = append(ids, e.ID)
	}
	var rows []userRow
	err = x.db.Read(ctx, "compare", "scim_users", func(tx *gorm.DB) error { return tx.Where("id IN ?", ids).Find(&rows).Error })
	if err != nil {
		return 0, err
	}
	for _, row := range rows {
		there[row.ID] = row
	}
	same := map[time.Time][]string{}
	for _, e := range entries {
		row, err := newUserRow(e)
		if err != nil {
			return changed, err
		}
		if row.describes(there[e.ID]) {
			same[e.Seen] = append(same[e.Seen], e.ID)
			continue
		}
		if err := x.Put(ctx, e); err != nil {
			return changed, err
		}
		changed++
	}
	return changed, x.see(ctx, same)
}

// describes reports whether two rows differ in nothing but when they were written.
func (r userRow) describes(other userRow) bool {
	return r.ID == other.ID && r.Version == other.Version && r.Document == other.Document &&
		r.ExternalIDs == other.ExternalIDs && r.FoundBy == other.FoundBy &&
		time.Time(r.UpdatedAt).Equal(time.Time(other.UpdatedAt))
}

func (x *Index) see(ctx context.Context, seen map[time.Time][]string) error {
	for at, ids := range seen {
		err := x.db.Write(ctx, "see", "scim_users", func(tx *gorm.DB) error {
			return tx.Model(&userRow{}).Where("id IN ? AND seen_at < ?", ids, database.Time(at)).
				UpdateColumn("seen_at", database.Time(at)).Error
		})
		if err != nil {
			return x.db.Classify(err)
		}
	}
	return nil
}

// Unseen implements [scim.Index].
func (x *Index) Unseen(ctx context.Context, since time.Time, n int) ([]string, error) {
	var ids []string
	err := x.db.Read(ctx, "unseen", "scim_users", func(tx *gorm.DB) error {
		return tx.Model(&userRow{}).Where("seen_at < ?", database.Time(since)).Order("seen_at").Limit(n).Pluck("id", &ids).Error
	})
	return ids, err
}
