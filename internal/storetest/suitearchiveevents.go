package storetest

import (
	"slices"
	"time"

	"github.com/holdline/holdline/internal/admin"
	"github.com/holdline/holdline/internal/audit"
	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/internal/settings"
)

// line is a line of the audit trail of a person's claim.
func line(claimID, identityID, kind string) audit.Event {
	return audit.Event{
		ClaimID: claimID, IdentityID: identityID, Kind: kind, Actor: keeper,
		Number: phone.FromStore(first).String(), Reason: "why", At: noon,
	}
}

// events lists the lines that are found, and checks that their places descend.
func (f *archived) events(q admin.EventQuery) []audit.Event {
	f.Helper()
	if q.Limit == 0 {
		q.Limit = 999
	}
	found, err := f.archive.FindEvents(f.Context(), q)
	f.want(err, nil)
	events := []audit.Event{}
	for i, e := range found {
		if i > 0 && e.ID >= found[i-1].ID {
			f.Errorf("%d comes behind %d", e.ID, found[i-1].ID)
		}
		events = append(events, e.Event)
	}
	return events
}

func eventsFound(f *archived) {
	f.same(f.events(admin.EventQuery{}), []audit.Event{})
	c := open("c", bob)
	c1, c2, d := line("c", bob, "open"), line("c", bob, "resent"), line("d", alice, "open")
	c2.At = noon.Add(-time.Hour) // places, not clocks, give the order
	own := line("", "", settings.Changed)
	f.commit(claim.Change{Create: &c, Events: []audit.Event{c1, c2}, At: noon})
	for _, e := range []audit.Event{d, own} {
		f.want(f.archive.RecordEvent(f.Context(), e), nil)
	}
	for _, tt := range []struct {
		query admin.EventQuery
		want  []audit.Event
	}{
		{admin.EventQuery{}, []audit.Event{own, d, c2, c1}},
		{admin.EventQuery{Limit: 2}, []audit.Event{own, d}},
		{admin.EventQuery{ClaimID: "c"}, []audit.Event{c2, c1}},
		{admin.EventQuery{IdentityID: alice}, []audit.Event{d}},
		{admin.EventQuery{Kind: "open"}, []audit.Event{d, c1}},
		{admin.EventQuery{Kind: "open", IdentityID: bob}, []audit.Event{c1}},
		{admin.EventQuery{Kind: "resent", ClaimID: "c"}, []audit.Event{c2}},
		{admin.EventQuery{Kind: "resent", ClaimID: "d"}, []audit.Event{}},
		{admin.EventQuery{Kind: "nothing"}, []audit.Event{}},
	} {
		f.same(f.events(tt.query), tt.want)
	}
}

func eventsPaged(f *archived) {
	record := func(n int) {
		for range n {
			f.want(f.archive.RecordEvent(f.Context(), line("c", bob, "open")), nil)
		}
	}
	for query, q := range map[string]admin.EventQuery{
		"all": {}, "claim": {ClaimID: "c"}, "person": {IdentityID: bob}, "kind": {Kind: "open"},
	} {
		record(8)
		var want, got []int64
		all, err := f.archive.FindEvents(f.Context(), admin.EventQuery{Limit: 999})
		f.want(err, nil)
		for _, e := range all {
			want = append(want, e.ID)
		}
		for q.Limit = 3; ; {
			page, err := f.archive.FindEvents(f.Context(), q)
			f.want(err, nil)
			if len(page) == 0 {
				break
			}
			for _, e := range page {
				got, q.Before = append(got, e.ID), e.ID
			}
			record(1)
		}
		if !slices.Equal(got, want) {
			f.Errorf("%s: got %v, want %v", query, got, want)
		}
	}
}

func eventsRecorded(f *archived) {
	c := f.create(ended("c", bob, noon))
	shown := line("c", bob, admin.NumberShown)
	f.want(f.archive.RecordEvent(f.Context(), shown), nil)
	f.same(f.events(admin.EventQuery{ClaimID: c.ID}), []audit.Event{shown})
	_, err := f.store.Prune(f.Context(), noon.Add(day), 9)
	f.want(err, nil)
	f.same(f.events(admin.EventQuery{}), []audit.Event{}) // it goes with its claim
}

func waitingCounted(f *archived) {
	wait := func(want admin.Waiting) {
		f.Helper()
		got, err := f.archive.Waiting(f.Context())
		f.want(err, nil)
		f.same(got, want)
	}
	wait(admin.Waiting{})
	f.create(staged("s", "staged"))
	f.create(ended("e", "ended", noon))
	c := f.create(open("c", bob))
	f.create(open("d", alice))
	f.text("a", c, 0, message.TextQueued, "")
	f.text("b", c, 0, message.TextSent, "main")
	wait(admin.Waiting{Open: 2, Queued: 1, OldestText: noon})
	f.text("z", c, -1, message.TextQueued, "")
	f.text("y", c, -2, message.TextFailed, "main")
	c.State = claim.Verified
	f.move(claim.Open, c)
	wait(admin.Waiting{Open: 1, Verified: 1, Queued: 2, OldestText: noon.Add(-time.Second)})
}

func beginningsCounted(f *archived) {
	counts := func(digits int, since time.Time, want ...admin.Beginning) {
		f.Helper()
		got, err := f.archive.Beginnings(f.Context(), digits, since)
		f.want(err, nil)
		f.same(append([]admin.Beginning{}, got...), append([]admin.Beginning{}, want...))
	}
	counts(3, noon)
	claimed := func(c claim.Claim, number string, direct bool) {
		c.Number, c.Direct = phone.FromStore(number), direct
		f.create(c)
	}
	claimed(open("a", "a"), "+49 171 1111111", false)
	claimed(open("b", "b"), "+49151222222", false)
	claimed(open("c", "c"), "+18765550100", false)
	claimed(staged("d", "d"), "+358123456", false)
	old, late, written := ended("e", "e", noon.Add(-time.Hour)), ended("f", "f", noon.Add(time.Hour)), ended("g", "g", noon.Add(time.Hour))
	lapsed := ended("h", "h", noon.Add(time.Hour))
	old.State, late.State, written.State, lapsed.State = claim.Applied, claim.Applied, claim.Applied, claim.Lapsed
	claimed(old, "+43664111111", false)
	claimed(late, "+43664222222", false)
	claimed(written, "+43664333333", true)
	claimed(lapsed, "+43664444444", false)
	counts(2, noon, admin.Beginning{Text: "+18", Open: 1}, admin.Beginning{Text: "+43", Confirmed: 1}, admin.Beginning{Text: "+49", Open: 2})
	counts(4, noon.Add(-2*time.Hour), admin.Beginning{Text: "+1876", Open: 1}, admin.Beginning{Text: "+4366", Confirmed: 2},
		admin.Beginning{Text: "+4915", Open: 1}, admin.Beginning{Text: "+4917", Open: 1})
}
