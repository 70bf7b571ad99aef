package storetest

import (
	"errors"
	"time"

	"github.com/holdline/holdline/internal/admin"
	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/internal/problem"
)

// alarmOf is a denied change's, with a value in every field.
func alarmOf(id, identityID string) claim.Alarm {
	return claim.Alarm{
		ID: id, IdentityID: identityID, Denied: message.TextChanged, Number: phone.FromStore(first), Previous: phone.FromStore(old),
		PreviousVerified: true, CancelledID: "later", ClientIP: home, RaisedAt: noon,
		SessionsEndedAt: noon.Add(time.Second), DueAt: noon.Add(5 * time.Second), DueTries: 2, BlockedUntil: noon.Add(day),
		LiftedAt: noon.Add(time.Hour), LiftedBy: alice, ClosedAt: noon.Add(2 * time.Hour), ClosedBy: "desk", Outcome: claim.AlarmRestored,
		Version: 1,
	}
}

func alarmsReadBack(f *fixture) {
	raised := alarmOf("a", bob)
	f.commit(claim.Change{Raise: &raised, At: noon})
	got, err := f.store.Alarm(f.Context(), "a")
	f.want(err, nil)
	f.same(got, &raised)
	none, err := f.store.Alarm(f.Context(), "b")
	f.want(err, nil)
	if none != nil {
		f.Errorf("found %+v", none)
	}
	f.want(f.store.Commit(f.Context(), claim.Change{Raise: &raised, At: noon}), claim.ErrConcurrentUpdate)

	changed := claim.Alarm{ID: "a", Version: 1, Outcome: claim.AlarmClosed, ClosedAt: noon.Add(day), ClosedBy: "someone else", DueTries: 3}
	f.commit(claim.Change{Alarms: []claim.Alarm{changed}, At: noon})
	want := claim.Alarm{
		ID: "a", IdentityID: bob, Denied: raised.Denied, Number: raised.Number, Previous: raised.Previous, PreviousVerified: true,
		ClientIP: home, RaisedAt: noon, Outcome: claim.AlarmClosed, ClosedAt: changed.ClosedAt, ClosedBy: "someone else", DueTries: 3, Version: 2,
	}
	got, err = f.store.Alarm(f.Context(), "a")
	f.want(err, nil)
	f.same(got, &want)
	f.want(f.store.Commit(f.Context(), claim.Change{Alarms: []claim.Alarm{changed}, At: noon}), claim.ErrConcurrentUpdate)
}

func dueAlarms(f *fixture) {
	for id, at := range map[string]time.Time{"late": noon.Add(time.Second), "first": noon.Add(-time.Minute), "second": noon, "never": {}} {
		a := alarmOf(id, bob)
		a.DueAt = at
		f.commit(claim.Change{Raise: &a, At: noon})
	}
	due, err := f.store.DueAlarms(f.Context(), noon, 9)
	f.want(err, nil)
	if len(due) != 2 || due[0].ID != "first" || due[1].ID != "second" {
		f.Errorf("due are %+v", due)
	}
	if due, err = f.store.DueAlarms(f.Context(), noon, 1); err != nil || len(due) != 1 {
		f.Errorf("one is due: %+v, %v", due, err)
	}
}

// While an alarm blocks an identity's changes, those that ask are refused, and say
// until when; others, and other people's, are not.
func blockedChanges(f *fixture) {
	for id, until := range map[string]time.Time{"short": noon.Add(time.Hour), "long": noon.Add(day), "over": noon, "lifted": {}} {
		a := alarmOf(id, bob)
		a.BlockedUntil = until
		f.commit(claim.Change{Raise: &a, At: noon})
	}
	try := func(id, identityID string, at time.Time, ask, text bool) error {
		c := staged(id, identityID)
		change := claim.Change{RefuseBlocked: ask, At: at}
		if text {
			change.Text = textFor(id, c)
			change.Text.IdentityID = identityID
		} else {
			change.Create = &c
		}
		return f.store.Commit(f.Context(), change)
	}
	for _, text := range []bool{false, true} {
		kind := "claim"
		if text {
			kind = "text"
		}
		err := try(kind+"-refused", bob, noon, true, text)
		f.want(err, claim.ErrChangesBlocked)
		if limit := (*problem.LimitError)(nil); !errors.As(err, &limit) || !limit.Until.Equal(noon.Add(day)) || limit.Name != claim.LimitDisputeBlock {
			f.Errorf("%s: refused with %+v", kind, err)
		}
		f.want(try(kind+"-anyway", bob, noon, false, text), nil)
		f.want(try(kind+"-afterwards", bob, noon.Add(day), true, text), nil)
		f.want(try(kind+"-alice", alice, noon, true, text), nil)
	}
	blocking, err := f.store.BlockingAlarms(f.Context(), bob, noon)
	f.want(err, nil)
	if len(blocking) != 2 || blocking[0].ID != "long" || blocking[1].ID != "short" {
		f.Errorf("blocking are %+v", blocking)
	}
	for _, tt := range []struct {
		identityID string
		since      time.Time
		want       string // blank for none
	}{{bob, noon, "lifted"}, {bob, noon.Add(time.Microsecond), ""}, {alice, noon, ""}} {
		found, err := f.store.AlarmSince(f.Context(), tt.identityID, tt.since)
		if err != nil || (found == nil) != (tt.want == "") || found != nil && found.ID != tt.want {
			f.Errorf("the first alarm about %s since %s is %+v, %v", tt.identityID, tt.since, found, err)
		}
	}
	for at, want := range map[time.Time]time.Time{noon: noon.Add(day), noon.Add(day): {}} {
		if until, err := f.store.BlockedUntil(f.Context(), bob, at); err != nil || !until.Equal(want) {
			f.Errorf("at %s blocked until %s, %v", at, until, err)
		}
	}
}

// What an alarm knows of numbers goes with the identity, and the rest with its claim.
func alarmsForgotten(f *fixture) {
	c := f.create(open("c", bob))
	raised := alarmOf("c", bob)
	f.commit(claim.Change{Raise: &raised, At: noon})
	c.State, c.EndedAt = claim.Orphaned, noon
	f.commit(claim.Change{Transitions: []claim.Transition{{From: claim.Open, Claim: c, EraseIdentity: true}}, At: noon})
	kept, err := f.store.Alarm(f.Context(), "c")
	f.want(err, nil)
	if kept == nil || !kept.Number.IsZero() || !kept.Previous.IsZero() || kept.ClientIP != "" {
		f.Errorf("kept %+v", kept)
	}
	if n, err := f.store.Prune(f.Context(), noon.Add(time.Second), 9); err != nil || n != 1 {
		f.Errorf("pruned %d, %v", n, err)
	}
	if kept, err = f.store.Alarm(f.Context(), "c"); err != nil || kept != nil {
		f.Errorf("kept %+v, %v", kept, err)
	}
}

func alarmsFound(f *archived) {
	raise := func(id, identityID string, after time.Duration, outcome claim.AlarmOutcome) {
		a := alarmOf(id, identityID)
		a.RaisedAt, a.Outcome = noon.Add(after), outcome
		f.commit(claim.Change{Raise: &a, At: noon})
	}
	raise("a", bob, 0, claim.AlarmOpen)
	raise("b", bob, time.Second, claim.AlarmClosed)
	raise("c", alice, 2*time.Second, claim.AlarmRestored)
	raise("d", alice, 2*time.Second, claim.AlarmOpen)
	for name, tt := range map[string]struct {
		q    admin.AlarmQuery
		want string
	}{
		"all":               {admin.AlarmQuery{Limit: 9}, "dcba"},
		"the newest":        {admin.AlarmQuery{Limit: 1}, "d"},
		"behind one":        {admin.AlarmQuery{Limit: 9, After: admin.Cursor{At: noon.Add(2 * time.Second), ID: "d"}}, "cba"},
		"open":              {admin.AlarmQuery{Limit: 9, Open: true}, "da"},
		"of a person":       {admin.AlarmQuery{Limit: 9, IdentityID: bob}, "ba"},
		"open of a person":  {admin.AlarmQuery{Limit: 9, IdentityID: alice, Open: true}, "d"},
		"of nobody we know": {admin.AlarmQuery{Limit: 9, IdentityID: "x"}, ""},
	} {
		found, err := f.archive.FindAlarms(f.Context(), tt.q)
		f.want(err, nil)
		got := ""
		for _, a := range found {
			got += a.ID
		}
		if got != tt.want {
			f.Errorf("%s: got %s, want %s", name, got, tt.want)
		}
	}
	if waiting, err := f.archive.Waiting(f.Context()); err != nil || waiting.Alarms != 2 {
		f.Errorf("waiting: %+v, %v", waiting, err)
	}
}
