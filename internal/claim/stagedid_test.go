package claim_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/holdline/holdline/internal/claim"
)

// inFlow stages a change in a flow, stores it and activates it, with what each hook knows
// of when the flow was issued, and returns the claim.
func (w *world) inFlow(flow string, staged, activated time.Time) claim.Claim {
	w.t.Helper()
	change := claim.SettingsChange{
		IdentityID: bob, FlowID: flow, FlowIssued: staged, Stored: m0, StoredVerified: true, Wanted: m1,
	}
	var answer claim.Answer
	for range 2 { // Kratos may deliver a call twice
		var err error
		if answer, err = w.Stage(w.t.Context(), change); err != nil {
			w.t.Fatal(err)
		}
	}
	w.persist(bob, m1, answer)
	stored := claim.StoredFlow{IdentityID: bob, FlowID: flow, FlowIssued: activated, Mobile: m0, ShownPending: m1}
	for range 2 {
		if err := w.Activate(w.t.Context(), stored); err != nil {
			w.t.Fatal(err)
		}
	}
	now, err := w.store.Current(w.t.Context(), bob, w.Now().Add(-time.Hour))
	if err != nil || now.Active == nil || len(now.Staged) != 0 {
		w.t.Fatalf("got %+v, %v", now, err)
	}
	return *now.Active
}

// Ids that begin with the time keep the claims of one time together in every index that ends
// with them.
func TestAClaimsIDBeginsWithTheTimeOfItsFlow(t *testing.T) {
	w := newWorld(t)
	issued := w.Now().Add(-10 * time.Minute)
	c := w.inFlow("flow", issued, issued)
	if want := fmt.Sprintf("%08x", issued.Unix()); !strings.HasPrefix(c.ID, want) || len(c.ID) != 32 {
		t.Errorf("the id is %s, want one of 32 characters that begins with %s", c.ID, want)
	}
	if other := newWorld(t).inFlow("other", issued, issued); other.ID[8:] == c.ID[8:] {
		t.Errorf("two flows have the id %s", c.ID)
	}
}

// Kratos' lines are printed anew at some time, perhaps one hook before the other, and the
// release before does not know the time: a form's claim opens all the same, once, with one text.
func TestAFormOpensItsClaimWhicheverHookKnowsTheTimeOfTheFlow(t *testing.T) {
	issued := newWorld(t).Now().Add(-time.Minute)
	for name, tt := range map[string]struct{ staged, activated time.Time }{
		"neither":            {time.Time{}, time.Time{}},
		"stage alone":        {issued, time.Time{}},
		"activate alone":     {time.Time{}, issued},
		"both":               {issued, issued},
		"another in between": {issued, issued.Add(time.Second)},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.inFlow("flow", tt.staged, tt.activated)
			w.wantTexts(m1)
		})
	}
}

// What is no flow of Kratos' has a name of Holdline's own, which begins with the time.
func TestAClientsClaimBeginsWithTheTimeToo(t *testing.T) {
	w := newWorld(t)
	const flow = "019a3f00-7c00-7abc-8def-0123456789ab" // RFC 9562, version 7
	c := w.inFlow(flow, time.Time{}, time.Time{})
	if want := fmt.Sprintf("%08x", 0x019a3f007c00/1000); !strings.HasPrefix(c.ID, want) {
		t.Errorf("the id is %s, want one that begins with %s", c.ID, want)
	}
}
