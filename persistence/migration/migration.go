// Package migration brings the schema of a database up to date: numbered SQL files, a
// directory for each dialect, applied by goose under a lock that a cluster shares.
package migration

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"time"

	"github.com/pressly/goose/v3"
	"gorm.io/gorm"

	"github.com/holdline/holdline/persistence/database"
	"github.com/holdline/holdline/persistence/dialect"
)

//go:embed mysql postgres sqlite
var files embed.FS

const migrationTable = "schema_migrations"

// Migration is one numbered step of the schema.
type Migration struct {
	Version int64
	Name    string
	Applied bool
}

// Up brings the schema of a database up to date. Replicas that start together may all
// call it: one works, the others wait.
func Up(ctx context.Context, db *database.DB) error {
	return up(ctx, db, lockStale, func(Migration) {})
}

// UpTelling is [Up] that tells of the migrations that it has applied itself.
func UpTelling(ctx context.Context, db *database.DB, applied func(Migration)) error {
	return up(ctx, db, lockStale, applied)
}

// up takes over a lock that has shown no sign of life for as long as stale.
func up(ctx context.Context, db *database.DB, stale time.Duration, applied func(Migration)) (err error) {
	defer db.Migrated()
	// Nothing to do is the usual case, and needs neither a lock nor the right to
	// change tables.
	outdated, err := Outdated(ctx, db)
	if err != nil || !outdated {
		return err
	}
	patient, err := db.Patient()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, patient.Close()) }()
	return underLock(ctx, patient, stale, func(ctx context.Context) error {
		migrations, err := migrationsOf(patient)
		if err != nil {
			return err
		}
		for {
			done, err := migrations.Up(ctx)
			recorded, fault := record(ctx, patient, err)
			if partial := (*goose.PartialError)(nil); errors.As(err, &partial) {
				done = partial.Applied
				if recorded {
					done = append(done, partial.Failed)
				}
			}
			for _, result := range done {
				applied(Migration{Version: result.Source.Version, Name: path.Base(result.Source.Path), Applied: true})
			}
			if fault != nil || !recorded {
				return db.Classify(fault)
			}
		}
	})
}

// record writes down a migration that failed because it had been carried out: where
// the database commits each of its statements by itself, a process can die in between.
// Every migration is one atomic statement, or repeats harmlessly up to the last one.
func record(ctx context.Context, db *database.DB, failure error) (bool, error) {
	partial := (*goose.PartialError)(nil)
	if !errors.As(failure, &partial) || db.Dialect().Classify(partial.Err) != dialect.AlreadyThere {
		if failure != nil {
			failure = fmt.Errorf("migrate: %w", failure)
		}
		return false, failure
	}
	err := db.Write(ctx, "record", migrationTable, func(tx *gorm.DB) error {
		_, err := database.Exec(tx, "INSERT INTO "+migrationTable+" (version_id, is_applied) VALUES (?, TRUE)", partial.Failed.Source.Version)
		return err
	})
	return err == nil, err
}

// Status lists the migrations that this release knows, oldest first.
func Status(ctx context.Context, db *database.DB) ([]Migration, error) {
	known, err := migrationsOf(db)
	if err != nil {
		return nil, err
	}
	applied, err := appliedOf(ctx, db)
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
func Outdated(ctx context.Context, db *database.DB) (bool, error) {
	status, err := Status(ctx, db)
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(status, func(m Migration) bool { return !m.Applied }), nil
}

// Newer reports whether a database has had a migration that this release does not know.
func Newer(ctx context.Context, db *database.DB) (bool, error) {
	known, err := migrationsOf(db)
	if err != nil {
		return false, err
	}
	applied, err := appliedOf(ctx, db)
	if err != nil {
		return false, err
	}
	delete(applied, 0) // how goose begins
	for _, source := range known.ListSources() {
		delete(applied, source.Version)
	}
	return len(applied) > 0, nil
}

// History says which migrations a database has had at what time. Two databases seldom have
// the same.
func History(ctx context.Context, db *database.DB) (string, error) {
	var rows []map[string]any
	err := db.Read(ctx, "history", migrationTable, func(tx *gorm.DB) error {
		rows = nil
		return tx.Table(migrationTable).Select("version_id", "is_applied", "tstamp").Order("id").Find(&rows).Error
	})
	return fmt.Sprint(rows), err
}

func migrationsOf(db *database.DB) (*goose.Provider, error) {
	of, err := fs.Sub(files, db.Dialect().Name())
	if err != nil {
		return nil, fmt.Errorf("find migrations: %w", err)
	}
	provider, err := goose.NewProvider(db.Dialect().Migrations(), db.Pool(), of,
		goose.WithTableName(migrationTable), goose.WithDisableGlobalRegistry(true), goose.WithLogger(goose.NopLogger()))
	if err != nil {
		return nil, fmt.Errorf("read migrations: %w", err)
	}
	return provider, nil
}

// appliedOf reads which migrations a database has had.
func appliedOf(ctx context.Context, db *database.DB) (map[int64]bool, error) {
	var versions []int64
	err := db.Read(ctx, "applied", migrationTable, func(tx *gorm.DB) error {
		return tx.Table(migrationTable).Where("is_applied").Pluck("version_id", &versions).Error
	})
	if db.Dialect().Classify(err) == dialect.NoTable {
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
