package storetest

import (
	"errors"
	"fmt"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/internal/problem"
)

// modelRuns bounds the time that a store on a disk needs.
const modelRuns = 30

// likeTheModel makes random changes to the store and to the one in memory, and
// wants the same answers. The drawn identities are new for each run, so that one
// empty store serves them all.
func likeTheModel(f *fixture) {
	run := 0
	rapid.Check(f.T, func(t *rapid.T) {
		if run++; run > modelRuns {
			return
		}
		m := modelRun{T: t, real: f.store, model: NewStore(), run: run, now: noon}
		t.Repeat(map[string]func(*rapid.T){
			"create": m.create, "move": m.move, "try": m.try, "lease": m.lease, "take": m.take,
			"wait": func(t *rapid.T) {
				m.now = m.now.Add(time.Duration(rapid.IntRange(1, 40).Draw(t, "minutes")) * time.Minute)
			},
			"": m.compare,
		})
	})
}

type modelRun struct {
	*rapid.T
	real  claim.Store
	model *Store
	run   int
	texts int
	now   time.Time
	// takings counts leases: each taking has an owner of its own.
	takings int
}

func (m *modelRun) identity(t *rapid.T) string {
	return fmt.Sprintf("i-%d-%d", m.run, rapid.IntRange(0, 1).Draw(t, "identity"))
}

func (m *modelRun) draw(t *rapid.T) claim.Claim {
	identity := m.identity(t)
	c := staged(fmt.Sprintf("%s-%d", identity, rapid.IntRange(0, 2).Draw(t, "claim")), identity)
	c.Number = phone.FromStore(fmt.Sprintf("+%d-%d", m.run, rapid.IntRange(0, 1).Draw(t, "number")))
	c.State = rapid.SampledFrom([]claim.State{claim.Staged, claim.Open, claim.Verified, claim.Applied}).Draw(t, "state")
	c.CodeNumber, c.CreatedAt = rapid.IntRange(0, 1).Draw(t, "code"), m.now
	if c.State == claim.Applied {
		c.EndedAt = m.now
	}
	c.LastAddress, c.PreviousVerified = fmt.Sprintf("host-%d", m.run), rapid.Bool().Draw(t, "verified")
	return c
}

func (m *modelRun) change(t *rapid.T, c claim.Claim) claim.Change {
	change := claim.Change{At: m.now, Limits: claim.TextLimits{
		PerIdentityDay: rapid.IntRange(0, 3).Draw(t, "per identity"),
		PerNumberHour:  rapid.IntRange(0, 3).Draw(t, "per number and hour"),
		PerNumberDay:   rapid.IntRange(0, 3).Draw(t, "per number"),
		PerAddressHour: rapid.IntRange(0, 3).Draw(t, "per address"),
	}}
	if rapid.Bool().Draw(t, "text") {
		m.texts++
		change.Text = textFor(fmt.Sprintf("t-%d-%d", m.run, m.texts), c)
		change.Text.CreatedAt, change.Text.ClientIP = m.now, c.LastAddress
	}
	for range rapid.IntRange(0, 2).Draw(t, "notices") {
		m.texts++
		notice := textFor(fmt.Sprintf("t-%d-%d", m.run, m.texts), c)
		notice.Kind, notice.CreatedAt = message.TextChanged, m.now
		change.Notices = append(change.Notices, *notice)
		change.Limits.NoticesPerNumberDay = rapid.IntRange(0, 4).Draw(t, "notices per number")
	}
	return change
}

// commit makes a change in both, and wants the same to come of it.
func (m *modelRun) commit(t *rapid.T, change claim.Change) {
	try := func(store claim.Store) (withheld []string, err error) {
		change.Withhold = func(notice message.Text) { withheld = append(withheld, notice.ID) }
		err = store.Commit(t.Context(), change)
		return withheld, err
	}
	got, err := try(m.real)
	want, wantErr := try(m.model)
	m.same(err, wantErr)
	m.same(got, want)
}

func (m *modelRun) create(t *rapid.T) {
	c := m.draw(t)
	change := m.change(t, c)
	change.Create = &c
	m.commit(t, change)
}

func (m *modelRun) move(t *rapid.T) {
	c := m.draw(t)
	kept := m.model.claims[c.ID]
	c.PreviousVerified = kept.PreviousVerified // a text's limits are explained from what was there before
	change := m.change(t, kept)
	if rapid.IntRange(0, 9).Draw(t, "late") > 0 {
		c.Version = kept.Version
	}
	forget := rapid.IntRange(0, 9).Draw(t, "forget") == 0
	change.Transitions = []claim.Transition{{From: kept.State, Claim: c, EraseIdentity: forget}}
	if forget {
		change.Text = nil // nobody is texted who is gone
	}
	m.commit(t, change)
}

func (m *modelRun) try(t *rapid.T) {
	c := m.draw(t)
	limit := rapid.IntRange(0, 3).Draw(t, "limit")
	m.same(m.real.Try(t.Context(), c.Code(), limit), m.model.Try(t.Context(), c.Code(), limit))
}

func (m *modelRun) lease(t *rapid.T) {
	c := m.draw(t)
	if rapid.Bool().Draw(t, "release") {
		last := claim.Lease{IdentityID: c.IdentityID, Owner: fmt.Sprint(m.takings)}
		m.same(m.real.Release(t.Context(), last), m.model.Release(t.Context(), last))
		return
	}
	m.takings++
	lease := claim.Lease{IdentityID: c.IdentityID, Owner: fmt.Sprint(m.takings), Until: m.now.Add(time.Minute)}
	if rapid.Bool().Draw(t, "for the claim") {
		lease.ClaimID = c.ID
	}
	m.same(m.real.Acquire(t.Context(), lease, m.now), m.model.Acquire(t.Context(), lease, m.now))
}

func (m *modelRun) take(t *rapid.T) {
	c := m.model.claims[m.draw(t).ID]
	got, err := m.real.Take(t.Context(), c, m.now)
	want, wantErr := m.model.Take(t.Context(), c, m.now)
	m.same(err, wantErr)
	m.same(got, want)
}

func (m *modelRun) compare(t *rapid.T) {
	identity := m.identity(t)
	got, err := m.real.Current(t.Context(), identity, m.now.Add(-time.Hour))
	want, wantErr := m.model.Current(t.Context(), identity, m.now.Add(-time.Hour))
	m.same(err, wantErr)
	m.same(got, want)
	last, err := m.real.Last(t.Context(), identity)
	wantLast, wantErr := m.model.Last(t.Context(), identity)
	m.same(err, wantErr)
	m.same(last, wantLast)
}

// same compares answers; errors by what they say.
func (m *modelRun) same(got, want any) {
	m.Helper()
	plain := cmp.Transformer("reveal", phone.Number.Unmasked)
	asText := cmp.Comparer(func(a, b error) bool {
		if x, y := (*problem.LimitError)(nil), (*problem.LimitError)(nil); errors.As(a, &x) && errors.As(b, &y) {
			return errors.Is(x.Reason, y.Reason) && x.Until.Equal(y.Until) && x.Name == y.Name
		}
		return (a == nil) == (b == nil) && (a == nil || a.Error() == b.Error())
	})
	if diff := cmp.Diff(want, got, plain, asText); diff != "" {
		m.Fatalf("differs (-model +store):\n%s", diff)
	}
}
