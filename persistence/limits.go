package persistence

import (
	"context"
	"errors"
	"strings"
	"time"

	"gorm.io/gorm"

	"github.com/holdline/holdline/claim"
)

// limit says that of the texts that meet a condition, fewer than most were
// queued since a moment.
type limit struct {
	name   string
	where  string
	values []any
	window time.Duration
	since  moment
	most   int
	// sequence is the column that counts these texts one by one. Its unique index
	// lets only one of several texts be the next, so that each has seen all those
	// before it and the limit is exact.
	sequence string
}

// limitsOf lists the limits that bear on a change's text, or on the text that
// its created claim will lead to. A budget of a calling code is not among them.
func limitsOf(change claim.Change) []limit {
	switch {
	case change.Text != nil:
		return limitsFor(*change.Text, change)
	case change.Create != nil:
		c := change.Create
		return limitsFor(claim.Text{IdentityID: c.IdentityID, To: c.Number, Address: c.LastAddress}, change)
	default:
		return nil
	}
}

func limitsFor(text claim.Text, change claim.Change) []limit {
	var limits []limit
	add := func(name string, window time.Duration, most int, sequence, where string, values ...any) {
		if most > 0 && window > 0 && values[0] != "" {
			limits = append(limits, limit{
				name: name, where: where, values: values, window: window, since: moment(change.At.Add(-window)),
				most: most, sequence: sequence,
			})
		}
	}
	const day = 24 * time.Hour
	number, address := text.To.Key(), clip(text.Address, addressWidth)
	// An identity's changes exclude one another; its texts need no sequence.
	add(claim.LimitIdentityTexts, day, change.Limits.PerIdentityDay, "", "identity_id = ?", text.IdentityID)
	add(claim.LimitNumberTexts, day, change.Limits.PerNumberDay, "number_seq", "number_key = ?", number)
	add(claim.LimitAddressTexts, time.Hour, change.Limits.PerAddressHour, "address_seq", "address = ?", address)
	return limits
}

// firstOnly is the limit that a fresh change keeps.
func firstOnly(change claim.Change) []limit {
	if change.Fresh == 0 {
		return nil
	}
	var identity, number string
	if change.Text != nil {
		identity, number = change.Text.IdentityID, change.Text.To.Key()
	} else if change.Create != nil {
		identity, number = change.Create.IdentityID, change.Create.Number.Key()
	}
	return []limit{{
		where: "identity_id = ? AND number_key = ?", values: []any{identity, number},
		window: change.Fresh, since: moment(change.At.Add(-change.Fresh)), most: 1,
	}}
}

// insertWithin inserts a row if that keeps the limits, and else returns errFull.
// Check, count and insertion are one statement. A row that is no text is not
// counted.
func insertWithin[R any](tx *gorm.DB, row R, limits []limit) error {
	if len(limits) == 0 {
		return insert(tx, row)
	}
	table, columns, fields, err := dissect(tx, &row)
	if err != nil {
		return err
	}
	selected, values := make([]string, len(columns)), make([]any, 0, len(columns))
	for i, column := range columns {
		if l, ok := counting(limits, column); ok {
			selected[i] = "(SELECT COALESCE(MAX(" + column + "), 0) + 1 FROM texts WHERE " + l.where + ")"
			values = append(values, l.values...)
			continue
		}
		selected[i], values = "?", append(values, fields[i])
	}
	conditions := make([]string, len(limits))
	for i, l := range limits {
		conditions[i] = "(SELECT COUNT(*) FROM texts WHERE " + l.where + " AND " + codesSince + ") < ?"
		values = append(append(values, l.values...), l.since, l.most)
	}
	inserted, err := exec(tx, "INSERT INTO "+table+" ("+strings.Join(columns, ", ")+
		") SELECT "+strings.Join(selected, ", ")+" FROM (SELECT 1 AS one) AS once WHERE "+
		strings.Join(conditions, " AND "), values...)
	if err == nil && inserted == 0 {
		return errFull
	}
	return err
}

// counting returns the limit that a column counts for.
func counting(limits []limit, column string) (limit, bool) {
	for _, l := range limits {
		if l.sequence == column {
			return l, true
		}
	}
	return limit{}, false
}

// RoomAt implements [claim.Claims].
func (s *Store) RoomAt(ctx context.Context, text claim.Text, limits claim.TextLimits, now time.Time) (time.Time, error) {
	until, _, err := s.fullUntil(ctx, limitsFor(text, claim.Change{Limits: limits, At: now}))
	if err != nil || limits.PerCodeHour == 0 {
		return until, err
	}
	var row limitRow
	err = s.db.read(ctx, func(tx *gorm.DB) error {
		return tx.Where("name = ?", budgetName(text.To)).Limit(1).Find(&row).Error
	})
	if room := conforms(row, budgetOf(limits)); room.After(now) && room.After(until) {
		until = room
	}
	return until, err
}

// budgetName is what a number's calling code is limited by.
func budgetName(m claim.Mobile) string { return "texts:" + m.CallingCode() }

func budgetOf(limits claim.TextLimits) claim.Allowance {
	return claim.Allowance{Most: limits.PerCodeHour, Window: time.Hour}
}

// fullUntil tells when limits have room again, and which of them lasts longest;
// zero for now.
func (s *Store) fullUntil(ctx context.Context, limits []limit) (until time.Time, name string, _ error) {
	for _, l := range limits {
		// When this text leaves the window, fewer than most are in it.
		var texts []textRow
		err := s.db.read(ctx, func(tx *gorm.DB) error {
			return tx.Where(l.where+" AND "+codesSince, append(l.values[:len(l.values):len(l.values)], l.since)...).
				Order("created_at DESC").Offset(l.most - 1).Limit(1).Find(&texts).Error
		})
		if err != nil {
			return time.Time{}, "", err
		}
		if len(texts) == 0 {
			continue
		}
		if end := time.Time(texts[0].CreatedAt).Add(l.window); end.After(until) {
			until, name = end, l.name
		}
	}
	return until, name, nil
}

// codesSince leaves notices out of account, which no limit bears on.
const codesSince = "kind = 'code' AND created_at > ?"

// errOutnumbered: another text took the next place in a count.
var errOutnumbered = errors.New("another text was counted in the same instant")
