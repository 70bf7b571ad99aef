package persistence

import (
	"context"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/persistence/database"
)

// trialRow is a line of the table trials.
type trialRow struct {
	IdentityID string `gorm:"primaryKey"`
	ExpiresAt  database.Time
	Staged     int
	Activated  int
	Held       bool
}

// TableName implements gorm's Tabler.
func (trialRow) TableName() string { return "trials" }

// Trials implements [claim.Trials].
type Trials struct{ db *database.DB }

var _ claim.Trials = Trials{}

// NewTrials returns the trials of a database whose schema is up to date.
func NewTrials(db *database.DB) Trials { return Trials{db} }

// BeginTrial implements [claim.Trials].
func (s Trials) BeginTrial(ctx context.Context, identityID string, now, expires time.Time, most int) (bool, error) {
	row := trialRow{IdentityID: identityID, ExpiresAt: database.Time(expires)}
	var others int64
	err := s.db.Classify(s.db.Transaction(ctx, "begin", "trials", func(tx *gorm.DB) error {
		if err := tx.Where("expires_at <= ?", database.Time(now)).Delete(&trialRow{}).Error; err != nil {
			return err
		}
		err := tx.Model(&trialRow{}).Where("identity_id <> ?", identityID).Count(&others).Error
		if err != nil || others >= int64(most) {
			return err
		}
		return tx.Clauses(clause.OnConflict{UpdateAll: true}).Create(&row).Error
	}))
	return err == nil && others < int64(most), err
}

// Trial implements [claim.Trials].
func (s Trials) Trial(ctx context.Context, identityID string, now time.Time) (*claim.Trial, error) {
	var rows []trialRow
	err := s.db.Read(ctx, "find", "trials", func(tx *gorm.DB) error {
		return tx.Where("identity_id = ? AND expires_at > ?", identityID, database.Time(now)).Find(&rows).Error
	})
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	r := rows[0]
	return &claim.Trial{
		IdentityID: r.IdentityID, Expires: time.Time(r.ExpiresAt), Staged: r.Staged, Activated: r.Activated, Held: r.Held,
	}, nil
}

// NoteStaged implements [claim.Trials].
func (s Trials) NoteStaged(ctx context.Context, identityID string, held bool) error {
	return s.note(ctx, identityID, assignment{"staged", expression("staged + 1")}, assignment{"held", held})
}

// NoteActivated implements [claim.Trials].
func (s Trials) NoteActivated(ctx context.Context, identityID string) error {
	return s.note(ctx, identityID, assignment{"activated", expression("activated + 1")})
}

func (s Trials) note(ctx context.Context, identityID string, what ...assignment) error {
	return s.db.Classify(s.db.Write(ctx, "note", "trials", func(tx *gorm.DB) error {
		_, err := update(tx, "trials", what, "identity_id = ?", identityID)
		return err
	}))
}

// EndTrial implements [claim.Trials].
func (s Trials) EndTrial(ctx context.Context, identityID string) error {
	return s.db.Classify(s.db.Write(ctx, "end", "trials", func(tx *gorm.DB) error {
		return tx.Where("identity_id = ?", identityID).Delete(&trialRow{}).Error
	}))
}
