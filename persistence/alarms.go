package persistence

import (
	"context"
	"errors"
	"time"

	"gorm.io/gorm"

	"github.com/holdline/holdline/internal/admin"
	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/persistence/database"
)

// alarmRow is a line of the table alarms.
type alarmRow struct {
	ID              string `gorm:"primaryKey"`
	IdentityID      string
	Denied          string
	Number          string
	Was             string
	WasVerified     bool
	CancelledID     string
	Address         string
	CreatedAt       database.Time `gorm:"autoCreateTime:false"`
	SessionsEndedAt database.Time
	DueAt           database.Time
	DueTries        int
	BlockedUntil    database.Time
	LiftedAt        database.Time
	LiftedBy        string
	ClosedAt        database.Time
	ClosedBy        string
	Outcome         string
	Version         int
}

// TableName implements gorm's Tabler.
func (alarmRow) TableName() string { return "alarms" }

func newAlarmRow(a claim.Alarm) alarmRow {
	return alarmRow{
		ID: a.ID, IdentityID: a.IdentityID, Denied: string(a.Denied),
		Number: a.Number.Unmasked(), Was: a.Previous.Unmasked(), WasVerified: a.PreviousVerified,
		CancelledID: a.CancelledID, Address: database.Clip(a.ClientIP, addressWidth), CreatedAt: database.Time(a.RaisedAt),
		SessionsEndedAt: database.Time(a.SessionsEndedAt), DueAt: database.Time(a.DueAt), DueTries: a.DueTries,
		BlockedUntil: database.Time(a.BlockedUntil), LiftedAt: database.Time(a.LiftedAt), LiftedBy: database.Clip(a.LiftedBy, textWidth),
		ClosedAt: database.Time(a.ClosedAt), ClosedBy: database.Clip(a.ClosedBy, textWidth), Outcome: string(a.Outcome),
		Version: a.Version,
	}
}

func (r alarmRow) alarm() claim.Alarm {
	return claim.Alarm{
		ID: r.ID, IdentityID: r.IdentityID, Denied: message.TextKind(r.Denied),
		Number: phone.FromStore(r.Number), Previous: phone.FromStore(r.Was), PreviousVerified: r.WasVerified,
		CancelledID: r.CancelledID, ClientIP: r.Address, RaisedAt: time.Time(r.CreatedAt),
		SessionsEndedAt: time.Time(r.SessionsEndedAt), DueAt: time.Time(r.DueAt), DueTries: r.DueTries,
		BlockedUntil: time.Time(r.BlockedUntil), LiftedAt: time.Time(r.LiftedAt), LiftedBy: r.LiftedBy,
		ClosedAt: time.Time(r.ClosedAt), ClosedBy: r.ClosedBy, Outcome: claim.AlarmOutcome(r.Outcome),
		Version: r.Version,
	}
}

func alarmsOf(rows []alarmRow) []claim.Alarm {
	alarms := make([]claim.Alarm, len(rows))
	for i, row := range rows {
		alarms[i] = row.alarm()
	}
	return alarms
}

// raiseAlarm adds an alarm.
func raiseAlarm(a claim.Alarm) statement {
	return func(tx *gorm.DB) error {
		err := insert(tx, newAlarmRow(a))
		if errors.Is(err, gorm.ErrDuplicatedKey) {
			return claim.ErrConcurrentUpdate
		}
		return err
	}
}

// updateAlarm writes what becomes of an alarm, not what it was raised with.
func updateAlarm(a claim.Alarm) statement {
	row := newAlarmRow(a)
	return func(tx *gorm.DB) error {
		changed, err := update(tx, "alarms", []assignment{
			{"cancelled_id", row.CancelledID},
			{"sessions_ended_at", row.SessionsEndedAt},
			{"due_at", row.DueAt},
			{"due_tries", row.DueTries},
			{"blocked_until", row.BlockedUntil},
			{"lifted_at", row.LiftedAt},
			{"lifted_by", row.LiftedBy},
			{"closed_at", row.ClosedAt},
			{"closed_by", row.ClosedBy},
			{"outcome", row.Outcome},
			{"version", row.Version + 1},
		}, "id = ? AND version = ?", row.ID, row.Version)
		if err == nil && changed == 0 {
			return claim.ErrConcurrentUpdate
		}
		return err
	}
}

// Alarm implements [claim.Alarms].
func (s *Store) Alarm(ctx context.Context, claimID string) (*claim.Alarm, error) {
	rows, err := s.alarms(ctx, func(tx *gorm.DB) *gorm.DB { return tx.Where("id = ?", claimID) })
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	return &rows[0], nil
}

// AlarmSince implements [claim.Alarms].
func (s *Store) AlarmSince(ctx context.Context, identityID string, moment time.Time) (*claim.Alarm, error) {
	rows, err := s.alarms(ctx, func(tx *gorm.DB) *gorm.DB {
		return tx.Where("identity_id = ? AND created_at >= ?", identityID, database.Time(moment)).Order("created_at, id").Limit(1)
	})
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	return &rows[0], nil
}

// BlockingAlarms implements [claim.Alarms].
func (s *Store) BlockingAlarms(ctx context.Context, identityID string, now time.Time) ([]claim.Alarm, error) {
	return s.alarms(ctx, func(tx *gorm.DB) *gorm.DB {
		return tx.Where("identity_id = ? AND blocked_until > ?", identityID, database.Time(now)).Order("blocked_until DESC")
	})
}

// BlockedUntil implements [claim.Alarms].
func (s *Store) BlockedUntil(ctx context.Context, identityID string, now time.Time) (time.Time, error) {
	blocking, err := s.BlockingAlarms(ctx, identityID, now)
	if err != nil || len(blocking) == 0 {
		return time.Time{}, err
	}
	return blocking[0].BlockedUntil, nil
}

// DueAlarms implements [claim.Alarms].
func (s *Store) DueAlarms(ctx context.Context, now time.Time, n int) ([]claim.Alarm, error) {
	return s.alarms(ctx, func(tx *gorm.DB) *gorm.DB {
		return tx.Where("due_at <= ?", database.Time(now)).Order("due_at, id").Limit(n)
	})
}

func (s *Store) alarms(ctx context.Context, which func(*gorm.DB) *gorm.DB) ([]claim.Alarm, error) {
	var rows []alarmRow
	err := s.db.Read(ctx, "find", "alarms", func(tx *gorm.DB) error { return which(tx).Find(&rows).Error })
	return alarmsOf(rows), err
}

// FindAlarms implements [admin.Store].
func (s *Store) FindAlarms(ctx context.Context, q admin.AlarmQuery) ([]claim.Alarm, error) {
	p := page{table: "alarms", index: "alarms_newest"}
	switch {
	case q.IdentityID != "":
		p.index = "alarms_newest_identity"
	case q.Open:
		p.index = "alarms_newest_outcome"
	}
	p.is("identity_id", q.IdentityID)
	if q.Open {
		p.and("outcome = ?", string(claim.AlarmOpen))
	}
	p.after(q.After)
	var rows []alarmRow
	err := s.find(ctx, &rows, p, newestMade, q.Limit)
	return alarmsOf(rows), err
}

// unblocked is the guard of changes that an alarm may block.
func unblocked(identityID string, at time.Time) guard {
	return guard{
		"NOT EXISTS (SELECT 1 FROM alarms AS b WHERE b.identity_id = ? AND b.blocked_until > ?)",
		[]any{identityID, database.Time(at)},
	}
}
