package persistence

import (
	"context"
	"time"

	"gorm.io/gorm"

	"github.com/holdline/holdline/internal/fraud"
	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/persistence/database"
)

var _ fraud.StatsReader = (*Store)(nil)

const trafficQuery = `
SELECT t.calling_code, COUNT(*) AS texts,
  SUM(CASE WHEN t.state = ? THEN 1 ELSE 0 END) AS sent,
  COUNT(DISTINCT c.id) AS confirmed
FROM texts AS t
LEFT JOIN claims AS c ON c.id = t.claim_id AND c.state IN ?
WHERE t.kind = ? AND t.created_at > ? AND t.created_at <= ?
GROUP BY t.calling_code`

// Traffic implements [fraud.StatsReader]. It reads one stretch of the index over
// moments, and no further back.
func (s *Store) Traffic(ctx context.Context, since, until time.Time) ([]fraud.Traffic, error) {
	var traffic []fraud.Traffic
	err := s.db.Read(ctx, "traffic", "texts", func(tx *gorm.DB) error {
		traffic = nil
		return tx.Raw(trafficQuery, string(message.TextSent), confirmed,
			string(message.TextCode), database.Time(since), database.Time(until)).Scan(&traffic).Error
	})
	return traffic, err
}
