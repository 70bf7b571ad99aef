package persistence_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/holdline/holdline/internal/problem"
	"github.com/holdline/holdline/internal/storetest"
	"github.com/holdline/holdline/persistence"
	"github.com/holdline/holdline/persistence/database/databasetest"
)

func TestStoreTellsItsTraffic(t *testing.T) {
	for name, newDSN := range databasetest.Kinds {
		t.Run(name, func(t *testing.T) {
			storetest.TestTraffic(t, func(t *testing.T) storetest.MeteredStore {
				t.Helper()
				return persistence.NewStore(databasetest.Migrated(t, newDSN(t)))
			})
		})
	}
}

func TestTrafficIsOneStatement(t *testing.T) {
	databasetest.OnEach(t, func(t databasetest.Kind) {
		statements := databasetest.Record(t.DB)
		if _, err := persistence.NewStore(t.DB).Traffic(t.Context(), noon.Add(-time.Hour), noon); err != nil {
			t.Fatal(err)
		}
		if got := statements.Take(); len(got) != 1 {
			t.Errorf("asked %q", got)
		}
		cancelled, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := persistence.NewStore(t.DB).Traffic(cancelled, noon, noon); !errors.Is(err, problem.ErrStoreUnavailable) {
			t.Errorf("got %v", err)
		}
	})
}
