package scimstore

import (
	"context"
	"errors"
	"time"

	"gorm.io/gorm"

	"github.com/holdline/holdline/persistence/database"
)

// passedUsers names the passes over users.
const passedUsers = "users"

// passRow is a line of the table scim_passes.
type passRow struct {
	Name    string `gorm:"primaryKey"`
	BeganAt database.Time
}

// TableName implements gorm's Tabler.
func (passRow) TableName() string { return "scim_passes" }

// LastPass implements [scim.Index].
func (x *Index) LastPass(ctx context.Context) (time.Time, error) {
	var row passRow
	err := x.db.Read(ctx, "last pass", "scim_passes", func(tx *gorm.DB) error {
		return tx.Where("name = ?", passedUsers).Limit(1).Find(&row).Error
	})
	return time.Time(row.BeganAt), err
}

// Complete implements [scim.Index]. Once complete, the index stays so.
func (x *Index) Complete(ctx context.Context) (bool, error) {
	if x.complete.Load() {
		return true, nil
	}
	last, err := x.LastPass(ctx)
	if err == nil && !last.IsZero() {
		x.complete.Store(true)
	}
	return x.complete.Load(), err
}

// Passed implements [scim.Index].
func (x *Index) Passed(ctx context.Context, began time.Time) error {
	err := x.db.Write(ctx, "passed", "scim_passes", func(tx *gorm.DB) error {
		return tx.Create(&passRow{passedUsers, database.Time(began)}).Error
	})
	if errors.Is(err, gorm.ErrDuplicatedKey) {
		err = x.db.Write(ctx, "passed", "scim_passes", func(tx *gorm.DB) error {
			return tx.Model(&passRow{}).Where("name = ? AND began_at < ?", passedUsers, database.Time(began)).
				UpdateColumn("began_at", database.Time(began)).Error
		})
	}
	return x.db.Classify(err)
}
