package e2e_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
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

// Many people change their numbers in every way there is, while the network, the
// provider, the databases, Kratos and Holdline itself fail at random. The seed
// decides what each of them does and what fails, in which order and for how long.
// e2e/README.md says what must hold.
func TestInAStormNothingIsLostAndNothingDoubled(t *testing.T) {
	t.Parallel()
	size := stormSize{people: 30, changes: 10, replicas: 2}
	if given, err := strconv.Atoi(os.Getenv("HOLDLINE_STORM_CHANGES")); err == nil {
		size = stormSize{people: 60, changes: (given + 59) / 60, replicas: 3, thorough: true}
	}
	seed := seedFrom(t, "HOLDLINE_STORM_SEED")
	w := newStorm(t, seed, size)
	began := time.Now()
	w.live(t, func(p *person) bool {
		return p.done < size.changes && (size.thorough || p.done < sliceChanges || w.faults.count() < sliceFaults)
	})
	w.calmDown(t)
	w.wantStorm(t)
	w.prove(t)
	name := "storm"
	if size.thorough {
		name = "storm-long"
	}
	harness.Report(t, name, w.summary(t, time.Since(began)))
}

// stormSize is how much happens.
type stormSize struct {
	people, changes, replicas int
	// thorough also waits for forms to be given up that Kratos never stored, which
	// takes two minutes.
	thorough bool
	// spared keeps the first replica alive all the time.
	spared bool
}

const (
	// claimLifetime is short, so that claims lapse within the test.
	claimLifetime = 30 * time.Second
	// sliceChanges by each person, and sliceFaults, are enough where the storm is not to
	// be thorough. A busy machine takes longer for them.
	sliceChanges, sliceFaults = 4, 20
	// longSession is longer than any of these tests: people sign in once.
	longSession = "4h"
	// spares are accounts that each person has for being deleted or left alone.
	spares = 1
)

// storm is what the test disturbs, and what it remembers.
type storm struct {
	persistence
	seed      uint64
	size      stormSize
	stack     *harness.Stack
	second    *harness.Provider // takes over when the first does not answer
	server    *harness.Server   // of Holdline's database
	replicas  []*replica
	people    []*person
	desk      harness.Header // an administrator's token
	client    harness.Header // a provisioning client's
	trusted   harness.Header // a privileged client's
	faults    faults
	changes   atomic.Int64
	converged time.Duration
}

// replica is a Holdline with a link to everything that it talks to.
type replica struct {
	*harness.Holdline
	// door is the program as clients reach it.
	door *harness.Holdline
	// links are by what is at their ends.
	links map[string]*harness.Link
}

// The pairs that a link is between, one for each replica.
var pairs = []string{
	"Holdline to its database", "Holdline to Kratos' public API", "Holdline to Kratos' admin API",
	"Holdline to the provider", "Kratos to the hooks", "clients to Holdline",
}

func newStorm(t *testing.T, seed uint64, size stormSize) *storm {
	t.Helper()
	w := &storm{seed: seed, size: size, server: harness.OwnServer(t), second: harness.NewProvider(t)}
	database := w.server.NewDatabase(t)
	hooks := harness.NewRelay(t, true)
	everywhere := harness.Overlay{
		"claims": harness.Overlay{"lifetime": claimLifetime.String()},
		"identity_mgt": harness.Overlay{"user_claim_update": harness.Overlay{
			"mobile": harness.Overlay{"verification_sms_otp_validity": claimLifetime.String()},
		}},
		"limits": harness.Overlay{
			"texts_per_identity_per_day": 0, "texts_per_number_per_hour": 0, "texts_per_number_per_day": 0, "texts_per_address_per_hour": 0,
			"texts_per_claim": 0, "attempts_per_identity_per_day": 0, "resend_cooldown": "500ms",
		},
		"kratos": harness.Overlay{"privileged_session_max_age": longSession},
		"hooks":  harness.Overlay{"base_url": "http://" + hooks.Address},
		"log":    harness.Overlay{"level": "info"},
	}
	w.stack = harness.NewStack(t, harness.Options{
		Database: &database, KratosServer: harness.SharedMariaDB(t), DirectHooks: true, Holdline: everywhere,
		Kratos: harness.Overlay{
			"log":         harness.Overlay{"level": "error"},
			"selfservice": harness.Overlay{"flows": harness.Overlay{"settings": harness.Overlay{"privileged_session_max_age": longSession}}},
		},
	})
	for i := range size.replicas {
		program := w.stack.Holdline
		if i > 0 {
			program = w.stack.Replica(t)
		}
		r := w.newReplica(t, program)
		hooks.Add(harness.Backend{Address: r.links["Kratos to the hooks"].Address, Healthy: program.Alive})
		w.replicas = append(w.replicas, r)
	}
	w.desk = harness.ByClient(w.stack.Token(t, "--scope", "claims:manage"))
	w.client = harness.ByClient(w.stack.Token(t))
	w.trusted = harness.ByClient(w.stack.Token(t, "--privileged"))
	for i := range size.people {
		w.people = append(w.people, w.newPerson(t, i))
	}
	return w
}

// newReplica puts links between a program and all others.
func (w *storm) newReplica(t *testing.T, program *harness.Holdline) *replica {
	t.Helper()
	r := &replica{Holdline: program, links: map[string]*harness.Link{}}
	for i, to := range []string{
		fmt.Sprintf("127.0.0.1:%d", w.server.Port), w.stack.KratosPublic.URL, w.stack.KratosAdmin.URL,
		w.stack.Provider.URL, program.AdminURL, program.PublicURL,
	} {
		r.links[pairs[i]] = harness.NewLink(t, to)
	}
	provider := w.stack.Provider.Gateway("first")
	provider["timeout"] = "2s"
	provider["request_config"].(harness.Overlay)["url"] = r.links["Holdline to the provider"].URL() + "/send"
	d := w.stack.Database
	program.Reconfigure(t, harness.Overlay{
		"database": harness.Overlay{"dsn": strings.ReplaceAll(d.DSN, fmt.Sprintf("127.0.0.1:%d", w.server.Port), r.links["Holdline to its database"].Address)},
		"kratos": harness.Overlay{
			"public_url": r.links["Holdline to Kratos' public API"].URL(),
			"admin_url":  r.links["Holdline to Kratos' admin API"].URL(),
		},
		"sms": harness.Overlay{"gateways": []harness.Overlay{provider, w.second.Gateway("second")}},
	})
	r.door = program.Through(r.links["clients to Holdline"])
	return r
}

// live lets everybody change numbers, as long as there is more to do, while faults
// happen. It returns when all have ended.
func (w *storm) live(t *testing.T, more func(*person) bool) {
	t.Helper()
	var over atomic.Bool
	var left atomic.Int64
	left.Store(int64(len(w.people)))
	var all sync.WaitGroup
	defer all.Wait()
	for _, p := range w.people {
		all.Go(func() {
			w.act(t, p, more)
			if left.Add(-1) == 0 {
				over.Store(true)
			}
		})
	}
	w.rage(t, &over)
}

// act is what one person does.
func (w *storm) act(t *testing.T, p *person, more func(*person) bool) {
	for !t.Failed() && more(p) {
		next, began := draw(p.chance, len(w.replicas)), time.Now()
		if err := w.do(p, next); err != nil {
			t.Errorf("%s, change %d, %+v: %v\nthe logs say of the account:\n%s", p.Email, p.done, next, err, w.logged(p.ID))
			return
		}
		p.slowest = max(p.slowest, time.Since(began))
		p.done++
		p.did[next.kind]++
		w.changes.Add(1)
	}
}

// wantStorm: where hardly anything was done, or hardly anything failed, nothing was
// proved.
func (w *storm) wantStorm(t *testing.T) {
	t.Helper()
	const changesEach, leastFaults = 2, 10
	if n, least := int(w.changes.Load()), changesEach*len(w.people); n < least {
		t.Errorf("changes: got %d, want %d or more", n, least)
	}
	if n := w.faults.count(); n < leastFaults {
		t.Errorf("faults: got %d, want %d or more", n, leastFaults)
	}
}

// logged are the last lines of all replicas' logs that name something.
func (w *storm) logged(what string) string {
	var all []string
	for i, r := range w.replicas {
		var lines []string
		for line := range strings.Lines(r.Output.String()) {
			if strings.Contains(line, what) {
				lines = append(lines, fmt.Sprintf("  replica %d: %s", i+1, line))
			}
		}
		all = append(all, lines[max(0, len(lines)-100):]...)
	}
	return strings.Join(all, "")
}

// summary is what happened, in one line and two lists.
func (w *storm) summary(t *testing.T, took time.Duration) string {
	t.Helper()
	outcome := "lost 0, doubled 0"
	if t.Failed() {
		outcome = "FAILED"
	}
	kinds, slowest := map[string]int{}, time.Duration(0)
	for _, p := range w.people {
		slowest = max(slowest, p.slowest)
		for kind, n := range p.did {
			kinds[kind] += n
		}
	}
	return fmt.Sprintf(
		"storm (seed %d): %d changes by %d people on %d replicas in %.0f s, %d faults; claims: %s; %s; "+
			"%d of %d requests failed and were tried again, the slowest change took %.0f s, the latest number came %.1f s after its code, all had ended %.0f s after the last fault\n"+
			"  changes: %s\n  faults: %s\n  failed requests: %s",
		w.seed, w.changes.Load(), len(w.people), len(w.replicas), took.Seconds(), w.faults.count(), listed(w.claims(t)), outcome,
		w.failed.Load(), w.requests.Load(), slowest.Seconds(), w.latest.Seconds(), w.converged.Seconds(), listed(kinds), listed(w.faults.seen), listed(w.kinds))
}

// claims counts the claims by how they ended.
func (w *storm) claims(t *testing.T) map[string]int {
	t.Helper()
	ends := map[string]int{}
	for _, state := range []string{"applied", "conflict", "lapsed", "cancelled", "superseded", "locked", "discarded", "orphaned"} {
		ends[state] = w.stack.Database.Count(t, "claims", "state = ?", state)
	}
	return ends
}

func listed(counts map[string]int) string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		all = append(all, fmt.Sprintf("%s %d", name, counts[name]))
	}
	return strings.Join(all, ", ")
}

// chance is somebody's own sequence of random numbers, whatever the others do.
func (w *storm) chance(who uint64) *rand.Rand { return rand.New(rand.NewPCG(w.seed, who)) }
