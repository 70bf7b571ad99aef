package e2e_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/holdline/holdline/e2e/harness"
)

const (
	clusterPersons = 10
	clusterChanges = 200 // at least
	clusterMost    = 600
)

// Three replicas of Holdline, each on a node of its own of a Galera cluster, as
// long as that serves. People change their numbers while nodes and replicas die,
// freeze, are cut off and come back, and while one release replaces another.
func TestClusterLosesAndDoublesNothing(t *testing.T) {
	t.Parallel()
	if os.Getenv("HOLDLINE_CLUSTER") != "1" {
		t.Skip("HOLDLINE_CLUSTER=1 runs this: `make cluster`")
	}
	if os.Geteuid() != 0 {
		t.Fatal("networks for the nodes, and servers that run as mysql, need root")
	}
	if !harness.InNamespace(t) {
		return
	}
	seed := seedFrom(t, "HOLDLINE_CLUSTER_SEED")
	c := newCluster(t, seed)
	var all sync.WaitGroup
	for i, person := range c.people {
		all.Go(func() { c.live(t, person, rand.New(rand.NewPCG(seed, uint64(i+1)))) })
	}
	c.disturb(t, rand.New(rand.NewPCG(seed, 0)))
	c.calm.Store(true)
	all.Wait()
	c.settle(t)
	c.wantAllOnce(t)
	c.wantSameEverywhere(t)
	c.report(t, "cluster", "cluster of 3 Galera nodes", seed)
}

// cluster is what the test disturbs, and what it remembers.
type cluster struct {
	galera *harness.Galera
	// whole waits until the servers are as they were before a fault.
	whole    func(t *testing.T)
	stack    *harness.Stack
	replicas []*harness.Holdline
	people   []*changer
	oldest   string // the program of an earlier release, or blank
	calm     atomic.Bool
	changes  atomic.Int64
	faults   []string
	least    int64 // changes
	persistence
}

func newCluster(t *testing.T, seed uint64) *cluster {
	t.Helper()
	c := &cluster{galera: harness.NewGalera(t, 3), oldest: os.Getenv("HOLDLINE_OLD_BIN")}
	c.whole = func(t *testing.T) {
		t.Helper()
		for _, node := range c.galera.Nodes {
			node.AwaitSynced(t)
		}
	}
	parameters := "?wsrep_sync_wait=7"
	if given, ok := os.LookupEnv("HOLDLINE_CLUSTER_DSN"); ok {
		parameters = given
	}
	var relays []*harness.Relay
	for i := range c.galera.Nodes {
		var nodes []harness.Backend
		for k := range c.galera.Nodes {
			nodes = append(nodes, c.galera.Nodes[(i+k)%len(c.galera.Nodes)].Behind())
		}
		relays = append(relays, harness.NewRelay(t, false, nodes...))
	}
	database := c.galera.NewDatabase(t, relays[0], parameters)
	var dsns []string
	for _, relay := range relays {
		dsns = append(dsns, harness.GaleraDSN(relay, parameters))
	}
	c.populate(t, database, dsns)
	return c
}

// populate starts a replica for each DSN, and has people who change their numbers.
func (c *cluster) populate(t *testing.T, database harness.Database, dsns []string) {
	t.Helper()
	c.least = clusterChanges
	if given, err := strconv.ParseInt(os.Getenv("HOLDLINE_CLUSTER_CHANGES"), 10, 64); err == nil {
		c.least = given
	}
	c.saving = make(chan struct{}, 2) // Kratos on SQLite waits for itself for ever when ten people save at once
	hooks := harness.NewRelay(t, true)
	overlay := withoutTextLimits()
	overlay["limits"].(harness.Overlay)["attempts_per_identity_per_day"] = 10000 // right codes count too
	overlay["hooks"] = harness.Overlay{"base_url": "http://" + hooks.Address}
	c.stack = harness.NewStack(t, harness.Options{
		Database: &database, Program: c.oldest, DirectHooks: true, Holdline: overlay,
	})
	c.replicas = []*harness.Holdline{c.stack.Holdline}
	for _, dsn := range dsns[1:] {
		c.replicas = append(c.replicas, c.stack.ReplicaOf(t, c.oldest, harness.Overlay{"database": harness.Overlay{"dsn": dsn}}))
	}
	for _, replica := range c.replicas {
		hooks.Add(replica.BehindAdmin())
	}
	for i := range clusterPersons {
		p := &changer{prefix: fmt.Sprintf("+49151%03d", 220+i)}
		p.Person = c.stack.NewPerson(t, p.number())
		c.people = append(c.people, p)
	}
}

// live is a person who changes their number again and again.
func (c *cluster) live(t *testing.T, p *changer, chance *rand.Rand) {
	for !t.Failed() && c.changes.Load() < clusterMost && (!c.calm.Load() || c.changes.Load() < c.least) {
		if chance.IntN(8) == 0 { // changes their mind: the next number takes its place
			c.save(p.Person, p.number(), time.Now().Add(3*time.Minute))
		}
		if err := c.change(p, chance); err != nil {
			t.Errorf("%s: %v", p.Email, err)
			return
		}
		c.changes.Add(1)
	}
}

// change goes on until the number is there. It fails when it takes minutes, or
// when a code was accepted and the number does not come.
func (c *cluster) change(p *changer, chance *rand.Rand) error {
	deadline := time.Now().Add(4 * time.Minute)
	number := p.number()
	if err := c.save(p.Person, number, deadline); err != nil {
		return err
	}
	saved, wrong, last := time.Now(), "", ""
	var answer harness.Answer
	for answer.Status != http.StatusAccepted {
		time.Sleep(20 * time.Millisecond)
		if time.Now().After(deadline) {
			return fmt.Errorf("%s not confirmed in time: %s", number, last)
		}
		texts := c.stack.Provider.Texts(number)
		if len(texts) == 0 || texts[len(texts)-1].Code == wrong {
			last = fmt.Sprintf("%d texts, the last one's code is refused", len(texts))
			if time.Since(saved) > time.Minute { // no text came: once more, as a person would
				if err := c.save(p.Person, number, deadline); err != nil {
					return err
				}
				saved = time.Now()
			}
			continue
		}
		code := texts[len(texts)-1].Code
		if chance.IntN(10) == 0 {
			c.ask("wrong code", func() (harness.Answer, error) {
				return p.TryConfirmAt(c.replicas[chance.IntN(len(c.replicas))], harness.WrongCode(code, chance.IntN(6)))
			}, deadline)
		}
		answer = c.ask("confirm", func() (harness.Answer, error) {
			return p.TryConfirmAt(c.replicas[chance.IntN(len(c.replicas))], code)
		}, deadline)
		last = fmt.Sprintf("confirm: %d %s", answer.Status, answer.Body)
		if answer.Status != http.StatusAccepted {
			// The first try may have been heard although its answer was not.
			if i, err := p.TryIdentity(); err == nil && i.Traits.Mobile == number && i.MobileVerified() {
				return nil
			}
			wrong = code
		}
	}
	p.accepted = append(p.accepted, number)
	accepted := time.Now()
	for {
		i, err := p.TryIdentity()
		if err == nil && i.Traits.Mobile == number && i.MobileVerified() {
			c.applied(time.Since(accepted))
			return nil
		}
		if time.Since(accepted) > 2*time.Minute {
			return fmt.Errorf("LOST: %s was accepted and is not there: mobile %s, pending %s, %v", number, i.Traits.Mobile, i.Pending(), err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// disturb is what happens to the cluster, in an order that the seed decides.
func (c *cluster) disturb(t *testing.T, chance *rand.Rand) {
	t.Helper()
	// The new release comes to one replica after the other, and goes back at one.
	for i := range c.replicas {
		c.during(t, chance, fmt.Sprintf("replica %d gets the new release", i+1), func() { c.replicas[i].Replace(t, "") })
	}
	if c.oldest != "" {
		back := c.replicas[chance.IntN(len(c.replicas))]
		c.during(t, chance, "a replica goes back to the old release", func() { back.Replace(t, c.oldest) })
		c.during(t, chance, "and to the new one", func() { back.Replace(t, "") })
	}
	node := func() int { return chance.IntN(len(c.galera.Nodes)) }
	replica := func() *harness.Holdline { return c.replicas[chance.IntN(len(c.replicas))] }
	faults := map[string]func(){
		"kill a replica":       func() { r := replica(); r.Kill(); c.wait(t, chance, 2); r.Start(t) },
		"kill another replica": func() { replica().Restart(t) },
		"kill a node": func() {
			n := c.galera.Nodes[node()]
			n.Kill()
			c.wait(t, chance, 6)
			n.Start(t)
		},
		"kill a node and a replica": func() {
			n, r := c.galera.Nodes[node()], replica()
			n.Kill()
			r.Kill()
			c.wait(t, chance, 3)
			r.Start(t)
			n.Start(t)
		},
		"stop a node": func() { n := c.galera.Nodes[node()]; n.Stop(t); c.wait(t, chance, 3); n.Start(t) },
		"cut a node off": func() {
			heal := c.galera.Cut(t, node())
			c.wait(t, chance, 12)
			heal()
		},
		"cut a node off for a moment": func() {
			heal := c.galera.Cut(t, node())
			c.wait(t, chance, 2)
			heal()
		},
		"freeze a node": func() {
			thaw := c.galera.Nodes[node()].Freeze(t)
			c.wait(t, chance, 12)
			thaw()
		},
	}
	names := slices.Sorted(maps.Keys(faults))
	chance.Shuffle(len(names), func(i, k int) { names[i], names[k] = names[k], names[i] })
	for _, name := range names {
		c.during(t, chance, name, faults[name])
	}
}

// during lets one thing happen, and waits until the cluster is whole again.
func (c *cluster) during(t *testing.T, chance *rand.Rand, name string, happen func()) {
	t.Helper()
	if t.Failed() {
		return
	}
	c.wait(t, chance, 2)
	before, began := c.changes.Load(), time.Now()
	happen()
	c.faults = append(c.faults, name)
	c.whole(t)
	t.Logf("%-40s %5.1f s until whole again, %d changes meanwhile", name, time.Since(began).Seconds(), c.changes.Load()-before)
}

// wait lets a second more than that go by, or less.
func (c *cluster) wait(t *testing.T, chance *rand.Rand, seconds int) {
	t.Helper()
	until := time.Now().Add(time.Duration(seconds*1000-500+chance.IntN(1000)) * time.Millisecond)
	harness.Eventually(t, "the moment", func() error {
		if time.Now().Before(until) {
			return errNotYet
		}
		return nil
	})
}

// settle waits until nothing is under way; then it stops Holdline.
func (c *cluster) settle(t *testing.T) {
	t.Helper()
	harness.Within(t, 2*harness.Patience, "no claim is under way", func() error {
		staged := c.stack.Database.Count(t, "claims", "state = 'staged'")
		verified := c.stack.Database.Count(t, "claims", "state = 'verified'")
		queued := c.stack.Database.Count(t, "texts", "state = 'queued'")
		if staged+verified+queued > 0 {
			return errNotYetWith(fmt.Sprintf("%d staged, %d verified, %d queued", staged, verified, queued))
		}
		return nil
	})
	for _, replica := range c.replicas {
		replica.Stop(t)
	}
}

// wantAllOnce checks people, claims, writes and texts against each other.
func (c *cluster) wantAllOnce(t *testing.T) {
	t.Helper()
	asked := map[string]bool{}
	wrote, _ := numbersWritten(c.stack)
	for _, p := range c.people {
		for _, number := range p.asked {
			asked[number] = true
		}
		i := p.Identity(t)
		if len(p.accepted) > 0 && !slices.Contains(p.asked[slices.Index(p.asked, p.accepted[len(p.accepted)-1]):], i.Traits.Mobile) {
			t.Errorf("LOST: %s has %s, which is older than what was accepted", p.Email, i.Traits.Mobile)
		}
		if !i.MobileVerified() {
			t.Errorf("LOST: %s: %s is not verified", p.Email, i.Traits.Mobile)
		}
		for _, number := range p.accepted {
			if n := c.stack.Database.Count(t, "claims", "identity_id = ? AND number = ? AND state = 'applied'", p.ID, number); n != 1 {
				t.Errorf("%s: claims of %s that were applied: got %d, want 1", p.Email, number, n)
			}
		}
	}
	for number, n := range wrote {
		if n > 1 {
			t.Errorf("DOUBLED: %s was written %d times", number, n)
		}
	}
	for _, text := range c.stack.Provider.Texts("") {
		if !asked[text.To] {
			t.Errorf("a text went to %s, for which nobody asked", text.To)
		}
	}
	wantSoundClaims(t, c.stack.Database, "open")
}

// wantSameEverywhere compares what the nodes hold, table by table.
func (c *cluster) wantSameEverywhere(t *testing.T) {
	t.Helper()
	for _, node := range c.galera.Nodes {
		node.Exec(t, "SET SESSION wsrep_sync_wait = 7")
	}
	harness.Eventually(t, "all nodes hold the same", func() error {
		first := c.galera.Nodes[0].Checksums(t, "e2e")
		for i, node := range c.galera.Nodes[1:] {
			for table, sum := range node.Checksums(t, "e2e") {
				if first[table] != sum {
					return fmt.Errorf("table %s: node 1 has %s, node %d has %s", table, first[table], i+2, sum)
				}
			}
		}
		return nil
	})
}

func (c *cluster) report(t *testing.T, name, servers string, seed uint64) {
	t.Helper()
	accepted, claims := 0, c.stack.Database.Count(t, "claims", "1 = 1")
	for _, p := range c.people {
		accepted += len(p.accepted)
	}
	release := "one release only"
	if c.oldest != "" {
		release = "an earlier release replaced by this one under load"
	}
	outcome := "lost 0, doubled 0"
	if t.Failed() {
		outcome = "FAILED"
	}
	harness.Report(t, name, fmt.Sprintf(
		"%s and 3 replicas, %s (seed %d): %d changes (%d answered 202, %d claims), %d faults and restarts; "+
			"%d of %d requests failed and were tried again, the longest outage for one person lasted %.1f s, the latest number came %.1f s after its code; %s; failures: %v",
		servers, release, seed, c.changes.Load(), accepted, claims, len(c.faults), c.failed.Load(), c.requests.Load(),
		c.outage.Seconds(), c.latest.Seconds(), outcome, c.kinds))
}
