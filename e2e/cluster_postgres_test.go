package e2e_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/holdline/holdline/e2e/harness"
)

// Three replicas of Holdline on a PostgreSQL with a synchronous standby, by a DSN that names
// both. People change their numbers while the one that takes writes is killed, freezes or
// hands over, and the standby is promoted.
func TestFailoverLosesAndDoublesNothing(t *testing.T) { //nolint:paralleltest // has a make target of its own
	if os.Getenv("HOLDLINE_CLUSTER") != "1" {
		t.Skip("HOLDLINE_CLUSTER=1 runs this: `make failover`")
	}
	seed := seedFrom(t, "HOLDLINE_CLUSTER_SEED")
	pair := harness.NewPostgresPair(t)
	c := &cluster{whole: func(t *testing.T) { t.Helper(); pair.AwaitSynchronous(t) }}
	c.populate(t, pair.Database(), []string{pair.DSN, pair.DSN, pair.DSN})
	var all sync.WaitGroup
	for i, person := range c.people {
		all.Go(func() { c.live(t, person, rand.New(rand.NewPCG(seed, uint64(i+1)))) })
	}
	outages := c.failOver(t, pair, rand.New(rand.NewPCG(seed, 0)))
	c.calm.Store(true)
	all.Wait()
	c.settle(t)
	c.wantAllOnce(t)
	wantSameAtStandby(t, pair)
	c.report(t, "failover", fmt.Sprintf("PostgreSQL with a synchronous standby, promoted %d times, out of service for %s s each time,", len(outages), seconds(outages)), seed)
}

// failOver has the standby take over again and again, and returns how long each time nothing
// could be written, from the fault on. What notices the fault, and promotes, takes a second
// or two.
func (c *cluster) failOver(t *testing.T, pair *harness.PostgresPair, chance *rand.Rand) []time.Duration {
	t.Helper()
	var outages []time.Duration
	takeOver := func(name string, end func(), afterwards ...func()) {
		c.during(t, chance, name, func() {
			began := time.Now()
			end()
			c.wait(t, chance, 2)
			pair.Promote(t)
			harness.Eventually(t, "the other server takes writes", func() error {
				ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
				defer cancel()
				_, err := pair.Root.ExecContext(ctx, "INSERT INTO failovers (at) VALUES (clock_timestamp())")
				return err
			})
			outages = append(outages, time.Since(began))
			for _, do := range afterwards {
				do()
			}
			c.wait(t, chance, 4)
			pair.Rebuild(t)
		})
	}
	if _, err := pair.Root.ExecContext(t.Context(), "CREATE TABLE failovers (at TIMESTAMPTZ NOT NULL PRIMARY KEY)"); err != nil {
		t.Fatal(err)
	}
	for _, fault := range chance.Perm(3) {
		switch fault {
		case 0:
			takeOver("kill the primary", pair.KillPrimary)
		case 1:
			takeOver("freeze the primary", pair.FreezePrimary)
		case 2:
			takeOver("hand over", func() { pair.StopPrimary(t) })
		}
	}
	r := c.replicas[chance.IntN(len(c.replicas))]
	takeOver("kill the primary and a replica", func() { pair.KillPrimary(); r.Kill() }, func() { r.Start(t) })
	return outages
}

// wantSameAtStandby compares what both servers have.
func wantSameAtStandby(t *testing.T, pair *harness.PostgresPair) {
	t.Helper()
	pair.AwaitSynchronous(t)
	harness.Eventually(t, "both servers have the same", func() error {
		first, second := pair.Checksums(t, 0), pair.Checksums(t, 1)
		if len(first) == 0 || !maps.Equal(first, second) {
			return errNotYetWith(fmt.Sprint(first, second))
		}
		return nil
	})
}

// seconds writes how long things took, the shortest and the longest.
func seconds(took []time.Duration) string {
	if len(took) == 0 {
		return "0"
	}
	least, most := took[0], took[0]
	for _, d := range took {
		least, most = min(least, d), max(most, d)
	}
	return fmt.Sprintf("%.1f to %.1f", least.Seconds(), most.Seconds())
}
