package claim_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/holdline/holdline/internal/audit"
	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/phone"
)

// scimChange is a SCIM client's change as the tests describe it.
type scimChange struct {
	who     audit.ActorKind
	asked   bool
	touch   claim.UpdateKind
	wanted  string
	failure error // of the write
	client  bool
	address string // that the request comes from
	// leaveOut says which numbers the client would rather leave out.
	leaveOut claim.LeaveOut
}

// provision does what a SCIM server does with a change: propose, write, settle.
func (w *world) provision(c scimChange) (claim.Proposal, error) {
	if c.who == "" {
		c.who = audit.Owner
	}
	i := w.identity(bob) // nobody else writes it here
	var p claim.Proposal
	err := w.WithLease(w.t.Context(), bob, func(ctx context.Context) (err error) {
		p, err = w.Propose(ctx, i, claim.DirectChange{
			Source: claim.SourceSCIM, Who: audit.Actor{Kind: c.who, ID: bob, ClientIP: c.address}, SignedIn: &claim.SignIn{At: w.Now()},
			Asked: c.asked, Update: c.touch, Wanted: c.wanted, Client: c.client, LeaveOut: c.leaveOut,
		})
		if err != nil {
			return err
		}
		if c.failure == nil {
			i.Pending = p.Pending.Unmasked()
			if !p.HoldsBack() {
				i.Mobile, i.Verified = p.Number.Unmasked(), i.Verified && p.Number.Unmasked() == i.Mobile
			}
			w.dir.Put(i)
		}
		if err := w.Settle(ctx, p, c.failure); err != nil {
			return err
		}
		return c.failure
	})
	w.pass(aMoment)
	return p, err
}

// ask is bob's own change with verifyMobile.
func ask(number string) scimChange {
	return scimChange{asked: true, touch: claim.UpdateExplicit, wanted: number}
}

func TestASCIMChangeFollowsTheTable(t *testing.T) {
	for name, tt := range map[string]struct {
		policy   func(*claim.Policy)
		before   []scimChange
		change   scimChange
		mobile   string
		verified bool
		pending  string
		texts    []string
	}{
		"asked for":                    {change: ask(m1), mobile: m0, verified: true, pending: m1, texts: []string{m1}},
		"not asked for":                {change: scimChange{touch: claim.UpdateExplicit, wanted: m1}, mobile: m1},
		"always":                       {policy: func(p *claim.Policy) { p.VerifyAlways = true }, change: scimChange{touch: claim.UpdateExplicit, wanted: m1}, mobile: m0, verified: true, pending: m1, texts: []string{m1}},
		"taken back":                   {before: []scimChange{ask(m1)}, change: ask(m0), mobile: m0, verified: true, texts: []string{m1}},
		"another number":               {before: []scimChange{ask(m1)}, change: ask(m2), mobile: m0, verified: true, pending: m2, texts: []string{m1, m2}},
		"something else":               {before: []scimChange{ask(m1)}, change: scimChange{}, mobile: m0, verified: true, pending: m1, texts: []string{m1}},
		"a PUT that repeats it":        {before: []scimChange{ask(m1)}, change: scimChange{touch: claim.UpdateFull, wanted: m0}, mobile: m0, verified: true, pending: m1, texts: []string{m1}},
		"removed":                      {before: []scimChange{ask(m1)}, change: scimChange{touch: claim.UpdateExplicit}, mobile: "", texts: []string{m1}},
		"spelled otherwise":            {change: ask("+49 171 000 00-00"), mobile: m0, verified: true},
		"D8: a retry":                  {before: []scimChange{ask(m1)}, change: ask(m1), mobile: m0, verified: true, pending: m1, texts: []string{m1}},
		"privileged, switch off":       {change: scimChange{who: audit.Privileged, asked: true, touch: claim.UpdateExplicit, wanted: m1}, mobile: m1},
		"privileged, switch on":        {policy: func(p *claim.Policy) { p.VerifyPrivileged = true }, change: scimChange{who: audit.Privileged, asked: true, touch: claim.UpdateExplicit, wanted: m1}, mobile: m0, verified: true, pending: m1, texts: []string{m1}},
		"written at once ends a claim": {before: []scimChange{ask(m1)}, change: scimChange{touch: claim.UpdateExplicit, wanted: m2}, mobile: m2, texts: []string{m1}},
		"a client without privilege":   {change: scimChange{who: audit.Client, asked: true, touch: claim.UpdateExplicit, wanted: m1}, mobile: m0, verified: true, pending: m1, texts: []string{m1}},
		"feature off ends a claim":     {before: []scimChange{ask(m1)}, policy: func(p *claim.Policy) { p.Enabled = false }, change: ask(m2), mobile: m2, texts: []string{m1}},
		"feature off, other things":    {before: []scimChange{ask(m1)}, policy: func(p *claim.Policy) { p.Enabled = false }, change: scimChange{}, mobile: m0, verified: true, pending: m1, texts: []string{m1}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			for _, c := range tt.before {
				if _, err := w.provision(c); err != nil {
					t.Fatal(err)
				}
			}
			if tt.policy != nil {
				tt.policy(&w.policy)
			}
			if _, err := w.provision(tt.change); err != nil {
				t.Fatal(err)
			}
			w.wantIdentity(tt.mobile, tt.verified, tt.pending)
			w.wantTexts(tt.texts...)
			if tt.pending == "" && len(tt.texts) > 0 {
				wantErr(t, w.confirm(bob, w.lastCode()), claim.ErrWrongCode)
			}
			if tt.pending != "" {
				wantErr(t, w.confirm(bob, w.lastCode()), nil)
				w.wantIdentity(tt.pending, true, "")
			}
		})
	}
}

func TestARefusedWriteLeavesNothingBehind(t *testing.T) {
	w := newWorld(t)
	refused := ask(m1)
	refused.failure = claim.ErrNumberTaken
	_, err := w.provision(refused)
	wantErr(t, err, claim.ErrNumberTaken)
	w.wantTexts()
	w.pass(time.Hour)
	w.chores()
	w.wantIdentity(m0, true, "")
	w.wantTexts()
	wantErr(t, w.Resend(t.Context(), w.caller(bob)), claim.ErrNothingPending)
}

func TestAWriteWithoutAnAnswerIsFoundOut(t *testing.T) {
	for name, arrived := range map[string]bool{"it arrived": true, "it did not": false} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			lost := ask(m1)
			lost.failure = claim.ErrIdentitiesUnavailable
			p, err := w.provision(lost)
			wantErr(t, err, claim.ErrIdentitiesUnavailable)
			if arrived {
				i := w.identity(bob)
				i.Pending = p.Pending.Unmasked()
				w.dir.Put(i)
			}
			w.pass(6 * time.Second)
			w.chores()
			if arrived {
				w.wantTexts(m1)
				return
			}
			w.pass(3 * time.Minute)
			w.chores()
			w.wantTexts()
		})
	}
}

func TestWhatOwnersMayNotDoWithTheirNumber(t *testing.T) {
	w := newWorld(t)
	_, err := w.provision(ask("12"))
	wantErr(t, err, phone.ErrBadNumber)
	w.policy.Removal = claim.RemovalDeny
	_, err = w.provision(scimChange{touch: claim.UpdateExplicit})
	wantErr(t, err, claim.ErrRemovalDenied)
	_, err = w.Propose(t.Context(), w.identity(bob), claim.DirectChange{
		Source: claim.SourceSCIM, Who: audit.Actor{Kind: audit.Owner, ID: bob}, SignedIn: &claim.SignIn{At: w.Now().Add(-time.Hour)},
		Asked: true, Update: claim.UpdateExplicit, Wanted: m1,
	})
	wantErr(t, err, claim.ErrSessionTooOld)
	w.wantIdentity(m0, true, "")
	w.wantTexts()
}

func TestANewIdentityStartsWithItsNumberUnlessAllAreVerified(t *testing.T) {
	w := newWorld(t)
	change := claim.DirectChange{Source: claim.SourceSCIM, Who: audit.Actor{Kind: audit.Client, ID: "okta"}, Asked: true, Wanted: m1}
	p, err := w.ProposeNew(t.Context(), change)
	wantErr(t, err, nil)
	if p.Number.Unmasked() != m1 || !p.Pending.IsZero() {
		t.Errorf("proposed %v, pending %v", p.Number.Unmasked(), p.Pending.Unmasked())
	}
	w.policy.VerifyAlways = true
	p, err = w.ProposeNew(t.Context(), change)
	wantErr(t, err, nil)
	if !p.Number.IsZero() || p.Pending.Unmasked() != m1 {
		t.Errorf("proposed %v, pending %v", p.Number.Unmasked(), p.Pending.Unmasked())
	}
	w.dir.Put(claim.Identity{ID: "new", Pending: m1})
	wantErr(t, w.SettleNew(t.Context(), p, "new"), nil)
	w.wantTexts(m1)
	wantErr(t, w.confirm("new", w.lastCode()), nil)
	if got := w.identity("new"); got.Mobile != m1 || !got.Verified || got.Pending != "" {
		t.Errorf("identity is %+v", got)
	}
}

func TestADeletedIdentityLeavesNoClaim(t *testing.T) {
	w := newWorld(t)
	if _, err := w.provision(ask(m1)); err != nil {
		t.Fatal(err)
	}
	wantErr(t, w.EraseIdentity(t.Context(), bob, audit.Actor{Kind: audit.Client, ID: "okta"}), nil)
	wantErr(t, w.confirm(bob, w.lastCode()), claim.ErrWrongCode)
	wantErr(t, w.EraseIdentity(t.Context(), bob, audit.Actor{Kind: audit.Client, ID: "okta"}), nil)
}

func TestADeletedIdentityLeavesNoNumberOfAChangeThatWasMade(t *testing.T) {
	w := newWorld(t)
	w.submit(bob, "flow", m1)
	wantErr(t, w.confirm(bob, w.lastCode()), nil)
	for range 2 {
		wantErr(t, w.EraseIdentity(t.Context(), bob, audit.Actor{Kind: audit.Client, ID: "okta"}), nil)
		last, err := w.store.Last(t.Context(), bob)
		if err != nil || last.State != claim.Applied || !last.Number.IsZero() || !last.Previous.IsZero() {
			t.Errorf("got %+v, %v", last, err)
		}
	}
}

// The claim of a removal has no number itself.
func TestADeletedIdentityLeavesNoNumberOfBeforeARemoval(t *testing.T) {
	w := newWorld(t)
	w.submit(bob, "flow", m1)
	wantErr(t, w.confirm(bob, w.lastCode()), nil)
	changed, err := w.store.Last(t.Context(), bob)
	wantErr(t, err, nil)
	w.submit(bob, "removal", "")
	removed, err := w.store.Last(t.Context(), bob)
	if err != nil || removed.ID == changed.ID || !removed.Number.IsZero() {
		t.Fatalf("got %+v, %v", removed, err)
	}
	wantErr(t, w.EraseIdentity(t.Context(), bob, audit.Actor{Kind: audit.Client, ID: "okta"}), nil)
	for _, id := range []string{changed.ID, removed.ID} {
		if got, err := w.store.Find(t.Context(), id); err != nil || !got.Number.IsZero() || !got.Previous.IsZero() {
			t.Errorf("got %+v, %v", got, err)
		}
	}
}

func TestOneWritesAnIdentityAtATime(t *testing.T) {
	w := newWorld(t)
	var mu sync.Mutex
	inside, most, done := 0, 0, 0
	var all sync.WaitGroup
	for range 10 {
		all.Go(func() {
			err := w.WithLease(t.Context(), bob, func(context.Context) error {
				mu.Lock()
				inside++
				most = max(most, inside)
				mu.Unlock()
				mu.Lock()
				inside--
				done++
				mu.Unlock()
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if most != 1 || done != 10 {
		t.Errorf("%d at once, %d in all", most, done)
	}
	ctx, cancel := context.WithCancel(t.Context())
	err := w.WithLease(ctx, bob, func(inner context.Context) error {
		cancel() // the caller goes away; the work does not
		other := w.WithLease(ctx, bob, func(context.Context) error { return nil })
		if !errors.Is(other, claim.ErrLeased) {
			t.Errorf("a second one got %v", other)
		}
		return inner.Err()
	})
	wantErr(t, err, nil)
}

// refusesAlong is a store that fails on what another store has written along.
type refusesAlong struct {
	claim.Store
	raced bool // and the first change without it is overtaken
}

func (r *refusesAlong) Commit(ctx context.Context, c claim.Change) error {
	switch {
	case c.Along != nil:
		return errors.New("not to be written")
	case r.raced && len(c.Transitions) > 0:
		r.raced = false
		return claim.ErrConcurrentUpdate
	}
	return r.Store.Commit(ctx, c)
}

// What is kept beside claims is in nobody's way: the claim opens without it, its text goes out, and
// the identity is free afterwards.
func TestAClaimOpensWithoutWhatCannotBeWrittenAlong(t *testing.T) {
	for name, raced := range map[string]bool{"at once": false, "overtaken": true} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.Store = &refusesAlong{w.store, raced}
			along, before := &claim.Along{Write: "an entry"}, w.identity(bob)
			err := w.WithLease(t.Context(), bob, func(ctx context.Context) error {
				p, err := w.Propose(ctx, before, claim.DirectChange{
					Source: claim.SourceSCIM, Who: audit.Actor{Kind: audit.Client, ID: "okta"}, Client: true,
					Asked: true, Update: claim.UpdateExplicit, Wanted: m1,
				})
				if err != nil {
					return err
				}
				w.dir.Put(claim.Identity{ID: bob, Mobile: m0, Verified: true, Pending: m1})
				p.Along = along
				return w.Settle(ctx, p, nil)
			})
			wantErr(t, err, nil)
			w.wantTexts(m1)
			if along.Done {
				t.Error("it is said to be written")
			}
			wantErr(t, w.WithLease(t.Context(), bob, func(context.Context) error { return nil }), nil)
			wantErr(t, w.confirm(bob, w.codeText()), nil)
			w.wantIdentity(m1, true, "")
		})
	}
}
