package claimtest

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/internal/otp"
	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/internal/problem"
	"github.com/holdline/holdline/internal/storetest"
)

// TestOrders takes what people, clients and workers do to one identity apart into
// its steps, each call of the store and each read and write of Kratos, and puts the
// steps together in other orders: of two doers in every order that there is, of
// three and four in as many as there are seeds, with processes that die in between.
// After each order everything comes to rest, and what is left must be what somebody
// wished for (orderscheck.go). Kratos is a double that reads an identity when a
// form or a PATCH begins and stores the whole of it at the end, as the real one does.
//
// Each call of newStore returns an empty store. At most so many orders of each pair
// are tried, and so many seeds; every failure names a way to repeat it.
func TestOrders(t *testing.T, pairs, seeds int, firstSeed uint64, newStore func(*testing.T) storetest.ArchivedStore) {
	t.Helper()
	explored := 0
	t.Run("of two", func(t *testing.T) {
		kinds := doings()
		for i, one := range kinds {
			for _, other := range kinds[i:] {
				if pairs == 0 {
					return
				}
				n, failures := exploreAll(t, pairs, []doing{one, other}, newStore)
				explored += n
				report(t, one.name+" and "+other.name, n, failures)
			}
		}
	})
	t.Run("of three and four", func(t *testing.T) {
		var failures []string
		synctest.Test(t, func(t *testing.T) {
			for seed := firstSeed; seed < firstSeed+uint64(seeds); seed++ { //nolint:gosec // few
				if failure := runSeed(t, seed, newStore); failure != "" {
					failures = append(failures, fmt.Sprintf("seed %d: %s", seed, failure))
				}
			}
		})
		explored += seeds
		report(t, "random doers", seeds, failures)
	})
	t.Logf("%d orders explored, seeds from %d", explored, firstSeed)
}

// report shows the first failures of many.
func report(t *testing.T, what string, orders int, failures []string) {
	t.Helper()
	if len(failures) > 0 {
		t.Errorf("%s: %d of %d orders fail\n%s", what, len(failures), orders, strings.Join(failures[:min(2, len(failures))], "\n"))
	}
}

// exploreAll runs every order of the steps of some doers, depth first: each run
// follows the choices of the one before up to the last that can be made otherwise.
// Orders that only swap steps which do not touch the same thing, or only read it,
// are one order: what was tried first sleeps until something touches the same
// (Godefroid, Partial-Order Methods, 1996, chapter 5).
func exploreAll(t *testing.T, most int, doers []doing, newStore func(*testing.T) storetest.ArchivedStore) (orders int, failures []string) {
	t.Helper()
	var path []*fork
	synctest.Test(t, func(t *testing.T) {
		for orders < most {
			at := 0
			failure, whole := newOrder(t, doers, newStore(t), func(ready []*doer, asleep map[*doer]bool) *doer {
				if at == len(path) {
					path = append(path, &fork{})
				}
				f := path[at]
				at++
				return f.choose(ready, asleep)
			}).run()
			if whole {
				orders++
			}
			if failure != "" {
				failures = append(failures, failure)
			}
			for path = path[:at]; len(path) > 0 && !path[len(path)-1].next(); {
				path = path[:len(path)-1]
			}
			if len(path) == 0 {
				return
			}
		}
		// There are more: as many again, anywhere among them.
		chance := rand.New(rand.NewPCG(uint64(most), 2)) //nolint:gosec // repeatable
		for range most {
			orders++
			any := func(ready []*doer, _ map[*doer]bool) *doer { return ready[chance.IntN(len(ready))] }
			if failure, _ := newOrder(t, doers, newStore(t), any).run(); failure != "" {
				failures = append(failures, failure)
			}
		}
	})
	return orders, failures
}

// fork is a place in an order where several can go on.
type fork struct{ at, ways int }

// choose returns who goes on; nil if whatever goes on has been tried. Those that
// went on before at this fork sleep.
func (f *fork) choose(ready []*doer, asleep map[*doer]bool) *doer {
	awake := slices.DeleteFunc(slices.Clone(ready), func(d *doer) bool { return asleep[d] })
	f.ways = len(awake)
	if f.ways == 0 {
		return nil
	}
	for _, d := range awake[:f.at] {
		asleep[d] = true
	}
	return awake[f.at]
}

// next goes another way; false when there is none.
func (f *fork) next() bool {
	f.at++
	return f.at < f.ways
}

// runSeed runs one order of three or four doers, in which a process may die.
func runSeed(t *testing.T, seed uint64, newStore func(*testing.T) storetest.ArchivedStore) string {
	t.Helper()
	chance, kinds := rand.New(rand.NewPCG(seed, 1)), doings() //nolint:gosec // repeatable
	var doers []doing
	for range 3 + chance.IntN(2) {
		doers = append(doers, kinds[chance.IntN(len(kinds))])
	}
	o := newOrder(t, doers, newStore(t), func(ready []*doer, _ map[*doer]bool) *doer { return ready[chance.IntN(len(ready))] })
	for _, d := range o.doers {
		if chance.IntN(4) == 0 {
			d.dies, d.late = 1+chance.IntN(9), chance.IntN(2) == 0
		}
	}
	failure, _ := o.run()
	return failure
}

// order is one way of putting steps together.
type order struct {
	t      *testing.T
	store  storetest.ArchivedStore
	kratos *twoStepKratos
	codes  *otp.Codes
	policy claim.Policy
	doers  []*doer
	choose func(ready []*doer, asleep map[*doer]bool) *doer
	ids    atomic.Int64
	mu     sync.Mutex // keeps fault and trace: who gives up waiting goes on without a turn
	phone  []message.Text
	wishes []wish
	trace  []string
	died   bool // some process
	fault  string
}

// doer does something, step by step.
type doer struct {
	doing
	number  string // of its own, where it has one
	service *claim.Service
	waits   atomic.Bool // for its turn
	next    access
	over    atomic.Bool
	turn    chan struct{}
	dies    int // after so many steps its process dies; 0 for never
	late    bool
	dead    bool
}

// access is what a step touches.
type access struct{ kratos, writes bool }

var (
	storeRead, storeWrite   = access{}, access{writes: true}
	kratosRead, kratosWrite = access{kratos: true}, access{kratos: true, writes: true}
)

// meets reports whether it matters which of two steps comes first.
func (a access) meets(b access) bool { return a.kratos == b.kratos && (a.writes || b.writes) }

type (
	doerKey     struct{}
	immortalKey struct{}
)

func immortal(ctx context.Context) context.Context {
	return context.WithValue(ctx, immortalKey{}, true)
}

var errDied = fmt.Errorf("%w: the process died", problem.ErrStoreUnavailable)

// The one person of an order, and their number at first.
const (
	someone  = "ann"
	firstOne = "+491710000000"
	wanted   = "+491711111111" // a claim to it is open when the doers begin
	setOne   = "+491799999999" // by an administrator of Kratos
)

func newOrder(t *testing.T, doings []doing, store storetest.ArchivedStore, choose func([]*doer, map[*doer]bool) *doer) *order {
	t.Helper()
	codes, err := otp.New([]string{"0123456789abcdef0123456789abcdef"}, 10, otp.Numeric)
	if err != nil {
		t.Fatal(err)
	}
	o := &order{
		t: t, store: store, codes: codes, choose: choose,
		policy: claim.Policy{
			Enabled: true, Validity: 20 * time.Minute, Removal: claim.RemovalAllow, Resend: claim.ResendNew,
			Lifetime: 24 * time.Hour, Retention: 90 * 24 * time.Hour, MaxAttempts: 5, DayAttempts: 20,
		},
	}
	o.kratos = &twoStepKratos{o: o, identity: claim.Identity{ID: someone, Mobile: firstOne, Verified: true}}
	if doings[0].first { // somebody who has no number yet, and may sign in by code
		o.kratos.identity.Mobile, o.kratos.identity.Verified = "", false
	}
	for i, what := range doings {
		o.doers = append(o.doers, &doer{
			doing: what, number: fmt.Sprintf("+4917200000%02d", i), service: o.newService(), turn: make(chan struct{}),
		})
	}
	return o
}

func (o *order) newService() *claim.Service {
	return claim.New(claim.Options{
		Store: steppedStore{o.store, o}, Identities: o.kratos, Codes: o.codes, Plan: phone.Parser{Format: phone.FormatRaw},
		Policy: func() claim.Policy { return o.policy },
		Now:    func() time.Time { return time.Now().UTC() }, //nolint:forbidigo // of the bubble
		NewID:  func() string { return fmt.Sprintf("%032x", o.ids.Add(1)) },
		Jitter: func(d time.Duration) time.Duration { return d },
		Send:   func(t message.Text) { o.phone = append(o.phone, t) },
		Log:    slog.New(slog.DiscardHandler),
	})
}

// run opens a claim, lets the doers do their steps in the chosen order, lets
// everything come to rest, and returns what is not allowed, with the steps before.
// It is not whole if the order was given up.
func (o *order) run() (fault string, whole bool) {
	ctx := o.t.Context()
	o.form(ctx, o.newService(), wanted, once)
	time.Sleep(time.Minute) //nolint:forbidigo // of the bubble, here and below
	o.trace, o.wishes = nil, nil
	for _, d := range o.doers {
		go func() {
			d.do(o, context.WithValue(ctx, doerKey{}, d), d)
			d.over.Store(true)
		}()
		synctest.Wait() // the next one starts when this one waits for its turn
	}
	if !o.interleave() {
		return "", false
	}
	o.rest(ctx)
	o.check(ctx)
	if o.fault == "" {
		return "", true
	}
	return o.fault + "\n  " + strings.Join(o.trace, "\n  "), true
}

// interleave lets one doer at a time do a step until all are over. It gives up when
// whatever comes next has been tried.
func (o *order) interleave() bool {
	asleep := map[*doer]bool{}
	for whole := true; ; {
		synctest.Wait()
		ready := slices.DeleteFunc(slices.Clone(o.doers), func(d *doer) bool { return !d.waits.Load() })
		if len(ready) == 0 {
			if !slices.ContainsFunc(o.doers, func(d *doer) bool { return !d.over.Load() }) {
				return whole
			}
			time.Sleep(time.Millisecond) //nolint:forbidigo // somebody waits for a lease
			continue
		}
		time.Sleep(time.Millisecond) //nolint:forbidigo // of two steps the later one is later
		next := ready[0]
		if whole {
			if next = o.choose(ready, asleep); next == nil {
				whole, next = false, ready[0]
			}
		}
		for d := range asleep {
			if d == next || d.next.meets(next.next) {
				delete(asleep, d)
			}
		}
		next.waits.Store(false)
		next.dead = next.dead || !whole
		next.turn <- struct{}{}
	}
}

// rest lets time pass until nothing is left to do but to type a code.
func (o *order) rest(ctx context.Context) {
	worker := o.newService()
	for _, d := range []time.Duration{time.Second, 5 * time.Second, 15 * time.Second, time.Minute, 50 * time.Second, 100 * time.Second, 100 * time.Second, 100 * time.Second, 10 * time.Minute} {
		time.Sleep(d) //nolint:forbidigo // of the bubble
		for range 20 {
			if n, err := worker.RunDue(ctx); n == 0 || err != nil {
				break
			}
		}
	}
}

// fail keeps the first thing that is not allowed.
func (o *order) fail(format string, args ...any) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.fault == "" {
		o.fault = fmt.Sprintf(format, args...)
	}
}

func (o *order) say(d *doer, format string, args ...any) {
	name := "rest"
	if d != nil {
		name = d.name
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.trace = append(o.trace, fmt.Sprintf("%s %s: %s", time.Now().Format("05.000"), name, fmt.Sprintf(format, args...))) //nolint:forbidigo // of the bubble
}

// inTurn waits for the turn of whoever calls, and does the step unless the process
// has died before it. What was asked of Kratos is done by Kratos all the same.
func inTurn[T any](o *order, ctx context.Context, touches access, what string, do func() (T, error)) (T, error) {
	d, _ := ctx.Value(doerKey{}).(*doer)
	if d == nil {
		return do()
	}
	var none T
	if d.dead {
		return none, errDied
	}
	d.next = touches
	d.waits.Store(true)
	<-d.turn
	if d.dead {
		return none, errDied
	}
	if d.dies > 0 && ctx.Value(immortalKey{}) == nil {
		if d.dies--; d.dies == 0 {
			d.dead, o.died = true, true
			o.say(d, "dies in %s, late: %t", what, d.late)
			if d.late {
				_, _ = do()
			}
			return none, errDied
		}
	}
	result, err := do()
	o.say(d, "%s: %v", what, err)
	return result, err
}

func inTurnError(o *order, ctx context.Context, touches access, what string, do func() error) error {
	_, err := inTurn(o, ctx, touches, what, func() (struct{}, error) { return struct{}{}, do() })
	return err
}
