package claimtest

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/internal/otp"
	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/internal/storetest"
)

// TestMachine does random things to a claim.Service on a store, with every fault
// that can be had without a second process, and after each of them looks from
// outside whether what came of it is allowed: see machinemodel.go for what is
// known, and machinecheck.go for what is wanted. Each call of newStore returns an
// empty store. At most runs sequences are tried; 0 leaves that to -rapid.checks.
//
// A failure prints the shortest sequence that was found and two flags, either of
// which repeats it:
//
//	go test ./internal/claim/claimtest/ -run TestMachine -rapid.failfile=testdata/rapid/…
//	go test ./internal/claim/claimtest/ -run TestMachine -rapid.seed=…
//
// Longer searches: -rapid.checks=5000 -rapid.steps=60.
func TestMachine(t *testing.T, runs int, newStore func(*testing.T) storetest.ArchivedStore) {
	t.Helper()
	run, failed := 0, false
	rapid.Check(t, func(r *rapid.T) {
		// What has failed is run again and again, to be made shorter.
		if run++; runs > 0 && run > runs && !failed {
			return
		}
		passed := false
		defer func() { failed = failed || !passed }()
		m := newMachine(r, newStore(t))
		actions := map[string]func(*rapid.T){"": m.check}
		for name, command := range m.commands() {
			actions[name] = func(t *rapid.T) { m.perform(name, command(t)) }
		}
		actions["something happens in the middle of the next"] = m.drawMeanwhile
		for range length {
			r.Repeat(actions)
		}
		m.settle(r)
		passed = true
	})
}

// length is how many times -rapid.steps a sequence is long, on average: claims
// take many steps from their form to their end.
const length = 3

// command draws what it needs, and returns what it does. The doing may happen in
// the middle of another command, on another goroutine, so it draws nothing.
type command func(*rapid.T) func()

// machine is a service with its surroundings, and a model of what it may do.
type machine struct {
	model
	ctx     context.Context
	service *claim.Service
	store   storetest.ArchivedStore
	dir     *Identities
	codes   *otp.Codes
	policy  claim.Policy
	now     time.Time
	ids     int
	faults  faults
	away    bool // the directory
	busy    bool // the worker takes no text that is handed to it
	slow    map[string]form
	leased  func() // called when a lease is not to be had
	log     []string
	failure string // the first thing that is not allowed
}

func newMachine(t *rapid.T, store storetest.ArchivedStore) *machine {
	codes, err := otp.New([]string{"0123456789abcdef0123456789abcdef"}, 10, otp.Numeric)
	if err != nil {
		t.Fatal(err)
	}
	m := &machine{
		ctx: t.Context(), store: store, codes: codes, slow: map[string]form{}, leased: func() {},
		now: time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC),
		policy: claim.Policy{
			Enabled: true, Validity: 5 * time.Minute, Removal: claim.RemovalAllow, Resend: claim.ResendNew,
			Lifetime: 24 * time.Hour, Retention: 90 * 24 * time.Hour, SessionAge: 15 * time.Minute,
			MaxAttempts: 3, DayAttempts: 8, Cooldown: 30 * time.Second, MaxTexts: 3,
			Texts: claim.TextLimits{PerIdentityDay: 6, PerNumberDay: 5}, Notices: claim.Notices{OldNumber: true},
		},
	}
	people := []claim.Identity{
		{ID: "ann", Mobile: numbers[0], Verified: true}, {ID: "bob", Mobile: numbers[1]}, {ID: "cem"},
	}
	m.model, m.dir = newModel(people), NewIdentities(people...)
	m.dir.Identifier = rapid.Bool().Draw(t, "sign-in by code")
	m.start()
	return m
}

// start makes the service anew, as after a crash.
func (m *machine) start() {
	m.faults.dead = false
	m.service = claim.New(claim.Options{
		Store: machineStore{m.store, m}, Identities: machineDirectory{m}, Codes: m.codes,
		Plan:   phone.Parser{Format: phone.FormatE164},
		Policy: func() claim.Policy { return m.policy },
		Now:    func() time.Time { return m.now },
		NewID:  func() string { m.ids++; return fmt.Sprintf("%032x", m.ids) },
		Jitter: func(d time.Duration) time.Duration { return d },
		Send: func(t message.Text) {
			if !m.busy && !m.faults.dead {
				m.send(t)
			}
		},
		Log: slog.New(slog.DiscardHandler),
	})
}

// perform does a command. A process that crashed in it is followed by a new one.
func (m *machine) perform(name string, do func()) {
	m.log = append(m.log, fmt.Sprintf("%s %s", m.now.Format(time.TimeOnly), name))
	clear(m.interfered)
	do()
	if m.faults.dead {
		m.start()
	}
	m.now = m.now.Add(time.Millisecond)
}

// drawMeanwhile draws a command that happens just before one of the next calls
// of the store or the directory.
func (m *machine) drawMeanwhile(t *rapid.T) {
	commands := m.commands()
	names := slices.Sorted(maps.Keys(commands))
	name := rapid.SampledFrom(names).Draw(t, "meanwhile")
	do := commands[name](t)
	m.faults.wait = rapid.IntRange(0, 6).Draw(t, "after calls")
	m.faults.meanwhile = func() {
		m.log = append(m.log, "  meanwhile "+name)
		do()
	}
}

// fail keeps the first failure; a command may run where a test must not end.
func (m *machine) fail(format string, args ...any) {
	if m.failure == "" {
		m.failure = fmt.Sprintf(format, args...)
	}
}

// settle lets all faults pass and a day go by: everything has to come to an end.
func (m *machine) settle(t *rapid.T) {
	m.faults, m.away, m.busy = faults{}, false, false
	m.log = append(m.log, "all is well again")
	for _, id := range people {
		m.kratosStores(id)
	}
	for _, d := range []time.Duration{30 * time.Second, time.Minute, 2 * time.Minute, 2 * time.Minute, 25 * time.Hour, time.Minute, time.Minute} {
		m.now = m.now.Add(d)
		m.chores()
		m.poll()
		m.check(t)
	}
	m.ended(t)
}
