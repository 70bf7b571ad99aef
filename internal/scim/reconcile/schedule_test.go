package reconcile_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/scim/reconcile"
	"github.com/holdline/holdline/persistence"
)

// replicas are schedules of one interval that share an index and its leases.
func replicas(t *testing.T, interval time.Duration, owners ...string) (*world, []reconcile.Schedule) {
	t.Helper()
	w, db := newWorldOn(t, "anna", "ben")
	w.Now = time.Now
	all := make([]reconcile.Schedule, len(owners))
	for i, owner := range owners {
		all[i] = reconcile.Schedule{Reconciler: w.Reconciler, Leases: persistence.NewStore(db), Owner: owner, Interval: interval}
	}
	return w, all
}

func TestAFirstPassIsTriedUntilItSucceedsAndThenAtItsInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, all := replicas(t, 5*time.Minute, "a")
		w.kratos.listing = func(n int) error {
			if n <= 3 {
				return errAway
			}
			return nil
		}
		ended := make(chan error, 10)
		all[0].Done = func(_ reconcile.Progress, err error) { ended <- err }
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- all[0].Run(ctx) }()
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if got := len(ended); got != 4 {
			t.Errorf("after two seconds %d passes ended, want three failures and a success", got)
		}
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		if got := len(ended); got != 6 {
			t.Errorf("after two more intervals %d passes ended, want 6", got)
		}
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
		for n := range len(ended) {
			if err := <-ended; (err != nil) != (n < 3) {
				t.Errorf("pass %d ended with %v", n+1, err)
			}
		}
		if got := strings.Count(w.log.String(), "background work failed"); got != 1 {
			t.Errorf("%d lines say that Kratos is away, want one:\n%s", got, w.log.String())
		}
	})
}

func TestReplicasDoNotPassAtTheSameTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, all := replicas(t, 5*time.Minute, "a", "b")
		w.kratos.listing = func(int) error {
			time.Sleep(time.Minute) // longer than the lease, which is extended
			return nil
		}
		done := make(chan error, 1)
		go func() { done <- all[0].Once(t.Context()) }()
		for range 5 {
			time.Sleep(11 * time.Second)
			if err := all[1].Once(t.Context()); err != nil {
				t.Error(err)
			}
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
		if err := all[1].Once(t.Context()); err != nil {
			t.Error(err)
		}
		if w.kratos.lists != 1 {
			t.Errorf("Kratos was read %d times, want once in the interval", w.kratos.lists)
		}
	})
}

func TestAnotherReplicaGoesOnSoonAfterOneHasDied(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, all := replicas(t, 5*time.Minute, "a", "b")
		all[0].Leases = leases{all[0].Leases}
		ctx, die := context.WithCancel(t.Context())
		w.kratos.listing = func(n int) error {
			if n == 1 {
				die()
				return errAway
			}
			return nil
		}
		_ = all[0].Once(ctx)
		if err := all[1].Once(t.Context()); err != nil || w.kratos.lists != 1 {
			t.Errorf("the other one passes at once: %d, %v", w.kratos.lists, err)
		}
		time.Sleep(11 * time.Second)
		if err := all[1].Once(t.Context()); err != nil || w.kratos.lists != 2 {
			t.Errorf("the other one has not gone on: %d, %v", w.kratos.lists, err)
		}
	})
}

// leases are those of a replica that dies without giving one back.
type leases struct{ reconcile.Leases }

func (leases) Release(context.Context, claim.Lease) error { return nil }
