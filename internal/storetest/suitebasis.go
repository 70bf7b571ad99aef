package storetest

import (
	"time"

	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/phone"
)

// A form is refused whose number was replaced since the given moment by the claim
// that was applied last, however that number was spelled, and no other form.
func staleForms(f *fixture) {
	applied := func(id, was, number string, at time.Time) {
		c := open(id, bob)
		c.CreatedAt, c.Number = at.Add(-time.Hour), phone.FromStore(number)
		f.create(c)
		c.State, c.EndedAt, c.Previous = claim.Applied, at, phone.FromStore(was)
		f.move(claim.Open, c)
	}
	stage := func(id, identityID, stored string, since time.Time) error {
		c := staged(id, identityID)
		c.Previous = phone.FromStore(stored)
		err := f.store.Commit(f.Context(), claim.Change{
			Create: &c, Basis: &claim.Basis{Stored: c.Previous, Since: since}, At: noon,
		})
		text := textFor(id, c)
		text.IdentityID = identityID
		same := f.store.Commit(f.Context(), claim.Change{
			Text: text, Basis: &claim.Basis{Stored: c.Previous, Since: since}, At: noon,
		})
		f.want(same, err)
		return err
	}
	ago := func(d time.Duration) time.Time { return noon.Add(-d) }
	f.want(stage("before", bob, old, ago(time.Hour)), nil)
	applied("one", "+49 171/0000000", first, ago(time.Minute))
	f.want(stage("late", bob, old, ago(2*time.Minute)), claim.ErrStaleForm)
	f.want(stage("very late", bob, old, ago(time.Minute)), nil)
	f.want(stage("of today", bob, first, ago(2*time.Minute)), nil)
	f.want(stage("elsewhere", bob, other, ago(2*time.Minute)), nil)
	f.want(stage("nothing", bob, "", ago(2*time.Minute)), nil)
	f.want(stage("somebody else's", alice, old, ago(2*time.Minute)), nil)
	applied("back again", first, old, ago(time.Second))
	f.want(stage("back", bob, old, ago(2*time.Minute)), nil)
	f.want(stage("to and fro", bob, first, ago(2*time.Minute)), claim.ErrStaleForm)
	last, err := f.store.Applied(f.Context(), bob)
	f.want(err, nil)
	if last == nil || last.ID != "back again" {
		f.Errorf("applied last is %+v", last)
	}
	last, err = f.store.Applied(f.Context(), alice)
	f.want(err, nil)
	if last != nil {
		f.Errorf("applied last is %+v", last)
	}
}

// Nothing is staged for a form while an accepted number is being written.
func stagingBesideVerified(f *fixture) {
	c := f.create(open("c", bob))
	stage := func(id, identityID string) error {
		s := staged(id, identityID)
		return f.store.Commit(f.Context(), claim.Change{Create: &s, Basis: &claim.Basis{Stored: s.Previous, Since: noon}, At: noon})
	}
	f.want(stage("beside an open one", bob), nil)
	c.State = claim.Verified
	c = f.move(claim.Open, c)
	f.want(stage("beside a verified one", bob), claim.ErrBeingApplied)
	f.want(stage("somebody else's", alice), nil)
	c.State, c.EndedAt, c.Previous = claim.Conflict, noon, phone.FromStore(other)
	c = f.move(claim.Verified, c)
	f.want(stage("later", bob), nil)
	if kept, err := f.store.Find(f.Context(), c.ID); err != nil || !kept.Previous.Same(phone.FromStore(old)) {
		f.Errorf("a claim that came to nothing replaced %+v, %v", kept, err)
	}
}

// What is staged for an identity that should have no claim is refused if it has one.
func stagingVacant(f *fixture) {
	stage := func(id, identityID string) error {
		s := staged(id, identityID)
		return f.store.Commit(f.Context(), claim.Change{
			Create: &s, Basis: &claim.Basis{Stored: s.Previous, Since: noon, Vacant: true}, At: noon,
		})
	}
	f.want(stage("first", bob), nil)
	f.want(stage("beside a staged one", bob), nil)
	c := f.create(open("c", bob))
	f.want(stage("beside an open one", bob), claim.ErrConcurrentUpdate)
	f.want(stage("somebody else's", alice), nil)
	c.State = claim.Verified
	c = f.move(claim.Open, c)
	f.want(stage("beside a verified one", bob), claim.ErrBeingApplied)
	c.State, c.EndedAt, c.Number = claim.Applied, noon.Add(-1), phone.FromStore(other)
	f.move(claim.Verified, c)
	f.want(stage("later", bob), nil)
}

// A client causes no second text to a number while the first is not answered.
func unanswered(f *fixture) {
	queue := func(id string, c claim.Claim) error {
		return f.store.Commit(f.Context(), claim.Change{Text: textFor(id, c), Answered: true, At: noon})
	}
	texted := func(id, identityID string) claim.Claim {
		c := open(id, identityID)
		c.ClientText = claim.ClientTexted
		return c
	}
	c := f.create(texted("c", bob))
	f.want(queue("its own", c), nil)
	f.want(queue("another's", open("d", bob)), claim.ErrTextedBefore)
	elsewhere := open("d", bob)
	elsewhere.Number = phone.FromStore(other)
	f.want(queue("of another number", elsewhere), nil)
	f.want(queue("somebody else's", open("d", alice)), nil)
	f.want(f.store.Try(f.Context(), c.Code(), 5), nil)
	f.want(queue("after a try", open("d", bob)), nil)
	tried := f.current(bob).Active
	done := *tried
	done.State, done.EndedAt = claim.Lapsed, noon
	f.move(claim.Open, done)
	late := f.create(texted("e", bob))
	f.want(queue("unanswered again", open("d", bob)), claim.ErrTextedBefore)
	late.State = claim.Verified
	f.move(claim.Open, late)
	f.want(queue("once it is confirmed", open("d", bob)), nil)
}

// A lease is given back with the change that it was for, and not without.
func releasing(f *fixture) {
	c := f.create(staged("c", bob))
	lease := claim.Lease{IdentityID: bob, Owner: "one", Until: noon.Add(time.Minute)}
	f.want(f.store.Acquire(f.Context(), lease, noon), nil)
	another := claim.Lease{IdentityID: bob, Owner: "two", Until: noon.Add(time.Minute)}
	opens := c
	opens.State, opens.Version = claim.Open, 7
	move := func(to claim.Claim, lease claim.Lease) error {
		return f.store.Commit(f.Context(), claim.Change{
			Transitions: []claim.Transition{{From: claim.Staged, Claim: to}}, Release: &lease, At: noon,
		})
	}
	f.want(move(opens, lease), claim.ErrConcurrentUpdate)
	f.want(f.store.Acquire(f.Context(), another, noon), claim.ErrLeased)
	opens.Version = c.Version
	f.want(move(opens, lease), nil)
	f.want(f.store.Acquire(f.Context(), another, noon), nil)
	f.want(move(f.create(staged("d", bob)), lease), nil) // it is another's by now
	f.want(f.store.Acquire(f.Context(), lease, noon), claim.ErrLeased)
}
