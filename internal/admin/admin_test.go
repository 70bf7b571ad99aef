package admin_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/holdline/holdline/internal/admin"
	"github.com/holdline/holdline/internal/audit"
	"github.com/holdline/holdline/internal/auth"
	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/claim/claimtest"
	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/internal/otp"
	"github.com/holdline/holdline/internal/people"
	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/internal/problem"
	"github.com/holdline/holdline/internal/storetest"
	"github.com/holdline/holdline/internal/textclean/spelling"
)

const (
	bob   = "bob"
	alice = "alice"
	m0    = "+491710000000"
	m1    = "+491711111111"
	m2    = "+491722222222"
	cool  = 30 * time.Second
)

var keeper = audit.Actor{Kind: audit.Administrator, ID: "keeper", ClientIP: "192.0.2.1"}

// helpDesk is administrators' work on a whole service, with a clock that stands
// still until told to move.
type helpDesk struct {
	*admin.Service
	t      *testing.T
	claims *claim.Service
	people *claimtest.Identities
	fake   *storetest.Store
	known  *storetest.Directory
	now    time.Time
	sent   []string // numbers that were texted
}

func newHelpDesk(t *testing.T) *helpDesk {
	t.Helper()
	d := &helpDesk{
		t: t, now: time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC), fake: storetest.NewStore(),
		people: claimtest.NewIdentities(claim.Identity{ID: bob, Mobile: m0, Verified: true}, claim.Identity{ID: alice}),
	}
	codes, err := otp.New([]string{strings.Repeat("first-secret-", 4)}, 6, otp.Numeric)
	if err != nil {
		t.Fatal(err)
	}
	plan, ids := phone.Parser{Format: phone.FormatE164}, 0
	clock := func() time.Time { return d.now }
	policy := claim.Policy{
		Enabled: true, Validity: 5 * time.Minute, Removal: claim.RemovalAllow, Resend: claim.ResendNew,
		Lifetime: 24 * time.Hour, Retention: 90 * 24 * time.Hour, Cooldown: cool, MaxTexts: 5,
	}
	d.claims = claim.New(claim.Options{
		Store: d.fake, Identities: d.people, Codes: codes, Plan: plan, Policy: func() claim.Policy { return policy }, Now: clock,
		NewID:  func() string { ids++; return fmt.Sprintf("%032x", ids) },
		Jitter: func(wait time.Duration) time.Duration { return wait },
		Send:   func(text message.Text) { d.sent = append(d.sent, text.To.Unmasked()) },
		Log:    slog.New(slog.DiscardHandler),
	})
	keys, err := people.NewKeys([]string{"a secret"})
	if err != nil {
		t.Fatal(err)
	}
	d.known = &storetest.Directory{}
	d.Service = &admin.Service{
		Store: d.fake, Claims: d.claims, Plan: plan, Now: clock, Directory: d.known,
		People: &people.Finder{Index: &storetest.People{}, Claims: d.fake, Directory: d.known, Keys: keys, Plan: plan, Now: clock},
	}
	return d
}

func wantErr(t *testing.T, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("got error %v, want %v", got, want)
	}
}

func (d *helpDesk) pass(by time.Duration) { d.now = d.now.Add(by) }

func (d *helpDesk) wantTexts(numbers ...string) {
	d.t.Helper()
	if !slices.Equal(d.sent, numbers) {
		d.t.Errorf("texts went to %v, want %v", d.sent, numbers)
	}
}

// open lets a person ask for a number, and returns the id of the claim.
func (d *helpDesk) open(id, flow, wanted string) string {
	d.t.Helper()
	i, err := d.people.Identity(d.t.Context(), id)
	if err != nil {
		d.t.Fatal(err)
	}
	answer, err := d.claims.Stage(d.t.Context(), claim.SettingsChange{
		IdentityID: id, FlowID: flow, Stored: i.Mobile, StoredVerified: i.Verified, Wanted: wanted, ShownPending: i.Pending,
	})
	if err != nil {
		d.t.Fatal(err)
	}
	i.Pending = answer.Pending.Unmasked()
	d.people.Put(i)
	if err := d.claims.Activate(d.t.Context(), claim.StoredFlow{IdentityID: id, FlowID: flow, Mobile: i.Mobile, ShownPending: i.Pending}); err != nil {
		d.t.Fatal(err)
	}
	d.pass(time.Millisecond)
	snapshot, err := d.fake.Current(d.t.Context(), id, time.Time{})
	if err != nil || snapshot.Active == nil {
		d.t.Fatalf("nothing is held: %v", err)
	}
	return snapshot.Active.ID
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
		m0:                                                               nil, // what somebody had is not what they want
	} {
		found, err := d.Search(t.Context(), admin.ClaimQuery{Limit: 9}, number)
		wantErr(t, err, nil)
		var got []string
		for _, c := range found {
			got = append(got, c.ID)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q: got %v, want %v", number, got, want)
		}
	}
	_, err := d.Search(t.Context(), admin.ClaimQuery{Limit: 9}, "12")
	wantErr(t, err, phone.ErrBadNumber)
	_, err = d.Search(t.Context(), admin.ClaimQuery{Limit: 9}, "*************")
	wantErr(t, err, people.ErrTooLittle)
	found, err := d.Search(t.Context(), admin.ClaimQuery{State: claim.Applied, Limit: 9}, m1)
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
	wantErr(t, err, admin.ErrNoClaim)
}

func TestAShownNumberLeavesALine(t *testing.T) {
	d := newHelpDesk(t)
	id := d.open(bob, "flow", m1)
	shown, err := d.Reveal(t.Context(), id, keeper)
	if err != nil || shown.Number.Unmasked() != m1 || shown.Previous.Unmasked() != m0 {
		t.Errorf("got %v, %v", shown, err)
	}
	events := d.fake.Events()
	want := audit.Event{
		ClaimID: id, IdentityID: bob, Kind: admin.NumberShown, Actor: keeper, Number: "+49********11", At: d.now,
	}
	if got := events[len(events)-1]; got != want {
		t.Errorf("wrote %+v, want %+v", got, want)
	}
	_, err = d.Reveal(t.Context(), "no such claim", keeper)
	wantErr(t, err, admin.ErrNoClaim)
}

// deafArchive can be read but not written to.
type deafArchive struct{ *storetest.Store }

func (deafArchive) RecordEvent(context.Context, audit.Event) error {
	return problem.ErrStoreUnavailable
}

func TestWithoutItsLineNoNumberIsShown(t *testing.T) {
	d := newHelpDesk(t)
	id := d.open(bob, "flow", m1)
	d.Store = deafArchive{d.fake}
	shown, err := d.Reveal(t.Context(), id, keeper)
	wantErr(t, err, problem.ErrStoreUnavailable)
	if shown != (claim.Claim{}) {
		t.Error("the claim was shown all the same")
	}
}

func TestTheDeskHelpsWithTheClaimThatIsMeant(t *testing.T) {
	type deed func(*helpDesk, string) error
	resend := func(d *helpDesk, id string) error { return d.Resend(d.t.Context(), id, keeper) }
	cancel := func(d *helpDesk, id string) error {
		return d.Cancel(d.t.Context(), id, auth.Administrator{Actor: keeper})
	}
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
			wantErr(t, tt.do(d, "no such claim"), admin.ErrNoClaim)
			if events := d.fake.Events(); tt.want == nil && events[len(events)-1].Actor != keeper {
				t.Errorf("the line names %+v", events[len(events)-1].Actor)
			}
		})
	}
}

func TestPrivilegedPeopleAreForPrivilegedAdministrators(t *testing.T) {
	d := newHelpDesk(t)
	d.Privileged = func(_ context.Context, id string) (bool, error) { return id == bob, nil }
	bobs, alices := d.open(bob, "one", m1), d.open(alice, "two", m2)
	wantErr(t, d.Cancel(t.Context(), bobs, auth.Administrator{Actor: keeper}), admin.ErrPrivilegedPerson)
	wantErr(t, d.Cancel(t.Context(), alices, auth.Administrator{Actor: keeper}), nil)
	if got := d.state(bobs); got != claim.Open {
		t.Errorf("the claim is %s", got)
	}
	wantErr(t, d.Cancel(t.Context(), bobs, auth.Administrator{Actor: keeper, Privileged: true}), nil)
}
