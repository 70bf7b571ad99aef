package migration_test

import (
	"testing"

	"github.com/holdline/holdline/persistence/database/databasetest"
	"github.com/holdline/holdline/persistence/migration"
)

// A replica that starts while a node of its cluster goes away must not take the
// broken connection for a schema that is missing, nor end.
func TestAConnectionThatBreaksIsNoOutdatedSchema(t *testing.T) {
	dsn := databasetest.MariaDB(t)
	databasetest.Migrated(t, dsn)
	through, cuts := databasetest.Cut(t, dsn, "schema_migrations")
	wantOutdated(t, databasetest.Open(t, through), false)
	if cuts.Load() != 1 {
		t.Error("nothing was cut")
	}
}

func TestConnectionsThatBreakDoNotEndAMigration(t *testing.T) {
	for _, word := range []string{"CREATE TABLE IF NOT EXISTS schema_lock", "INSERT INTO schema_lock", "DELETE FROM schema_lock"} {
		t.Run(word, func(t *testing.T) {
			through, cuts := databasetest.Cut(t, databasetest.MariaDB(t), word)
			db := databasetest.Open(t, through)
			if err := migration.Up(t.Context(), db); err != nil {
				t.Fatal(err)
			}
			if n, err := databasetest.Count(t.Context(), db, "SELECT COUNT(*) FROM schema_lock"); err != nil || n != 0 {
				t.Errorf("locks that are left: %d, %v", n, err)
			}
			if cuts.Load() != 1 {
				t.Error("nothing was cut")
			}
		})
	}
}
