package migration

import (
	"context"
	"time"

	"github.com/holdline/holdline/persistence/database"
)

// UpTakingOver is [Up], with another time that a lock holds without a sign of life.
func UpTakingOver(ctx context.Context, db *database.DB, stale time.Duration) error {
	return up(ctx, db, stale, func(Migration) {})
}

// UpTo brings the schema up to a version and no further.
func UpTo(ctx context.Context, db *database.DB, version int64) error {
	migrations, err := migrationsOf(db)
	if err != nil {
		return err
	}
	_, err = migrations.UpTo(ctx, version)
	return err
}
