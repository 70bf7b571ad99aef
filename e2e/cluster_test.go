package e2e_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
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
	if os.Getenv("HOLDLINE_CLUSTER") != "1" {
		t.Skip("HOLDLINE_CLUSTER=1 runs this: `make cluster`")
	}
	if os.Geteuid() != 0 {
		t.Fatal("networks for the nodes, and servers that run as mysql, need root")
	}
	if !harness.InNamespace(t) {
		return
	}
	seed := uint64(time.Now().UnixNano())
	if given, err := strconv.ParseUint(os.Getenv("HOLDLINE_CLUSTER_SEED"), 10, 64); err == nil {
		seed = given
	}
	t.Logf("seed %d", seed)
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
	c.report(t, seed)
}

// cluster is what the test disturbs, and what it remembers.
type cluster struct {
	galera   *harness.Galera
	stack    *harness.Stack
	replicas []*harness.Holdline
	people   []*changer
	oldest   string // the program of an earlier release, or blank
	calm     atomic.Bool
	changes  atomic.Int64
	requests atomic.Int64
	failed   atomic.Int64
	faults   []string
	// saving bounds the settings flows at a time: Kratos on SQLite waits for itself
	// for ever when ten people save at once.
	saving chan struct{}

	mu     sync.Mutex
	outage time.Duration
	latest time.Duration // from an accepted code to the number in Kratos
	least  int64         // changes
	kinds  map[string]int
}

// changer is a person with numbers of their own.
type changer struct {
	*harness.Person
	prefix   string
	asked    []string // every number that was ever typed
	accepted []string // those whose code was answered 202
}

func (p *changer) number() string {
	number := fmt.Sprintf("%s%05d", p.prefix, len(p.asked))
	p.asked = append(p.asked, number)
	return number
}

func newCluster(t *testing.T, seed uint64) *cluster {
	t.Helper()
	c := &cluster{galera: harness.NewGalera(t, 3), oldest: os.Getenv("HOLDLINE_OLD_BIN"), kinds: map[string]int{}, saving: make(chan struct{}, 2), least: clusterChanges}
	if given, err := strconv.ParseInt(os.Getenv("HOLDLINE_CLUSTER_CHANGES"), 10, 64); err == nil {
		c.least = given
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
	hooks := harness.NewRelay(t, true)
	database := c.galera.NewDatabase(t, relays[0], parameters)
	overlay := withoutTextLimits()
	overlay["limits"].(harness.Overlay)["attempts_per_identity_per_day"] = 10000 // right codes count too
	overlay["hooks"] = harness.Overlay{"base_url": "http://" + hooks.Address}
	c.stack = harness.NewStack(t, harness.Options{
		Database: &database, Program: c.oldest, DirectHooks: true, Holdline: overlay,
	})
	c.replicas = []*harness.Holdline{c.stack.Holdline}
	for _, relay := range relays[1:] {
		dsn := harness.Overlay{"database": harness.Overlay{"dsn": harness.GaleraDSN(relay, parameters)}}
		c.replicas = append(c.replicas, c.stack.ReplicaOf(t, c.oldest, dsn))
	}
	for _, replica := range c.replicas {
		hooks.Add(replica.BehindAdmin())
	}
	for i := range clusterPersons {
		p := &changer{prefix: fmt.Sprintf("+49151%03d", 220+i)}
		p.Person = c.stack.NewPerson(t, p.number())
		c.people = append(c.people, p)
	}
	return c
}

// live is a person who changes their number again and again.
func (c *cluster) live(t *testing.T, p *changer, chance *rand.Rand) {
	for !t.Failed() && c.changes.Load() < clusterMost && (!c.calm.Load() || c.changes.Load() < c.least) {
		if chance.IntN(8) == 0 { // changes their mind: the next number takes its place
			c.save(p, p.number(), time.Now().Add(3*time.Minute))
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
	if err := c.save(p, number, deadline); err != nil {
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
				if err := c.save(p, number, deadline); err != nil {
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
			c.mu.Lock()
			c.latest = max(c.latest, time.Since(accepted))
			c.mu.Unlock()
			return nil
		}
		if time.Since(accepted) > 2*time.Minute {
			return fmt.Errorf("LOST: %s was accepted and is not there: mobile %s, pending %s, %v", number, i.Traits.Mobile, i.Pending(), err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func (c *cluster) save(p *changer, number string, deadline time.Time) error {
	answer := c.ask("save", func() (harness.Answer, error) {
		c.saving <- struct{}{}
		defer func() { <-c.saving }()
		answer, err := p.TrySave(harness.Profile{Name: "After", Mobile: number})
		if err == nil && answer.Status == http.StatusBadRequest { // how Kratos says that the hook failed
			err = fmt.Errorf("refused: %s", answer.Body)
		}
		return answer, err
	}, deadline)
	if answer.Status != http.StatusOK {
		return fmt.Errorf("save %s: %d %s", number, answer.Status, answer.Body)
	}
	return nil
}

// ask tries until there is an answer that is not a failure of the server's.
func (c *cluster) ask(kind string, try func() (harness.Answer, error), deadline time.Time) harness.Answer {
	var since time.Time
	for {
		c.requests.Add(1)
		answer, err := try()
		if err == nil && answer.Status < 500 || time.Now().After(deadline) {
			if !since.IsZero() {
				c.mu.Lock()
				c.outage = max(c.outage, time.Since(since))
				c.mu.Unlock()
			}
			return answer
		}
		if since.IsZero() {
			since = time.Now()
		}
		c.failed.Add(1)
		c.mu.Lock()
		c.kinds[kind+" "+strconv.Itoa(answer.Status)]++
		c.mu.Unlock()
		time.Sleep(100 * time.Millisecond)
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
	for _, node := range c.galera.Nodes {
		node.AwaitSynced(t)
	}
	t.Logf("%-40s %5.1f s until whole again, %d changes meanwhile", name, time.Since(began).Seconds(), c.changes.Load()-before)
}

// wait lets a second more than that go by, or less.
func (c *cluster) wait(t *testing.T, chance *rand.Rand, seconds int) {
	t.Helper()
	until := time.Now().Add(time.Duration(seconds*1000-500+chance.IntN(1000)) * time.Millisecond)
	harness.Eventually(t, time.Minute, "the moment", func() error {
		if time.Now().Before(until) {
			return errNotYet
		}
		return nil
	})
}

// settle waits until nothing is under way; then it stops Holdline.
func (c *cluster) settle(t *testing.T) {
	t.Helper()
	harness.Eventually(t, 3*time.Minute, "no claim is under way", func() error {
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
	asked, wrote := map[string]bool{}, map[string]int{}
	for _, call := range c.stack.KratosAdmin.Calls(http.MethodPatch) {
		if call.Status == http.StatusOK && strings.Contains(call.Body, "/traits/mobile") {
			for _, p := range c.people {
				if at := strings.Index(call.Body, p.prefix); at >= 0 {
					wrote[call.Body[at:at+len(p.prefix)+5]]++
				}
			}
		}
	}
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
	for what, condition := range map[string]string{
		"claims in a state that is no end":        "state NOT IN ('applied','conflict','lapsed','cancelled','superseded','discarded','locked','open')",
		"claims that are open without a text":     "state = 'open' AND NOT EXISTS (SELECT 1 FROM e2e.texts x WHERE x.claim_id = claims.id)",
		"claims that were applied twice":          "(SELECT COUNT(*) FROM e2e.audit_events a WHERE a.claim_id = claims.id AND a.kind = 'applied') > 1",
		"claims that were applied without a line": "state = 'applied' AND NOT EXISTS (SELECT 1 FROM e2e.audit_events a WHERE a.claim_id = claims.id AND a.kind = 'applied')",
		"claims beside another that is held":      "state IN ('open','verified') AND EXISTS (SELECT 1 FROM e2e.claims o WHERE o.identity_id = claims.identity_id AND o.id <> claims.id AND o.state IN ('open','verified'))",
	} {
		if n := c.stack.Database.Count(t, "claims", condition); n > 0 {
			t.Errorf("%s: %d", what, n)
		}
	}
}

// wantSameEverywhere compares what the nodes hold, table by table.
func (c *cluster) wantSameEverywhere(t *testing.T) {
	t.Helper()
	for _, node := range c.galera.Nodes {
		node.Exec(t, "SET SESSION wsrep_sync_wait = 7")
	}
	harness.Eventually(t, 30*time.Second, "all nodes hold the same", func() error {
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

func (c *cluster) report(t *testing.T, seed uint64) {
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
	harness.Report(t, "cluster", fmt.Sprintf(
		"cluster of 3 Galera nodes and 3 replicas, %s (seed %d): %d changes (%d answered 202, %d claims), %d faults and restarts; "+
			"%d of %d requests failed and were tried again, the longest outage for one person lasted %.1f s, the latest number came %.1f s after its code; %s; failures: %v",
		release, seed, c.changes.Load(), accepted, claims, len(c.faults), c.failed.Load(), c.requests.Load(),
		c.outage.Seconds(), c.latest.Seconds(), outcome, c.kinds))
}
