package persistence_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/holdline/holdline/internal/claim/claimtest"
	"github.com/holdline/holdline/internal/problem"
	"github.com/holdline/holdline/persistence"
)

func TestStoreTellsItsTraffic(t *testing.T) {
	for name, newDSN := range databases {
		t.Run(name, func(t *testing.T) {
			claimtest.TestTraffic(t, func(t *testing.T) claimtest.MeteredStore {
				t.Helper()
				return persistence.NewStore(migrated(t, newDSN(t)))
			})
		})
	}
}

func TestTrafficIsOneStatement(t *testing.T) {
	onEach(t, func(t kind) {
		statements := t.db.Record()
		if _, err := persistence.NewStore(t.db).Traffic(t.Context(), noon.Add(-time.Hour), noon); err != nil {
			t.Fatal(err)
		}
		if got := statements.Take(); len(got) != 1 {
			t.Errorf("asked %q", got)
		}
		cancelled, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := persistence.NewStore(t.db).Traffic(cancelled, noon, noon); !errors.Is(err, problem.ErrStoreUnavailable) {
			t.Errorf("got %v", err)
		}
	})
}
