package persistence

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"

	"github.com/pressly/goose/v3"
	"gorm.io/gorm"
)

//go:embed migrations
var migrationFiles embed.FS

const migrationTable = "schema_migrations"

// Migration is one numbered step of the schema.
type Migration struct {
	Version int64
	Name    string
	Applied bool
}

// Migrate brings the schema up to date. Replicas that start together may all
// call it: one works, the others wait.
func (db *DB) Migrate(ctx context.Context) (err error) {
	pool, err := db.slow()
	if err != nil {
		return err
	}
	if pool != db.pool {
		defer func() { err = errors.Join(err, pool.Close()) }()
	}
	// Nothing to do is the usual case, and needs neither a lock nor the right to
	// change tables.
	outdated, err := db.Outdated(ctx)
	if err != nil || !outdated {
		return err
	}
	return db.underMigrationLock(ctx, pool, func(ctx context.Context) error {
		migrations, err := db.migrations(pool)
		if err != nil {
			return err
		}
		for {
			_, err := migrations.Up(ctx)
			if recorded, fault := db.record(ctx, pool, err); fault != nil || !recorded {
				return away(fault)
			}
		}
	})
}

// record writes down a migration that failed because it had been carried out:
// MySQL commits each of them by itself, so a process can die in between. Every
// migration is one atomic statement, or repeats harmlessly up to the last one.
func (db *DB) record(ctx context.Context, pool *sql.DB, failure error) (bool, error) {
	partial := (*goose.PartialError)(nil)
	if !errors.As(failure, &partial) || !answered(partial.Err, mysqlColumnExists, mysqlKeyExists) {
		if failure != nil {
			failure = fmt.Errorf("migrate: %w", failure)
		}
		return false, failure
	}
	_, err := pool.ExecContext(ctx, "INSERT INTO "+migrationTable+" (version_id, is_applied) VALUES (?, TRUE)",
		partial.Failed.Source.Version)
	return err == nil, err
}

// MigrationStatus lists the migrations that this release knows, oldest first.
func (db *DB) MigrationStatus(ctx context.Context) ([]Migration, error) {
	known, err := db.migrations(db.pool)
	if err != nil {
		return nil, err
	}
	applied, err := db.applied(ctx)
	if err != nil {
		return nil, err
	}
	var status []Migration
	for _, source := range known.ListSources() {
		status = append(status, Migration{
			Version: source.Version, Name: path.Base(source.Path), Applied: applied[source.Version],
		})
	}
	return status, nil
}

// Outdated reports whether this release needs a migration that was not applied. A
// schema that is newer than the release is not outdated. It changes nothing.
func (db *DB) Outdated(ctx context.Context) (bool, error) {
	status, err := db.MigrationStatus(ctx)
	if err != nil {
		return false, err
	}
	for _, migration := range status {
		if !migration.Applied {
			return true, nil
		}
	}
	return false, nil
}

func (db *DB) migrations(pool *sql.DB) (*goose.Provider, error) {
	files, err := fs.Sub(migrationFiles, "migrations/"+string(db.dialect))
	if err != nil {
		return nil, fmt.Errorf("find migrations: %w", err)
	}
	dialect := goose.DialectMySQL
	if db.dialect == sqliteDialect {
		dialect = goose.DialectSQLite3
	}
	provider, err := goose.NewProvider(dialect, pool, files,
		goose.WithTableName(migrationTable), goose.WithDisableGlobalRegistry(true), goose.WithLogger(goose.NopLogger()))
	if err != nil {
		return nil, fmt.Errorf("read migrations: %w", err)
	}
	return provider, nil
}

// applied reads which migrations the database has had.
func (db *DB) applied(ctx context.Context) (map[int64]bool, error) {
	var versions []int64
	err := db.read(ctx, func(tx *gorm.DB) error {
		return tx.Table(migrationTable).Where("is_applied").Pluck("version_id", &versions).Error
	})
	if noTable(err) {
		return map[int64]bool{}, nil
	}
	if err != nil {
		return nil, err
	}
	applied := map[int64]bool{}
	for _, version := range versions {
		applied[version] = true
	}
	return applied, nil
}
