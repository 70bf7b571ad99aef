package persistence

import (
	"context"
	"errors"
	"time"

	"gorm.io/gorm"
)

// passedUsers names the passes over users.
const passedUsers = "users"

// scimPass is a line of the table scim_passes.
type scimPass struct {
	Name    string `gorm:"primaryKey"`
	BeganAt moment
}

// TableName implements gorm's Tabler.
func (scimPass) TableName() string { return "scim_passes" }

// LastPass implements [scim.Index].
func (x *ScimIndex) LastPass(ctx context.Context) (time.Time, error) {
	var row scimPass
	err := x.db.Read(ctx, "last pass", "scim_passes", func(tx *gorm.DB) error {
		return tx.Where("name = ?", passedUsers).Limit(1).Find(&row).Error
	})
	return time.Time(row.BeganAt), err
}

// Complete implements [scim.Index]. Once complete, the index stays so.
func (x *ScimIndex) Complete(ctx context.Context) (bool, error) {
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
func (x *ScimIndex) Passed(ctx context.Context, began time.Time) error {
	err := x.db.Write(ctx, "passed", "scim_passes", func(tx *gorm.DB) error {
		return tx.Create(&scimPass{passedUsers, moment(began)}).Error
	})
	if errors.Is(err, gorm.ErrDuplicatedKey) {
		err = x.db.Write(ctx, "passed", "scim_passes", func(tx *gorm.DB) error {
			return tx.Model(&scimPass{}).Where("name = ? AND began_at < ?", passedUsers, moment(began)).
				UpdateColumn("began_at", moment(began)).Error
		})
	}
	return x.db.Classify(err)
}
