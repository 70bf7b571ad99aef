package persistence_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"go.uber.org/goleak"

	"github.com/holdline/holdline/persistence"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// databases name the kinds of database that every test here runs on. Each call
// returns the DSN of an empty database.
var databases = map[string]func(*testing.T) string{
	"sqlite": func(t *testing.T) string {
		t.Helper()
		return "sqlite://" + filepath.Join(t.TempDir(), "holdline.db")
	},
	"mariadb": mariaDB,
}

// kind is a test on one kind of database.
type kind struct {
	*testing.T
	db *persistence.DB
}

// onEach runs a test on an up-to-date database of each kind.
func onEach(t *testing.T, test func(kind)) {
	t.Helper()
	for name, newDSN := range databases {
		t.Run(name, func(t *testing.T) { test(kind{t, migrated(t, newDSN(t))}) })
	}
}

// mariaDB makes an empty database on the server of TEST_DSN.
func mariaDB(t *testing.T) string {
	t.Helper()
	dsn := os.Getenv("TEST_DSN")
	if dsn == "" {
		const missing = "TEST_DSN names no MariaDB: run `e2e/with-mariadb.sh go test ./persistence/`"
		if os.Getenv("CI") != "" || os.Getenv("HOLDLINE_REQUIRE_MARIADB") != "" {
			t.Fatal(missing)
		}
		t.Skip(missing)
	}
	server := opened(t, dsn)
	name := "test_" + strings.ReplaceAll(uuid.NewString(), "-", "")
	run := func(ctx context.Context, statement string) {
		if err := server.Exec(ctx, statement); err != nil {
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

// opened opens a database until the test ends.
func opened(t *testing.T, dsn string) *persistence.DB {
	t.Helper()
	db, err := persistence.Open(t.Context(), dsn)
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

func migrated(t *testing.T, dsn string) *persistence.DB {
	t.Helper()
	db := opened(t, dsn)
	if err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return db
}
