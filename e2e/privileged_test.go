package e2e_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/holdline/holdline/e2e/harness"
)

// asPrivileged makes a call for a person, who is named as their provider names them.
func asPrivileged(t *testing.T, s *harness.Stack, route, user, extra string, as harness.Header) harness.Answer {
	t.Helper()
	body := `{"user":` + user + extra + `}`
	return harness.Send(t, http.MethodPost, s.Holdline.PublicURL+harness.UserAPI+"/"+route, body, harness.JSONBody, as)
}

// named is a user as WSO2's requests name one.
func named(email string) string { return `{"username":"` + email + `","realm":"PRIMARY"}` }

const scenario = `,"properties":[{"key":"RecoveryScenario","value":"MOBILE_VERIFICATION_ON_UPDATE"}]`

func code(code string) string { return `,"code":"` + code + `"` }

// By an operator's token and by a person whom their own record
// makes privileged; and a claim that a privileged caller confirms.
func TestPrivilegedCallersResendAndConfirmForOthers(t *testing.T) {
	t.Parallel()
	s := harness.NewStack(t, harness.Options{Holdline: harness.Overlay{
		"kratos": harness.Overlay{"privileged_key": "holdline_privileged"},
		"limits": harness.Overlay{"resend_cooldown": "0s"},
		"identity_mgt": harness.Overlay{"user_claim_update": harness.Overlay{
			"mobile": harness.Overlay{"enable_verification_by_privileged_user": true},
		}},
	}})
	bob, alice, root := s.NewPerson(t, m0), s.NewPerson(t, m4), s.NewPerson(t, m5)
	elevate(t, s, root)
	desk := harness.ByClient(s.Token(t, "--scope", "claims:manage"))
	text := bob.Ask(t, m1)

	wantFault(t, asPrivileged(t, s, "resend-code", named(bob.Email), scenario, alice.ByToken()), http.StatusForbidden, "HLD-40303")
	wantFault(t, asPrivileged(t, s, "validate-code", named(bob.Email), code(text.Code), alice.ByToken()), http.StatusForbidden, "HLD-40303")
	wantFault(t, asPrivileged(t, s, "resend-code", named(bob.Email), scenario, harness.ByClient(s.Token(t))), http.StatusForbidden, "HLD-40302")
	if got := asPrivileged(t, s, "resend-code", named(bob.Email), scenario, nil); got.Status != http.StatusUnauthorized {
		t.Errorf("nobody: %d %s", got.Status, got.Body)
	}
	wantTexts(t, s, m1, 1)

	wantEmpty(t, asPrivileged(t, s, "resend-code", named(bob.Email), scenario, desk), http.StatusCreated)
	second := s.Provider.Nth(t, m1, 2)
	wantEmpty(t, asPrivileged(t, s, "resend-code", named(bob.Email), scenario, root.ByToken()), http.StatusCreated)
	third := s.Provider.Nth(t, m1, 3)

	// Nobody and nothing pending look alike.
	unknown := asPrivileged(t, s, "resend-code", named("nobody@example.com"), scenario, desk)
	idle := asPrivileged(t, s, "resend-code", named(alice.Email), scenario, desk)
	wantFault(t, unknown, http.StatusBadRequest, "UAR-10011")
	wantFault(t, idle, http.StatusBadRequest, "UAR-10011")
	if unknown.Fault().Description != idle.Fault().Description {
		t.Errorf("they differ: %s and %s", unknown.Body, idle.Body)
	}

	wantFault(t, asPrivileged(t, s, "validate-code", named(bob.Email), code(second.Code), desk), http.StatusBadRequest, "18001")
	wantFault(t, asPrivileged(t, s, "validate-code", named(alice.Email), code(third.Code), desk), http.StatusBadRequest, "18001")
	wantFault(t, asPrivileged(t, s, "validate-code", named("nobody@example.com"), code(third.Code), desk), http.StatusBadRequest, "18001")
	done := asPrivileged(t, s, "validate-code", named(bob.Email), code(third.Code), root.ByToken())
	var who map[string]string
	if err := json.Unmarshal([]byte(done.Body), &who); err != nil || done.Status != http.StatusAccepted ||
		who["username"] != bob.Email || who["realm"] != "PRIMARY" || who["userId"] != bob.ID || who["tenant-domain"] == "" {
		t.Fatalf("validate-code: %d %s", done.Status, done.Body)
	}
	bob.Eventually(t, "the number is written", func(i harness.Identity) bool { return i.Traits.Mobile == m1 })
	wantMade(t, bob, m1)
	trail := strings.Join(s.Database.Audit(t, bob.ID), ", ")
	for _, want := range []string{"resent by privileged, resent by privileged", "verified by privileged"} {
		if !strings.Contains(trail, want) {
			t.Errorf("the audit trail lacks %q: %s", want, trail)
		}
	}
}

// Switched off, which it is by default, nobody confirms for others; the claim and
// its tries stay as they are.
func TestPrivilegedConfirmationIsOffByDefault(t *testing.T) {
	t.Parallel()
	s := harness.NewStack(t, harness.Options{})
	bob := s.NewPerson(t, m0)
	desk := harness.ByClient(s.Token(t, "--scope", "claims:manage", "--privileged"))
	text := bob.Ask(t, m1)
	for range 6 {
		wantFault(t, asPrivileged(t, s, "validate-code", named(bob.Email), code(text.Code), desk), http.StatusBadRequest, "17007")
	}
	wantEmpty(t, bob.Confirm(t, text.Code), http.StatusAccepted)
}

// elevate makes somebody a privileged person.
func elevate(t *testing.T, s *harness.Stack, p *harness.Person) {
	t.Helper()
	patch := `[{"op":"add","path":"/metadata_admin","value":{"holdline_privileged":true}}]`
	made := harness.Send(t, http.MethodPatch, s.Kratos.AdminURL+"/admin/identities/"+p.ID, patch, harness.JSONBody)
	if made.Status != http.StatusOK {
		t.Fatalf("make privileged: %d %s", made.Status, made.Body)
	}
}
