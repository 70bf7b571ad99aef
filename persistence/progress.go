package persistence

import (
	"context"
	"errors"

	"gorm.io/gorm"

	"github.com/holdline/holdline/persistence/database"
)

// progressRow is a line of the table progress.
type progressRow struct {
	Name   string `gorm:"primaryKey"`
	Moment database.Time
	RowID  string
}

// TableName implements gorm's Tabler.
func (progressRow) TableName() string { return "progress" }

func readProgress(ctx context.Context, db *database.DB, name string) (progressRow, error) {
	var row progressRow
	err := db.Read(ctx, "read progress", "progress", func(tx *gorm.DB) error {
		return tx.Where("name = ?", name).Limit(1).Find(&row).Error
	})
	return row, err
}

func writeProgress(ctx context.Context, db *database.DB, row progressRow) error {
	err := db.Write(ctx, "write progress", "progress", func(tx *gorm.DB) error {
		changed := tx.Model(&progressRow{}).Where("name = ?", row.Name).
			UpdateColumns(map[string]any{"moment": row.Moment, "row_id": row.RowID})
		if changed.Error != nil || changed.RowsAffected > 0 {
			return changed.Error
		}
		return tx.Create(&row).Error
	})
	if errors.Is(err, gorm.ErrDuplicatedKey) {
		return nil // as it was
	}
	return db.Classify(err)
}
