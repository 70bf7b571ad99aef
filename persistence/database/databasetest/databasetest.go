// Package databasetest gives tests empty databases of every kind, and shows what is
// asked of them.
package databasetest

import (
	"context"
	"net/url"
	"os"
	"path/filepath"
	"slices"
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
var Kinds = map[string]func(*testing.T) string{"sqlite": SQLite, "mariadb": MariaDB, "postgres": Postgres}

// Alone name the kinds that nothing else uses while a test has one: in PostgreSQL, whole
// databases.
var Alone = map[string]func(*testing.T) string{"sqlite": SQLite, "mariadb": MariaDB, "postgres": PostgresDatabase}

// SQLite names a file that is not there yet.
func SQLite(t *testing.T) string {
	t.Helper()
	return "sqlite://" + filepath.Join(t.TempDir(), "holdline.db")
}

// MariaDB makes an empty database on the server of TEST_DSN, which may be a MySQL.
func MariaDB(t *testing.T) string {
	t.Helper()
	dsn := server(t, "TEST_DSN", "mariadb")
	// The schema must not depend on the database's character set.
	name := create(t, dsn, "CREATE DATABASE % CHARACTER SET latin1", "DROP DATABASE %")
	return dsn[:strings.LastIndex(dsn, "/")+1] + name
}

// Postgres makes an empty schema on the server of TEST_POSTGRES_DSN: a database would
// take a thousand times as long.
func Postgres(t *testing.T) string {
	t.Helper()
	dsn := server(t, "TEST_POSTGRES_DSN", "postgres")
	return With(dsn, "search_path", create(t, dsn, "CREATE SCHEMA %", "DROP SCHEMA % CASCADE"))
}

// PostgresDatabase makes an empty database on the server of TEST_POSTGRES_DSN.
func PostgresDatabase(t *testing.T) string {
	t.Helper()
	dsn := server(t, "TEST_POSTGRES_DSN", "postgres")
	return InPostgres(t, dsn, create(t, dsn, "CREATE DATABASE % TEMPLATE template0", "DROP DATABASE % WITH (FORCE)"))
}

// InPostgres returns the DSN of another database on the same server.
func InPostgres(tb testing.TB, dsn, name string) string {
	tb.Helper()
	at, err := url.Parse(dsn)
	if err != nil {
		tb.Fatal("not a DSN of one host") // the text has a password
	}
	at.Path = "/" + name
	return at.String()
}

// With adds a parameter to a DSN.
func With(dsn, parameter, value string) string {
	if strings.Contains(dsn, "?") {
		return dsn + "&" + parameter + "=" + value
	}
	return dsn + "?" + parameter + "=" + value
}

// server reads the DSN of a server. It skips the test if there is none, or fails it where
// HOLDLINE_REQUIRE_DATABASES, a list with commas, or CI say that there must be.
func server(t *testing.T, variable, kind string) string {
	t.Helper()
	dsn := os.Getenv(variable)
	if dsn == "" {
		missing := variable + " names no server: run `e2e/with-databases.sh " + kind + " go test ./persistence/...`"
		if os.Getenv("CI") != "" || slices.Contains(strings.Split(os.Getenv("HOLDLINE_REQUIRE_DATABASES"), ","), kind) {
			t.Fatal(missing)
		}
		t.Skip(missing)
	}
	return dsn
}

// create makes something with a name of its own, which it returns, until the test ends.
// The statements have % for the name.
func create(t *testing.T, dsn, create, drop string) string {
	t.Helper()
	server := Open(t, dsn)
	name := "test_" + strings.ReplaceAll(uuid.NewString(), "-", "")
	run := func(ctx context.Context, statement string) {
		if err := Exec(ctx, server, strings.ReplaceAll(statement, "%", name)); err != nil {
			t.Error(err)
		}
	}
	run(t.Context(), create)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		run(ctx, drop)
	})
	return name
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

// Exec runs a statement past the stores, in no transaction.
func Exec(ctx context.Context, db *database.DB, statement string, args ...any) error {
	_, err := db.Pool().ExecContext(ctx, places(db, statement), args...)
	return err
}

// Count reads a number.
func Count(ctx context.Context, db *database.DB, query string, args ...any) (n int, err error) {
	return n, db.Pool().QueryRowContext(ctx, places(db, query), args...).Scan(&n)
}

// Text reads a text.
func Text(ctx context.Context, db *database.DB, query string) (s string, err error) {
	return s, db.Pool().QueryRowContext(ctx, query).Scan(&s)
}

// places writes a statement's question marks as the database wants them.
func places(db *database.DB, statement string) string {
	var written strings.Builder
	var values []any
	for part := range strings.SplitSeq(statement, "?") {
		if written.Len() > 0 {
			values = append(values, nil)
			db.Dialect().Dialector(db.Pool()).BindVarTo(&written, &gorm.Statement{Vars: values}, nil)
		}
		written.WriteString(part)
	}
	return written.String()
}
