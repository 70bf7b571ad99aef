package persistence

import (
	"context"
	"errors"
	"time"

	"gorm.io/gorm"

	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/persistence/database"
)

// receiptRow is a line of the table receipts. The database numbers the lines.
type receiptRow struct {
	Gateway    string
	Message    string
	State      string
	Detail     string
	ReceivedAt database.Time
}

// TableName implements gorm's Tabler.
func (receiptRow) TableName() string { return "receipts" }

func (r receiptRow) receipt() message.Receipt {
	return message.Receipt{
		Gateway: r.Gateway, Message: r.Message, State: message.ReceiptState(r.State), Detail: r.Detail,
		At: time.Time(r.ReceivedAt),
	}
}

// Record implements [message.Receipts]. A unique key knows what came before.
func (s *Store) Record(ctx context.Context, r message.Receipt) error {
	err := s.db.Write(ctx, "record", "receipts", func(tx *gorm.DB) error {
		return tx.Create(&receiptRow{
			Gateway: database.Clip(r.Gateway, nameWidth), Message: database.Clip(r.Message, textWidth),
			State: string(r.State), Detail: database.Clip(r.Detail, nameWidth), ReceivedAt: database.Time(r.At),
		}).Error
	})
	if errors.Is(err, gorm.ErrDuplicatedKey) {
		return nil
	}
	return s.db.Classify(err)
}

// textStateQuery finds the newest text and the receipt that counts for it. A
// receipt may name the text by the provider's id or by ours; asking for one name
// at a time lets the database use the unique key.
const textStateQuery = `
SELECT t.state, COALESCE(r.state, '') AS receipt
FROM (
  SELECT id, state, gateway, provider_id FROM texts
  WHERE claim_id = ? AND kind = ?
  ORDER BY created_at DESC, code_number DESC, id DESC LIMIT 1
) AS t
CROSS JOIN (SELECT 0 AS ours UNION ALL SELECT 1) AS n
LEFT JOIN receipts AS r ON r.gateway = t.gateway AND r.message = CASE n.ours WHEN 1 THEN t.id ELSE t.provider_id END
ORDER BY r.id IS NULL, r.state = ?, r.received_at DESC, r.id DESC
LIMIT 1`

// TextState implements [claim.Claims].
func (s *Store) TextState(ctx context.Context, claimID string) (message.TextState, error) {
	var row struct{ State, Receipt string }
	err := s.db.Read(ctx, "text state", "texts", func(tx *gorm.DB) error {
		return tx.Raw(textStateQuery, claimID, string(message.TextCode), string(message.ReceiptAccepted)).Scan(&row).Error
	})
	return message.TextState(row.State).With(message.ReceiptState(row.Receipt)), err
}

// pruneReceipts forgets receipts and returns how many.
func (s *Store) pruneReceipts(ctx context.Context, before time.Time, n int) (int, error) {
	var ids []int64
	err := s.db.Read(ctx, "prune", "receipts", func(tx *gorm.DB) error {
		return tx.Model(&receiptRow{}).Where("received_at < ?", database.Time(before)).
			Order("received_at").Limit(n).Pluck("id", &ids).Error
	})
	if err != nil || len(ids) == 0 {
		return 0, err
	}
	return len(ids), s.db.Classify(s.db.Write(ctx, "prune", "receipts", func(tx *gorm.DB) error {
		return tx.Where("id IN ?", ids).Delete(&receiptRow{}).Error
	}))
}
