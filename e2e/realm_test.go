package e2e_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/holdline/holdline/e2e/harness"
)

// Two Kratos behind one Holdline: each calls with its own key, people of both
// change their numbers side by side, and the numbers end up where they belong.
func TestOneHoldlineServesSeveralKratos(t *testing.T) {
	t.Parallel()
	s := harness.NewStack(t, harness.Options{
		Realms: []string{"STAFF"},
		Holdline: harness.Overlay{
			"kratos": harness.Overlay{"privileged_key": "holdline_privileged"},
			"limits": harness.Overlay{"resend_cooldown": "0s"},
			"identity_mgt": harness.Overlay{"user_claim_update": harness.Overlay{
				"mobile": harness.Overlay{"enable_verification_by_privileged_user": true},
			}},
		},
	})
	staff := s.Realms["STAFF"]
	bob, ann := s.NewPerson(t, m0), staff.NewPerson(t, m1)
	forBob, forAnn := bob.Ask(t, m2), ann.Ask(t, m3)

	// A code is its own person's, whatever realm they are in.
	wantFault(t, bob.Confirm(t, forAnn.Code), http.StatusBadRequest, "18001")
	wantFault(t, ann.Confirm(t, forBob.Code), http.StatusBadRequest, "18001")
	wantEmpty(t, ann.Confirm(t, forAnn.Code), http.StatusAccepted)
	wantMade(t, ann, m3)
	wantHeld(t, bob, m0, m2)
	wantEmpty(t, bob.Confirm(t, forBob.Code), http.StatusAccepted)
	wantMade(t, bob, m2)
	if trail := strings.Join(s.Database.Audit(t, "STAFF/"+ann.ID), ", "); !strings.HasSuffix(trail, "applied by system") {
		t.Errorf("ann's audit trail: %s", trail)
	}

	// The session's cookie and HTTP Basic find the realm as well.
	again := ann.Ask(t, m4)
	cookie := harness.Send(t, http.MethodGet, s.Holdline.PublicURL+harness.UserAPI+"/me/mobile-claim", "", ann.ByCookie(t))
	if cookie.Status != http.StatusOK {
		t.Errorf("by cookie: %d %s", cookie.Status, cookie.Body)
	}
	basic := func(user string) harness.Answer {
		p := *ann
		p.Email = user
		return harness.Send(t, http.MethodGet, s.Holdline.PublicURL+harness.UserAPI+"/me/mobile-claim", "", p.ByPassword())
	}
	if got := basic("STAFF/" + ann.Email); got.Status != http.StatusOK {
		t.Errorf("by password: %d %s", got.Status, got.Body)
	}
	if got := basic(ann.Email); got.Status != http.StatusUnauthorized {
		t.Errorf("by password, in the primary realm: %d %s", got.Status, got.Body)
	}

	// Privileged calls name the realm; privileged people of one stay in it.
	boss := staff.NewPerson(t, m5)
	elevate(t, staff, boss)
	inStaff := `{"username":"` + ann.Email + `","realm":"STAFF"}`
	wantFault(t, asPrivileged(t, s, "validate-code", named(ann.Email), code(again.Code), harness.ByClient(s.Token(t, "--scope", "claims:manage"))),
		http.StatusBadRequest, "18001")
	wantFault(t, asPrivileged(t, s, "validate-code", named(bob.Email), code(again.Code), boss.ByToken()), http.StatusBadRequest, "18001")
	done := asPrivileged(t, s, "validate-code", inStaff, code(again.Code), boss.ByToken())
	if done.Status != http.StatusAccepted || !strings.Contains(done.Body, `"realm":"STAFF"`) || !strings.Contains(done.Body, `"userId":"`+ann.ID+`"`) {
		t.Fatalf("validate-code in the realm: %d %s", done.Status, done.Body)
	}
	wantMade(t, ann, m4)

	// SCIM is about the primary realm.
	client := harness.ByClient(s.Token(t))
	if got := s.SCIM(t, http.MethodGet, "/Users/"+ann.ID, "", client); got.Status != http.StatusNotFound {
		t.Errorf("SCIM client: %d %s", got.Status, got.Body)
	}
	for _, path := range []string{"/Me", "/Users/" + ann.ID, "/Users/" + bob.ID, "/Users"} {
		if got := s.SCIM(t, http.MethodGet, path, "", boss.ByToken()); got.Status != http.StatusNotFound && got.Status != http.StatusForbidden {
			t.Errorf("SCIM, %s by somebody of another realm: %d %s", path, got.Status, got.Body)
		}
	}
}
