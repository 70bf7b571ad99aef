package persistence

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"gorm.io/gorm"

	"github.com/holdline/holdline/internal/audit"
	"github.com/holdline/holdline/internal/auth"
	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/persistence/database"
)

// tokenRow is a line of the table tokens.
type tokenRow struct {
	Name       string `gorm:"primaryKey"`
	SHA256     string `gorm:"column:sha256"`
	Scopes     string // separated by blanks
	Privileged bool
	CreatedAt  database.Time `gorm:"autoCreateTime:false"`
	LastUsedAt database.Time
	RevokedAt  database.Time
	ExpiresAt  database.Time
	CreatedBy  string
}

// TableName implements gorm's Tabler.
func (tokenRow) TableName() string { return "tokens" }

func newTokenRow(t auth.Token) tokenRow {
	scopes := make([]string, len(t.Scopes))
	for i, scope := range t.Scopes {
		scopes[i] = string(scope)
	}
	return tokenRow{
		Name: t.Name, SHA256: t.Digest.String(), Scopes: strings.Join(scopes, " "), Privileged: t.Privileged,
		CreatedAt: database.Time(t.CreatedAt), LastUsedAt: database.Time(t.LastUsed), RevokedAt: database.Time(t.RevokedAt), ExpiresAt: database.Time(t.ExpiresAt),
		CreatedBy: database.Clip(t.CreatedBy, textWidth),
	}
}

func (r tokenRow) token() (auth.Token, error) {
	digest, err := auth.ParseTokenDigest(r.SHA256)
	if err != nil {
		return auth.Token{}, fmt.Errorf("persistence: token %q: %w", r.Name, err)
	}
	t := auth.Token{
		Name: r.Name, Digest: digest, Privileged: r.Privileged,
		CreatedAt: time.Time(r.CreatedAt), LastUsed: time.Time(r.LastUsedAt), RevokedAt: time.Time(r.RevokedAt), ExpiresAt: time.Time(r.ExpiresAt),
		CreatedBy: r.CreatedBy,
	}
	for _, scope := range strings.Fields(r.Scopes) {
		t.Scopes = append(t.Scopes, auth.Scope(scope))
	}
	return t, nil
}

// Tokens implements [auth.Tokens].
type Tokens struct{ db *database.DB }

var _ auth.Tokens = Tokens{}

// NewTokens returns the tokens of a database whose schema is up to date.
func NewTokens(db *database.DB) Tokens { return Tokens{db} }

// Create implements [auth.Tokens].
func (s Tokens) Create(ctx context.Context, t auth.Token, e audit.Event) error {
	err := s.db.Transaction(ctx, "create", "tokens", func(tx *gorm.DB) error {
		row := newTokenRow(t)
		again := tx.Model(&tokenRow{}).
			Where("name = ? AND (revoked_at IS NOT NULL OR expires_at <= ?) AND sha256 <> ?", t.Name, database.Time(e.At), row.SHA256).
			UpdateColumns(map[string]any{
				"sha256": row.SHA256, "scopes": row.Scopes, "privileged": row.Privileged,
				"created_at": row.CreatedAt, "last_used_at": nil, "revoked_at": nil, "expires_at": row.ExpiresAt, "created_by": row.CreatedBy,
			})
		if again.Error != nil {
			return again.Error
		}
		if again.RowsAffected == 0 {
			if err := tx.Create(&row).Error; err != nil {
				return err
			}
		}
		return tx.Create(newEventRows([]audit.Event{e})).Error
	})
	if errors.Is(err, gorm.ErrDuplicatedKey) {
		return claim.ErrExists
	}
	return s.db.Classify(err)
}

// Revoke implements [auth.Tokens].
func (s Tokens) Revoke(ctx context.Context, name string, e audit.Event) error {
	err := s.db.Transaction(ctx, "revoke", "tokens", func(tx *gorm.DB) error {
		done := tx.Model(&tokenRow{}).Where("name = ? AND revoked_at IS NULL", name).
			UpdateColumn("revoked_at", database.Time(e.At))
		if done.Error != nil {
			return done.Error
		}
		if done.RowsAffected == 0 {
			return auth.ErrNoToken
		}
		return tx.Create(newEventRows([]audit.Event{e})).Error
	})
	if errors.Is(err, auth.ErrNoToken) {
		return auth.ErrNoToken
	}
	return s.db.Classify(err)
}

// List implements [auth.Tokens].
func (s Tokens) List(ctx context.Context) ([]auth.Token, error) {
	return s.tokens(ctx, func(tx *gorm.DB) *gorm.DB { return tx.Order("name") })
}

// Find implements [auth.Tokens].
func (s Tokens) Find(ctx context.Context, digest auth.TokenDigest) (auth.Token, error) {
	found, err := s.tokens(ctx, func(tx *gorm.DB) *gorm.DB {
		return tx.Where("sha256 = ? AND revoked_at IS NULL", digest.String())
	})
	switch {
	case err != nil:
		return auth.Token{}, err
	case len(found) == 0:
		return auth.Token{}, auth.ErrNoToken
	}
	return found[0], nil
}

func (s Tokens) tokens(ctx context.Context, which func(*gorm.DB) *gorm.DB) ([]auth.Token, error) {
	var rows []tokenRow
	err := s.db.Read(ctx, "find", "tokens", func(tx *gorm.DB) error { return which(tx).Find(&rows).Error })
	if err != nil {
		return nil, err
	}
	list := make([]auth.Token, len(rows))
	for i, row := range rows {
		if list[i], err = row.token(); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// Used implements [auth.Tokens].
func (s Tokens) Used(ctx context.Context, digest auth.TokenDigest, at time.Time) error {
	return s.db.Classify(s.db.Write(ctx, "used", "tokens", func(tx *gorm.DB) error {
		return tx.Model(&tokenRow{}).
			Where("sha256 = ? AND revoked_at IS NULL AND (last_used_at IS NULL OR last_used_at < ?)", digest.String(), database.Time(at)).
			UpdateColumn("last_used_at", database.Time(at)).Error
	}))
}
