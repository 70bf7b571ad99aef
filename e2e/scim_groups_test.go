package e2e_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/holdline/holdline/e2e/harness"
)

// Groups that a client pushes reach applications that know Kratos alone: its identities
// show their names, whatever is written over them, and a form changes nothing of them.
func TestGroupsReachApplications(t *testing.T) {
	t.Parallel()
	s := harness.NewStack(t, harness.Options{Holdline: harness.Overlay{
		"scim": harness.Overlay{"groups_path": "metadata_public.groups", "reconcile_interval": "1s"},
	}})
	token := harness.ByClient(s.Token(t))
	bob, alice := s.NewPerson(t, m0), s.NewPerson(t, m1)
	ask := func(want int, method, path, body string) harness.Answer {
		t.Helper()
		answer := s.SCIM(t, method, path, body, token)
		if answer.Status != want {
			t.Fatalf("%s %s: %d %s", method, path, answer.Status, answer.Body)
		}
		return answer
	}
	group := func(name string, members ...string) string {
		t.Helper()
		body := fmt.Sprintf(`{"displayName": %q, "members": [{"value": "%s"}]}`, name, strings.Join(members, `"}, {"value": "`))
		var made struct{ ID string }
		if err := json.Unmarshal([]byte(ask(http.StatusCreated, http.MethodPost, "/Groups", body).Body), &made); err != nil {
			t.Fatal(err)
		}
		return made.ID
	}
	shows := func(p *harness.Person, names ...string) {
		t.Helper()
		harness.Eventually(t, p.ID+" shows "+fmt.Sprint(names), func() error {
			var identity struct {
				Metadata struct{ Groups []string } `json:"metadata_public"`
			}
			answer := harness.Send(t, http.MethodGet, s.Kratos.AdminURL+"/admin/identities/"+p.ID, "")
			if err := json.Unmarshal([]byte(answer.Body), &identity); err != nil {
				return err
			}
			if !slices.Equal(identity.Metadata.Groups, names) {
				return fmt.Errorf("shows %v", identity.Metadata.Groups)
			}
			return nil
		})
	}
	tellers, staff := group("Tellers", bob.ID, alice.ID), group("Staff", bob.ID)
	shows(bob, "Staff", "Tellers")
	shows(alice, "Tellers")

	// While a number is pending both stand beside one another.
	ask(http.StatusOK, http.MethodPatch, "/Users/"+bob.ID, `{"Operations": [{"op": "replace", "value": {
		"phoneNumbers": [{"type": "mobile", "value": "`+m2+`"}], "`+harness.EnterpriseSchema+`": {"verifyMobile": true}}}]}`)
	ask(http.StatusNoContent, http.MethodPatch, "/Groups/"+tellers, patchOf(`{"op": "replace", "path": "displayName", "value": "Cashiers"}`))
	shows(bob, "Cashiers", "Staff")
	if got := bob.Identity(t); got.Traits.Mobile != m0 || got.Pending() != m2 {
		t.Errorf("the number is %q, pending %q", got.Traits.Mobile, got.Pending())
	}

	for _, operation := range []string{
		`{"op": "add", "path": "/metadata_public/groups", "value": ["Directors"]}`,
		`{"op": "remove", "path": "/metadata_public/groups"}`,
	} {
		if edited := harness.Send(t, http.MethodPatch, s.Kratos.AdminURL+"/admin/identities/"+bob.ID, "["+operation+"]", harness.JSONBody); edited.Status != http.StatusOK {
			t.Fatalf("edit: %d %s", edited.Status, edited.Body)
		}
		shows(bob, "Cashiers", "Staff")
	}
	ask(http.StatusNoContent, http.MethodDelete, "/Groups/"+staff, "")
	shows(bob, "Cashiers")

	// Who is deleted in Kratos leaves, without anybody saying so.
	if gone := harness.Send(t, http.MethodDelete, s.Kratos.AdminURL+"/admin/identities/"+alice.ID, ""); gone.Status != http.StatusNoContent {
		t.Fatalf("delete: %d %s", gone.Status, gone.Body)
	}
	harness.Eventually(t, "alice has left", func() error {
		if trail := strings.Join(s.Database.Audit(t, alice.ID), ", "); !strings.Contains(trail, "group_left by system") {
			return fmt.Errorf("the audit trail has %s", trail)
		}
		return nil
	})
	if left := ask(http.StatusOK, http.MethodGet, "/Groups/"+tellers, ""); strings.Contains(left.Body, alice.ID) || !strings.Contains(left.Body, bob.ID) {
		t.Errorf("the members are %s", left.Body)
	}
	if own := s.SCIM(t, http.MethodGet, "/Groups", "", bob.ByToken()); own.Status != http.StatusOK || !strings.Contains(own.Body, "Cashiers") {
		t.Errorf("own groups: %d %s", own.Status, own.Body)
	}
}
