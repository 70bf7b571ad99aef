package storetest

import (
	"time"

	"github.com/holdline/holdline/internal/audit"
	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/internal/otp"
	"github.com/holdline/holdline/internal/phone"
)

func claimsReadBack(f *fixture) {
	c := open("c", bob)
	c.PendingSync, c.DueTries, c.Reason = claim.SyncShow, 3, "for the suite"
	berlin := time.FixedZone("elsewhere", 3600)
	made := c
	made.CreatedAt, made.NextText = made.CreatedAt.In(berlin), made.NextText.Add(999*time.Nanosecond)
	f.create(made)
	f.same(f.current(bob), claim.IdentityClaims{Active: &c})
}

func currentShowsLiving(f *fixture) {
	f.same(f.current(bob), claim.IdentityClaims{})
	older, newer, held := staged("a", bob), staged("b", bob), open("c", bob)
	newer.CreatedAt = older.CreatedAt.Add(time.Microsecond)
	for _, c := range []claim.Claim{older, newer, held, ended("d", bob, noon), open("e", alice)} {
		f.create(c)
	}
	f.same(f.current(bob), claim.IdentityClaims{Active: &held, Staged: []claim.Claim{newer, older}})
	verified := held
	verified.State = claim.Verified
	verified = f.move(claim.Open, verified)
	f.same(f.current(bob), claim.IdentityClaims{Active: &verified, Staged: []claim.Claim{newer, older}})
}

func triesElsewhere(f *fixture) {
	since := noon.Add(-day)
	for i, created := range []time.Time{since, since.Add(time.Microsecond), noon.Add(-time.Hour)} {
		c := ended(name("c", i), bob, noon)
		c.CreatedAt, c.Attempts = created, 2
		f.create(c)
	}
	untried := ended("untried", bob, noon)
	untried.CreatedAt = since.Add(time.Microsecond)
	f.create(untried)
	foreign := ended("foreign", alice, noon)
	foreign.Attempts = 7
	f.create(foreign)
	want := claim.IdentityClaims{TriesElsewhere: 4, TriesSince: since.Add(time.Microsecond)}
	f.same(f.current(bob), want)
	held := open("held", bob)
	held.Attempts = 1
	f.create(held)
	want.Active = &held
	f.same(f.current(bob), want)
}

func lastEnded(f *fixture) {
	last := func() *claim.Claim {
		f.Helper()
		c, err := f.store.Last(f.Context(), bob)
		f.want(err, nil)
		return c
	}
	f.create(open("held", bob))
	f.create(staged("staged", bob))
	f.create(ended("foreign", alice, noon.Add(time.Hour)))
	f.same(last(), (*claim.Claim)(nil))
	f.create(ended("sooner", bob, noon))
	latest := f.create(ended("later", bob, noon.Add(time.Microsecond)))
	f.same(last(), &latest)
}

func movesWrite(f *fixture) {
	made := f.create(staged("c", bob))
	// A move need not know what the claim was made with.
	moved := claim.Claim{
		ID: "c", IdentityID: bob, State: claim.Open, Reason: "because", CodeKey: "a8.key", CodeNumber: 2,
		CodeExpires: noon.Add(time.Minute), Attempts: 9, Texts: 2, NextText: noon.Add(time.Second), LastAddress: "192.0.2.1",
		Language: "pt-BR", PendingSync: claim.SyncShow, DueAt: noon.Add(2 * time.Second), DueTries: 4, LapsesAt: noon.Add(time.Hour),
	}
	f.move(claim.Staged, moved)
	want := moved
	want.FlowID, want.Source, want.Number, want.Previous = made.FlowID, made.Source, made.Number, made.Previous
	want.PreviousVerified, want.Assurance = made.PreviousVerified, made.Assurance
	want.CreatedAt, want.Version, want.Attempts = made.CreatedAt, 1, 0
	f.same(f.current(bob), claim.IdentityClaims{Active: &want})

	want.State, want.EndedAt, want.DueAt, want.LapsesAt = claim.Lapsed, noon, time.Time{}, time.Time{}
	want = f.move(claim.Open, want)
	last, err := f.store.Last(f.Context(), bob)
	f.want(err, nil)
	f.same(last, &want)
	// The same values once more are a move, too.
	f.move(claim.Lapsed, want)
}

func lateMoves(f *fixture) {
	c, mate := f.create(open("c", bob)), f.create(staged("mate", bob))
	text := textFor("t", c)
	lose := func(late claim.Transition) {
		f.Helper()
		discarded, made := mate, staged("made", bob)
		discarded.State, discarded.EndedAt = claim.Discarded, noon
		f.want(f.store.Commit(f.Context(), claim.Change{
			Create: &made, Transitions: []claim.Transition{{From: claim.Staged, Claim: discarded}, late}, Text: text,
			Events: []audit.Event{{ClaimID: c.ID, IdentityID: bob, Kind: "open", At: noon}}, At: noon,
		}), claim.ErrConcurrentUpdate)
		f.same(f.current(bob), claim.IdentityClaims{Active: &c, Staged: []claim.Claim{mate}})
		state, err := f.store.TextState(f.Context(), c.ID)
		f.want(err, nil)
		f.same(state, message.TextState(""))
	}
	version, missing := c, c
	version.Version++
	missing.ID = "missing"
	lose(claim.Transition{From: claim.Open, Claim: version})
	lose(claim.Transition{From: claim.Verified, Claim: c})
	lose(claim.Transition{From: claim.Open, Claim: missing})
}

func oneHeld(f *fixture) {
	held := f.create(open("held", bob))
	again := open("again", bob)
	f.want(f.store.Commit(f.Context(), claim.Change{Create: &again, At: noon}), claim.ErrConcurrentUpdate)
	f.want(f.store.Commit(f.Context(), claim.Change{
		Create: &again, Limits: claim.TextLimits{PerIdentityDay: 5}, At: noon,
	}), claim.ErrConcurrentUpdate)
	waiting := f.create(staged("waiting", bob))
	opening := waiting
	opening.State = claim.Open
	f.want(f.store.Commit(f.Context(), claim.Change{
		Transitions: []claim.Transition{{From: claim.Staged, Claim: opening}}, At: noon,
	}), claim.ErrConcurrentUpdate)
	f.same(f.current(bob), claim.IdentityClaims{Active: &held, Staged: []claim.Claim{waiting}})
	f.create(open("foreign", alice))
}

func supersession(f *fixture) {
	held, waiting := f.create(open("held", bob)), f.create(staged("waiting", bob))
	superseded, opened := held, waiting
	superseded.State, superseded.EndedAt = claim.Superseded, noon
	opened.State = claim.Open
	f.commit(claim.Change{Transitions: []claim.Transition{
		{From: claim.Open, Claim: superseded}, {From: claim.Staged, Claim: opened},
	}, At: noon})
	opened.Version++
	f.same(f.current(bob), claim.IdentityClaims{Active: &opened})

	// A created claim takes the place that a move left.
	cancelled, made := opened, open("made", bob)
	cancelled.State, cancelled.EndedAt = claim.Cancelled, noon
	f.commit(claim.Change{Create: &made, Transitions: []claim.Transition{{From: claim.Open, Claim: cancelled}}, At: noon})
	f.same(f.current(bob), claim.IdentityClaims{Active: &made})
}

func idsAreUnique(f *fixture) {
	c := f.create(staged("c", bob))
	for _, change := range []claim.Change{
		{},
		{Events: []audit.Event{{ClaimID: "c", IdentityID: alice, Kind: "staged", At: noon}}},
		{Limits: claim.TextLimits{PerIdentityDay: 9, PerNumberDay: 9, PerAddressHour: 9}},
	} {
		for _, again := range []claim.Claim{staged("c", alice), open("c", alice)} {
			change.Create, change.At = &again, noon
			f.want(f.store.Commit(f.Context(), change), claim.ErrExists)
		}
	}
	f.same(f.current(bob), claim.IdentityClaims{Staged: []claim.Claim{c}})
	f.same(f.current(alice), claim.IdentityClaims{})
	// A repeated delivery is told so even when there is no room for another.
	full := open("full", bob)
	f.commit(claim.Change{Create: &full, Text: textFor("t", full), At: noon})
	again := c
	f.want(f.store.Commit(f.Context(), claim.Change{
		Create: &again, Limits: claim.TextLimits{PerIdentityDay: 1}, At: noon,
	}), claim.ErrExists)
}

func forgetting(f *fixture) {
	before, others := open("before", bob), open("others", "alice")
	f.commit(claim.Change{Create: &before, Text: textFor("before", before), At: noon})
	before.State, before.EndedAt = claim.Superseded, noon.Add(-time.Second)
	f.commit(claim.Change{Transitions: []claim.Transition{{From: claim.Open, Claim: before}}, At: noon})
	f.commit(claim.Change{Create: &others, At: noon})
	c := open("c", bob)
	f.commit(claim.Change{Create: &c, Text: textFor("t", c), At: noon})
	orphaned := c
	orphaned.State, orphaned.EndedAt, orphaned.DueAt = claim.Orphaned, noon, time.Time{}
	f.commit(claim.Change{Transitions: []claim.Transition{{From: claim.Open, Claim: orphaned, EraseIdentity: true}}, At: noon})
	want := orphaned
	want.Version, want.Number, want.Previous = 1, phone.Number{}, phone.Number{}
	last, err := f.store.Last(f.Context(), bob)
	f.want(err, nil)
	f.same(last, &want)
	texts, err := f.store.DueTexts(f.Context(), noon.Add(time.Minute), 9)
	f.want(err, nil)
	if len(texts) != 2 || !texts[0].To.IsZero() || !texts[1].To.IsZero() {
		f.Errorf("got %v", texts)
	}
	found, err := f.store.Find(f.Context(), "before")
	f.want(err, nil)
	if !found.Number.IsZero() || !found.Previous.IsZero() {
		f.Errorf("an earlier claim of the identity keeps %+v", found)
	}
	f.same(f.current("alice").Active.Number, others.Number)
}

func tries(f *fixture) {
	c := f.create(open("c", bob))
	f.create(staged("staged", bob))
	try := func(ref otp.CodeRef, limit int, want error) {
		f.Helper()
		f.want(f.store.Try(f.Context(), ref, limit), want)
	}
	try(c.Code(), 2, nil)
	f.same(f.current(bob).Active.Version, c.Version) // so that a move right after it is not raced
	try(otp.CodeRef{ClaimID: "c", Key: c.CodeKey, Number: 2}, 9, claim.ErrConcurrentUpdate)
	try(otp.CodeRef{ClaimID: "missing", Key: c.CodeKey, Number: 1}, 9, claim.ErrConcurrentUpdate)
	try(otp.CodeRef{ClaimID: "staged", Number: 0}, 9, claim.ErrConcurrentUpdate)
	verified := c
	verified.State = claim.Verified
	verified = f.move(claim.Open, verified)
	try(c.Code(), 2, nil)
	try(c.Code(), 2, claim.ErrConcurrentUpdate)
	f.same(f.current(bob).Active.Attempts, 2)
	verified.State, verified.EndedAt = claim.Applied, noon
	f.move(claim.Verified, verified)
	try(c.Code(), 9, claim.ErrConcurrentUpdate)
}

// triesWithTransitions: the try and the transition are both made, or neither.
func triesWithTransitions(f *fixture) {
	c := f.create(open("c", bob))
	verify := func(change func(*claim.Claim), limit int, want error) {
		f.Helper()
		next := c
		next.State = claim.Verified
		change(&next)
		f.want(f.store.Commit(f.Context(), claim.Change{
			Transitions: []claim.Transition{{From: claim.Open, Claim: next, Try: limit}}, At: noon,
		}), want)
	}
	f.want(f.store.Try(f.Context(), c.Code(), 2), nil)
	verify(func(*claim.Claim) {}, 1, claim.ErrConcurrentUpdate)
	verify(func(c *claim.Claim) { c.CodeNumber++ }, 2, claim.ErrConcurrentUpdate)
	verify(func(c *claim.Claim) { c.Version++ }, 2, claim.ErrConcurrentUpdate)
	f.same(f.current(bob).Active.State, claim.Open)
	f.same(f.current(bob).Active.Attempts, 1)
	verify(func(*claim.Claim) {}, 2, nil)
	f.same(f.current(bob).Active.State, claim.Verified)
	f.same(f.current(bob).Active.Attempts, 2)
}
