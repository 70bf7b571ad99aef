package storetest

import (
	"time"

	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/message"
)

// due reads the due texts.
func (f *fixture) due(now time.Time, n int) []message.QueuedText {
	f.Helper()
	texts, err := f.store.DueTexts(f.Context(), now, n)
	f.want(err, nil)
	return texts
}

func (f *fixture) wantDue(now time.Time, n int, want ...string) {
	f.Helper()
	got := []string{}
	for _, t := range f.due(now, n) {
		got = append(got, t.ID)
	}
	f.same(got, append([]string{}, want...))
}

func textsReadBack(f *fixture) {
	c := open("c", bob)
	text := textFor("t", c)
	text.Validity = 5*time.Minute + 123*time.Microsecond
	f.commit(claim.Change{Create: &c, Text: text, At: noon})
	f.same(f.due(noon.Add(time.Hour), 9), []message.QueuedText{{Text: *text, Current: true}})
}

func dueTexts(f *fixture) {
	c := f.create(open("c", bob))
	for i := range 3 {
		text := textFor(name("t", i), c)
		text.CreatedAt = noon.Add(time.Duration(i) * time.Second)
		text.LeaseUntil = text.CreatedAt.Add(10 * time.Second)
		f.commit(claim.Change{Text: text, At: text.CreatedAt})
	}
	unleased := textFor("unleased", c)
	unleased.CreatedAt, unleased.LeaseUntil = noon.Add(time.Minute), time.Time{}
	f.commit(claim.Change{Text: unleased, At: noon})
	f.wantDue(noon.Add(10*time.Second-time.Microsecond), 9)
	f.wantDue(noon.Add(10*time.Second), 9, "t-0")
	f.wantDue(noon.Add(time.Minute-time.Microsecond), 9, "t-2", "t-1", "t-0")
	f.wantDue(noon.Add(time.Minute), 9, "unleased", "t-2", "t-1", "t-0")
	f.wantDue(noon.Add(time.Minute), 2, "unleased", "t-2")

	now, until := noon.Add(time.Minute), noon.Add(time.Hour)
	text := f.due(now, 1)[0]
	take := func(t message.QueuedText, until time.Time, want bool) {
		f.Helper()
		got, err := f.store.TakeText(f.Context(), t, until)
		f.want(err, nil)
		f.same(got, want)
	}
	take(text, until, true)
	take(text, until, false)
	f.wantDue(now, 9, "t-2", "t-1", "t-0")
	text = f.due(until, 1)[0]
	f.same(text.Tries, 0)
	f.want(f.store.PutOff(f.Context(), text.ID, until.Add(time.Minute), "no gateway answers"), nil)
	take(text, until.Add(time.Hour), false)
	f.wantDue(until, 1, "t-2")
	text = f.due(until.Add(time.Minute), 1)[0]
	f.same([]any{text.ID, text.Tries, text.LeaseUntil}, []any{"unleased", 1, until.Add(time.Minute)})
	f.same(text.Unclear, false)
	take(text, until.Add(time.Hour), true)
	f.want(f.store.PutOff(f.Context(), text.ID, until, message.ReasonUnclear+"no answer in time"), nil)
	f.want(f.store.PostponeTexts(f.Context(), []string{text.ID}, until, until.Add(time.Minute)), nil)
	f.same(f.due(until.Add(time.Minute), 1)[0].Unclear, true)
}

func deadTexts(f *fixture) {
	c := f.create(open("c", bob))
	for i := range 4 {
		text := textFor(name("t", i), c)
		text.CreatedAt, text.LeaseUntil = noon.Add(time.Duration(i)*time.Second), noon
		text.Expires = noon.Add(time.Duration(i+1) * time.Minute)
		f.commit(claim.Change{Text: text, At: noon})
	}
	notice := textFor("notice", c)
	notice.Kind, notice.CreatedAt, notice.LeaseUntil = message.TextChanged, noon.Add(time.Millisecond), noon
	notice.Expires = time.Time{} // never
	f.commit(claim.Change{Notices: []message.Text{*notice}, At: noon})
	now := noon.Add(2 * time.Minute)
	f.wantDue(noon.Add(time.Minute-time.Microsecond), 9, "t-3", "t-2", "t-1", "notice", "t-0")
	f.wantDue(noon.Add(time.Minute), 9, "t-0", "t-3", "t-2", "t-1", "notice") // dead and gone first
	f.wantDue(now, 3, "t-1", "t-0", "t-3")

	// Of those that were read, somebody takes one before they end together.
	taken, err := f.store.TakeText(f.Context(), f.due(now, 1)[0], now.Add(time.Minute))
	f.want(err, nil)
	f.same(taken, true)
	f.want(f.store.DropTexts(f.Context(), []string{"t-1", "t-0", "missing"}, now, "the code expired"), nil)
	f.want(f.store.DropTexts(f.Context(), nil, now, "nothing"), nil)
	f.wantDue(now, 9, "t-3", "t-2", "notice")
	f.wantDue(now.Add(time.Minute), 9, "t-2", "t-1", "t-3", "notice")
}

func postponedTexts(f *fixture) {
	c := f.create(open("c", bob))
	for i := range 3 {
		text := textFor(name("t", i), c)
		text.CreatedAt, text.LeaseUntil = noon.Add(time.Duration(i)*time.Second), noon
		f.commit(claim.Change{Text: text, At: noon})
	}
	read := f.due(noon, 9)
	until := noon.Add(time.Minute)
	taken, err := f.store.TakeText(f.Context(), read[0], noon.Add(time.Second))
	f.want(err, nil)
	f.same(taken, true)
	f.want(f.store.PostponeTexts(f.Context(), []string{"t-2", "t-1", "missing"}, noon, until), nil)
	f.wantDue(until.Add(-time.Microsecond), 9, "t-2", "t-0")
	f.wantDue(until, 9, "t-2", "t-1", "t-0")
	f.same(f.due(until, 9)[1].Tries, 0)
	// What was postponed is not what was read.
	taken, err = f.store.TakeText(f.Context(), read[1], until.Add(time.Hour))
	f.want(err, nil)
	f.same(taken, false)
}

func currentTexts(f *fixture) {
	c := open("c", bob)
	f.commit(claim.Change{Create: &c, Text: textFor("t", c), At: noon})
	current := func(want bool) {
		f.Helper()
		f.same(f.due(noon.Add(time.Hour), 9)[0].Current, want)
	}
	current(true)
	resent := c
	resent.CodeNumber = 2
	resent = f.move(claim.Open, resent)
	current(false)
	resent.CodeNumber, resent.CodeKey = 1, "n6.rotated"
	resent = f.move(claim.Open, resent)
	current(false)
	resent.CodeKey = c.CodeKey
	resent = f.move(claim.Open, resent)
	current(true)
	resent.State = claim.Verified
	f.move(claim.Open, resent)
	current(false)
}

func textsEnd(f *fixture) {
	c := f.create(open("c", bob))
	for i, state := range []message.TextState{message.TextSent, message.TextFailed, message.TextDropped} {
		text := textFor(name("t", i), c)
		f.commit(claim.Change{Text: text, At: noon})
		f.want(f.store.Done(f.Context(), message.TextResult{
			TextID: text.ID, State: state, Gateway: "main", ProviderID: "message-1", Reason: "it is", At: noon,
		}), nil)
		// What comes after the end changes nothing, and is no error.
		f.want(f.store.Done(f.Context(), message.TextResult{TextID: text.ID, State: message.TextQueued, At: noon}), nil)
		f.want(f.store.PutOff(f.Context(), text.ID, noon, "late"), nil)
		taken, err := f.store.TakeText(f.Context(), message.QueuedText{Text: *text}, noon.Add(time.Hour))
		f.want(err, nil)
		f.same(taken, false)
		f.wantDue(noon.Add(2*time.Hour), 9)
	}
	f.want(f.store.Done(f.Context(), message.TextResult{TextID: "missing", State: message.TextSent, At: noon}), nil)
}

func textStates(f *fixture) {
	c := f.create(open("c", bob))
	state := func(want message.TextState) {
		f.Helper()
		got, err := f.store.TextState(f.Context(), c.ID)
		f.want(err, nil)
		f.same(got, want)
	}
	state("")
	newer, older := textFor("newer", c), textFor("older", c)
	newer.CreatedAt = noon.Add(time.Microsecond)
	f.commit(claim.Change{Text: newer, At: noon})
	f.commit(claim.Change{Text: older, At: noon})
	f.want(f.store.Done(f.Context(), message.TextResult{TextID: "older", State: message.TextFailed, At: noon}), nil)
	state(message.TextQueued)
	f.want(f.store.Done(f.Context(), message.TextResult{TextID: "newer", State: message.TextSent, At: noon}), nil)
	state(message.TextSent)
}
