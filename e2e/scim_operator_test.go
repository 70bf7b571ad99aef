package e2e_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/holdline/holdline/e2e/harness"
)

// What an operator has beside the protocol: the index rebuilt by hand, its
// progress for Prometheus, and people whom their own record makes privileged.
func TestSCIMForOperators(t *testing.T) {
	t.Parallel()
	s := harness.NewStack(t, harness.Options{Holdline: harness.Overlay{
		"kratos": harness.Overlay{"privileged_key": "holdline_privileged"},
		"scim":   harness.Overlay{"reconcile_interval": "1h"},
	}})
	harness.Eventually(t, "the first pass is over", func() error {
		if ready := harness.Send(t, http.MethodGet, s.Holdline.PublicURL+"/health/ready", ""); strings.Contains(ready.Body, "building") {
			return errNotYet
		}
		return nil
	})
	bob, alice := s.NewPerson(t, m0), s.NewPerson(t, m1)
	if printed := s.Command(t, "scim", "reindex"); !strings.Contains(printed, "done: identities 2, entries written 2, deleted 0") {
		t.Errorf("reindex printed %q", printed)
	}
	list := s.SCIM(t, http.MethodGet, "/Users", "", harness.ByClient(s.Token(t)))
	if list.Status != http.StatusOK || !strings.Contains(list.Body, `"totalResults":2`) {
		t.Errorf("list: %d %s", list.Status, list.Body)
	}
	metrics := harness.Send(t, http.MethodGet, s.Holdline.AdminURL+"/metrics", "")
	if !strings.Contains(metrics.Body, "holdline_scim_reconcile_last_success_timestamp_seconds") {
		t.Errorf("metrics: %d", metrics.Status)
	}
	if public := harness.Send(t, http.MethodGet, s.Holdline.PublicURL+"/metrics", ""); public.Status != http.StatusNotFound {
		t.Errorf("metrics on the public listener: %d", public.Status)
	}

	if refused := s.SCIM(t, http.MethodGet, "/Users/"+bob.ID, "", alice.ByToken()); refused.Status != http.StatusNotFound {
		t.Fatalf("alice without privilege: %d %s", refused.Status, refused.Body)
	}
	patch := `[{"op":"add","path":"/metadata_admin/holdline_privileged","value":true}]`
	if made := harness.Send(t, http.MethodPatch, s.Kratos.AdminURL+"/admin/identities/"+alice.ID, patch, harness.JSONBody); made.Status != http.StatusOK {
		t.Fatalf("make alice privileged: %d %s", made.Status, made.Body)
	}
	change := `{"Operations":[{"op":"replace","path":"phoneNumbers[type eq \"mobile\"].value","value":"` + m2 + `"}]}`
	if done := s.SCIM(t, http.MethodPatch, "/Users/"+bob.ID, change, alice.ByToken()); done.Status != http.StatusOK {
		t.Fatalf("alice, privileged: %d %s", done.Status, done.Body)
	}
	if got := bob.Identity(t); got.Traits.Mobile != m2 || got.MobileVerified() {
		t.Errorf("bob's number: %q, verified %v", got.Traits.Mobile, got.MobileVerified())
	}
	if got := strings.Join(s.Database.Audit(t, bob.ID), ", "); got != "number_written by privileged" {
		t.Errorf("audit: %s", got)
	}
}

// A mapping that no identity schema fits is a bad configuration, told line by line.
func TestAMappingIsCheckedAtStart(t *testing.T) {
	t.Parallel()
	s := harness.NewStack(t, harness.Options{})
	_, err := s.TryCommand("serve", "--public-port", "0", "--admin-port", "0", "--scim-mapping",
		`[{"path":"userName","trait":"emial"},{"path":"active","trait":"name"},{"path":"displayName","trait":"name"}]`)
	said := harness.Stderr(err)
	if err == nil || !strings.Contains(said, "scim.mapping[1]") {
		t.Fatalf("a rule for active: %v: %s", err, said)
	}
	_, err = s.TryCommand("serve", "--public-port", "0", "--admin-port", "0", "--scim-mapping",
		`[{"path":"userName","trait":"emial"},{"path":"displayName","trait":"name"}]`)
	said = harness.Stderr(err)
	for _, want := range []string{"bad configuration", "scim.mapping[0]", "no trait emial", "email, mobile, name"} {
		if err == nil || !strings.Contains(said, want) {
			t.Errorf("a trait that is not there: %v: %s", err, said)
		}
	}
}
