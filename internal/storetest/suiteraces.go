package storetest

import (
	"context"
	"errors"
	"time"

	"github.com/holdline/holdline/internal/audit"
	"github.com/holdline/holdline/internal/claim"
)

func racingOpenings(f *fixture) {
	for round := range 10 {
		identity := name("identity", round)
		for i := range 2 {
			f.create(staged(name(identity, i), identity))
		}
		f.wantWinners(together(f.Context(), 2, func(ctx context.Context, i int) error {
			c := open(name(identity, i), identity)
			return f.store.Commit(ctx, claim.Change{
				Transitions: []claim.Transition{{From: claim.Staged, Claim: c}}, Text: textFor("t"+c.ID, c), At: noon,
				Events: []audit.Event{{ClaimID: c.ID, IdentityID: identity, Kind: "open", At: noon}},
			})
		}), 1, claim.ErrConcurrentUpdate)
		f.same(len(f.current(identity).Staged), 1)
	}
	f.same(len(f.due(noon.Add(time.Hour), 99)), 10)
}

func racingStagings(f *fixture) {
	f.wantWinners(together(f.Context(), 8, func(ctx context.Context, _ int) error {
		c := staged("c", bob)
		return f.store.Commit(ctx, claim.Change{Create: &c, Limits: claim.TextLimits{PerIdentityDay: 9}, At: noon})
	}), 1, claim.ErrExists)
	f.wantWinners(together(f.Context(), 8, func(ctx context.Context, i int) error {
		c := open(name("open", i), bob)
		return f.store.Commit(ctx, claim.Change{Create: &c, Text: textFor(name("t", i), c), At: noon})
	}), 1, claim.ErrConcurrentUpdate)
}

func racingTries(f *fixture) {
	c := f.create(open("c", bob))
	f.wantWinners(together(f.Context(), 50, func(ctx context.Context, _ int) error {
		return f.store.Try(ctx, c.Code(), 5)
	}), 5, claim.ErrConcurrentUpdate)
	f.same(f.current(bob).Active.Attempts, 5)
}

// racingRightCode has right codes among wrong ones: however they fall, so many are
// counted as the limit says, and one right one at most is taken.
func racingRightCode(f *fixture) {
	for round := range 5 {
		c := f.create(open(name("c", round), name("identity", round)))
		errs := together(f.Context(), 24, func(ctx context.Context, i int) error {
			if i%4 != 0 {
				return f.store.Try(ctx, c.Code(), 5)
			}
			right := c
			right.State = claim.Verified
			return f.store.Commit(ctx, claim.Change{Transitions: []claim.Transition{{From: claim.Open, Claim: right, Try: 5}}, At: noon})
		})
		taken, counted := 0, 0
		for i, err := range errs {
			switch {
			case err == nil:
				counted++
				if i%4 == 0 {
					taken++
				}
			case !errors.Is(err, claim.ErrConcurrentUpdate):
				f.Errorf("got %v", err)
			}
		}
		active := *f.current(c.IdentityID).Active
		f.same(active.Attempts, counted)
		f.same(active.State == claim.Verified, taken == 1)
		if counted != 5 || taken > 1 {
			f.Errorf("counted %d, taken %d", counted, taken)
		}
	}
}

var errNotTaken = errors.New("somebody else took it")

func racingTakers(f *fixture) {
	c := open("c", bob)
	f.commit(claim.Change{Create: &c, Text: textFor("t", c), At: noon})
	text := f.due(noon.Add(time.Hour), 1)[0]
	taker := func(take func(context.Context) (bool, error)) func(context.Context, int) error {
		return func(ctx context.Context, _ int) error {
			taken, err := take(ctx)
			if err == nil && !taken {
				return errNotTaken
			}
			return err
		}
	}
	f.wantWinners(together(f.Context(), 8, taker(func(ctx context.Context) (bool, error) {
		return f.store.Take(ctx, c, noon.Add(2*time.Hour))
	})), 1, errNotTaken)
	f.wantWinners(together(f.Context(), 8, taker(func(ctx context.Context) (bool, error) {
		return f.store.TakeText(ctx, text, noon.Add(2*time.Hour))
	})), 1, errNotTaken)
	acquire := func(now time.Time) func(context.Context, int) error {
		return func(ctx context.Context, i int) error {
			return f.store.Acquire(ctx, claim.Lease{
				IdentityID: bob, Owner: name(now.String(), i), Until: now.Add(time.Minute),
			}, now)
		}
	}
	f.wantWinners(together(f.Context(), 8, acquire(noon)), 1, claim.ErrLeased)
	f.wantWinners(together(f.Context(), 8, acquire(noon.Add(time.Minute))), 1, claim.ErrLeased) // expired
}

// racingTexts resends at once: moves of one claim exclude one another, so that
// its texts are counted exactly.
func racingTexts(f *fixture) {
	c := f.create(open("c", bob))
	limits := claim.TextLimits{PerIdentityDay: 3}
	for round := range 6 {
		errs := together(f.Context(), 4, func(ctx context.Context, i int) error {
			resent := c
			resent.CodeNumber = round + 2
			return f.store.Commit(ctx, claim.Change{
				Transitions: []claim.Transition{{From: claim.Open, Claim: resent}}, Text: textFor(name(name("t", round), i), resent),
				Limits: limits, At: noon,
			})
		})
		for _, err := range errs {
			if err != nil && !errors.Is(err, claim.ErrConcurrentUpdate) && !errors.Is(err, claim.ErrTooManyTexts) {
				f.Errorf("got %v", err)
			}
		}
		c = *f.current(bob).Active
	}
	f.same(len(f.due(noon.Add(time.Hour), 99)), 3)
}

// crossingChanges move the same claims in opposite order, which a database with
// row locks meets with deadlocks.
func crossingChanges(f *fixture) {
	a, b := f.create(staged("a", bob)), f.create(staged("b", bob))
	for range 10 {
		errs := together(f.Context(), 4, func(ctx context.Context, i int) error {
			moves := []claim.Transition{{From: claim.Staged, Claim: a}, {From: claim.Staged, Claim: b}}
			if i%2 == 1 {
				moves[0], moves[1] = moves[1], moves[0]
			}
			return f.store.Commit(ctx, claim.Change{Transitions: moves, At: noon})
		})
		f.wantWinners(errs, 1, claim.ErrConcurrentUpdate)
		a.Version++
		b.Version++
	}
}
