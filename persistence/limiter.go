package persistence

import (
	"context"
	"errors"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/problem"
	"github.com/holdline/holdline/internal/ratelimit"
	"github.com/holdline/holdline/persistence/database"
)

// limitRow is a line of the table limits: a name and its theoretical arrival
// time, in microseconds since 1970, as the generic cell rate algorithm has it.
type limitRow struct {
	Name string `gorm:"primaryKey"`
	TAT  int64  `gorm:"column:tat"`
}

// TableName implements gorm's Tabler.
func (limitRow) TableName() string { return "limits" }

// Limiter implements [ratelimit.Limiter].
type Limiter struct{ db *database.DB }

var _ ratelimit.Limiter = Limiter{}

// NewLimiter returns a limiter on a database whose schema is up to date.
func NewLimiter(db *database.DB) Limiter { return Limiter{db} }

// Take implements [ratelimit.Limiter], in one statement unless it refuses.
func (l Limiter) Take(ctx context.Context, name string, a ratelimit.Limit, now time.Time) error {
	if !a.Bounded() {
		return nil
	}
	err := l.db.Write(ctx, "take", "limits", takeBudget(name, a, now, ratelimit.ErrTooManyTries))
	if limit := (*problem.LimitError)(nil); errors.As(err, &limit) {
		return limit
	}
	return l.db.Classify(err)
}

// takeBudget takes one of a limit, or fails with a *problem.LimitError of
// the reason. It writes the row that it decides by: so those who take at once
// wait for one another, and a cluster sees them conflict. Until its transaction
// ends nobody else can take for the name.
func takeBudget(name string, a ratelimit.Limit, now time.Time, reason error) statement {
	at, interval, tolerance := now.UnixMicro(), a.Interval().Microseconds(), a.Tolerance().Microseconds()
	raised := gorm.Expr(`CASE
  WHEN limits.tat > ? THEN limits.tat
  WHEN limits.tat > ? THEN limits.tat + ?
  ELSE ? END`, at+tolerance, at, interval, at+interval)
	return func(tx *gorm.DB) error {
		done := tx.Clauses(clause.OnConflict{
			Columns:   []clause.Column{{Name: "name"}},
			DoUpdates: clause.Assignments(map[string]any{"tat": raised}),
			// MySQL has no such condition, but does not count a row that stays as it is;
			// SQLite would.
			Where: clause.Where{Exprs: []clause.Expression{gorm.Expr("limits.tat <= ?", at+tolerance)}},
		}).Create(&limitRow{Name: name, TAT: at + interval})
		if done.Error != nil || done.RowsAffected > 0 {
			return done.Error
		}
		var row limitRow
		if err := tx.Where("name = ?", name).Limit(1).Find(&row).Error; err != nil {
			return err
		}
		until := conforms(row, a)
		if until.Before(now) { // by now one may have been given back
			until = now
		}
		limit := &problem.LimitError{Reason: reason, Until: until}
		if errors.Is(reason, claim.ErrCallingCodeFull) {
			limit.Name = claim.LimitCodeTexts
		}
		return limit
	}
}

// conforms returns when the next one of an limit may be taken.
func conforms(row limitRow, a ratelimit.Limit) time.Time {
	return time.UnixMicro(row.TAT - a.Tolerance().Microseconds()).UTC()
}

// GiveBack implements [ratelimit.Limiter].
func (l Limiter) GiveBack(ctx context.Context, name string, a ratelimit.Limit, now time.Time) error {
	if !a.Bounded() {
		return nil
	}
	return l.db.Classify(l.db.Write(ctx, "give back", "limits", func(tx *gorm.DB) error {
		return tx.Model(&limitRow{}).Where("name = ? AND tat > ?", name, now.UnixMicro()).
			UpdateColumn("tat", gorm.Expr("tat - ?", a.Interval().Microseconds())).Error
	}))
}

// pruneBatch bounds how many names one statement forgets.
const pruneBatch = 500

// Prune forgets the names that have everything of their limit again.
func (l Limiter) Prune(ctx context.Context, now time.Time) error {
	for {
		var names []string
		err := l.db.Read(ctx, "prune", "limits", func(tx *gorm.DB) error {
			return tx.Model(&limitRow{}).Where("tat <= ?", now.UnixMicro()).Limit(pruneBatch).Pluck("name", &names).Error
		})
		if err != nil || len(names) == 0 {
			return err
		}
		err = l.db.Write(ctx, "prune", "limits", func(tx *gorm.DB) error {
			return tx.Where("name IN ? AND tat <= ?", names, now.UnixMicro()).Delete(&limitRow{}).Error
		})
		if err != nil {
			return l.db.Classify(err)
		}
	}
}
