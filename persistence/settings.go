package persistence

import (
	"context"
	"errors"
	"time"

	"gorm.io/gorm"

	"github.com/holdline/holdline/internal/audit"
	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/settings"
	"github.com/holdline/holdline/persistence/database"
)

// settingRow is a line of the table settings.
type settingRow struct {
	Name  string `gorm:"primaryKey"`
	Value string
	SetBy string
	SetAt database.Time
}

// TableName implements gorm's Tabler.
func (settingRow) TableName() string { return "settings" }

// Settings implements [settings.Store].
type Settings struct{ db *database.DB }

var _ settings.Store = Settings{}

// NewSettings returns the settings of a database whose schema is up to date.
func NewSettings(db *database.DB) Settings { return Settings{db} }

// Settings implements [settings.Store].
func (s Settings) Settings(ctx context.Context) ([]settings.Setting, error) {
	var rows []settingRow
	err := s.db.Read(ctx, "read", "settings", func(tx *gorm.DB) error { return tx.Order("name").Find(&rows).Error })
	all := make([]settings.Setting, len(rows))
	for i, row := range rows {
		all[i] = settings.Setting{
			Key: settings.Key(row.Name), Value: row.Value, By: row.SetBy, At: time.Time(row.SetAt),
		}
	}
	return all, err
}

// ChangeSettings implements [settings.Store].
func (s Settings) ChangeSettings(ctx context.Context, changes []settings.Change, by audit.Actor, at time.Time) error {
	if len(changes) == 0 {
		return nil
	}
	events := make([]audit.Event, len(changes))
	for i, change := range changes {
		events[i] = change.Event
	}
	err := s.db.Transaction(ctx, "change", "settings", func(tx *gorm.DB) error {
		for _, change := range changes {
			done := changeSetting(tx, change, settingRow{
				Name: string(change.Key), Value: change.To, SetBy: database.Clip(by.ID, textWidth), SetAt: database.Time(at),
			})
			if errors.Is(done.Error, gorm.ErrDuplicatedKey) || done.Error == nil && done.RowsAffected == 0 {
				return claim.ErrConcurrentUpdate
			}
			if done.Error != nil {
				return done.Error
			}
		}
		return tx.Create(newEventRows(events)).Error
	})
	if errors.Is(err, claim.ErrConcurrentUpdate) {
		return claim.ErrConcurrentUpdate
	}
	return s.db.Classify(err)
}

// changeSetting changes no row if what is kept is not what the change begins with.
func changeSetting(tx *gorm.DB, change settings.Change, row settingRow) *gorm.DB {
	kept := tx.Where("name = ? AND value = ?", row.Name, change.From)
	switch {
	case change.To == "":
		return kept.Delete(&settingRow{})
	case change.From == "":
		return tx.Create(&row)
	default:
		return kept.Model(&settingRow{}).
			UpdateColumns(map[string]any{"value": row.Value, "set_by": row.SetBy, "set_at": row.SetAt})
	}
}
