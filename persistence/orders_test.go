package persistence_test

import (
	"testing"

	"github.com/holdline/holdline/internal/claim/claimtest"
	"github.com/holdline/holdline/internal/storetest"
	"github.com/holdline/holdline/persistence"
	"github.com/holdline/holdline/persistence/database/databasetest"
)

// TestOrders puts steps together in random orders on a real database; package
// claimtest has all orders, on the store in memory.
func TestOrders(t *testing.T) {
	const seeds = 40
	claimtest.TestOrders(t, 0, seeds, 1, func(t *testing.T) storetest.ArchivedStore {
		t.Helper()
		return persistence.NewStore(databasetest.Migrated(t, databasetest.SQLite(t)))
	})
}
