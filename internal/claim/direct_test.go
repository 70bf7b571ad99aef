package claim_test

import (
	"strings"
	"testing"
	"time"

	"github.com/holdline/holdline/internal/audit"
	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/phone"
)

// trail lists a person's audit lines of numbers that were written or removed
// without a code, as kind, actor and masked number.
func (w *world) trail() []string {
	var lines []string
	for _, e := range w.store.(interface{ Events() []audit.Event }).Events() {
		if e.Kind == claim.NumberWritten || e.Kind == claim.NumberRemoved {
			lines = append(lines, strings.TrimSpace(strings.Join([]string{e.Kind, string(e.Actor.Kind), e.Number}, " ")))
		}
	}
	return lines
}

func (w *world) wantTrail(want ...string) {
	w.t.Helper()
	if got := strings.Join(w.trail(), ", "); got != strings.Join(want, ", ") {
		w.t.Errorf("audited %q, want %q", got, strings.Join(want, ", "))
	}
}

// off switches verification off.
func (w *world) off() { w.policy.Enabled = false }

func direct(who audit.ActorKind, wanted string) scimChange {
	return scimChange{who: who, touch: claim.UpdateExplicit, wanted: wanted}
}

// Whatever ends a verified number without a code tells that number, once, by a
// link that can be used, and is audited with who did it; nothing else does.
func TestWhateverEndsAVerifiedNumberTellsIt(t *testing.T) {
	const removed, changed = "removed sms " + m0, "changed sms " + m0
	mask0, mask1 := phone.FromStore(m0).String(), phone.FromStore(m1).String()
	form := func(number string) func(*world) { return func(w *world) { w.submit(bob, "flow", number) } }
	scim := func(c scimChange) func(*world) {
		return func(w *world) {
			if _, err := w.provision(c); err != nil {
				w.t.Fatal(err)
			}
		}
	}
	put := scimChange{touch: claim.UpdateFull}
	for name, tt := range map[string]struct {
		do    func(*world)
		off   bool
		told  string // blank for nothing
		trail string
	}{
		"a form removes it":                      {do: form(""), told: removed, trail: "number_removed owner " + mask0},
		"a form writes another, D2":              {do: form(m1), off: true, told: changed, trail: "number_written owner " + mask1},
		"a form removes it, D2":                  {do: form(""), off: true, told: removed, trail: "number_removed owner " + mask0},
		"its owner removes it over SCIM":         {do: scim(direct(audit.Owner, "")), told: removed, trail: "number_removed owner " + mask0},
		"a PUT leaves it out":                    {do: scim(put), told: removed, trail: "number_removed owner " + mask0},
		"a client removes it":                    {do: scim(direct(audit.Client, "")), told: removed, trail: "number_removed client " + mask0},
		"a client writes another, D7":            {do: scim(direct(audit.Client, m1)), told: changed, trail: "number_written client " + mask1},
		"a privileged person writes another, D6": {do: scim(direct(audit.Privileged, m1)), told: changed, trail: "number_written privileged " + mask1},
		"a client writes another, D2":            {do: scim(direct(audit.Client, m1)), off: true, told: changed, trail: "number_written client " + mask1},
		"the same number, spelled otherwise":     {do: scim(direct(audit.Privileged, "+49 171 000 00-00"))},
		"the same form, spelled otherwise, D2":   {do: form("+49 171 000 00-00"), off: true},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.policy.Notices = claim.Notices{OldNumber: true, Window: 72 * time.Hour}
			if tt.off {
				w.off()
			}
			tt.do(w)
			w.pass(time.Hour)
			w.chores()
			if tt.told == "" {
				w.wantTold()
				w.wantTrail()
				return
			}
			w.wantTold(tt.told)
			w.wantTrail(tt.trail)
			last, err := w.store.Last(t.Context(), bob)
			if err != nil || last == nil || last.State != claim.Applied || !last.Direct || last.Previous.Unmasked() != m0 {
				t.Fatalf("the claim is %+v, %v", last, err)
			}
			link := w.lastLink()
			kind, _, _ := strings.Cut(tt.told, " ")
			w.wantDisputable(link, kind)
			w.dispute(link, kind+" alarm")
		})
	}
}

// An unverified number may be a stranger's; that it went is audited all the same.
func TestTheEndOfAnUnverifiedNumberTellsNobody(t *testing.T) {
	w := newWorld(t, claim.Identity{ID: bob, Mobile: m0})
	w.policy.Notices = claim.Notices{OldNumber: true, Webhook: true}
	if _, err := w.provision(direct(audit.Owner, "")); err != nil {
		t.Fatal(err)
	}
	w.wantTold()
	w.wantTrail("number_removed owner")
}

// Taking the number away and adding another as a first one is a change in two
// steps, and the old number hears of it at the first.
func TestRemoveThenAddAnotherIsHeardOf(t *testing.T) {
	w := newWorld(t)
	w.policy.Notices.OldNumber = true
	w.submit(bob, "one", "")
	w.wantTold("removed sms " + m0)
	w.submit(bob, "two", m1)
	wantErr(t, w.confirm(bob, w.codeText()), nil)
	w.wantIdentity(m1, true, "")
	w.wantTold("removed sms " + m0)
}

// A form's removal counts when Kratos has stored it, which Holdline finds out by
// itself when nobody tells it.
func TestAFormsRemovalCountsWhenItIsStored(t *testing.T) {
	for name, tt := range map[string]struct {
		stored    bool
		activated int
		after     time.Duration
		then      string // the number that Kratos has by the time of the look, if it was stored
		want      []string
	}{
		"refused in the end":           {after: 3 * time.Minute},
		"on its way still":             {after: 10 * time.Second},
		"stored":                       {stored: true, activated: 1, want: []string{"removed sms " + m0}},
		"told three times":             {stored: true, activated: 3, after: time.Minute, want: []string{"removed sms " + m0}},
		"nobody tells of it":           {stored: true, after: 10 * time.Second, want: []string{"removed sms " + m0}},
		"another number is there soon": {stored: true, after: 3 * time.Minute, then: m2, want: []string{"removed sms " + m0}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.policy.Notices.OldNumber = true
			var answer claim.Answer
			for range 3 { // Kratos repeats what it had no answer to
				var err error
				answer, err = w.stage(bob, "flow", "")
				wantErr(t, err, nil)
			}
			w.wantTold()
			if tt.stored {
				w.persist(bob, "", answer)
			}
			for range tt.activated {
				w.activate(bob, "flow")
			}
			if tt.then != "" {
				w.dir.Put(claim.Identity{ID: bob, Mobile: tt.then})
			}
			w.pass(tt.after)
			w.chores()
			w.wantTold(tt.want...)
			w.pass(time.Hour)
			w.chores()
			w.wantTold(tt.want...)
		})
	}
}

// A form's removal that is stored when its number has gone meanwhile, and another one was
// confirmed in its place, ends the confirmed one.
func TestAFormsRemovalTellsTheNumberThatWasConfirmedMeanwhile(t *testing.T) {
	elsewhere := func(w *world) { w.dir.Put(claim.Identity{ID: bob, Mobile: m2}) }
	removed := func(w *world) { w.submit(bob, "another", "") }
	for name, tt := range map[string]struct {
		meanwhile func(*world)
		activated bool
		told      []string
	}{
		"somebody else wrote one":               {elsewhere, true, nil},
		"somebody else wrote one, nobody tells": {elsewhere, false, nil},
		"another form removed it":               {removed, true, []string{"removed sms " + m0}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.policy.Notices.OldNumber = true
			slow, err := w.stage(bob, "slow", "")
			wantErr(t, err, nil)
			w.pass(aMoment)
			tt.meanwhile(w)
			w.submit(bob, "flow", m1)
			wantErr(t, w.confirm(bob, w.lastCode()), nil)
			w.wantTold(tt.told...)
			w.persist(bob, "", slow)
			if tt.activated {
				w.activate(bob, "slow")
			}
			for range 3 {
				w.pass(2 * time.Minute)
				w.chores()
			}
			w.wantTold(append(tt.told, "removed sms "+m1)...)
		})
	}
}

// The same flow may be sent again long after it was refused, and then be stored.
func TestARemovalThatWasRefusedBeforeIsTold(t *testing.T) {
	for name, pause := range map[string]time.Duration{"soon": 10 * time.Second, "late": 10 * time.Minute} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.policy.Notices.OldNumber = true
			_, err := w.stage(bob, "flow", "")
			wantErr(t, err, nil)
			w.pass(pause)
			w.chores()
			w.submit(bob, "flow", "")
			w.pass(time.Hour)
			w.chores()
			w.wantTold("removed sms " + m0)
		})
	}
}

// A SCIM server that dies between Kratos' write and its own leaves the number to
// the workers; a write that Kratos refused ends nothing.
func TestADirectWriteIsToldThoughItsServerDies(t *testing.T) {
	for name, tt := range map[string]struct {
		written bool
		failure error
		want    []string
	}{
		"written, then no answer": {written: true, failure: claim.ErrIdentitiesUnavailable, want: []string{"removed sms " + m0}},
		"no answer, not written":  {failure: claim.ErrIdentitiesUnavailable},
		"refused":                 {failure: claim.ErrNumberRefused},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.policy.Notices.OldNumber = true
			change := direct(audit.Owner, "")
			change.failure = tt.failure
			_, err := w.provision(change)
			wantErr(t, err, tt.failure)
			w.wantTold()
			if tt.written {
				w.dir.Put(claim.Identity{ID: bob})
			}
			for range 3 {
				w.pass(2 * time.Minute)
				w.chores()
			}
			w.wantTold(tt.want...)
			if snapshot, err := w.store.Current(t.Context(), bob, w.Now()); err != nil || len(snapshot.Direct) > 0 {
				t.Errorf("still staged: %+v, %v", snapshot.Direct, err)
			}
		})
	}
}
