package claim_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/holdline/holdline/internal/audit"
	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/claim/claimtest"
	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/internal/problem"
	"github.com/holdline/holdline/internal/textclean/spelling"
)

// helpDesk is a world with a desk in it.
type helpDesk struct {
	*world
	*claim.Desk
	fake *claimtest.Store
}

const alice = "alice"

func newHelpDesk(t *testing.T) *helpDesk {
	t.Helper()
	w := newWorld(t, claim.Identity{ID: bob, Mobile: m0, Verified: true}, claim.Identity{ID: alice})
	fake := w.store.(*claimtest.Store)
	return &helpDesk{w, &claim.Desk{Archive: fake, Claims: w.Service, Plan: numberPlan, Now: w.Now}, fake}
}

// open lets a person ask for a number, and returns the id of the claim.
func (d *helpDesk) open(id, flow, wanted string) string {
	d.t.Helper()
	d.submit(id, flow, wanted)
	snapshot, err := d.store.Current(d.t.Context(), id, time.Time{})
	if err != nil || snapshot.Held == nil {
		d.t.Fatalf("nothing is held: %v", err)
	}
	return snapshot.Held.ID
}

func (d *helpDesk) state(claimID string) claim.State {
	d.t.Helper()
	found, err := d.fake.Find(d.t.Context(), claimID)
	if err != nil || found == nil {
		d.t.Fatalf("no claim: %v", err)
	}
	return found.State
}

func TestClaimsAreSearchedAsPeopleWriteNumbers(t *testing.T) {
	d := newHelpDesk(t)
	bobs := d.open(bob, "one", m1)
	alices := d.open(alice, "two", m2)
	for number, want := range map[string][]string{
		"":                                       {alices, bobs},
		" ":                                      {alices, bobs},
		m1:                                       {bobs},
		"+49 (171) 111-11 11":                    {bobs},
		"tel:" + m2:                              {alices},
		"\u202a0049\u00a0171\u20111111111\u202c": {bobs},
		spelling.Spell([]string{m2}, '०', "", [2]string{"\ufeff", "\n"}): {alices},
		"+49＊＊＊＊＊＊＊＊11\u200e":                                            {bobs},
		"+49********11":                                                  {bobs},
		" +49 *** *****22 ":                                              {alices},
		"+49********33":                                                  nil,
		"*************":                                                  nil,
		m0:                                                               nil, // what somebody had is not what they want
	} {
		found, err := d.Search(t.Context(), claim.ClaimQuery{Limit: 9}, number)
		wantErr(t, err, nil)
		var got []string
		for _, c := range found {
			got = append(got, c.ID)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q: got %v, want %v", number, got, want)
		}
	}
	_, err := d.Search(t.Context(), claim.ClaimQuery{Limit: 9}, "12")
	wantErr(t, err, phone.ErrBadNumber)
	found, err := d.Search(t.Context(), claim.ClaimQuery{State: claim.Applied, Limit: 9}, m1)
	if err != nil || len(found) != 0 {
		t.Errorf("got %v, %v", found, err)
	}
}

func TestAHistoryIsOldestFirst(t *testing.T) {
	d := newHelpDesk(t)
	id := d.open(bob, "flow", m1)
	d.pass(cool)
	wantErr(t, d.Resend(t.Context(), id, keeper), nil)
	h, err := d.History(t.Context(), id)
	wantErr(t, err, nil)
	var kinds []string
	for _, e := range h.Events {
		kinds = append(kinds, e.Kind)
	}
	if last := len(kinds) - 1; h.Claim.ID != id || last < 1 || kinds[last] != "resent" || kinds[last-1] != "open" {
		t.Errorf("got %s with %v", h.Claim.ID, kinds)
	}
	if len(h.Texts) != 2 || h.Texts[0].Code.Number != 1 || h.Texts[1].Code.Number != 2 {
		t.Errorf("got %v", h.Texts)
	}
	_, err = d.History(t.Context(), "no such claim")
	wantErr(t, err, claim.ErrNoClaim)
}

func TestAShownNumberLeavesALine(t *testing.T) {
	d := newHelpDesk(t)
	id := d.open(bob, "flow", m1)
	shown, err := d.Reveal(t.Context(), id, keeper)
	if err != nil || shown.Number.Unmasked() != m1 || shown.Was.Unmasked() != m0 {
		t.Errorf("got %v, %v", shown, err)
	}
	events := d.fake.Events()
	want := audit.Event{
		ClaimID: id, IdentityID: bob, Kind: claim.NumberShown, Actor: keeper, Number: "+49********11", At: d.world.Now(),
	}
	if got := events[len(events)-1]; got != want {
		t.Errorf("wrote %+v, want %+v", got, want)
	}
	_, err = d.Reveal(t.Context(), "no such claim", keeper)
	wantErr(t, err, claim.ErrNoClaim)
}

// deafArchive can be read but not written to.
type deafArchive struct{ *claimtest.Store }

func (deafArchive) RecordEvent(context.Context, audit.Event) error {
	return problem.ErrStoreUnavailable
}

func TestWithoutItsLineNoNumberIsShown(t *testing.T) {
	d := newHelpDesk(t)
	id := d.open(bob, "flow", m1)
	d.Archive = deafArchive{d.fake}
	shown, err := d.Reveal(t.Context(), id, keeper)
	wantErr(t, err, problem.ErrStoreUnavailable)
	if shown != (claim.Claim{}) {
		t.Error("the claim was shown all the same")
	}
}

func TestTheDeskHelpsWithTheClaimThatIsMeant(t *testing.T) {
	type deed func(*helpDesk, string) error
	resend := func(d *helpDesk, id string) error { return d.Resend(d.t.Context(), id, keeper) }
	cancel := func(d *helpDesk, id string) error { return d.Cancel(d.t.Context(), id, keeper) }
	for name, tt := range map[string]struct {
		do         deed
		wait       time.Duration
		want, late error
		state      claim.State
		texts      []string
	}{
		"resend":          {resend, cool, nil, claim.ErrNothingPending, claim.Open, []string{m1, m2, m2}},
		"resend too soon": {resend, 0, claim.ErrTooSoon, claim.ErrNothingPending, claim.Open, []string{m1, m2}},
		"cancel":          {cancel, 0, nil, claim.ErrNothingPending, claim.Cancelled, []string{m1, m2}},
	} {
		t.Run(name, func(t *testing.T) {
			d := newHelpDesk(t)
			replaced := d.open(bob, "one", m1)
			held := d.open(bob, "two", m2)
			d.pass(tt.wait)
			wantErr(t, tt.do(d, replaced), tt.late)
			if d.state(replaced) != claim.Superseded || d.state(held) != claim.Open {
				t.Errorf("the claims are %s and %s", d.state(replaced), d.state(held))
			}
			wantErr(t, tt.do(d, held), tt.want)
			if got := d.state(held); got != tt.state {
				t.Errorf("the claim is %s", got)
			}
			d.wantTexts(tt.texts...)
			wantErr(t, tt.do(d, "no such claim"), claim.ErrNoClaim)
			if events := d.fake.Events(); tt.want == nil && events[len(events)-1].Actor != keeper {
				t.Errorf("the line names %+v", events[len(events)-1].Actor)
			}
		})
	}
}

func TestACodeThatAnotherTypesNeedsTheSwitch(t *testing.T) {
	for name, tt := range map[string]struct {
		by   audit.Actor
		on   bool
		want error
	}{
		"the owner":                 {audit.Actor{}, false, nil},
		"a privileged user, off":    {audit.Actor{Kind: audit.Privileged, ID: "carol"}, false, claim.ErrPrivilegedOff},
		"a privileged user, on":     {audit.Actor{Kind: audit.Privileged, ID: "carol"}, true, nil},
		"an administrator, off":     {keeper, false, claim.ErrPrivilegedOff},
		"an administrator, when on": {keeper, true, nil},
	} {
		t.Run(name, func(t *testing.T) {
			d := newHelpDesk(t)
			id := d.open(bob, "flow", m1)
			d.policy.VerifyPrivileged = tt.on
			who := d.caller(bob)
			who.By = tt.by
			wantErr(t, d.Confirm(t.Context(), who, d.lastCode()), tt.want)
			want := claim.Applied
			if tt.want != nil {
				want = claim.Open
			}
			found, err := d.fake.Find(t.Context(), id)
			if err != nil || found.State != want || tt.want != nil && found.Attempts != 0 {
				t.Errorf("got %s after %d tries, %v", found.State, found.Attempts, err)
			}
		})
	}
}
