package database

import (
	"database/sql"
	"testing"

	"github.com/holdline/holdline/persistence/dialect"
)

// BatchBy has a database send its batches by another dialect and pool.
func BatchBy(t *testing.T, db *DB, d dialect.Dialect, pool *sql.DB) {
	t.Helper()
	before, batches := db.dialect, db.batches
	db.dialect, db.batches = d, pool
	t.Cleanup(func() {
		db.dialect, db.batches = before, batches
		if err := pool.Close(); err != nil {
			t.Error(err)
		}
	})
}
