// Package scimstore keeps the index of SCIM users in the database: documents, and the
// values that they are found by.
package scimstore

import (
	"context"
	"slices"
	"sync/atomic"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/holdline/holdline/internal/scim"
	"github.com/holdline/holdline/persistence/database"
)

// Index implements [scim.Index].
//
// Lists come in the order of a hash of the id, which also shares the users among
// 1,024 buckets. Each bucket has its count, written in the transaction that adds
// or removes a user. So a total is the sum of the counts, and a page is found from
// its bucket on without passing over the users before it. Writers meet only on
// the bucket that they share.
type Index struct {
	db       *database.DB
	bound    int
	complete atomic.Bool // a pass was over, when it was last looked
}

var _ scim.Index = (*Index)(nil)

// Bound is how many documents a query may look at unless it says otherwise.
const Bound = 50_000

// New returns an index on a database whose schema is up to date.
func New(db *database.DB) *Index { return &Index{db: db, bound: Bound} }

// Put implements [scim.Index].
func (x *Index) Put(ctx context.Context, e scim.Entry) error {
	write, err := writeEntry(e)
	if err != nil {
		return err
	}
	return x.db.Classify(x.db.Together(ctx, "put", "scim_users", write))
}

// Writing implements [scim.Index].
func (x *Index) Writing(e scim.Entry) (any, error) { return writeEntry(e) }

func writeEntry(e scim.Entry) (func(tx *gorm.DB) error, error) {
	row, err := newUserRow(e)
	if err != nil {
		return nil, err
	}
	return writeRow(row, e.Over)
}

// writeRow returns the statements that write a row over what is said to be there. They
// suffice where that is right; where not, they find out.
func writeRow(row userRow, over any) (func(tx *gorm.DB) error, error) {
	old, known := over.(userRow)
	if !known {
		return func(tx *gorm.DB) error { return putRow(tx, row) }, nil
	}
	added, err := row.values()
	if err != nil {
		return nil, err
	}
	if old.ID == "" {
		return func(tx *gorm.DB) error {
			// One that is there may be anybody's, or have been seen later.
			inserted := tx.Clauses(clause.OnConflict{DoNothing: true}).Create(&row)
			if inserted.Error != nil {
				return inserted.Error
			}
			if inserted.RowsAffected == 0 {
				return putRow(tx, row)
			}
			return addRow(tx, row)
		}, nil
	}
	row.Place = old.Place
	gone, err := old.values()
	if err != nil {
		return nil, err
	}
	gone, added = without(gone, added), without(added, gone)
	return func(tx *gorm.DB) error {
		changed, err := database.Exec(tx, `UPDATE scim_users SET version = ?, document = ?, external_ids = ?, found_by = ?,
			updated_at = ?, seen_at = ?, writes = writes + 1 WHERE place = ? AND writes = ? AND seen_at <= ?`,
			row.Version, row.Document, row.ExternalIDs, row.FoundBy, row.UpdatedAt, row.SeenAt, row.Place, old.Writes, row.SeenAt)
		if err != nil {
			return err
		}
		if changed == 0 {
			return putRow(tx, row)
		}
		return replaceValues(tx, gone, added)
	}, nil
}

// replaceValues puts values in the place of others.
func replaceValues(tx *gorm.DB, gone, added []valueRow) error {
	if len(gone) == 1 && len(added) == 1 { // as of whatever changes, the moment
		_, err := database.Exec(tx, `UPDATE scim_values SET path = ?, value_key = ? WHERE path = ? AND value_key = ? AND place = ?`,
			added[0].Path, added[0].ValueKey, gone[0].Path, gone[0].ValueKey, gone[0].Place)
		return err
	}
	if err := removeValues(tx, gone); err != nil {
		return err
	}
	if len(added) == 0 {
		return nil
	}
	return tx.Create(&added).Error
}

// putRow writes a row until it is in or a newer one is. Whoever updates the row,
// if only its writes, holds it to the end of the transaction.
func putRow(tx *gorm.DB, row userRow) error {
	for {
		held := tx.Model(&userRow{}).Where("id = ? AND seen_at <= ?", row.ID, row.SeenAt).
			UpdateColumn("writes", gorm.Expr("writes + 1"))
		if held.Error != nil {
			return held.Error
		}
		if held.RowsAffected > 0 {
			return replaceRow(tx, row)
		}
		// A key that is taken must not fail the statement: some databases would end
		// the transaction with it.
		added := tx.Clauses(clause.OnConflict{DoNothing: true}).Create(&row)
		if added.Error != nil {
			return added.Error
		}
		if added.RowsAffected > 0 {
			return addRow(tx, row)
		}
		var there userRow
		if err := tx.Select("seen_at").Where("id = ?", row.ID).Limit(1).Find(&there).Error; err != nil {
			return err
		}
		switch seen := time.Time(there.SeenAt); {
		case seen.IsZero():
			row.Place++ // another identity has the place
		case seen.After(time.Time(row.SeenAt)):
			return nil
		}
	}
}

// addRow writes what belongs to a new row. The count is last, because it is held
// against others of the bucket until the transaction ends.
func addRow(tx *gorm.DB, row userRow) error {
	values, err := row.values()
	if err != nil {
		return err
	}
	if len(values) > 0 {
		if err := tx.Create(&values).Error; err != nil {
			return err
		}
	}
	return countUsers(tx, row.Place, 1)
}

// replaceRow writes a row over the one that is there, and of its values those
// that changed.
func replaceRow(tx *gorm.DB, row userRow) error {
	var old userRow
	if err := tx.Select("place", "found_by").Where("id = ?", row.ID).Take(&old).Error; err != nil {
		return err
	}
	row.Place = old.Place
	gone, err := old.values()
	if err != nil {
		return err
	}
	added, err := row.values()
	if err != nil {
		return err
	}
	if err := replaceValues(tx, without(gone, added), without(added, gone)); err != nil {
		return err
	}
	return tx.Model(&userRow{}).Where("place = ?", row.Place).UpdateColumns(map[string]any{
		"version": row.Version, "document": row.Document, "external_ids": row.ExternalIDs,
		"found_by": row.FoundBy, "updated_at": row.UpdatedAt, "seen_at": row.SeenAt,
	}).Error
}

// without returns the values that are not among others.
func without(values, others []valueRow) []valueRow {
	type key struct{ path, key string }
	known := map[key]bool{}
	for _, v := range others {
		known[key{string(v.Path), string(v.ValueKey)}] = true
	}
	var rest []valueRow
	for _, v := range values {
		if !known[key{string(v.Path), string(v.ValueKey)}] {
			rest = append(rest, v)
		}
	}
	return rest
}

func removeValues(tx *gorm.DB, values []valueRow) error {
	if len(values) == 0 {
		return nil
	}
	var lines []clause.Expression
	for _, v := range values {
		lines = append(lines, clause.And(
			clause.Eq{Column: "path", Value: v.Path}, clause.Eq{Column: "value_key", Value: v.ValueKey},
			clause.Eq{Column: "place", Value: v.Place},
		))
	}
	return tx.Clauses(clause.Where{Exprs: []clause.Expression{clause.Or(lines...)}}).Delete(&valueRow{}).Error
}

// countRow is a line of the table scim_counts.
type countRow struct {
	Bucket int64 `gorm:"primaryKey;autoIncrement:false"`
	Users  int
}

// TableName implements gorm's Tabler.
func (countRow) TableName() string { return "scim_counts" }

func countUsers(tx *gorm.DB, place int64, by int) error {
	return tx.Clauses(clause.OnConflict{
		Columns:   []clause.Column{{Name: "bucket"}},
		DoUpdates: clause.Assignments(map[string]any{"users": gorm.Expr("scim_counts.users + ?", by)}),
	}).Create(&countRow{bucketOf(place), by}).Error
}

// Delete implements [scim.Index].
func (x *Index) Delete(ctx context.Context, id string) error {
	return x.db.Classify(x.db.Transaction(ctx, "delete", "scim_users", func(tx *gorm.DB) error {
		// As in putRow, the first statement holds the row.
		held := tx.Model(&userRow{}).Where("id = ?", id).UpdateColumn("writes", gorm.Expr("writes + 1"))
		if held.Error != nil || held.RowsAffected == 0 {
			return held.Error
		}
		var row userRow
		if err := tx.Select("place", "found_by").Where("id = ?", id).Take(&row).Error; err != nil {
			return err
		}
		values, err := row.values()
		if err != nil {
			return err
		}
		if err := removeValues(tx, values); err != nil {
			return err
		}
		if err := tx.Where("place = ?", row.Place).Delete(&userRow{}).Error; err != nil {
			return err
		}
		return countUsers(tx, row.Place, -1)
	}))
}

// Find implements [scim.Index].
func (x *Index) Find(ctx context.Context, id, client string) (scim.Entry, error) {
	var rows []userRow
	err := x.db.Read(ctx, "find", "scim_users", func(tx *gorm.DB) error {
		rows = nil
		return tx.Raw(`SELECT `+shownColumns+`, u.found_by, u.writes FROM scim_users AS u WHERE u.id = ?`, id).Scan(&rows).Error
	})
	if err != nil || len(rows) == 0 {
		return x.Absent(), err
	}
	entry, err := rows[0].entry(client)
	entry.Over = rows[0]
	return entry, err
}

// Absent implements [scim.Index].
func (x *Index) Absent() scim.Entry { return scim.Entry{Over: userRow{}} }

// Stamps implements [scim.Index].
func (x *Index) Stamps(ctx context.Context, ids []string) (map[string]scim.Stamp, error) {
	stamps := make(map[string]scim.Stamp, len(ids))
	for batch := range slices.Chunk(ids, batchSize) {
		var rows []userRow
		err := x.db.Read(ctx, "stamps", "scim_users", func(tx *gorm.DB) error {
			return tx.Select("id", "version", "updated_at").Where("id IN ?", batch).Find(&rows).Error
		})
		if err != nil {
			return nil, err
		}
		for _, row := range rows {
			stamps[row.ID] = scim.Stamp{Version: row.Version, Updated: time.Time(row.UpdatedAt)}
		}
	}
	return stamps, nil
}
