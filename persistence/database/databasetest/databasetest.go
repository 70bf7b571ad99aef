// Package databasetest gives tests empty databases of every kind, and shows what is
// asked of them.
package databasetest

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/holdline/holdline/persistence/database"
	"github.com/holdline/holdline/persistence/migration"
)

// Kinds name the kinds of database that tests run on. Each call returns the DSN of an
// empty database.
var Kinds = map[string]func(*testing.T) string{"sqlite": SQLite, "mariadb": MariaDB}

// SQLite names a file that is not there yet.
func SQLite(t *testing.T) string {
	t.Helper()
	return "sqlite://" + filepath.Join(t.TempDir(), "holdline.db")
}

// MariaDB makes an empty database on the server of TEST_DSN. It skips the test if there
// is none, or fails it where HOLDLINE_REQUIRE_MARIADB or CI say that there must be.
func MariaDB(t *testing.T) string {
	t.Helper()
	dsn := os.Getenv("TEST_DSN")
	if dsn == "" {
		const missing = "TEST_DSN names no MariaDB: run `e2e/with-mariadb.sh go test ./persistence/...`"
		if os.Getenv("CI") != "" || os.Getenv("HOLDLINE_REQUIRE_MARIADB") != "" {
			t.Fatal(missing)
		}
		t.Skip(missing)
	}
	server := Open(t, dsn)
	name := "test_" + strings.ReplaceAll(uuid.NewString(), "-", "")
	run := func(ctx context.Context, statement string) {
		if err := Exec(ctx, server, statement); err != nil {
			t.Error(err)
		}
	}
	run(t.Context(), "CREATE DATABASE "+name+" CHARACTER SET latin1") // the schema must not depend on it
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		run(ctx, "DROP DATABASE "+name)
	})
	return dsn[:strings.LastIndex(dsn, "/")+1] + name
}

// Open opens a database until the test ends.
func Open(t *testing.T, dsn string) *database.DB {
	t.Helper()
	db, err := database.Open(t.Context(), dsn, database.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// Migrated opens a database and brings its schema up to date.
func Migrated(t *testing.T, dsn string) *database.DB {
	t.Helper()
	copySQLite(t, dsn)
	db := Open(t, dsn)
	if strings.HasPrefix(dsn, "mysql://") {
		copyMariaDB(t, db)
	}
	if err := migration.Up(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	return db
}

// Kind is a test on one kind of database.
type Kind struct {
	*testing.T
	DB *database.DB
}

// OnEach runs a test on an up-to-date database of each kind.
func OnEach(t *testing.T, test func(Kind)) {
	t.Helper()
	for name, newDSN := range Kinds {
		t.Run(name, func(t *testing.T) { test(Kind{t, Migrated(t, newDSN(t))}) })
	}
}

// Transaction runs statements as a store does.
func Transaction(ctx context.Context, db *database.DB, statements func(*gorm.DB) error) error {
	return db.Classify(db.Transaction(ctx, "test", "", statements))
}

// Exec runs a statement past the stores.
func Exec(ctx context.Context, db *database.DB, statement string, args ...any) error {
	_, err := db.Pool().ExecContext(ctx, statement, args...)
	return err
}

// Count reads a number.
func Count(ctx context.Context, db *database.DB, query string, args ...any) (n int, err error) {
	return n, db.Pool().QueryRowContext(ctx, query, args...).Scan(&n)
}

// Text reads a text.
func Text(ctx context.Context, db *database.DB, query string) (s string, err error) {
	return s, db.Pool().QueryRowContext(ctx, query).Scan(&s)
}
