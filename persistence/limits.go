package persistence

import (
	"context"
	"fmt"
	"reflect"
	"strings"
	"time"

	"gorm.io/gorm"

	"github.com/holdline/holdline/claim"
)

// limit says that of the texts with a value in a column, fewer than most were
// queued since a moment.
type limit struct {
	column string
	value  string
	window time.Duration
	since  moment
	most   int
}

// limitsOf lists the limits that bear on a change's text, or on the text that
// its created claim will lead to.
func limitsOf(change claim.Change) []limit {
	var identity, number, address string
	switch {
	case change.Text != nil:
		identity, number, address = change.Text.IdentityID, change.Text.To.Key(), change.Text.Address
	case change.Create != nil:
		identity, number, address = change.Create.IdentityID, change.Create.Number.Key(), change.Create.LastAddress
	}
	var limits []limit
	add := func(column, value string, window time.Duration, most int) {
		if value != "" && most > 0 {
			limits = append(limits, limit{column, value, window, moment(change.At.Add(-window)), most})
		}
	}
	add("identity_id", identity, 24*time.Hour, change.Limits.PerIdentityDay)
	add("number_key", number, 24*time.Hour, change.Limits.PerNumberDay)
	add("address", clip(address, addressWidth), time.Hour, change.Limits.PerAddressHour)
	return limits
}

// insertWithin inserts a row if that keeps the limits, and else returns errFull.
// Check and insertion are one statement.
func insertWithin(tx *gorm.DB, row any, limits []limit) error {
	if len(limits) == 0 {
		return tx.Create(row).Error
	}
	parsed := &gorm.Statement{DB: tx}
	if err := parsed.Parse(row); err != nil {
		return fmt.Errorf("read row: %w", err)
	}
	values, conditions := []any{}, []string{}
	for _, column := range parsed.Schema.DBNames {
		value, _ := parsed.Schema.FieldsByDBName[column].ValueOf(tx.Statement.Context, reflect.ValueOf(row))
		values = append(values, value)
	}
	for _, l := range limits {
		conditions = append(conditions, "(SELECT COUNT(*) FROM texts WHERE "+l.column+" = ? AND created_at > ?) < ?")
		values = append(values, l.value, l.since, l.most)
	}
	done := tx.Exec("INSERT INTO "+parsed.Table+" ("+strings.Join(parsed.Schema.DBNames, ", ")+
		") SELECT "+strings.Repeat("?, ", len(parsed.Schema.DBNames)-1)+"? FROM (SELECT 1 AS one) AS once WHERE "+
		strings.Join(conditions, " AND "), values...)
	if done.Error == nil && done.RowsAffected == 0 {
		return errFull
	}
	return done.Error
}

// fullUntil tells when the change's limits have room again; zero for now.
func (s *Store) fullUntil(ctx context.Context, change claim.Change) (time.Time, error) {
	var until time.Time
	for _, l := range limitsOf(change) {
		// When this text leaves the window, fewer than most are in it.
		var texts []textRow
		err := s.db.read(ctx, func(tx *gorm.DB) error {
			return tx.Where(l.column+" = ? AND created_at > ?", l.value, l.since).
				Order("created_at DESC").Offset(l.most - 1).Limit(1).Find(&texts).Error
		})
		if err != nil {
			return time.Time{}, err
		}
		if len(texts) == 0 {
			continue
		}
		if end := time.Time(texts[0].CreatedAt).Add(l.window); end.After(until) {
			until = end
		}
	}
	return until, nil
}
