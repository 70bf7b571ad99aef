package claimtest

import (
	"errors"
	"time"

	"github.com/holdline/holdline/claim"
)

// limitCases name a limit, how long it looks back, and a text that it does not
// bear on.
var limitCases = map[string]struct {
	name    string
	limits  claim.TextLimits
	window  time.Duration
	exempt  func(*claim.Text)
	blank   func(*claim.Text)
	exclude func(*claim.Claim)
}{
	"identity": {
		claim.LimitIdentityTexts,
		claim.TextLimits{PerIdentityDay: 2},
		day,
		func(t *claim.Text) { t.IdentityID = alice }, nil,
		func(c *claim.Claim) { c.IdentityID = alice },
	},
	"number": {
		claim.LimitNumberTexts,
		claim.TextLimits{PerNumberDay: 2},
		day,
		func(t *claim.Text) { t.To = claim.RestoreMobile(other) },
		func(t *claim.Text) { t.To = claim.Mobile{} },
		func(c *claim.Claim) { c.Number = claim.RestoreMobile(other) },
	},
	"address": {
		claim.LimitAddressTexts,
		claim.TextLimits{PerAddressHour: 2},
		time.Hour,
		func(t *claim.Text) { t.Address = "192.0.2.9" },
		func(t *claim.Text) { t.Address = "" },
		func(c *claim.Claim) { c.LastAddress = "192.0.2.9" },
	},
}

// queue queues a text under limits, with an event so that it is a transaction.
func (f *fixture) queue(text claim.Text, limits claim.TextLimits, at time.Time) error {
	text.CreatedAt = at
	return f.store.Commit(f.Context(), claim.Change{
		Text: &text, Limits: limits, At: at,
		Events: []claim.Event{{ClaimID: text.Code.ClaimID, IdentityID: text.IdentityID, Kind: "resent", At: at}},
	})
}

func (f *fixture) wantLimit(err error, name string, until time.Time) {
	f.Helper()
	f.want(err, claim.ErrTooManyTexts)
	limit := (*claim.LimitError)(nil)
	if !errors.As(err, &limit) {
		f.Fatalf("got %T, want a limit", err)
	}
	f.same(limit.Until, until)
	f.same(limit.Name, name)
}

func limitsRefuse(f *fixture) {
	i := 0
	for _, tt := range limitCases {
		i++
		c := open(name("claim", i), name("identity", i))
		c.Number, c.LastAddress = claim.RestoreMobile(name("+49", i)), name("host", i)
		f.create(c)
		text := func(id string) claim.Text {
			t := *textFor(id+c.ID, c)
			t.Address = c.LastAddress
			return t
		}
		f.want(f.queue(text("1"), tt.limits, noon.Add(-20*time.Minute)), nil)
		f.want(f.queue(text("2"), tt.limits, noon.Add(-10*time.Minute)), nil)
		f.wantLimit(f.queue(text("3"), tt.limits, noon), tt.name, noon.Add(tt.window-20*time.Minute))
		alone := text("3")
		alone.CreatedAt = noon
		f.wantLimit(f.store.Commit(f.Context(), claim.Change{Text: &alone, Limits: tt.limits, At: noon}),
			tt.name, noon.Add(tt.window-20*time.Minute))
		f.want(f.queue(text("no limit"), claim.TextLimits{}, noon), nil)
		// Over the limit, one text less is not enough.
		f.wantLimit(f.queue(text("3"), tt.limits, noon), tt.name, noon.Add(tt.window-10*time.Minute))
		exempt := text("exempt")
		tt.exempt(&exempt)
		f.want(f.queue(exempt, tt.limits, noon), nil)
		for n := range 3 {
			if blank := text(name("blank", n)); tt.blank != nil {
				tt.blank(&blank)
				f.want(f.queue(blank, tt.limits, noon), nil)
			}
		}
	}
}

func limitsRefuseClaims(f *fixture) {
	held := f.create(open("held", bob))
	for i := range 2 {
		f.want(f.queue(*textFor(name("t", i), held), claim.TextLimits{}, noon), nil)
	}
	for name, tt := range limitCases {
		made := staged(name, bob)
		change := claim.Change{Create: &made, Limits: tt.limits, At: noon}
		f.wantLimit(f.store.Commit(f.Context(), change), tt.name, noon.Add(tt.window))
		change.Events = []claim.Event{{ClaimID: made.ID, IdentityID: bob, Kind: "staged", At: noon}}
		f.wantLimit(f.store.Commit(f.Context(), change), tt.name, noon.Add(tt.window))
		tt.exclude(&made)
		f.commit(change)
	}
	all := staged("all", bob)
	// Of several limits the one that lasts longest counts, and a number counts
	// however it is written.
	all.Number = claim.RestoreMobile("+49 171 1111111")
	f.wantLimit(f.store.Commit(f.Context(), claim.Change{
		Create: &all, Limits: claim.TextLimits{PerNumberDay: 2, PerAddressHour: 1, PerIdentityDay: 9}, At: noon,
	}), claim.LimitNumberTexts, noon.Add(day))
	// With a text the limits are the text's.
	opened := held
	text := textFor("t", held)
	text.To, text.Address = claim.RestoreMobile(other), "192.0.2.9"
	f.commit(claim.Change{
		Create: &all, Moves: []claim.Move{{From: claim.Open, Claim: opened}}, Text: text,
		Limits: claim.TextLimits{PerNumberDay: 1, PerAddressHour: 1}, At: noon,
	})
}

func limitsSlide(f *fixture) {
	c := f.create(open("c", bob))
	limits := claim.TextLimits{PerIdentityDay: 1}
	f.want(f.queue(*textFor("1", c), limits, noon), nil)
	f.wantLimit(f.queue(*textFor("2", c), limits, noon.Add(day-time.Microsecond)), claim.LimitIdentityTexts, noon.Add(day))
	f.want(f.queue(*textFor("3", c), limits, noon.Add(day)), nil)
	// A refused text takes the rest of its change with it.
	resent := c
	resent.CodeNumber++
	text := textFor("4", resent)
	f.wantLimit(f.store.Commit(f.Context(), claim.Change{
		Moves: []claim.Move{{From: claim.Open, Claim: resent}}, Text: text, Limits: limits, At: noon.Add(day),
	}), claim.LimitIdentityTexts, noon.Add(2*day))
	f.same(f.current(bob), claim.Snapshot{Held: &c})
}
