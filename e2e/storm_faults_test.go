package e2e_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/holdline/holdline/e2e/harness"
)

// faults counts them by kind.
type faults struct {
	mu   sync.Mutex
	seen map[string]int
}

func (w *faults) saw(kind string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.seen == nil {
		w.seen = map[string]int{}
	}
	w.seen[kind]++
}

func (w *faults) count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := 0
	for _, times := range w.seen {
		n += times
	}
	return n
}

// gale is one fault of the network: what is done to which link of which replica.
type gale struct {
	harness.Disturbance
	kind    string
	pair    string
	replica int // -1 for all
	calm    time.Duration
	lasts   time.Duration
}

// drawGale draws a whole fault, so that the seed alone decides the order.
func drawGale(chance *rand.Rand, replicas int) gale {
	between := func(low, high int) int { return low + chance.IntN(high-low+1) }
	g := gale{
		pair: pairs[chance.IntN(len(pairs))], replica: chance.IntN(replicas),
		calm: time.Duration(between(200, 1800)) * time.Millisecond, lasts: time.Duration(between(200, 2200)) * time.Millisecond,
	}
	if chance.IntN(4) == 0 {
		g.replica = -1
	}
	g.Requests = chance.IntN(2) == 0
	way := "answers"
	if g.Requests {
		way = "requests"
	}
	switch chance.IntN(8) {
	case 0:
		g.kind = "connections refused"
	case 1:
		g.kind, g.Toxic, g.Attributes = "connections reset", "reset_peer", map[string]int{"timeout": between(0, 300)}
	case 2, 3:
		g.kind, g.Toxic, g.Attributes = way+" vanish", "timeout", map[string]int{"timeout": 0}
	case 4:
		g.kind, g.Toxic, g.Attributes = way+" late", "latency", map[string]int{"latency": between(20, 1200), "jitter": between(0, 600)}
	case 5:
		g.kind, g.Toxic, g.Attributes = way+" slow", "bandwidth", map[string]int{"rate": between(1, 20)}
	case 6:
		g.kind, g.Toxic, g.Attributes = way+" broken off", "limit_data", map[string]int{"bytes": between(0, 1500)}
	default:
		g.kind, g.Toxic, g.Attributes = way+" in pieces", "slicer", map[string]int{
			"average_size": between(2, 200), "size_variation": 1, "delay": between(100, 10000),
		}
	}
	return g
}

// blow lets one fault of the network happen. Whatever it came to, no link stays
// disturbed.
func (w *storm) blow(g gale, over *atomic.Bool) (err error) {
	pass(g.calm, over)
	for i, r := range w.replicas {
		if g.replica >= 0 && g.replica != i {
			continue
		}
		heal, bad := r.links[g.pair].Disturb(g.Disturbance)
		if bad != nil {
			return fmt.Errorf("%s, %s: %w", g.pair, g.kind, bad)
		}
		defer func() {
			if bad := heal(); bad != nil {
				err = errors.Join(err, fmt.Errorf("%s, %s ends: %w", g.pair, g.kind, bad))
			}
		}()
	}
	pass(g.lasts, over)
	w.faults.saw(g.kind)
	return nil
}

// pass lets some time go by, less if all is over.
func pass(d time.Duration, over *atomic.Bool) {
	for until := time.Now().Add(d); time.Now().Before(until) && !over.Load(); {
		time.Sleep(10 * time.Millisecond)
	}
}

// blowKind is a fault of a server, with how often it comes.
type blowKind struct {
	name  string
	often int
	// long is for thorough storms only.
	long   bool
	happen func(t *testing.T, w *storm, replica int, lasts time.Duration, over *atomic.Bool)
}

var blows = []blowKind{
	{"a replica is killed", 4, false, func(t *testing.T, w *storm, replica int, lasts time.Duration, over *atomic.Bool) {
		r := w.killable(replica)
		r.Kill()
		pass(lasts/2, over)
		r.Revive(t)
	}},
	{"a replica freezes", 3, false, func(_ *testing.T, w *storm, replica int, lasts time.Duration, over *atomic.Bool) {
		thaw := w.replicas[replica].Freeze()
		pass(2*lasts, over)
		thaw()
	}},
	{"a replica freezes past its leases", 1, true, func(_ *testing.T, w *storm, replica int, _ time.Duration, over *atomic.Bool) {
		thaw := w.replicas[replica].Freeze()
		pass(22*time.Second, over)
		thaw()
	}},
	{"the database restarts", 2, false, func(t *testing.T, w *storm, _ int, lasts time.Duration, over *atomic.Bool) {
		w.server.Stop(t)
		pass(lasts/2, over)
		w.server.Start(t)
	}},
	{"the database dies", 1, false, func(t *testing.T, w *storm, _ int, lasts time.Duration, over *atomic.Bool) {
		w.server.Kill()
		pass(lasts/2, over)
		w.server.Start(t)
	}},
	{"the database freezes", 2, false, func(t *testing.T, w *storm, _ int, lasts time.Duration, over *atomic.Bool) {
		thaw := w.server.Freeze(t)
		pass(lasts, over)
		thaw()
	}},
	{"Kratos restarts", 3, false, func(t *testing.T, w *storm, _ int, lasts time.Duration, over *atomic.Bool) {
		w.stack.Kratos.Kill()
		pass(lasts/2, over)
		w.stack.Kratos.Start(t)
	}},
	{"the provider answers 500", 2, false, provider(harness.Reaction{Status: http.StatusInternalServerError})},
	{"the provider answers 429", 2, false, provider(harness.Reaction{Status: http.StatusTooManyRequests})},
	{"the provider hangs", 2, false, provider(harness.Reaction{Hang: true})},
	{"the provider breaks off", 2, false, provider(harness.Reaction{Drop: true})},
	{"the provider answers by half", 2, false, provider(harness.Reaction{Half: true})},
}

// provider is a fault of the first provider or, seldom, of both.
func provider(reaction harness.Reaction) func(*testing.T, *storm, int, time.Duration, *atomic.Bool) {
	return func(_ *testing.T, w *storm, _ int, lasts time.Duration, over *atomic.Bool) {
		w.stack.Provider.Always(reaction)
		if lasts < 600*time.Millisecond {
			w.second.Always(reaction)
		}
		pass(lasts, over)
		w.stack.Provider.Always(harness.Reaction{})
		w.second.Always(harness.Reaction{})
	}
}

// drawBlow draws a fault of a server.
func drawBlow(chance *rand.Rand) blowKind {
	sum := 0
	for _, b := range blows {
		sum += b.often
	}
	n := chance.IntN(sum)
	for _, b := range blows {
		if n -= b.often; n < 0 {
			return b
		}
	}
	panic("no fault drawn")
}

// rage lets faults of the network and of the servers happen, one of each at a
// time, until everybody has done.
func (w *storm) rage(t *testing.T, over *atomic.Bool) {
	t.Helper()
	var network sync.WaitGroup
	network.Go(func() {
		chance := w.chance(1 << 32)
		for !over.Load() {
			if err := w.blow(drawGale(chance, len(w.replicas)), over); err != nil {
				t.Error(err)
				return
			}
		}
	})
	defer network.Wait()
	chance := w.chance(1<<32 + 1)
	for !over.Load() {
		b := drawBlow(chance)
		replica := chance.IntN(len(w.replicas))
		calm := time.Duration(300+chance.IntN(2000)) * time.Millisecond
		lasts := time.Duration(300+chance.IntN(2200)) * time.Millisecond
		if b.long && !w.size.thorough {
			continue
		}
		pass(calm, over)
		b.happen(t, w, replica, lasts, over)
		w.faults.saw(b.name)
	}
}
