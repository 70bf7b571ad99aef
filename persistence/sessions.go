package persistence

import (
	"context"
	"encoding/hex"
	"errors"
	"time"

	"gorm.io/gorm"

	"github.com/holdline/holdline/internal/audit"
	"github.com/holdline/holdline/internal/auth"
	"github.com/holdline/holdline/persistence/database"
)

// sessionRow is a line of the table admin_sessions.
type sessionRow struct {
	Digest     string `gorm:"primaryKey"`
	Token      string // a digest, or blank
	IdentityID string
	Name       string
	CreatedAt  database.Time `gorm:"autoCreateTime:false"`
	SeenAt     database.Time
}

// TableName implements gorm's Tabler.
func (sessionRow) TableName() string { return "admin_sessions" }

func newSessionRow(s auth.AdminSession) sessionRow {
	row := sessionRow{
		Digest: s.Digest.String(), IdentityID: s.IdentityID, Name: database.Clip(s.Name, nameWidth),
		CreatedAt: database.Time(s.CreatedAt), SeenAt: database.Time(s.SeenAt),
	}
	if s.Token != (auth.TokenDigest{}) {
		row.Token = s.Token.String()
	}
	return row
}

func (r sessionRow) session() (auth.AdminSession, error) {
	s := auth.AdminSession{
		IdentityID: r.IdentityID, Name: r.Name, CreatedAt: time.Time(r.CreatedAt), SeenAt: time.Time(r.SeenAt),
	}
	var err error
	if r.Token != "" {
		s.Token, err = auth.ParseTokenDigest(r.Token)
	}
	digest, faulty := hex.DecodeString(r.Digest)
	if err != nil || faulty != nil || len(digest) != len(s.Digest) {
		return auth.AdminSession{}, errors.New("persistence: a session's digest is no SHA-256")
	}
	copy(s.Digest[:], digest)
	return s, nil
}

// AdminSessions implements [auth.AdminSessionStore].
type AdminSessions struct{ db *database.DB }

var _ auth.AdminSessionStore = AdminSessions{}

// NewAdminSessions returns the console's sessions of a database whose schema is
// up to date.
func NewAdminSessions(db *database.DB) AdminSessions { return AdminSessions{db} }

// BeginSession implements [auth.AdminSessionStore].
func (s AdminSessions) BeginSession(ctx context.Context, session auth.AdminSession, e audit.Event) error {
	row := newSessionRow(session)
	return s.db.Classify(s.db.Transaction(ctx, "begin", "admin_sessions", func(tx *gorm.DB) error {
		if err := tx.Create(&row).Error; err != nil {
			return err
		}
		return tx.Create(newEventRows([]audit.Event{e})).Error
	}))
}

// FindSession implements [auth.AdminSessionStore].
func (s AdminSessions) FindSession(ctx context.Context, d auth.SessionDigest) (auth.AdminSession, error) {
	var rows []sessionRow
	err := s.db.Read(ctx, "find", "admin_sessions", func(tx *gorm.DB) error { return tx.Where("digest = ?", d.String()).Find(&rows).Error })
	if err != nil {
		return auth.AdminSession{}, err
	}
	if len(rows) == 0 {
		return auth.AdminSession{}, auth.ErrNoSession
	}
	return rows[0].session()
}

// TouchSession implements [auth.AdminSessionStore].
func (s AdminSessions) TouchSession(ctx context.Context, d auth.SessionDigest, at time.Time) error {
	return s.db.Classify(s.db.Write(ctx, "touch", "admin_sessions", func(tx *gorm.DB) error {
		return tx.Model(&sessionRow{}).Where("digest = ? AND seen_at < ?", d.String(), database.Time(at)).
			UpdateColumn("seen_at", database.Time(at)).Error
	}))
}

// EndSession implements [auth.AdminSessionStore].
func (s AdminSessions) EndSession(ctx context.Context, d auth.SessionDigest, e audit.Event) error {
	return s.db.Classify(s.db.Transaction(ctx, "end", "admin_sessions", func(tx *gorm.DB) error {
		done := tx.Where("digest = ?", d.String()).Delete(&sessionRow{})
		if done.Error != nil || done.RowsAffected == 0 {
			return done.Error
		}
		return tx.Create(newEventRows([]audit.Event{e})).Error
	}))
}

// PruneSessions implements [auth.AdminSessionStore].
func (s AdminSessions) PruneSessions(ctx context.Context, before time.Time) error {
	return s.db.Classify(s.db.Write(ctx, "prune", "admin_sessions", func(tx *gorm.DB) error {
		return tx.Where("seen_at < ?", database.Time(before)).Delete(&sessionRow{}).Error
	}))
}
