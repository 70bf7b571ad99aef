package storetest

import (
	"time"

	"github.com/holdline/holdline/internal/claim"
)

func leasesExclude(f *fixture) {
	mine := claim.Lease{IdentityID: bob, Owner: "mine", Until: noon.Add(time.Minute)}
	yours := claim.Lease{IdentityID: bob, Owner: "yours", Until: noon.Add(2 * time.Minute)}
	acquire := func(lease claim.Lease, now time.Time, want error) {
		f.Helper()
		f.want(f.store.Acquire(f.Context(), lease, now), want)
	}
	release := func(lease claim.Lease) {
		f.Helper()
		f.want(f.store.Release(f.Context(), lease), nil)
	}
	release(mine)
	acquire(mine, noon, nil)
	acquire(yours, noon, claim.ErrLeased)
	acquire(mine, noon, claim.ErrLeased)
	acquire(claim.Lease{IdentityID: alice, Owner: "yours", Until: noon.Add(time.Minute)}, noon, nil)
	release(yours)
	acquire(yours, noon.Add(time.Minute-time.Microsecond), claim.ErrLeased)
	acquire(yours, noon.Add(time.Minute), nil)
	release(mine) // lost: not an error, and not yours
	acquire(mine, noon.Add(time.Minute), claim.ErrLeased)
	release(yours)
	acquire(mine, noon.Add(time.Minute), nil)
}

func leasesEndWithClaims(f *fixture) {
	c := f.create(open("c", bob))
	lease := claim.Lease{IdentityID: bob, Owner: "first", ClaimID: "c", Until: noon.Add(time.Minute)}
	next := func(owner string) claim.Lease { lease.Owner = owner; return lease }
	f.want(f.store.Acquire(f.Context(), lease, noon), nil)
	f.want(f.store.Acquire(f.Context(), next("second"), noon), nil) // the claim is not verified yet
	c.State = claim.Verified
	c = f.move(claim.Open, c)
	f.want(f.store.Acquire(f.Context(), next("third"), noon), claim.ErrLeased)
	c.State, c.EndedAt = claim.Applied, noon
	f.move(claim.Verified, c)
	f.want(f.store.Acquire(f.Context(), next("fourth"), noon), nil)
	unknown := claim.Lease{IdentityID: alice, Owner: "one", ClaimID: "missing", Until: noon.Add(time.Minute)}
	f.want(f.store.Acquire(f.Context(), unknown, noon), nil)
	unknown.Owner = "two"
	f.want(f.store.Acquire(f.Context(), unknown, noon), nil)
}

// leasesComeWithChanges: a change takes a lease that is free, and is made without one
// that others have.
func leasesComeWithChanges(f *fixture) {
	c := f.create(open("c", bob))
	lease := claim.Lease{IdentityID: bob, Owner: "first", ClaimID: "c", Until: noon.Add(time.Minute)}
	take := func(owner string, from, to claim.State, at time.Time, want bool) {
		f.Helper()
		lease.Owner, c.State = owner, to
		taken := false
		f.commit(claim.Change{
			Transitions: []claim.Transition{{From: from, Claim: c}}, Lease: &lease, Leased: func() { taken = true }, At: at,
		})
		c.Version++
		f.same(taken, want)
	}
	take("first", claim.Open, claim.Verified, noon, true)
	take("second", claim.Verified, claim.Verified, noon, false)
	f.same(f.current(bob).Active.Version, c.Version)
	f.want(f.store.Acquire(f.Context(), lease, noon), claim.ErrLeased)
	take("third", claim.Verified, claim.Verified, noon.Add(time.Minute), true) // the first has ended
	// A change that fails takes none.
	f.want(f.store.Release(f.Context(), lease), nil)
	stale := c
	stale.Version--
	f.want(f.store.Commit(f.Context(), claim.Change{
		Transitions: []claim.Transition{{From: claim.Verified, Claim: stale}},
		Lease:       &lease, Leased: func() { f.Error("a change that failed took a lease") }, At: noon,
	}), claim.ErrConcurrentUpdate)
	lease.Owner = "fourth"
	f.want(f.store.Acquire(f.Context(), lease, noon), nil)
}

func dueClaims(f *fixture) {
	due := func(now time.Time, n int, want ...claim.Claim) {
		f.Helper()
		got, err := f.store.Due(f.Context(), now, n)
		f.want(err, nil)
		if len(got) != 0 || len(want) != 0 {
			f.same(got, want)
		}
	}
	due(noon, 9)
	later, sooner, gone := staged("later", bob), open("sooner", bob), ended("gone", bob, noon)
	later.DueAt, sooner.DueAt = noon.Add(time.Microsecond), noon
	gone.DueAt, gone.PendingSync = noon.Add(time.Second), claim.SyncClear
	f.create(later)
	f.create(gone)
	f.create(sooner)
	f.create(ended("never", bob, noon))
	due(noon.Add(-time.Microsecond), 9)
	due(noon, 9, sooner)
	due(noon.Add(time.Second), 9, sooner, later, gone)
	due(noon.Add(time.Second), 2, sooner, later)

	take := func(c claim.Claim, want bool) {
		f.Helper()
		got, err := f.store.Take(f.Context(), c, noon.Add(time.Minute))
		f.want(err, nil)
		f.same(got, want)
	}
	take(sooner, true)
	take(sooner, false)
	due(noon.Add(time.Second), 9, later, gone)
	sooner.DueAt, sooner.DueTries = noon.Add(time.Minute), 1
	due(noon.Add(time.Minute), 9, later, gone, sooner)
	take(sooner, true) // put off once more by whoever has it
	moved := f.move(claim.Staged, later)
	take(later, false)
	take(moved, true)
	stranger := gone
	stranger.ID = "stranger"
	take(stranger, false)
	// Taking is no transition.
	sooner.State, sooner.EndedAt, sooner.DueAt = claim.Lapsed, noon, time.Time{}
	take(f.move(claim.Open, sooner), false) // no longer due
}

func pruning(f *fixture) {
	before := noon.Add(-day)
	for i := range 5 {
		c := ended(name("old", i), bob, before.Add(-time.Duration(i+1)*time.Microsecond))
		f.commit(claim.Change{Create: &c, Text: textFor(name("t", i), c), At: noon})
	}
	young := ended("young", bob, before)
	f.commit(claim.Change{Create: &young, Text: textFor("young", young), At: noon})
	held := f.create(open("held", bob))
	lease := claim.Lease{IdentityID: alice, Owner: "o", Until: before.Add(-time.Second)}
	f.want(f.store.Acquire(f.Context(), lease, before.Add(-time.Minute)), nil)
	for _, want := range []int{2, 2, 1, 0, 0} {
		n, err := f.store.Prune(f.Context(), before, 2)
		f.want(err, nil)
		f.same(n, want)
	}
	f.same(f.current(bob), claim.IdentityClaims{Active: &held})
	last, err := f.store.Last(f.Context(), bob)
	f.want(err, nil)
	f.same(last, &young)
	texts, err := f.store.DueTexts(f.Context(), noon.Add(time.Minute), 9)
	f.want(err, nil)
	if len(texts) != 1 || texts[0].ID != "young" {
		f.Errorf("got %v", texts)
	}
}
