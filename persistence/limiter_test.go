package persistence_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/holdline/holdline/internal/problem"
	"github.com/holdline/holdline/internal/ratelimit"
	"github.com/holdline/holdline/internal/storetest"
	"github.com/holdline/holdline/persistence"
	"github.com/holdline/holdline/persistence/database/databasetest"
)

var threeAnHour = ratelimit.Limit{Most: 3, Window: time.Hour}

func TestLimiterKeepsItsPromises(t *testing.T) {
	for name, newDSN := range databasetest.Kinds {
		t.Run(name, func(t *testing.T) {
			storetest.TestLimiter(t, func(t *testing.T) ratelimit.Limiter {
				t.Helper()
				return persistence.NewLimiter(databasetest.Migrated(t, newDSN(t)))
			})
		})
	}
}

func TestReplicasShareAnAllowance(t *testing.T) {
	for name, newDSN := range databasetest.Kinds {
		t.Run(name, func(t *testing.T) {
			dsn := newDSN(t)
			databasetest.Migrated(t, dsn)
			var g errgroup.Group
			taken := make(chan struct{}, 64)
			for range 4 {
				limiter := persistence.NewLimiter(databasetest.Open(t, dsn))
				for range 16 {
					g.Go(func() error {
						err := limiter.Take(t.Context(), "name", threeAnHour, noon)
						if err == nil {
							taken <- struct{}{}
						} else if !errors.Is(err, ratelimit.ErrTooManyTries) {
							return err
						}
						return nil
					})
				}
			}
			if err := g.Wait(); err != nil {
				t.Error(err)
			}
			if len(taken) != 3 {
				t.Errorf("%d were taken, want 3", len(taken))
			}
		})
	}
}

func TestTakingIsOneStatement(t *testing.T) {
	databasetest.OnEach(t, func(t databasetest.Kind) {
		limiter, statements := persistence.NewLimiter(t.DB), databasetest.Record(t.DB)
		for i, want := range [][]string{{"INSERT"}, {"INSERT"}, {"INSERT"}, {"INSERT", "SELECT"}} {
			err := limiter.Take(t.Context(), "name", threeAnHour, noon)
			if errors.Is(err, ratelimit.ErrTooManyTries) != (i == 3) {
				t.Errorf("taking %d: %v", i+1, err)
			}
			var got []string
			for _, statement := range statements.Take() {
				got = append(got, strings.Fields(statement)[0])
			}
			if !slices.Equal(got, want) {
				t.Errorf("taking %d: asked %v, want %v", i+1, got, want)
			}
		}
	})
}

func TestNamesWithNothingToRememberArePruned(t *testing.T) {
	databasetest.OnEach(t, func(t databasetest.Kind) {
		limiter := persistence.NewLimiter(t.DB)
		one := ratelimit.Limit{Most: 1, Window: time.Minute}
		for i := range 501 { // more than one batch
			if err := limiter.Take(t.Context(), fmt.Sprint("old ", i), one, noon); err != nil {
				t.Fatal(err)
			}
		}
		if err := limiter.Take(t.Context(), "young", one, noon.Add(time.Second)); err != nil {
			t.Fatal(err)
		}
		for _, step := range []struct {
			now  time.Time
			want int
		}{
			{noon.Add(time.Minute - time.Microsecond), 502},
			{noon.Add(time.Minute), 1},
			{noon.Add(time.Minute + time.Second), 0},
		} {
			if err := limiter.Prune(t.Context(), step.now); err != nil {
				t.Fatal(err)
			}
			if n, err := databasetest.Count(t.Context(), t.DB, "SELECT COUNT(*) FROM limits"); err != nil || n != step.want {
				t.Errorf("at %v: %d names, %v, want %d", step.now, n, err, step.want)
			}
		}
	})
}

func TestALimiterThatIsAwaySaysSo(t *testing.T) {
	databasetest.OnEach(t, func(t databasetest.Kind) {
		limiter := persistence.NewLimiter(t.DB)
		cancelled, cancel := context.WithCancel(t.Context())
		cancel()
		for name, err := range map[string]error{
			"take":      limiter.Take(cancelled, "name", threeAnHour, noon),
			"give back": limiter.GiveBack(cancelled, "name", threeAnHour, noon),
			"prune":     limiter.Prune(cancelled, noon),
		} {
			if !errors.Is(err, problem.ErrStoreUnavailable) {
				t.Errorf("%s: got %v, want %v", name, err, problem.ErrStoreUnavailable)
			}
		}
	})
}
