package persistence_test

import (
	"testing"

	"github.com/holdline/holdline/internal/claim/claimtest"
	"github.com/holdline/holdline/internal/storetest"
	"github.com/holdline/holdline/persistence"
	"github.com/holdline/holdline/persistence/database/databasetest"
)

// TestMachine runs the machine of package claimtest, which says how to repeat a
// failure, against real databases: less often, for each run has a database anew.
func TestMachine(t *testing.T) {
	const runs = 5
	for name, newDSN := range databasetest.Kinds {
		t.Run(name, func(t *testing.T) {
			if name == "mariadb" {
				newDSN(t) // or is skipped
			}
			claimtest.TestMachine(t, runs, func(t *testing.T) storetest.ArchivedStore {
				t.Helper()
				return persistence.NewStore(databasetest.Migrated(t, newDSN(t)))
			})
		})
	}
}
