package databasetest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"gorm.io/gorm"

	"github.com/holdline/holdline/persistence/database"
	"github.com/holdline/holdline/persistence/migration"
)

// Migrating takes longer than most tests do: a test program does it once for each kind
// of database, and copies what came of it into the others.

// sqliteFile is a database file of today's schema.
var sqliteFile = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "holdline-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	file := filepath.Join(dir, "holdline.db")
	db, err := database.Open(context.Background(), "sqlite://"+file, database.Options{})
	if err != nil {
		return nil, err
	}
	if err := errors.Join(migration.Up(context.Background(), db), db.Close()); err != nil {
		return nil, err
	}
	return os.ReadFile(file) //nolint:gosec // its own
})

// copySQLite writes the file of a DSN that has none yet.
func copySQLite(tb testing.TB, dsn string) {
	tb.Helper()
	path, ok := strings.CutPrefix(dsn, "sqlite://")
	if _, err := os.Stat(path); !ok || strings.ContainsAny(path, ":?") || !errors.Is(err, os.ErrNotExist) {
		return
	}
	file, err := sqliteFile()
	if err == nil {
		err = os.WriteFile(path, file, 0o600)
	}
	if err != nil {
		tb.Fatal(err)
	}
}

// mariadbSchema is what makes a database of today's schema; blank until the first was
// migrated.
var mariadbSchema struct {
	sync.Mutex
	statements []string
}

// copyMariaDB makes the tables of a database that has none yet.
func copyMariaDB(tb testing.TB, db *database.DB) {
	tb.Helper()
	ctx := tb.Context()
	tables, err := Count(ctx, db, "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = DATABASE()")
	if err != nil {
		tb.Fatal(err)
	}
	if tables > 0 {
		return
	}
	mariadbSchema.Lock()
	defer mariadbSchema.Unlock()
	if mariadbSchema.statements == nil {
		if err := migration.Up(ctx, db); err != nil {
			tb.Fatal(err)
		}
		if mariadbSchema.statements, err = statementsOf(ctx, db); err != nil {
			tb.Fatal(err)
		}
		return
	}
	for _, statement := range mariadbSchema.statements {
		if err := Exec(ctx, db, statement); err != nil {
			tb.Fatal(err)
		}
	}
}

// statementsOf reads what makes a database's tables, and the list of its migrations: the
// only rows that there are in one that nobody has used.
func statementsOf(ctx context.Context, db *database.DB) (statements []string, err error) {
	var tables []string
	err = Transaction(ctx, db, func(tx *gorm.DB) error {
		return tx.Raw("SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE()").Scan(&tables).Error
	})
	if err != nil {
		return nil, err
	}
	for _, table := range tables {
		var name, statement string
		if err := db.Pool().QueryRowContext(ctx, "SHOW CREATE TABLE "+table).Scan(&name, &statement); err != nil {
			return nil, fmt.Errorf("table %s: %w", table, err)
		}
		statements = append(statements, statement)
	}
	versions, err := Text(ctx, db, "SELECT GROUP_CONCAT('(', version_id, ', TRUE)' ORDER BY version_id) FROM schema_migrations")
	return append(statements, "INSERT INTO schema_migrations (version_id, is_applied) VALUES "+versions), err
}
