package migration_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/holdline/holdline/persistence/database"
	"github.com/holdline/holdline/persistence/database/databasetest"
	"github.com/holdline/holdline/persistence/migration"
)

// The release before goes on serving while indexes of large tables are made and dropped: a
// migration that waits, or works, holds up nobody's change of number.
func TestChangesGoOnWhileIndexesAreMadeAndDropped(t *testing.T) {
	db := databasetest.Open(t, databasetest.PostgresDatabase(t))
	patient, err := db.Patient()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = patient.Close() }()
	const first = 42
	if err := migration.UpTo(t.Context(), db, first-1); err != nil {
		t.Fatal(err)
	}
	for i, tt := range []struct {
		table   string
		made    []string
		dropped []string
		begun   string // what of a migration that broke off is there already
	}{
		{"claims", []string{"claims_newest_identity"}, []string{"claims_identity"}, "CREATE INDEX claims_identity ON claims (identity_id, ended_at)"},
		{"texts", nil, []string{"texts_due", "texts_traffic", "texts_number"}, "CREATE INDEX texts_number ON texts (number_key, created_at)"},
		{"audit_events", nil, []string{"audit_events_identity"}, ""},
	} {
		version := int64(first + i)
		done := migrateBesideReader(t, db, patient, tt.table, version)
		if err := <-done; err != nil {
			t.Errorf("%s: %v", tt.table, err)
		}
		exist := func(indexes []string, want int) {
			t.Helper()
			for _, index := range indexes {
				n, err := databasetest.Count(t.Context(), db,
					"SELECT COUNT(*) FROM pg_index WHERE indisvalid AND indexrelid = to_regclass('"+index+"')")
				if err != nil || n != want {
					t.Errorf("%s: %d, %v", index, n, err)
				}
			}
		}
		exist(tt.made, 1)
		exist(tt.dropped, 0)
		// One that broke off is begun anew, whatever it had done.
		for _, statement := range []string{tt.begun, fmt.Sprintf("DELETE FROM schema_migrations WHERE version_id = %d", version)} {
			if statement == "" {
				continue
			}
			if err := databasetest.Exec(t.Context(), db, statement); err != nil {
				t.Fatal(err)
			}
		}
		if err := migration.UpTo(t.Context(), db, version); err != nil {
			t.Errorf("%s once more: %v", tt.table, err)
		}
		exist(tt.made, 1)
		exist(tt.dropped, 0)
	}
}

// migrateBesideReader migrates while somebody reads a table, for whom the migration has to wait, and
// changes the table meanwhile. The migration goes on afterwards.
func migrateBesideReader(t *testing.T, db, patient *database.DB, table string, version int64) <-chan error {
	t.Helper()
	reader, err := db.Pool().BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = reader.Rollback() }()
	if _, err := reader.ExecContext(t.Context(), "SELECT 1 FROM "+table); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- migration.UpTo(t.Context(), patient, version) }()
	for waiting := 0; waiting == 0; time.Sleep(time.Millisecond) {
		waiting, err = databasetest.Count(t.Context(), db,
			"SELECT COUNT(*) FROM pg_stat_activity WHERE datname = CURRENT_DATABASE() AND wait_event_type = 'Lock'")
		if err != nil {
			t.Fatal(err)
		}
		select {
		case err := <-done:
			t.Fatalf("the migration waited for nobody: %v", err)
		default:
		}
	}
	if err := databasetest.Exec(t.Context(), db, "DELETE FROM "+table+" WHERE identity_id = 'nobody'"); err != nil {
		t.Errorf("%s: a change of number meets %v", table, err)
	}
	return done
}
