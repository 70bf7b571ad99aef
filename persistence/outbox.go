package persistence

import (
	"context"
	"strings"
	"time"

	"gorm.io/gorm"

	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/persistence/database"
)

// dueTextRow is a queued text, and whether its claim still waits for its code; a
// notice is always waited for.
type dueTextRow struct {
	Text    textRow `gorm:"embedded"`
	Awaited bool
}

const dueTextsQuery = `
SELECT t.*, t.kind <> ? OR c.id IS NOT NULL AS awaited
FROM texts AS t
LEFT JOIN claims AS c ON c.id = t.claim_id AND c.state = ?
  AND c.code_number = t.code_number AND c.code_key = t.code_key
WHERE t.state = ? AND t.due_at <= ?
ORDER BY CASE WHEN t.code_expires <= ? THEN 0 ELSE 1 END, t.created_at DESC, t.id DESC
LIMIT ?`

// DueTexts implements [message.Outbox].
func (s *Store) DueTexts(ctx context.Context, now time.Time, n int) ([]message.QueuedText, error) {
	var rows []dueTextRow
	err := s.db.Read(ctx, "due texts", "texts", func(tx *gorm.DB) error {
		rows = nil
		return tx.Raw(dueTextsQuery, string(message.TextCode), string(claim.Open), string(message.TextQueued),
			database.Time(now), database.Time(now), n).Find(&rows).Error
	})
	texts := make([]message.QueuedText, len(rows))
	for i, row := range rows {
		texts[i] = message.QueuedText{
			Text: row.Text.text(), Tries: row.Text.Tries, Current: row.Awaited,
			Unclear: strings.HasPrefix(row.Text.Reason, message.ReasonUnclear),
		}
	}
	return texts, err
}

// TakeText implements [message.Outbox]. A lease names the text as it was read; a
// new one ends later.
func (s *Store) TakeText(ctx context.Context, t message.QueuedText, until time.Time) (bool, error) {
	var taken int64
	err := s.db.Write(ctx, "take text", "texts", func(tx *gorm.DB) (err error) {
		taken, err = update(tx, "texts", []assignment{{"due_at", database.Time(until)}},
			"id = ? AND state = ? AND tries = ? AND due_at = ? AND due_at < ?",
			t.ID, string(message.TextQueued), t.Tries, database.Time(t.LeaseUntil), database.Time(until))
		return err
	})
	return taken == 1, s.db.Classify(err)
}

// Done implements [message.Outbox], in one statement.
func (s *Store) Done(ctx context.Context, results ...message.TextResult) error {
	switch len(results) {
	case 0:
		return nil
	case 1:
		r := results[0]
		return s.settle(ctx, r.TextID, []assignment{
			{"state", string(r.State)},
			{"gateway", database.Clip(r.Gateway, nameWidth)},
			{"provider_id", database.Clip(r.ProviderID, textWidth)},
			{"reason", database.Clip(r.Reason, textWidth)},
			{"done_at", database.Time(r.At)},
		})
	}
	var set strings.Builder
	var values []any
	each := func(column string, value func(message.TextResult) string) {
		set.WriteString(column + " = CASE id")
		for _, r := range results {
			set.WriteString(" WHEN ? THEN ?")
			values = append(values, r.TextID, value(r))
		}
		set.WriteString(" END, ")
	}
	each("gateway", func(r message.TextResult) string { return database.Clip(r.Gateway, nameWidth) })
	each("provider_id", func(r message.TextResult) string { return database.Clip(r.ProviderID, textWidth) })
	each("reason", func(r message.TextResult) string { return database.Clip(r.Reason, textWidth) })
	each("state", func(r message.TextResult) string { return string(r.State) })
	values = append(values, database.Time(results[0].At), string(message.TextQueued))
	for _, r := range results {
		values = append(values, r.TextID)
	}
	return s.db.Classify(s.db.Write(ctx, "settle", "texts", func(tx *gorm.DB) error {
		_, err := database.Exec(tx, "UPDATE texts SET "+set.String()+"done_at = ? WHERE state = ? AND id IN (?"+
			strings.Repeat(", ?", len(results)-1)+")", values...)
		return err
	}))
}

// PutOff implements [message.Outbox].
func (s *Store) PutOff(ctx context.Context, textID string, until time.Time, reason string) error {
	return s.settle(ctx, textID, []assignment{
		{"due_at", database.Time(until)}, {"tries", expression("tries + 1")}, {"reason", database.Clip(reason, textWidth)},
	})
}

// DropTexts implements [message.Outbox].
func (s *Store) DropTexts(ctx context.Context, textIDs []string, now time.Time, reason string) error {
	return s.settleDue(ctx, textIDs, now, []assignment{
		{"state", string(message.TextDropped)}, {"reason", database.Clip(reason, textWidth)}, {"done_at", database.Time(now)},
	})
}

// PostponeTexts implements [message.Outbox].
func (s *Store) PostponeTexts(ctx context.Context, textIDs []string, now, until time.Time) error {
	return s.settleDue(ctx, textIDs, now, []assignment{{"due_at", database.Time(until)}})
}

// settleDue changes queued texts that nobody has a lease of, in one statement.
func (s *Store) settleDue(ctx context.Context, textIDs []string, now time.Time, set []assignment) error {
	if len(textIDs) == 0 {
		return nil
	}
	values := []any{string(message.TextQueued), database.Time(now)}
	for _, id := range textIDs {
		values = append(values, id)
	}
	return s.db.Classify(s.db.Write(ctx, "settle due", "texts", func(tx *gorm.DB) error {
		_, err := update(tx, "texts", set,
			"state = ? AND due_at <= ? AND id IN (?"+strings.Repeat(", ?", len(textIDs)-1)+")", values...)
		return err
	}))
}

func (s *Store) settle(ctx context.Context, textID string, set []assignment) error {
	return s.db.Classify(s.db.Write(ctx, "settle", "texts", func(tx *gorm.DB) error {
		_, err := update(tx, "texts", set, "id = ? AND state = ?", textID, string(message.TextQueued))
		return err
	}))
}
