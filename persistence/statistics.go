package persistence

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"gorm.io/gorm"

	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/internal/statistics"
	"github.com/holdline/holdline/persistence/database"
)

// Statistics implements [statistics.Store].
type Statistics struct{ db *database.DB }

var _ statistics.Store = Statistics{}

// NewStatistics returns the statistics of a database whose schema is up to date.
func NewStatistics(db *database.DB) Statistics { return Statistics{db} }

// statisticsRow is a line of the table statistics.
type statisticsRow struct {
	Hour      int64  `gorm:"primaryKey;autoIncrement:false"` // since 1970, in UTC
	Subject   string `gorm:"primaryKey"`
	Requested int
	Confirmed int
	Failed    int
	Withdrawn int
	Wrong     int
	Sent      int
	Unsent    int
	DelayUS   int64 `gorm:"column:delay_us"`
}

// TableName implements gorm's Tabler.
func (statisticsRow) TableName() string { return "statistics" }

func newStatisticsRow(start time.Time, subject statistics.Subject, c statistics.Counts) statisticsRow {
	return statisticsRow{
		Hour: hourOf(start), Subject: database.Clip(string(subject), subjectWidth),
		Requested: c.Requested, Confirmed: c.Confirmed, Failed: c.Failed, Withdrawn: c.Withdrawn, Wrong: c.Wrong,
		Sent: c.Sent, Unsent: c.Unsent, DelayUS: c.Delay.Microseconds(),
	}
}

const subjectWidth = 80

// hourOf counts the hours up to a moment.
func hourOf(at time.Time) int64 { return at.Unix() / 3600 }

// hourFrom is the first hour that begins at a moment or after it.
func hourFrom(at time.Time) int64 { return hourOf(at.Add(time.Hour - time.Nanosecond)) }

func (r statisticsRow) counts() statistics.Counts {
	return statistics.Counts{
		Requested: r.Requested, Confirmed: r.Confirmed, Failed: r.Failed, Withdrawn: r.Withdrawn, Wrong: r.Wrong,
		Sent: r.Sent, Unsent: r.Unsent, Delay: time.Duration(r.DelayUS) * time.Microsecond,
	}
}

// A calling code has three digits at most, and none is another one's beginning: with the plus, four
// characters of a number tell it. These queries read one stretch of an index each.
const (
	requestedQuery = `
SELECT SUBSTR(number_key, 1, 4) AS prefix, COUNT(*) AS n FROM claims
WHERE created_at >= ? AND created_at < ? AND direct = ? AND state NOT IN ?
GROUP BY SUBSTR(number_key, 1, 4)`
	endedQuery = `
SELECT SUBSTR(number_key, 1, 4) AS prefix, state, COUNT(*) AS n, SUM(attempts) AS tries FROM claims
WHERE ended_at >= ? AND ended_at < ? AND direct = ?
GROUP BY SUBSTR(number_key, 1, 4), state`
	textsQuery = `
SELECT gateway, state, COUNT(*) AS n FROM texts
WHERE created_at >= ? AND created_at < ? AND channel = ? AND gateway <> ''
GROUP BY gateway, state`
	textsOfCodesQuery = `
SELECT calling_code, state, COUNT(*) AS n FROM texts
WHERE created_at >= ? AND created_at < ? AND kind = ?
GROUP BY calling_code, state`
	// delaysQuery takes a sample: an hour may have a hundred thousand texts.
	delaysQuery = `
SELECT gateway, created_at, done_at FROM texts
WHERE created_at >= ? AND created_at < ? AND channel = ? AND state = ?
ORDER BY created_at DESC, id DESC LIMIT ?`
	delaysSampled = 500
)

// Count implements [statistics.Store].
func (s Statistics) Count(ctx context.Context, start time.Time) (map[statistics.Subject]statistics.Counts, error) {
	from, to := database.Time(start), database.Time(start.Add(time.Hour))
	counts := map[statistics.Subject]statistics.Counts{}
	add := func(subject statistics.Subject, more statistics.Counts) {
		sum := counts[subject]
		sum.Add(more)
		counts[subject] = sum
	}
	type group struct {
		Prefix, State string
		N, Tries      int
	}
	var groups []group
	err := s.read(ctx, "claims", &groups, requestedQuery, from, to, false, neverOpen)
	if err != nil {
		return nil, err
	}
	for _, g := range groups {
		add(ofPrefix(g.Prefix), statistics.Counts{Requested: g.N})
	}
	groups = nil
	if err := s.read(ctx, "claims", &groups, endedQuery, from, to, false); err != nil {
		return nil, err
	}
	for _, g := range groups {
		c := statistics.Counts{Wrong: g.Tries}
		switch claim.State(g.State) {
		case claim.Applied:
			c.Confirmed, c.Wrong = g.N, max(0, g.Tries-g.N)
		case claim.Conflict, claim.Orphaned:
			c.Failed, c.Wrong = g.N, max(0, g.Tries-g.N)
		case claim.Locked, claim.Lapsed:
			c.Failed = g.N
		case claim.Cancelled, claim.Superseded:
			c.Withdrawn = g.N
		case claim.Staged, claim.Open, claim.Verified, claim.Discarded:
		}
		add(ofPrefix(g.Prefix), c)
	}
	if err := s.countCodes(ctx, from, to, add); err != nil {
		return nil, err
	}
	if err := s.countTexts(ctx, from, to, add); err != nil {
		return nil, err
	}
	maps.DeleteFunc(counts, func(_ statistics.Subject, c statistics.Counts) bool { return c == (statistics.Counts{}) })
	return counts, nil
}

// countCodes counts the texts with codes, for [Store.Traffic].
func (s Statistics) countCodes(ctx context.Context, from, to database.Time, add func(statistics.Subject, statistics.Counts)) error {
	var codes []struct {
		CallingCode, State string
		N                  int
	}
	err := s.read(ctx, "texts", &codes, textsOfCodesQuery, from, to, string(message.TextCode))
	for _, c := range codes {
		counts := statistics.Counts{Unsent: c.N}
		if message.TextState(c.State) == message.TextSent {
			counts = statistics.Counts{Sent: c.N}
		}
		add(statistics.CallingCode(c.CallingCode), counts)
	}
	return err
}

func (s Statistics) countTexts(ctx context.Context, from, to database.Time, add func(statistics.Subject, statistics.Counts)) error {
	var texts []struct {
		Gateway, State string
		N              int
	}
	if err := s.read(ctx, "texts", &texts, textsQuery, from, to, string(message.ChannelSMS)); err != nil {
		return err
	}
	sent := map[string]int{}
	for _, t := range texts {
		switch message.TextState(t.State) {
		case message.TextSent:
			sent[t.Gateway] += t.N
			add(statistics.Gateway(t.Gateway), statistics.Counts{Sent: t.N})
		case message.TextFailed:
			add(statistics.Gateway(t.Gateway), statistics.Counts{Unsent: t.N})
		default: // queued, or dropped
		}
	}
	if len(sent) == 0 {
		return nil
	}
	var done []struct {
		Gateway           string
		CreatedAt, DoneAt database.Time
	}
	err := s.read(ctx, "texts", &done, delaysQuery, from, to, string(message.ChannelSMS), string(message.TextSent), delaysSampled)
	if err != nil {
		return err
	}
	sampled, waited := map[string]int{}, map[string]time.Duration{}
	for _, t := range done {
		sampled[t.Gateway]++
		waited[t.Gateway] += max(0, time.Time(t.DoneAt).Sub(time.Time(t.CreatedAt)))
	}
	for gateway, n := range sampled {
		average := waited[gateway] / time.Duration(n)
		add(statistics.Gateway(gateway), statistics.Counts{Delay: (average * time.Duration(sent[gateway])).Truncate(time.Microsecond)})
	}
	return nil
}

func (s Statistics) read(ctx context.Context, table string, rows any, query string, args ...any) error {
	return s.db.Read(ctx, "count", table, func(tx *gorm.DB) error { return tx.Raw(query, args...).Scan(rows).Error })
}

func ofPrefix(prefix string) statistics.Subject {
	return statistics.CallingCode(phone.FromStore(prefix).CallingCode())
}

// Replace implements [statistics.Store].
func (s Statistics) Replace(ctx context.Context, start time.Time, counts map[statistics.Subject]statistics.Counts) error {
	known, err := s.Hours(ctx, start, start.Add(time.Hour))
	if err != nil {
		return err
	}
	there := map[statistics.Subject]statistics.Counts{}
	for _, hour := range known {
		there[hour.Subject] = hour.Counts
	}
	if maps.Equal(there, counts) {
		return nil
	}
	rows := make([]statisticsRow, 0, len(counts))
	for _, subject := range slices.Sorted(maps.Keys(counts)) {
		rows = append(rows, newStatisticsRow(start, subject, counts[subject]))
	}
	return s.db.Classify(s.db.Transaction(ctx, "replace", "statistics", func(tx *gorm.DB) error {
		if err := tx.Where("hour = ?", hourOf(start)).Delete(&statisticsRow{}).Error; err != nil || len(rows) == 0 {
			return err
		}
		return insert(tx, rows...)
	}))
}

// Hours implements [statistics.Store].
func (s Statistics) Hours(ctx context.Context, since, until time.Time) ([]statistics.Hour, error) {
	var rows []statisticsRow
	err := s.db.Read(ctx, "hours", "statistics", func(tx *gorm.DB) error {
		rows = nil
		return tx.Where("hour >= ? AND hour < ?", hourFrom(since), hourFrom(until)).Find(&rows).Error
	})
	hours := make([]statistics.Hour, len(rows))
	for i, row := range rows {
		hours[i] = statistics.Hour{Start: time.Unix(row.Hour*3600, 0).UTC(), Subject: statistics.Subject(row.Subject), Counts: row.counts()}
	}
	slices.SortFunc(hours, func(a, b statistics.Hour) int {
		return cmp.Or(a.Start.Compare(b.Start), cmp.Compare(a.Subject, b.Subject))
	})
	return hours, err
}

// callingCodesQuery sums a stretch of the primary key.
const callingCodesQuery = `
SELECT subject, SUM(requested) AS requested, SUM(confirmed) AS confirmed, MAX(requested) AS busiest, MIN(hour) AS first
FROM statistics WHERE hour >= ? AND hour < ? AND subject LIKE ? GROUP BY subject`

// CallingCodes implements [statistics.Store].
func (s Statistics) CallingCodes(ctx context.Context, since, until time.Time) ([]statistics.CodeTotal, error) {
	var rows []struct {
		Subject                       string
		Requested, Confirmed, Busiest int
		First                         int64
	}
	if err := s.read(ctx, "statistics", &rows, callingCodesQuery, hourFrom(since), hourFrom(until), string(statistics.CallingCode("%"))); err != nil {
		return nil, err
	}
	totals := make([]statistics.CodeTotal, len(rows))
	for i, row := range rows {
		code, _ := statistics.Subject(row.Subject).CallingCode()
		totals[i] = statistics.CodeTotal{
			CallingCode: code, Requested: row.Requested, Confirmed: row.Confirmed, Busiest: row.Busiest, First: time.Unix(row.First*3600, 0).UTC(),
		}
	}
	slices.SortFunc(totals, func(a, b statistics.CodeTotal) int { return cmp.Compare(a.CallingCode, b.CallingCode) })
	return totals, nil
}

// Forget implements [statistics.Store].
func (s Statistics) Forget(ctx context.Context, before time.Time) error {
	return s.db.Classify(s.db.Write(ctx, "forget", "statistics", func(tx *gorm.DB) error {
		return tx.Where("hour < ?", hourOf(before)).Delete(&statisticsRow{}).Error
	}))
}

// progressStatistics names how far the counting has come. The release before counted no texts
// by calling code, and keeps its progress as "statistics": its hours are counted again.
const progressStatistics = "statistics_codes"

// Counted implements [statistics.Store].
func (s Statistics) Counted(ctx context.Context) (time.Time, error) {
	row, err := readProgress(ctx, s.db, progressStatistics)
	return time.Time(row.Moment), err
}

// SetCounted implements [statistics.Store].
func (s Statistics) SetCounted(ctx context.Context, until time.Time) error {
	return writeProgress(ctx, s.db, progressRow{Name: progressStatistics, Moment: database.Time(until)})
}
