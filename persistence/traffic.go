package persistence

import (
	"cmp"
	"context"
	"maps"
	"slices"
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

// trafficCounted is how long the texts themselves are read back. Whole hours before are
// taken from what was counted for the charts: thirty days may have a million texts. It is
// the longest traffic.window: what stops texts to a country must not take codes that have
// come back, and whose numbers Kratos has not got yet, for codes that nobody typed.
const trafficCounted = 24 * time.Hour

// Traffic implements [fraud.StatsReader].
func (s *Store) Traffic(ctx context.Context, since, until time.Time) ([]fraud.Traffic, error) {
	from, to := since.Add(time.Hour-time.Nanosecond).Truncate(time.Hour), until.Add(-trafficCounted).Truncate(time.Hour)
	if !from.Before(to) {
		return s.readTraffic(ctx, since, until)
	}
	counts := Statistics{s.db}
	counted, err := counts.Counted(ctx)
	if err != nil {
		return nil, err
	}
	if counted = counted.Truncate(time.Hour); counted.Before(to) {
		to = counted
	}
	if !from.Before(to) {
		return s.readTraffic(ctx, since, until)
	}
	all := map[string]fraud.Traffic{}
	hours, err := counts.Hours(ctx, from, to)
	if err != nil {
		return nil, err
	}
	for _, h := range hours {
		if code, ok := h.Subject.CallingCode(); ok {
			addTraffic(all, fraud.Traffic{CallingCode: code, Texts: h.Sent + h.Unsent, Sent: h.Sent, Confirmed: h.Confirmed})
		}
	}
	for _, rest := range [][2]time.Time{{since, from.Add(-time.Microsecond)}, {to.Add(-time.Microsecond), until}} {
		read, err := s.readTraffic(ctx, rest[0], rest[1])
		if err != nil {
			return nil, err
		}
		for _, t := range read {
			addTraffic(all, t)
		}
	}
	// An hour may have codes that came back to texts of the one before.
	maps.DeleteFunc(all, func(_ string, t fraud.Traffic) bool { return t.Texts == 0 })
	return slices.SortedFunc(maps.Values(all), func(a, b fraud.Traffic) int { return cmp.Compare(a.CallingCode, b.CallingCode) }), nil
}

func addTraffic(all map[string]fraud.Traffic, t fraud.Traffic) {
	sum := all[t.CallingCode]
	all[t.CallingCode] = fraud.Traffic{
		CallingCode: t.CallingCode, Texts: sum.Texts + t.Texts, Sent: sum.Sent + t.Sent, Confirmed: sum.Confirmed + t.Confirmed,
	}
}

// readTraffic reads one stretch of the index over moments, and no further back.
func (s *Store) readTraffic(ctx context.Context, since, until time.Time) ([]fraud.Traffic, error) {
	var traffic []fraud.Traffic
	err := s.db.Read(ctx, "traffic", "texts", func(tx *gorm.DB) error {
		traffic = nil
		return tx.Raw(trafficQuery, string(message.TextSent), confirmed,
			string(message.TextCode), database.Time(since), database.Time(until)).Scan(&traffic).Error
	})
	return traffic, err
}
