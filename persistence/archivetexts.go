package persistence

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"gorm.io/gorm"

	"github.com/holdline/holdline/internal/admin"
	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/persistence/dialect"
)

// FindTexts implements [admin.Store].
func (s *Store) FindTexts(ctx context.Context, q admin.TextQuery) ([]admin.TextRecord, error) {
	p := page{table: "texts", index: textsIndex(q)}
	p.is("claim_id", q.ClaimID)
	p.is("identity_id", q.IdentityID)
	p.is("state", string(q.State))
	p.is("gateway", q.Gateway)
	p.after(q.After)
	var rows []textRow
	if err := s.find(ctx, &rows, p, newestMade, q.Limit); err != nil {
		return nil, err
	}
	receipts, err := s.receiptsOf(ctx, rows)
	if err != nil {
		return nil, err
	}
	records := make([]admin.TextRecord, len(rows))
	for i, row := range rows {
		found := receipts(row)
		records[i] = admin.TextRecord{
			Text: row.text(), State: message.TextState(row.State).With(message.LastWord(found)), Tries: row.Tries,
			Gateway: row.Gateway, Reason: row.Reason, DoneAt: time.Time(row.DoneAt),
		}
		if q.ClaimID+q.IdentityID != "" {
			records[i].Receipts = found
		}
	}
	return records, nil
}

// textsIndex chooses the index. Nearly all texts of a gateway were sent; of those
// in another state there are few.
func textsIndex(q admin.TextQuery) string {
	switch {
	case q.ClaimID != "":
		return "texts_claim"
	case q.IdentityID != "":
		return "texts_identity"
	case q.Gateway != "" && (q.State == "" || q.State == message.TextSent):
		return "texts_newest_gateway"
	case q.State != "":
		return "texts_newest_state"
	default:
		return "texts_newest"
	}
}

// receiptsOf finds the receipts of texts, which may name a text by the
// provider's id or by ours. Those of one text are oldest first.
func (s *Store) receiptsOf(ctx context.Context, texts []textRow) (func(textRow) []message.Receipt, error) {
	messages := map[string][]string{}
	for _, t := range texts {
		if t.Gateway != "" {
			messages[t.Gateway] = append(messages[t.Gateway], t.ID, t.ProviderID)
		}
	}
	var rows []numberedReceipt
	if len(messages) > 0 {
		query, args := receiptsQuery(s.db.Dialect(), messages)
		err := s.db.Read(ctx, "receipts", "receipts", func(tx *gorm.DB) error { return tx.Raw(query, args...).Scan(&rows).Error })
		if err != nil {
			return nil, err
		}
	}
	slices.SortFunc(rows, func(a, b numberedReceipt) int {
		return cmp.Or(time.Time(a.Receipt.ReceivedAt).Compare(time.Time(b.Receipt.ReceivedAt)), cmp.Compare(a.ID, b.ID))
	})
	return func(t textRow) []message.Receipt {
		var receipts []message.Receipt
		for _, r := range rows {
			if r := r.Receipt; r.Gateway == t.Gateway && (r.Message == t.ID || r.Message == t.ProviderID) {
				receipts = append(receipts, r.receipt())
			}
		}
		return receipts
	}, nil
}

// numberedReceipt is a line of the table receipts with its number.
type numberedReceipt struct {
	ID      int64
	Receipt receiptRow `gorm:"embedded"`
}

// receiptsQuery looks messages up in the unique key, by gateway.
func receiptsQuery(d dialect.Dialect, messages map[string][]string) (query string, args []any) {
	var where []string
	for gateway, ids := range messages {
		where, args = append(where, "gateway = ? AND message IN ?"), append(args, gateway, ids)
	}
	return "SELECT * FROM receipts" + d.Index("receipts_once") + " WHERE " + strings.Join(where, " OR "), args
}
