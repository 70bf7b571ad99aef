package migration_test

import (
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/holdline/holdline/persistence/database"
	"github.com/holdline/holdline/persistence/database/databasetest"
	"github.com/holdline/holdline/persistence/migration"
)

func TestReplicasMigrateTogether(t *testing.T) {
	for name, newDSN := range databasetest.Kinds {
		t.Run(name, func(t *testing.T) {
			dsn := newDSN(t)
			var g errgroup.Group
			for range 4 {
				db := databasetest.Open(t, dsn)
				g.Go(func() error { return migration.Up(t.Context(), db) })
			}
			if err := g.Wait(); err != nil {
				t.Fatal(err)
			}
			db := databasetest.Open(t, dsn)
			n, err := databasetest.Count(t.Context(), db, "SELECT COUNT(*) - COUNT(DISTINCT version_id) FROM schema_migrations")
			if err != nil || n != 0 {
				t.Errorf("%d migrations were applied twice, %v", n, err)
			}
			if n, err := databasetest.Count(t.Context(), db, "SELECT COUNT(*) FROM schema_lock"); err != nil || n != 0 {
				t.Errorf("the lock was not released: %d, %v", n, err)
			}
		})
	}
}

func TestAnOutdatedSchemaIsSeen(t *testing.T) {
	for name, newDSN := range databasetest.Kinds {
		t.Run(name, func(t *testing.T) {
			dsn := newDSN(t)
			db := databasetest.Open(t, dsn)
			wantOutdated(t, db, true)
			if _, err := databasetest.Count(t.Context(), db, "SELECT COUNT(*) FROM schema_migrations"); err == nil {
				t.Error("looking made a table")
			}
			if err := migration.Up(t.Context(), db); err != nil {
				t.Fatal(err)
			}
			wantOutdated(t, db, false)
			wantOutdated(t, databasetest.Open(t, dsn), false)
			if err := migration.Up(t.Context(), db); err != nil {
				t.Error(err)
			}
			// A newer release may have gone ahead.
			if err := databasetest.Exec(t.Context(), db, "INSERT INTO schema_migrations (version_id, is_applied) VALUES (99999, TRUE)"); err != nil {
				t.Fatal(err)
			}
			wantOutdated(t, db, false)
			if err := migration.Up(t.Context(), db); err != nil {
				t.Error(err)
			}
			if err := databasetest.Exec(t.Context(), db, "DELETE FROM schema_migrations WHERE version_id = 26"); err != nil {
				t.Fatal(err)
			}
			wantOutdated(t, db, true)
		})
	}
}

func wantOutdated(t *testing.T, db *database.DB, want bool) {
	t.Helper()
	if got, err := migration.Outdated(t.Context(), db); err != nil || got != want {
		t.Errorf("outdated: got %t, %v, want %t", got, err, want)
	}
}

func TestMigrationStatusListsAllInOrder(t *testing.T) {
	for name, newDSN := range databasetest.Kinds {
		t.Run(name, func(t *testing.T) {
			db := databasetest.Open(t, newDSN(t))
			for _, applied := range []bool{false, true} {
				status, err := migration.Status(t.Context(), db)
				if err != nil || len(status) == 0 {
					t.Fatalf("got %v, %v", status, err)
				}
				last := int64(0)
				for _, m := range status {
					if m.Applied != applied || m.Version <= last || !strings.HasSuffix(m.Name, ".sql") {
						t.Errorf("got %+v after %d", m, last)
					}
					last = m.Version
				}
				if err := migration.Up(t.Context(), db); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

func TestADeadProcessLosesTheMigrationLock(t *testing.T) {
	databasetest.OnEach(t, func(t databasetest.Kind) {
		db := t.DB
		statements := []string{
			"DELETE FROM schema_migrations WHERE version_id >= 8",
			"INSERT INTO schema_lock (id, owner, beats) VALUES (1, 'dead', 7)",
		}
		if strings.HasSuffix(t.Name(), "postgres") { // where a migration is there with its line, or is not
			statements = append(statements, "DO $$ BEGIN EXECUTE (SELECT 'DROP TABLE ' || STRING_AGG(tablename, ', ') FROM pg_tables WHERE schemaname = CURRENT_SCHEMA AND tablename NOT LIKE 'schema%'); END $$")
		}
		if strings.HasSuffix(t.Name(), "sqlite") { // MySQL commits the columns before the process can write them down
			statements = append(statements,
				"ALTER TABLE claims DROP COLUMN assurance",
				"ALTER TABLE claims DROP COLUMN client_text",
				"ALTER TABLE claims DROP COLUMN direct",
				"ALTER TABLE claims DROP COLUMN was_verified", "ALTER TABLE claims DROP COLUMN language",
				"DROP TABLE tokens", "DROP TABLE scim_users", "DROP TABLE scim_values", "DROP TABLE scim_counts",
				"DROP TABLE settings", "DROP TABLE admin_sessions")
			for _, index := range []string{
				"claims_newest", "claims_newest_state", "claims_newest_identity", "claims_newest_number", "claims_newest_mask",
				"claims_newest_mask_state", "texts_newest", "texts_newest_state", "texts_newest_gateway",
				"audit_events_newest_identity", "audit_events_newest_kind",
			} {
				statements = append(statements, "DROP INDEX IF EXISTS "+index)
			}
			statements = append(statements, "ALTER TABLE claims DROP COLUMN mask", "ALTER TABLE claims DROP COLUMN number_key")
		}
		for _, statement := range statements {
			if err := databasetest.Exec(t.Context(), db, statement); err != nil {
				t.Fatal(err)
			}
		}
		if err := migration.UpTakingOver(t.Context(), db, 300*time.Millisecond); err != nil {
			t.Fatal(err)
		}
		wantOutdated(t.T, db, false)
	})
}
