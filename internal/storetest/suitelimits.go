package storetest

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/holdline/holdline/internal/admin"
	"github.com/holdline/holdline/internal/audit"
	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/internal/problem"
)

// limitCases name a limit, how long it looks back, and a text that it does not
// bear on.
var limitCases = map[string]struct {
	name    string
	limits  claim.TextLimits
	window  time.Duration
	exempt  func(*message.Text)
	blank   func(*message.Text)
	exclude func(*claim.Claim)
}{
	"identity": {
		claim.LimitIdentityTexts,
		claim.TextLimits{PerIdentityDay: 2},
		day,
		func(t *message.Text) { t.IdentityID = alice }, nil,
		func(c *claim.Claim) { c.IdentityID = alice },
	},
	"number": {
		claim.LimitNumberTexts,
		claim.TextLimits{PerNumberDay: 2},
		day,
		func(t *message.Text) { t.To = phone.FromStore(other) },
		func(t *message.Text) { t.To = phone.Number{} },
		func(c *claim.Claim) { c.Number = phone.FromStore(other) },
	},
	"number by the hour": {
		claim.LimitNumberHour,
		claim.TextLimits{PerNumberHour: 2},
		time.Hour,
		func(t *message.Text) { t.To = phone.FromStore(other) },
		func(t *message.Text) { t.To = phone.Number{} },
		func(c *claim.Claim) { c.Number = phone.FromStore(other) },
	},
	"address": {
		claim.LimitAddressTexts,
		claim.TextLimits{PerAddressHour: 2},
		time.Hour,
		func(t *message.Text) { t.ClientIP = "192.0.2.9" },
		func(t *message.Text) { t.ClientIP = "" },
		func(c *claim.Claim) { c.LastAddress = "192.0.2.9" },
	},
}

// queue queues a text under limits, with an event so that it is a transaction.
func (f *fixture) queue(text message.Text, limits claim.TextLimits, at time.Time) error {
	text.CreatedAt = at
	return f.store.Commit(f.Context(), claim.Change{
		Text: &text, Limits: limits, At: at,
		Events: []audit.Event{{ClaimID: text.Code.ClaimID, IdentityID: text.IdentityID, Kind: "resent", At: at}},
	})
}

func (f *fixture) wantLimit(err error, name string, until time.Time) {
	f.Helper()
	f.want(err, claim.ErrTooManyTexts)
	limit := (*problem.LimitError)(nil)
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
		c.Number, c.LastAddress, c.PreviousVerified = phone.FromStore(name("+49", i)), name("host", i), false
		f.create(c)
		text := func(id string) message.Text {
			t := *textFor(id+c.ID, c)
			t.ClientIP = c.LastAddress
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
		made.PreviousVerified = false
		change := claim.Change{Create: &made, Limits: tt.limits, At: noon}
		f.wantLimit(f.store.Commit(f.Context(), change), tt.name, noon.Add(tt.window))
		change.Events = []audit.Event{{ClaimID: made.ID, IdentityID: bob, Kind: "staged", At: noon}}
		f.wantLimit(f.store.Commit(f.Context(), change), tt.name, noon.Add(tt.window))
		tt.exclude(&made)
		f.commit(change)
	}
	all := staged("all", bob)
	// Of several limits the one that lasts longest counts, and a number counts
	// however it is written.
	all.Number = phone.FromStore("+49 171 1111111")
	f.wantLimit(f.store.Commit(f.Context(), claim.Change{
		Create: &all, Limits: claim.TextLimits{PerNumberDay: 2, PerAddressHour: 1, PerIdentityDay: 9}, At: noon,
	}), claim.LimitNumberTexts, noon.Add(day))
	// With a text the limits are the text's.
	opened := held
	text := textFor("t", held)
	text.To, text.ClientIP = phone.FromStore(other), "192.0.2.9"
	f.commit(claim.Change{
		Create: &all, Transitions: []claim.Transition{{From: claim.Open, Claim: opened}}, Text: text,
		Limits: claim.TextLimits{PerNumberDay: 1, PerAddressHour: 1}, At: noon,
	})
}

// ownersAreServed: strangers use up what a number may have, and an owner, who has
// a verified number, gets a text to it all the same. A stranger does not.
func ownersAreServed(f *fixture) {
	limits := claim.TextLimits{PerNumberHour: 2, PerNumberDay: 3}
	number := phone.FromStore(first)
	person := func(id string, owner bool) claim.Claim {
		c := open("claim of "+id, id)
		c.PreviousVerified = owner
		return f.create(c)
	}
	stage := func(id string, owner bool, at time.Time) error {
		c := staged(name("staged of "+id, at.Minute()), id)
		c.PreviousVerified, c.CreatedAt = owner, at
		return f.store.Commit(f.Context(), claim.Change{Create: &c, Limits: limits, At: at})
	}
	room := func(c claim.Claim, at time.Time) time.Time {
		until, err := f.store.NextAllowed(f.Context(), message.Text{IdentityID: c.IdentityID, To: number, Code: c.Code()}, limits, at)
		f.want(err, nil)
		return until
	}
	texts := 0
	queue := func(c claim.Claim, at time.Time) error {
		texts++
		return f.queue(*textFor(name("text", texts), c), limits, at)
	}
	stranger, owner := person("stranger", false), person("owner", true)
	f.want(queue(stranger, noon), nil)
	f.want(queue(stranger, noon.Add(time.Minute)), nil)

	now := noon.Add(2 * time.Minute)
	f.wantLimit(queue(person("another", false), now), claim.LimitNumberHour, noon.Add(time.Hour))
	f.wantLimit(stage("another", false, now), claim.LimitNumberHour, noon.Add(time.Hour))
	f.same(room(stranger, now), noon.Add(time.Hour))
	f.want(stage("owner", true, now), nil)
	f.same(room(owner, now), time.Time{})
	f.want(queue(owner, now), nil)
	// The one that is kept is used now; three are what a day has for all.
	now = noon.Add(3 * time.Minute)
	f.wantLimit(queue(owner, now), claim.LimitNumberTexts, noon.Add(day))
	f.wantLimit(stage("owner", true, now), claim.LimitNumberTexts, noon.Add(day))
	f.same(room(owner, now), noon.Add(day))
	// Each owner has one, until there are twice as many as a day has.
	for i := range 3 {
		f.want(queue(person(name("owner", i), true), now), nil)
	}
	late := person("late owner", true)
	f.wantLimit(queue(late, now), claim.LimitNumberTexts, noon.Add(day))
	f.wantLimit(stage("late owner", true, now), claim.LimitNumberTexts, noon.Add(day))
	f.same(room(late, now), noon.Add(day))
	// Another number is another matter, and so are no limits.
	elsewhere := *textFor("elsewhere", late)
	elsewhere.To = phone.FromStore(other)
	f.want(f.queue(elsewhere, limits, now), nil)
	f.want(f.queue(*textFor("unlimited", late), claim.TextLimits{PerIdentityDay: 9}, now), nil)
}

// racingOwners ask at once, each with a claim of their own.
func racingOwners(f *fixture) {
	const people = 12
	claims := make([]claim.Claim, people)
	for i := range claims {
		claims[i] = f.create(open(name("c", i), name("identity", i)))
	}
	errs := together(f.Context(), people, func(ctx context.Context, i int) error {
		limits := claim.TextLimits{PerNumberHour: 1, PerNumberDay: 2}
		return f.store.Commit(ctx, claim.Change{Text: textFor(name("t", i), claims[i]), Limits: limits, At: noon})
	})
	f.wantWinners(errs, 4, claim.ErrTooManyTexts)
}

// noticesAreLimited: what finds no room is left out and told of, and undoes
// nothing of its change.
func noticesAreLimited(f *fixture) {
	limits := claim.TextLimits{NoticesPerNumberDay: 2}
	c := f.create(open("c", bob))
	var withheld []string
	tell := func(at time.Time, ids ...string) {
		change := claim.Change{Limits: limits, At: at, Withhold: func(t message.Text) { withheld = append(withheld, t.ID) }}
		for _, id := range ids {
			notice := *textFor(id, c)
			notice.Kind, notice.To, notice.CreatedAt = message.TextChanged, phone.FromStore(old), at
			switch id {
			case "mail":
				notice.Channel = message.ChannelWebhook
			case "elsewhere":
				notice.To = phone.FromStore(other)
			}
			change.Notices = append(change.Notices, notice)
		}
		change.Events = []audit.Event{{ClaimID: c.ID, IdentityID: bob, Kind: ids[0], At: at}}
		f.commit(change)
	}
	tell(noon, "1")
	// A code to the number is no notice, and one who asked is not who is told.
	code := *textFor("code", c)
	code.To = phone.FromStore(old)
	f.want(f.queue(code, claim.TextLimits{PerNumberDay: 1}, noon), nil)
	tell(noon.Add(time.Minute), "2", "3", "mail", "elsewhere")
	f.same(withheld, []string{"3"})
	tell(noon.Add(day-time.Microsecond), "4")
	f.same(withheld, []string{"3", "4"})
	tell(noon.Add(day), "5", "6")
	f.same(withheld, []string{"3", "4", "6"})

	f.same(len(f.due(noon.Add(2*day), 99)), 6) // 1, 2, 5, the code, the mail, elsewhere
	var lines []string
	events, err := f.store.(admin.Store).FindEvents(f.Context(), admin.EventQuery{Limit: 99})
	f.want(err, nil)
	for _, e := range events {
		if e.Kind == claim.NoticeWithheld {
			lines = append(lines, e.IdentityID+" "+e.Number+" "+e.Reason+" "+string(e.Actor.Kind))
		}
	}
	line := bob + " " + phone.FromStore(old).String() + " notices_per_number_per_day system"
	f.same(lines, []string{line, line, line})
}

// racingNotices come for one number at once, of as many changes.
func racingNotices(f *fixture) {
	var mu sync.Mutex
	withheld := 0
	errs := together(f.Context(), 12, func(ctx context.Context, i int) error {
		notice := *textFor(name("n", i), open(name("c", i), name("identity", i)))
		notice.Kind = message.TextChanged
		return f.store.Commit(ctx, claim.Change{
			Notices: []message.Text{notice}, Limits: claim.TextLimits{NoticesPerNumberDay: 3}, At: noon,
			Withhold: func(message.Text) { mu.Lock(); withheld++; mu.Unlock() },
		})
	})
	f.wantWinners(errs, 12, nil)
	f.same(withheld, 9)
	f.same(len(f.due(noon.Add(time.Hour), 99)), 3)
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
		Transitions: []claim.Transition{{From: claim.Open, Claim: resent}}, Text: text, Limits: limits, At: noon.Add(day),
	}), claim.LimitIdentityTexts, noon.Add(2*day))
	f.same(f.current(bob), claim.IdentityClaims{Active: &c})
}
