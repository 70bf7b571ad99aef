package claim_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdline/holdline/internal/audit"
	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/claim/claimtest"
	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/internal/otp"
	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/internal/problem"
)

const (
	ann = "ann"
	eve = "eve"
)

// takers is a world in which proof takes numbers from who has not proved them.
func takers(t *testing.T, identities ...claim.Identity) *world {
	t.Helper()
	w := newWorld(t, identities...)
	w.policy.Taken = claim.TakenUnverified
	w.policy.Notices = claim.Notices{OldNumber: true, Webhook: true, Window: 72 * time.Hour}
	w.Service = w.processOf(w.store, w.dir)
	return w
}

// processOf is a service on a store and a directory, as another replica would be.
func (w *world) processOf(store claim.Store, dir interface {
	claim.Identities
	claim.Holders
},
) *claim.Service {
	options := w.Options
	options.Store, options.Identities, options.Holders = store, dir, dir
	return claim.New(options)
}

// asks makes a person want a number, and returns their code.
func (w *world) asks(id, number string) string {
	w.t.Helper()
	w.submit(id, "flow of "+id, number)
	return w.codeTo(id, number)
}

// codeTo is the code that a person was texted last.
func (w *world) codeTo(id, number string) string {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, text := range slices.Backward(w.sent) {
		if text.Kind == message.TextCode && text.IdentityID == id && text.To.Unmasked() == number {
			return derive(w.t, w.codes, text.Code)
		}
	}
	w.t.Fatalf("%s was not texted", id)
	return ""
}

// wantState wants a person to have a number, verified or not, and a marker.
func (w *world) wantState(id, mobile string, verified bool, pending string) {
	w.t.Helper()
	want := claim.Identity{ID: id, Mobile: mobile, Verified: verified, Pending: pending}
	if got := w.identity(id); got != want {
		w.t.Errorf("%s is %+v, want %+v", id, got, want)
	}
}

// auditOf lists the kinds of a person's audit lines.
func (w *world) auditOf(id string) []string {
	var kinds []string
	for _, e := range w.store.(interface{ Events() []audit.Event }).Events() {
		if e.IdentityID == id {
			kinds = append(kinds, e.Kind)
		}
	}
	return kinds
}

// restDelivered lets time pass until nothing is due any more, texts either.
func (w *world) restDelivered() {
	w.t.Helper()
	for range 20 {
		w.pass(30 * time.Second)
		w.chores()
		w.deliver()
	}
}

// Who has proved a number has it, and who only says so loses it and is told.
func TestProofTakesANumberFromWhoOnlySaysSo(t *testing.T) {
	for name, tt := range map[string]struct {
		holder claim.Identity
		asks   string // another number that they wait for
		set    func(*world)
		want   error
		end    string // what the page says; blank for done
	}{
		"unverified":               {holder: claim.Identity{ID: ann, Mobile: m1}},
		"unverified, its id later": {holder: claim.Identity{ID: "zoe", Mobile: m1}},
		"waits for its code":       {holder: claim.Identity{ID: ann, Mobile: m1, Pending: m1}},
		"another number waits":     {holder: claim.Identity{ID: ann, Mobile: m1}, asks: m2},
		"verified":                 {holder: claim.Identity{ID: ann, Mobile: m1, Verified: true}, want: claim.ErrNumberProved},
		"a means to sign in":       {holder: claim.Identity{ID: ann, Mobile: m1}, set: func(w *world) { w.dir.Identifier = true }, want: claim.ErrNumberBound},
		"cannot be found":          {holder: claim.Identity{ID: ann, Mobile: m1}, set: func(w *world) { w.dir.Hidden = true }, want: claim.ErrNumberTaken},
		"the policy refuses":       {holder: claim.Identity{ID: ann, Mobile: m1}, set: func(w *world) { w.policy.Taken = claim.TakenRefuse }, want: claim.ErrNumberTaken},
	} {
		t.Run(name, func(t *testing.T) {
			w := takers(t, claim.Identity{ID: bob, Mobile: m0, Verified: true}, tt.holder)
			right := w.asks(bob, m1)
			if tt.asks != "" {
				w.asks(tt.holder.ID, tt.asks)
			}
			if tt.set != nil {
				tt.set(w)
			}
			before := len(w.told())
			wantTold := func(want ...string) {
				t.Helper()
				if got := w.told()[before:]; !slices.Equal(got, want) {
					t.Errorf("told %q, want %q", got, want)
				}
			}
			err := w.confirm(bob, right)
			if tt.want != nil {
				if err != tt.want { //nolint:errorlint // it is one of several that wrap another
					t.Errorf("got %v, want %v", err, tt.want)
				}
				w.restDelivered()
				w.wantState(bob, m0, true, "")
				w.wantState(tt.holder.ID, tt.holder.Mobile, tt.holder.Verified, tt.holder.Pending)
				ended, err := w.LastOutcome(t.Context(), w.caller(bob))
				if err != nil || ended.Conflict != tt.want { //nolint:errorlint // as above
					t.Errorf("the page is told %+v, %v", ended, err)
				}
				wantTold()
				return
			}
			wantErr(t, err, nil)
			check := func() {
				t.Helper()
				w.wantState(bob, m1, true, "")
				w.wantState(tt.holder.ID, "", false, tt.asks)
				wantTold("changed sms "+m0, "changed webhook "+m1, "taken webhook "+m1)
				for _, id := range []string{bob, tt.holder.ID} {
					if n := strings.Count(strings.Join(w.auditOf(id), " "), claim.NumberTaken); n != 1 {
						t.Errorf("%s has %d lines of it: %v", id, n, w.auditOf(id))
					}
				}
			}
			check()
			speaksOf := "taken"
			if name == "another number waits" {
				speaksOf = "taken later"
			}
			w.wantDisputable(w.lastLink(), speaksOf)
			w.restDelivered()
			check()
		})
	}
}

// The loser's code for the number is dead, and a later number of theirs goes on.
func TestALoserMayGoOnWithAnotherNumber(t *testing.T) {
	w := takers(t, claim.Identity{ID: bob}, claim.Identity{ID: ann, Mobile: m1})
	w.asks(ann, m2)
	wantErr(t, w.confirm(bob, w.asks(bob, m1)), nil)
	w.wantState(ann, "", false, m2)
	w.restDelivered()
	w.wantState(ann, "", false, m2)
	w.policy.Validity = time.Hour
	wantErr(t, w.Resend(t.Context(), w.caller(ann)), nil)
	wantErr(t, w.confirm(ann, w.codeTo(ann, m2)), nil)
	w.wantState(ann, m2, true, "")
}

func TestALosersOwnCodeIsDead(t *testing.T) {
	w := takers(t, claim.Identity{ID: bob}, claim.Identity{ID: ann, Mobile: m1})
	w.stageFor(ann, m1)
	theirs := w.codeTo(ann, m1)
	wantErr(t, w.confirm(bob, w.asks(bob, m1)), nil)
	wantErr(t, w.confirm(ann, theirs), claim.ErrWrongCode)
	w.restDelivered()
	w.wantState(ann, "", false, "")
	w.wantState(bob, m1, true, "")
}

// stageFor opens a person's claim for the number that they have, unverified.
func (w *world) stageFor(id, number string) {
	w.t.Helper()
	c := claim.Claim{
		ID: fmt.Sprintf("%032x", len(id)*1000), IdentityID: id, Number: phone.FromStore(number),
		Previous: phone.FromStore(number), State: claim.Open, CreatedAt: w.Now(), LapsesAt: w.Now().Add(time.Hour),
		DueAt: w.Now().Add(time.Hour), CodeKey: w.codes.Key(), CodeNumber: 1, CodeExpires: w.Now().Add(time.Minute),
	}
	if err := w.store.Commit(w.t.Context(), claim.Change{Create: &c, At: w.Now()}); err != nil {
		w.t.Fatal(err)
	}
	i := w.identity(id)
	i.Pending = number
	w.dir.Put(i)
	w.sent = append(w.sent, message.Text{Kind: message.TextCode, IdentityID: id, To: c.Number, Code: c.Code()})
}

// A taking that its claim does not live to finish is undone.
func TestATakingIsUndoneWhenItsClaimComesToNothing(t *testing.T) {
	w := takers(t, claim.Identity{ID: bob, Mobile: m0, Verified: true}, claim.Identity{ID: ann, Mobile: m1})
	right := w.asks(bob, m1)
	broken := &steps{world: w, crash: "Vacate", after: true}
	wantErr(t, broken.process().Confirm(t.Context(), w.caller(bob), right), nil)
	w.wantState(ann, "", false, "")
	w.dir.Put(claim.Identity{ID: bob, Mobile: m2, Verified: true}) // by an administrator
	w.restDelivered()
	w.wantState(ann, m1, false, "")
	w.wantState(bob, m2, true, "")
	w.wantTold("requested webhook " + m1)
}

// steps stands between a process and its store and directory, and makes it die: from
// one call on, everything fails.
type steps struct {
	*world
	gate  func(ctx context.Context, call string) // before each call
	dies  int                                    // with the n-th call, counted from 1; 0: never
	crash string                                 // with the first call of this name
	after bool                                   // the call is carried out before the process dies
	n     int
	dead  bool
}

func (s *steps) process() *claim.Service {
	return s.processOf(stepStore{s.store, s}, stepDirectory{s.dir, s})
}

// step carries a call out unless the process is dead.
func (s *steps) step(ctx context.Context, call string, away error, do func() error) error {
	if s.gate != nil {
		s.gate(ctx, call)
	}
	if s.dead {
		return away
	}
	s.n++
	if s.n == s.dies || s.crash == call {
		s.dead = true
		if s.after {
			_ = do()
		}
		return away
	}
	return do()
}

type stepStore struct {
	claim.Store
	s *steps
}

func (x stepStore) Current(ctx context.Context, id string, since time.Time) (found claim.IdentityClaims, err error) {
	err = x.s.step(ctx, "Current", problem.ErrStoreUnavailable, func() (err error) { found, err = x.Store.Current(ctx, id, since); return err })
	return found, err
}

func (x stepStore) Last(ctx context.Context, id string) (found *claim.Claim, err error) {
	err = x.s.step(ctx, "Last", problem.ErrStoreUnavailable, func() (err error) { found, err = x.Store.Last(ctx, id); return err })
	return found, err
}

func (x stepStore) Find(ctx context.Context, id string) (found *claim.Claim, err error) {
	err = x.s.step(ctx, "Find", problem.ErrStoreUnavailable, func() (err error) { found, err = x.Store.Find(ctx, id); return err })
	return found, err
}

func (x stepStore) Commit(ctx context.Context, change claim.Change) error {
	return x.s.step(ctx, "Commit", problem.ErrStoreUnavailable, func() error { return x.Store.Commit(ctx, change) })
}

func (x stepStore) Try(ctx context.Context, ref otp.CodeRef, limit int) error {
	return x.s.step(ctx, "Try", problem.ErrStoreUnavailable, func() error { return x.Store.Try(ctx, ref, limit) })
}

func (x stepStore) Acquire(ctx context.Context, lease claim.Lease, now time.Time) error {
	return x.s.step(ctx, "Acquire", problem.ErrStoreUnavailable, func() error { return x.Store.Acquire(ctx, lease, now) })
}

func (x stepStore) Release(ctx context.Context, lease claim.Lease) error {
	return x.s.step(ctx, "Release", problem.ErrStoreUnavailable, func() error { return x.Store.Release(ctx, lease) })
}

type stepDirectory struct {
	*claimtest.Identities
	s *steps
}

func (x stepDirectory) Identity(ctx context.Context, id string) (found claim.Identity, err error) {
	err = x.s.step(ctx, "Identity", claim.ErrIdentitiesUnavailable, func() (err error) { found, err = x.Identities.Identity(ctx, id); return err })
	return found, err
}

func (x stepDirectory) Holders(ctx context.Context, id string, number phone.Number) (found []claim.Holder, err error) {
	err = x.s.step(ctx, "Holders", claim.ErrIdentitiesUnavailable, func() (err error) { found, err = x.Identities.Holders(ctx, id, number); return err })
	return found, err
}

func (x stepDirectory) ApplyNumber(ctx context.Context, id string, number phone.Number, unmark bool) error {
	return x.s.step(ctx, "Adopt", claim.ErrIdentitiesUnavailable, func() error { return x.Identities.ApplyNumber(ctx, id, number, unmark) })
}

func (x stepDirectory) Vacate(ctx context.Context, id string, number phone.Number) error {
	return x.s.step(ctx, "Vacate", claim.ErrIdentitiesUnavailable, func() error { return x.Identities.Vacate(ctx, id, number) })
}

// A process may die with any of its calls, before or after that is carried out: what
// it began is finished, and each is told once. A claim whose code was not counted yet
// may still be open, and the number then stays where it was.
func TestATakingOutlivesACrashBetweenAnyTwoSteps(t *testing.T) {
	for _, after := range []bool{false, true} {
		for _, holder := range []string{ann, "zoe"} { // before and behind the winner in the order of ids
			n := 1
			for ; ; n++ {
				w := takers(t, claim.Identity{ID: bob, Mobile: m0, Verified: true}, claim.Identity{ID: holder, Mobile: m1})
				right := w.asks(bob, m1)
				w.sent = nil
				broken := &steps{world: w, dies: n, after: after}
				err := broken.process().Confirm(t.Context(), w.caller(bob), right)
				alive := !broken.dead
				w.restDelivered()
				if held := w.held(bob); held != nil && held.State == claim.Open {
					if err == nil {
						t.Fatalf("call %d, after %t: accepted, and the claim is open", n, after)
					}
					w.wantState(holder, m1, false, "")
					again := w.resent(bob, m1)
					wantErr(t, w.confirm(bob, again), nil)
				}
				w.restDelivered()
				w.wantState(bob, m1, true, "")
				w.wantState(holder, "", false, "")
				if told := strings.Join(w.told(), ", "); strings.Count(told, "taken webhook "+m1) != 1 || strings.Count(told, "changed sms "+m0) != 1 {
					t.Errorf("told %q", told)
				}
				for _, id := range []string{bob, holder} {
					if lines := strings.Count(strings.Join(w.auditOf(id), " "), claim.NumberTaken); lines != 1 {
						t.Errorf("%s has %d lines of it", id, lines)
					}
				}
				if t.Failed() {
					t.Fatalf("died with call %d of %s, after it was done: %t", n, holder, after)
				}
				if alive {
					break
				}
			}
			t.Logf("died with each of %d calls", n-1)
		}
	}
}

// held is a person's open or verified claim; nil for none.
func (w *world) held(id string) *claim.Claim {
	w.t.Helper()
	snapshot, err := w.store.Current(w.t.Context(), id, w.Now())
	if err != nil {
		w.t.Fatal(err)
	}
	return snapshot.Active
}

// resent asks for another code and returns it.
func (w *world) resent(id, number string) string {
	w.t.Helper()
	w.pass(time.Hour)
	wantErr(w.t, w.Resend(w.t.Context(), w.caller(id)), nil)
	return w.codeTo(id, number)
}

// acting is who makes a call.
type acting struct{}

// stage lets several act at once, one call at a time, in an order that a seed gives.
type stage struct {
	mu      sync.Mutex
	waiting map[string]chan struct{}
	random  *rand.Rand
}

func (s *stage) gate(ctx context.Context, _ string) {
	who, ok := ctx.Value(acting{}).(string)
	if !ok {
		return
	}
	turn := make(chan struct{})
	s.mu.Lock()
	s.waiting[who] = turn
	s.mu.Unlock()
	<-turn
}

// play lets all act to their ends.
func (s *stage) play(t *testing.T, acts map[string]func(context.Context)) {
	t.Helper()
	var left atomic.Int32
	left.Store(int32(len(acts)))
	for who, act := range acts {
		go func() {
			act(context.WithValue(t.Context(), acting{}, who))
			left.Add(-1)
		}()
	}
	for {
		synctest.Wait()
		switch {
		case s.next():
		case left.Load() == 0:
			return
		default:
			time.Sleep(10 * time.Millisecond) // somebody waits for a lease
		}
	}
}

// next gives one of those who wait their turn; false if nobody waits.
func (s *stage) next() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	names := slices.Sorted(maps.Keys(s.waiting))
	if len(names) == 0 {
		return false
	}
	who := names[s.random.IntN(len(names))]
	close(s.waiting[who])
	delete(s.waiting, who)
	return true
}

// However the steps of several fall who take the same number, or numbers from each
// other: whoever was accepted has the number unless another one who proved it does,
// nobody who proved one loses it, and each loser is told once.
func TestTakingsInAnyOrder(t *testing.T) {
	type person struct {
		has   string
		wants string
	}
	for name, people := range map[string]map[string]person{
		"two take from a third":     {bob: {wants: m1}, eve: {wants: m1}, ann: {has: m1}},
		"two take from each other":  {bob: {has: m1, wants: m2}, eve: {has: m2, wants: m1}},
		"three in a ring":           {ann: {has: m0, wants: m1}, bob: {has: m1, wants: m2}, eve: {has: m2, wants: m0}},
		"who has it proves it too":  {ann: {has: m1, wants: m1}, bob: {wants: m1}},
		"one takes, one removes it": {ann: {has: m1, wants: ""}, bob: {wants: m1}},
	} {
		t.Run(name, func(t *testing.T) {
			first := rand.Uint64()
			for seed := first; seed < first+300; seed++ {
				synctest.Test(t, func(t *testing.T) {
					var identities []claim.Identity
					for id, p := range people {
						identities = append(identities, claim.Identity{ID: id, Mobile: p.has})
					}
					w := takers(t, identities...)
					codes := map[string]string{}
					for id, p := range people {
						switch {
						case p.wants == "" || id == ann && p.has == "":
						case p.wants == p.has:
							w.stageFor(id, p.wants)
							codes[id] = w.codeTo(id, p.wants)
						default:
							codes[id] = w.asks(id, p.wants)
						}
					}
					w.sent = nil
					order := &stage{waiting: map[string]chan struct{}{}, random: rand.New(rand.NewPCG(seed, 1))}
					process := (&steps{world: w, gate: order.gate}).process()
					var mu sync.Mutex
					answers := map[string]error{}
					answer := func(id string, err error) {
						mu.Lock()
						defer mu.Unlock()
						answers[id] = err
					}
					acts := map[string]func(context.Context){}
					for id, p := range people {
						switch {
						case codes[id] != "":
							acts[id] = func(ctx context.Context) {
								answer(id, process.Confirm(ctx, w.caller(id), codes[id]))
							}
						case p.has != "" && id == ann && name == "one takes, one removes it":
							acts[id] = func(ctx context.Context) {
								answer(id, process.WithLease(ctx, id, func(ctx context.Context) error {
									seen := w.identity(id) //nolint:contextcheck // it is the test's own look
									proposal, err := process.Propose(ctx, seen, claim.DirectChange{
										Source: claim.SourceSCIM, Who: audit.Actor{Kind: audit.Privileged}, Update: claim.UpdateExplicit,
									})
									if err != nil {
										return err
									}
									order.gate(ctx, "remove")
									seen.Mobile = ""
									w.dir.Put(seen)
									return process.Settle(ctx, proposal, nil)
								}))
							}
						}
					}
					order.play(t, acts)
					w.restDelivered()
					fail := func(format string, args ...any) {
						t.Helper()
						t.Fatalf("seed %d: %s; answers %v, audit of bob %v, ann %v, eve %v", seed, fmt.Sprintf(format, args...),
							answers, w.auditOf(bob), w.auditOf(ann), w.auditOf(eve))
					}
					has := map[string]string{}
					for id, p := range people {
						i := w.identity(id)
						if i.Pending != "" {
							fail("%s still waits for %s", id, i.Pending)
						}
						if i.Mobile != "" && has[i.Mobile] != "" {
							fail("%s has two owners", i.Mobile)
						}
						has[i.Mobile] = id
						if i.Verified && i.Mobile != p.wants {
							fail("%s has %s verified", id, i.Mobile)
						}
					}
					for id, p := range people {
						i := w.identity(id)
						accepted := codes[id] != "" && answers[id] == nil
						if accepted && i.Mobile != p.wants {
							other, known := has[p.wants]
							if !known || !w.identity(other).Verified {
								fail("%s was accepted and has %q", id, i.Mobile)
							}
						}
						lost := p.has != "" && p.has != i.Mobile && has[p.has] != "" && p.wants != i.Mobile
						taken := strings.Count(strings.Join(w.auditOf(id), " "), claim.NumberTaken)
						if lost && taken == 0 && p.wants != "" {
							fail("%s lost %s and is not told", id, p.has)
						}
					}
					if name == "two take from each other" || name == "three in a ring" {
						for id, p := range people {
							if w.identity(id).Mobile != p.wants {
								fail("%s wanted %s and has %q", id, p.wants, w.identity(id).Mobile)
							}
						}
					}
				})
				if t.Failed() {
					return
				}
			}
		})
	}
}
