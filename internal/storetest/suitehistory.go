package storetest

import (
	"context"
	"errors"
	"time"

	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/internal/problem"
)

// racingStrangers queues texts of many identities at once: to one number, and
// from one address.
func racingStrangers(f *fixture) {
	for i, limits := range []claim.TextLimits{{PerNumberDay: 3}, {PerAddressHour: 3}} {
		errs := together(f.Context(), 12, func(ctx context.Context, n int) error {
			c := open(name(name("c", i), n), name("identity", n))
			text := textFor(c.ID, c)
			text.To, text.ClientIP = phone.FromStore(other), ""
			if limits.PerNumberDay == 0 {
				text.To, text.ClientIP = phone.FromStore(name("+4917", n)), "192.0.2.7"
			}
			return f.store.Commit(ctx, claim.Change{Text: text, Limits: limits, At: noon})
		})
		f.wantWinners(errs, 3, claim.ErrTooManyTexts)
	}
}

func freshTexts(f *fixture) {
	c := open("c", bob)
	queue := func(id string, text message.Text, at time.Time) error {
		text.ID, text.CreatedAt = id, at
		return f.store.Commit(f.Context(), claim.Change{Text: &text, NoTextWithin: time.Hour, At: at})
	}
	first := *textFor("first", c)
	f.want(queue("first", first, noon), nil)
	f.want(queue("again", first, noon.Add(time.Minute)), claim.ErrTextedBefore)
	elsewhere, somebody := first, first
	elsewhere.To, somebody.IdentityID = phone.FromStore(other), alice
	f.want(queue("elsewhere", elsewhere, noon.Add(time.Minute)), nil)
	f.want(queue("somebody else's", somebody, noon.Add(time.Minute)), nil)
	f.want(queue("late", first, noon.Add(time.Hour)), nil)

	made := staged("made", bob)
	change := claim.Change{Create: &made, NoTextWithin: time.Hour, At: noon.Add(time.Minute)}
	f.want(f.store.Commit(f.Context(), change), claim.ErrTextedBefore)
	made.Number = phone.FromStore("+4915155555555")
	f.commit(change)
}

// notices are bound by no limit and count in none.
func notices(f *fixture) {
	c := f.create(open("c", bob))
	text, notice, mail := textFor("t", c), *textFor("n", c), *textFor("m", c)
	notice.Kind, notice.To = message.TextChanged, phone.FromStore(other)
	mail.Kind, mail.Channel, mail.To = message.TextChanged, message.ChannelWebhook, phone.Number{}
	limits := claim.TextLimits{PerIdentityDay: 1, PerNumberDay: 1, PerAddressHour: 1}
	f.commit(claim.Change{Notices: []message.Text{notice, mail}, Limits: limits, At: noon})
	f.commit(claim.Change{Text: text, Limits: limits, At: noon})
	room, err := f.store.NextAllowed(f.Context(), *text, limits, noon)
	f.want(err, nil)
	f.same(room, noon.Add(day))
	notice.ID = "n2"
	f.commit(claim.Change{Notices: []message.Text{notice}, Limits: limits, At: noon})
	found, err := f.store.Find(f.Context(), c.ID)
	f.want(err, nil)
	f.same(*found, c)
	found, err = f.store.Find(f.Context(), "nobody's")
	if found != nil || err != nil {
		f.Errorf("got %v, %v", found, err)
	}
}

func histories(f *fixture) {
	end := func(id string, state claim.State, texts int, made time.Time) {
		c := open(id, bob)
		c.Texts, c.NextText, c.CreatedAt = texts, made.Add(time.Minute), made
		c = f.create(c)
		ended := c
		ended.State, ended.EndedAt = state, noon
		f.move(claim.Open, ended)
	}
	history := func() claim.History {
		h, err := f.store.History(f.Context(), bob, open("", bob).Number, noon.Add(-time.Hour))
		f.want(err, nil)
		return h
	}
	f.same(history(), claim.History{})
	end("long ago", claim.Superseded, 9, noon.Add(-time.Hour))
	end("tried before", claim.Cancelled, 4, noon.Add(-50*time.Minute))
	end("confirmed", claim.Applied, 8, noon.Add(-40*time.Minute))
	f.same(history(), claim.History{})
	end("first", claim.Superseded, 1, noon.Add(-30*time.Minute))
	end("then", claim.Cancelled, 3, noon.Add(-20*time.Minute))
	end("last", claim.Locked, 3, noon.Add(-10*time.Minute))
	end("silent", claim.Cancelled, 0, noon.Add(-5*time.Minute))
	f.same(history(), claim.History{Texts: 3, NextText: noon.Add(-9 * time.Minute), Since: noon.Add(-10 * time.Minute)})
	held := open("held", bob)
	held.Texts = 7
	f.create(held)
	f.same(history().Texts, 3)
	h, err := f.store.History(f.Context(), bob, phone.FromStore(other), noon.Add(-day))
	f.want(err, nil)
	f.same(h, claim.History{})
}

// newestOfANumber is the newest claim for a number that was opened at some time, in
// any spelling of it.
func newestOfANumber(f *fixture) {
	wanted := phone.FromStore("+49 171 2222222")
	want := func(id string, number phone.Number) {
		c, err := f.store.Newest(f.Context(), bob, number)
		f.want(err, nil)
		if got := claimID(c); got != id {
			f.Errorf("got %q, want %q", got, id)
		}
	}
	keep := func(id string, number phone.Number, state claim.State, made time.Time) {
		c := open(id, bob)
		c.Number, c.CreatedAt, c.State, c.ClientText = number, made, claim.Staged, claim.ClientAsked
		c = f.create(c)
		if state == claim.Staged {
			return
		}
		moved := c
		moved.State, moved.ClientText = state, claim.ClientTexted
		if moved.State.Final() {
			moved.EndedAt = noon
		}
		f.move(claim.Staged, moved)
	}
	want("", wanted)
	keep("other", phone.FromStore("+491713333333"), claim.Lapsed, noon)
	keep("staged", wanted, claim.Staged, noon.Add(time.Minute))
	keep("discarded", wanted, claim.Discarded, noon.Add(time.Minute))
	want("", wanted)
	keep("first", wanted, claim.Lapsed, noon)
	keep("second", wanted, claim.Superseded, noon.Add(time.Second))
	want("second", wanted)
	keep("held", phone.FromStore("+491712222222"), claim.Open, noon.Add(time.Hour))
	want("held", wanted)
	c, err := f.store.Newest(f.Context(), bob, wanted)
	f.want(err, nil)
	f.same(c.ClientText, claim.ClientTexted)
	// An Italian fixed line is counted with the mobile number that lacks its zero,
	// and is another number all the same.
	line, mobile := phone.FromStore("+390331123456"), phone.FromStore("+39331123456")
	keep("line", line, claim.Lapsed, noon.Add(2*time.Hour))
	want("line", line)
	want("", mobile)
}

func claimID(c *claim.Claim) string {
	if c == nil {
		return ""
	}
	return c.ID
}

func triesBefore(f *fixture) {
	spend := func(id string, number phone.Number, state claim.State, tries int) {
		c := open(id, bob)
		c.Number = number
		c = f.create(c)
		for range tries {
			f.want(f.store.Try(f.Context(), c.Code(), 99), nil)
		}
		ended := c
		ended.State, ended.EndedAt = state, noon
		f.move(claim.Open, ended)
	}
	number := open("", bob).Number
	spend("replaced", number, claim.Superseded, 2)
	spend("taken back", number, claim.Cancelled, 1)
	spend("another number", phone.FromStore(other), claim.Superseded, 4)
	spend("locked", number, claim.Locked, 5)
	f.create(open("held", bob))
	f.same(f.current(bob).TriesBefore, 3)
	f.same(f.current(bob).TriesElsewhere, 12)
}

// budgets are kept by many who write at once, and given back by time.
func budgets(f *fixture) {
	limits := claim.TextLimits{PerCodeHour: 4}
	queue := func(ctx context.Context, id, number string, at time.Time) error {
		text := textFor(id, open(id, id))
		text.To, text.CreatedAt = phone.FromStore(number), at
		return f.store.Commit(ctx, claim.Change{Text: text, Limits: limits, At: at})
	}
	errs := together(f.Context(), 12, func(ctx context.Context, n int) error {
		return queue(ctx, name("t", n), name("+49151000000", n), noon)
	})
	f.wantWinners(errs, 4, claim.ErrCallingCodeFull)
	f.want(queue(f.Context(), "elsewhere", "+436641234567", noon), nil)
	err := queue(f.Context(), "too soon", "+4915112345678", noon.Add(15*time.Minute-time.Microsecond))
	f.want(err, claim.ErrCallingCodeFull)
	limit := (*problem.LimitError)(nil)
	if !errors.As(err, &limit) || !limit.Until.Equal(noon.Add(15*time.Minute)) {
		f.Errorf("got %v until %v", err, limit)
	}
	for number, want := range map[string]time.Time{"+4915112345678": noon.Add(15 * time.Minute), "+33612345678": {}} {
		room, err := f.store.NextAllowed(f.Context(), message.Text{To: phone.FromStore(number)}, limits, noon)
		f.want(err, nil)
		f.same(room, want)
	}
	f.want(queue(f.Context(), "a quarter later", "+4915112345678", noon.Add(15*time.Minute)), nil)
	// A refused text takes nothing of the budget, and leaves nothing behind.
	f.same(len(f.due(noon.Add(time.Hour), 99)), 6)
}
