package migration_test

import (
	"testing"
	"time"

	"github.com/holdline/holdline/persistence/database/databasetest"
	"github.com/holdline/holdline/persistence/migration"
)

// The release before goes on serving while the index over the people of a large table is made: a
// migration that waits, or works, holds up nobody's change of number.
func TestChangesGoOnWhileTheClaimsIndexIsMade(t *testing.T) {
	const before, made = 41, 42
	db := databasetest.Open(t, databasetest.PostgresDatabase(t))
	if err := migration.UpTo(t.Context(), db, before); err != nil {
		t.Fatal(err)
	}
	reader, err := db.Pool().BeginTx(t.Context(), nil) // which a migration of the table waits for
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = reader.Rollback() }()
	if _, err := reader.ExecContext(t.Context(), "SELECT id FROM claims"); err != nil {
		t.Fatal(err)
	}
	patient, err := db.Patient()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = patient.Close() }()
	done := make(chan error, 1)
	go func() { done <- migration.UpTo(t.Context(), patient, made) }()
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
	if err := databasetest.Exec(t.Context(), db, "DELETE FROM claims WHERE id = 'nobody'"); err != nil {
		t.Errorf("a change of number meets %v", err)
	}
	if err := reader.Rollback(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	for index, want := range map[string]int{"claims_newest_identity": 1, "claims_identity": 0} {
		n, err := databasetest.Count(t.Context(), db,
			"SELECT COUNT(*) FROM pg_index WHERE indisvalid AND indexrelid = to_regclass('"+index+"')")
		if err != nil || n != want {
			t.Errorf("%s: %d, %v", index, n, err)
		}
	}
	// A migration that broke off leaves an index that is not used.
	for _, statement := range []string{
		"CREATE INDEX claims_identity ON claims (identity_id, ended_at)",
		"DELETE FROM schema_migrations WHERE version_id = 42",
	} {
		if err := databasetest.Exec(t.Context(), db, statement); err != nil {
			t.Fatal(err)
		}
	}
	if err := migration.Up(t.Context(), db); err != nil {
		t.Errorf("once more: %v", err)
	}
}
