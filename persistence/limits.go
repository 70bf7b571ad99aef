package persistence

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"gorm.io/gorm"

	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/internal/ratelimit"
	"github.com/holdline/holdline/persistence/database"
)

// rule bounds texts. It is kept in any of several ways.
type rule struct {
	ways []way
	// sequence is the column that numbers the texts of which where says that the
	// rule is about them. Its unique index lets only one of several texts be the
	// next, so that each has seen all those before it and the rule is exact. Blank
	// where texts exclude one another already.
	sequence string
	where    string
	values   []any
}

// way is kept if all of its counts are.
type way struct {
	counts []count
	// verifiedBy is the id of the claim whose identity must have had a verified
	// number when it was made; blank if that does not matter.
	verifiedBy string
}

// count says that of the texts that meet a condition, fewer than most were
// queued since a moment.
type count struct {
	name   string
	where  string
	values []any
	window time.Duration
	since  database.Time
	most   int
}

// What rules count: texts with codes, or notices that a number receives.
const (
	codes   = " AND kind = 'code'"
	notices = " AND kind <> 'code' AND channel = 'sms'"
)

const day = 24 * time.Hour

// rulesOf lists the rules that bear on a change's text, or on the text that its
// created claim will lead to. A budget of a calling code is not among them.
func rulesOf(change claim.Change) []rule {
	switch {
	case change.Text != nil && change.Create != nil && change.Create.ID == change.Text.Code.ClaimID:
		text := *change.Text
		text.Code.ClaimID = "" // not to be looked up before it is there
		return rulesFor(text, change.Limits, change.At, change.Create.PreviousVerified)
	case change.Text != nil:
		return rulesFor(*change.Text, change.Limits, change.At, change.Text.Code.ClaimID != "")
	case change.Create != nil:
		c := change.Create
		text := message.Text{IdentityID: c.IdentityID, To: c.Number, ClientIP: c.LastAddress}
		return rulesFor(text, change.Limits, change.At, c.PreviousVerified)
	default:
		return nil
	}
}

// rulesFor lists the rules that bear on a text with a code. An owner is who has a
// verified number; where the text names its claim, that has the last word on it.
func rulesFor(text message.Text, limits claim.TextLimits, at time.Time, owner bool) []rule {
	number, address := text.To.Key(), database.Clip(text.ClientIP, addressWidth)
	per := func(name string, window time.Duration, most int, where string, values ...any) []count {
		if most <= 0 || values[0] == "" {
			return nil
		}
		return []count{{
			name: name, where: where + codes, values: values, window: window, since: database.Time(at.Add(-window)), most: most,
		}}
	}
	var rules []rule
	add := func(r rule) {
		if len(r.ways[0].counts) > 0 {
			rules = append(rules, r)
		}
	}
	// An identity's changes exclude one another; its texts need no sequence.
	add(rule{ways: []way{{counts: per(claim.LimitIdentityTexts, day, limits.PerIdentityDay, "identity_id = ?", text.IdentityID)}}})
	const ofNumber = "number_key = ?"
	shared := way{counts: append(
		per(claim.LimitNumberHour, time.Hour, limits.PerNumberHour, ofNumber, number),
		per(claim.LimitNumberTexts, day, limits.PerNumberDay, ofNumber, number)...)}
	ways := []way{shared}
	if owner {
		ways = append(ways, way{verifiedBy: text.Code.ClaimID, counts: append(
			per(claim.LimitNumberTexts, day, claim.OwnTextsPerNumberDay, ofNumber+" AND identity_id = ?", number, text.IdentityID),
			per(claim.LimitNumberTexts, day, limits.PerNumberDayInAll(), ofNumber, number)...)})
	}
	add(rule{ways: ways, sequence: "number_seq", where: ofNumber, values: []any{number}})
	add(rule{
		ways:     []way{{counts: per(claim.LimitAddressTexts, time.Hour, limits.PerAddressHour, "address = ?", address)}},
		sequence: "address_seq", where: "address = ?", values: []any{address},
	})
	return rules
}

// noticeRules lists the rules that bear on a notice.
func noticeRules(notice message.Text, limits claim.TextLimits, at time.Time) []rule {
	number := notice.To.Key()
	if limits.NoticesPerNumberDay <= 0 || number == "" || notice.Channel == message.ChannelWebhook {
		return nil
	}
	return []rule{{
		ways: []way{{counts: []count{{
			name: claim.LimitNumberNotices, where: "number_key = ?" + notices, values: []any{number},
			window: day, since: database.Time(at.Add(-day)), most: limits.NoticesPerNumberDay,
		}}}},
		sequence: "number_seq", where: "number_key = ?", values: []any{number},
	}}
}

// firstOnly is the rule that a fresh change keeps.
func firstOnly(change claim.Change) []rule {
	if change.NoTextWithin == 0 {
		return nil
	}
	var identity, number string
	if change.Text != nil {
		identity, number = change.Text.IdentityID, change.Text.To.Key()
	} else if change.Create != nil {
		identity, number = change.Create.IdentityID, change.Create.Number.Key()
	}
	return []rule{{ways: []way{{counts: []count{{
		where: "identity_id = ? AND number_key = ?" + codes, values: []any{identity, number},
		window: change.NoTextWithin, since: database.Time(change.At.Add(-change.NoTextWithin)), most: 1,
	}}}}}}
}

// insertWithin inserts a row if that keeps the rules and the guards, and else returns
// errFull. Check, count and insertion are one statement.
func insertWithin[R any](tx *gorm.DB, row R, rules []rule, guards ...guard) error {
	if len(rules)+len(guards) == 0 {
		return insert(tx, row)
	}
	table, columns, fields, err := dissect(tx, &row)
	if err != nil {
		return err
	}
	selected, values := make([]string, len(columns)), make([]any, 0, len(columns))
	for i, column := range columns {
		if r, ok := numbering(rules, column); ok {
			selected[i] = "(SELECT COALESCE(MAX(" + column + "), 0) + 1 FROM texts WHERE " + r.where + ")"
			values = append(values, r.values...)
			continue
		}
		selected[i], values = "?", append(values, fields[i])
	}
	conditions := make([]string, len(rules))
	for i, r := range rules {
		ways := make([]string, len(r.ways))
		for j, w := range r.ways {
			condition, of := w.condition()
			ways[j], values = condition, append(values, of...)
		}
		conditions[i] = "(" + strings.Join(ways, " OR ") + ")"
	}
	condition, values := and(conditions, values, guards)
	inserted, err := database.Exec(tx, "INSERT INTO "+table+" ("+strings.Join(columns, ", ")+
		") SELECT "+strings.Join(selected, ", ")+" FROM (SELECT 1 AS one) AS once WHERE "+condition, values...)
	switch {
	case err == nil && inserted == 0:
		return errFull
	case errors.Is(err, gorm.ErrDuplicatedKey) && slices.ContainsFunc(rules, func(r rule) bool { return r.sequence != "" }):
		return errOutnumbered
	default:
		return err
	}
}

func (w way) condition() (string, []any) {
	conditions, values := make([]string, len(w.counts)), []any(nil)
	for i, c := range w.counts {
		conditions[i] = "(SELECT COUNT(*) FROM texts WHERE " + c.where + " AND created_at > ?) < ?"
		values = append(append(values, c.values...), c.since, c.most)
	}
	if w.verifiedBy != "" {
		conditions, values = append(conditions, "EXISTS ("+ownerQuery+")"), append(values, w.verifiedBy)
	}
	return strings.Join(conditions, " AND "), values
}

// ownerQuery finds a claim whose identity had a verified number.
const ownerQuery = "SELECT id FROM claims WHERE id = ? AND was_verified"

// numbering returns the rule that a column numbers texts for.
func numbering(rules []rule, column string) (rule, bool) {
	for _, r := range rules {
		if r.sequence == column {
			return r, true
		}
	}
	return rule{}, false
}

// NextAllowed implements [claim.Claims].
func (s *Store) NextAllowed(ctx context.Context, text message.Text, limits claim.TextLimits, now time.Time) (time.Time, error) {
	until, _, err := s.fullUntil(ctx, rulesFor(text, limits, now, text.Code.ClaimID != ""))
	if err != nil || limits.PerCodeHour == 0 {
		return until, err
	}
	var row limitRow
	err = s.db.Read(ctx, "room", "limits", func(tx *gorm.DB) error {
		return tx.Where("name = ?", budgetName(text.To)).Limit(1).Find(&row).Error
	})
	if room := conforms(row, budgetOf(limits)); room.After(now) && room.After(until) {
		until = room
	}
	return until, err
}

// budgetName is what a number's calling code is limited by.
func budgetName(m phone.Number) string { return "texts:" + m.CallingCode() }

func budgetOf(limits claim.TextLimits) ratelimit.Limit {
	return ratelimit.Limit{Most: limits.PerCodeHour, Window: time.Hour}
}

// fullUntil returns when rules have room again, and which count lasts longest; zero
// for now.
func (s *Store) fullUntil(ctx context.Context, rules []rule) (until time.Time, name string, _ error) {
	for _, r := range rules {
		end, of, err := s.ruleUntil(ctx, r)
		if err != nil {
			return time.Time{}, "", err
		}
		if end.After(until) {
			until, name = end, of
		}
	}
	return until, name, nil
}

// ruleUntil returns when the first of a rule's ways is open again.
func (s *Store) ruleUntil(ctx context.Context, r rule) (until time.Time, name string, _ error) {
	for i, w := range r.ways {
		end, of, err := s.wayUntil(ctx, w)
		if err != nil {
			return time.Time{}, "", err
		}
		if end.IsZero() {
			return time.Time{}, "", nil
		}
		if i == 0 || end.Before(until) {
			until, name = end, of
		}
	}
	return until, name, nil
}

// never is when a way opens that is not the identity's.
var never = time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)

// wayUntil returns when all counts of a way are kept again.
func (s *Store) wayUntil(ctx context.Context, w way) (until time.Time, name string, _ error) {
	for _, c := range w.counts {
		// When this text leaves the window, fewer than most are in it.
		var texts []textRow
		err := s.db.Read(ctx, "room", "texts", func(tx *gorm.DB) error {
			return tx.Where(c.where+" AND created_at > ?", append(c.values[:len(c.values):len(c.values)], c.since)...).
				Order("created_at DESC").Offset(c.most - 1).Limit(1).Find(&texts).Error
		})
		if err != nil {
			return time.Time{}, "", err
		}
		if len(texts) == 0 {
			continue
		}
		if end := time.Time(texts[0].CreatedAt).Add(c.window); end.After(until) {
			until, name = end, c.name
		}
	}
	if w.verifiedBy == "" {
		return until, name, nil
	}
	var owners []string
	err := s.db.Read(ctx, "room", "texts", func(tx *gorm.DB) error {
		owners = nil
		return tx.Raw(ownerQuery, w.verifiedBy).Scan(&owners).Error
	})
	if err == nil && len(owners) == 0 {
		return never, "", nil
	}
	return until, name, err
}

// errOutnumbered: another text took the next place in a count.
var errOutnumbered = errors.New("another text was counted in the same instant")
