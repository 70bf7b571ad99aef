package persistence

import (
	"context"
	"errors"
	"fmt"
	"slices"
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
		return auth.Token{}, fmt.Errorf("token %q: %w", r.Name, err)
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

// transaction runs statements. What refuses is returned as it is, and not taken for an
// error of the database.
func (s Tokens) transaction(ctx context.Context, operation string, statements func(tx *gorm.DB, refuse func(error) error) error) error {
	var refusal error
	refuse := func(err error) error { refusal = err; return err }
	err := s.db.Transaction(ctx, operation, "tokens", func(tx *gorm.DB) error {
		refusal = nil
		return statements(tx, refuse)
	})
	switch {
	case err != nil && refusal != nil:
		return refusal
	case errors.Is(err, gorm.ErrDuplicatedKey):
		return claim.ErrExists
	}
	return s.db.Classify(err)
}

// Create implements [auth.Tokens].
func (s Tokens) Create(ctx context.Context, t auth.Token, e audit.Event, allow func([]auth.Token) error) error {
	return s.transaction(ctx, "create", func(tx *gorm.DB, refuse func(error) error) error {
		row := newTokenRow(t)
		if allow != nil {
			kept, err := holdMaker(tx, t.CreatedBy, e.At)
			if err != nil {
				return err
			}
			if err := allow(kept); err != nil {
				return refuse(err)
			}
			// What allow has seen in force may be revoked before the statement below.
			if slices.ContainsFunc(kept, func(k auth.Token) bool { return k.Name == t.Name && k.InForce(e.At) }) {
				return refuse(claim.ErrExists)
			}
		}
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
}

// holdMaker updates a maker's row, so that nobody revokes it until the transaction ends, and
// reads all tokens: whoever revoked it before is seen. To make a token is to use one.
func holdMaker(tx *gorm.DB, name string, at time.Time) ([]auth.Token, error) {
	err := tx.Model(&tokenRow{}).Where("name = ? AND revoked_at IS NULL", name).UpdateColumn("last_used_at", database.Time(at)).Error
	if err != nil {
		return nil, err
	}
	return readTokens(byName(tx))
}

// Revoke implements [auth.Tokens].
func (s Tokens) Revoke(ctx context.Context, name string, withMade bool, who audit.Actor, at time.Time) error {
	if strings.HasSuffix(name, " ") { // no token's: MySQL and MariaDB would find the one without
		return auth.ErrNoToken
	}
	return s.transaction(ctx, "revoke", func(tx *gorm.DB, refuse func(error) error) error {
		revoked, err := revokeToken(tx, name, who, at)
		if err == nil && !revoked {
			err = refuse(auth.ErrNoToken)
		}
		if err != nil || !withMade {
			return err
		}
		// Each that is revoked makes no more, but may have made another just before.
		for {
			kept, err := readTokens(byName(tx))
			if err != nil {
				return err
			}
			i := slices.IndexFunc(kept, func(t auth.Token) bool { return t.Name == name })
			made := auth.MadeBy(kept, kept[i], at)
			if len(made) == 0 {
				return nil
			}
			for _, t := range made {
				if _, err := revokeToken(tx, t.Name, who, at); err != nil {
					return err
				}
			}
		}
	})
}

// revokeToken reports whether there was one to revoke.
func revokeToken(tx *gorm.DB, name string, who audit.Actor, at time.Time) (bool, error) {
	done := tx.Model(&tokenRow{}).Where("name = ? AND revoked_at IS NULL", name).UpdateColumn("revoked_at", database.Time(at))
	if done.Error != nil || done.RowsAffected == 0 {
		return false, done.Error
	}
	return true, tx.Create(newEventRows([]audit.Event{auth.Token{Name: name}.Event(auth.TokenRevoked, who, at)})).Error
}

// List implements [auth.Tokens].
func (s Tokens) List(ctx context.Context) ([]auth.Token, error) { return s.tokens(ctx, byName) }

func byName(tx *gorm.DB) *gorm.DB { return tx.Order("name") }

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
	var found []auth.Token
	err := s.db.Read(ctx, "find", "tokens", func(tx *gorm.DB) (err error) {
		found, err = readTokens(which(tx))
		return err
	})
	return found, err
}

func readTokens(tx *gorm.DB) ([]auth.Token, error) {
	var rows []tokenRow
	if err := tx.Find(&rows).Error; err != nil {
		return nil, err
	}
	list := make([]auth.Token, len(rows))
	for i, row := range rows {
		var err error
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
