package e2e_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/holdline/holdline/e2e/harness"
)

// A password that is set over SCIM signs in at Kratos and the one before does not. The
// sessions of before end, but that of an owner who sets their own. What Kratos keeps of
// the person beside stays as it is.
func TestAPasswordSetOverSCIMSignsIn(t *testing.T) {
	t.Parallel()
	s := harness.NewStack(t, harness.Options{})
	client := harness.ByClient(s.Token(t))
	set := func(password string) string {
		return fmt.Sprintf(`{"schemas":[%q],"Operations":[{"op":"replace","path":"password","value":%q},{"op":"add","path":"displayName","value":"Bob"}]}`, harness.PatchOpSchema, password)
	}
	whoami := func(token string) int {
		return harness.Send(t, http.MethodGet, s.Kratos.PublicURL+"/sessions/whoami", "", harness.Header{"X-Session-Token", token}).Status
	}
	bob := s.NewPerson(t, m0)
	before := bob.Identity(t)

	old, first := bob.Password, bob.Token
	if got := s.SCIM(t, http.MethodPatch, "/Users/"+bob.ID, set("set by a client"), client); got.Status != http.StatusOK {
		t.Fatalf("by a client: got %d %s", got.Status, got.Body)
	}
	if got := whoami(first); got != http.StatusUnauthorized {
		t.Errorf("the session of before: got %d, want 401", got)
	}
	if bob.TrySignIn(t, old) != "" || bob.TrySignIn(t, "set by a client") == "" {
		t.Error("the old password signs in, or the new one does not")
	}

	bob.Token = bob.TrySignIn(t, "set by a client")
	other := bob.TrySignIn(t, "set by a client")
	if got := bob.SCIM(t, http.MethodPatch, "/Me", set("set by the owner")); got.Status != http.StatusOK {
		t.Fatalf("by the owner: got %d %s", got.Status, got.Body)
	}
	if own, others := whoami(bob.Token), whoami(other); own != http.StatusOK || others != http.StatusUnauthorized {
		t.Errorf("own session %d, the other %d, want 200 and 401", own, others)
	}
	if bob.TrySignIn(t, "set by a client") != "" || bob.TrySignIn(t, "set by the owner") == "" {
		t.Error("the old password signs in, or the new one does not")
	}
	for _, refused := range []string{"short", bob.Email, "1" + bob.Email + "1"} {
		if got := bob.SCIM(t, http.MethodPatch, "/Me", set(refused)); got.Status != http.StatusBadRequest {
			t.Errorf("%q: got %d %s, want 400", refused, got.Status, got.Body)
		}
	}
	before.Traits.Name = "Bob"
	if got := bob.Identity(t); !got.MobileVerified() || got.Traits != before.Traits {
		t.Errorf("the identity was %+v and is %+v", before, got)
	}
	if n := len(s.KratosAdmin.Calls(http.MethodPut)); n != 0 {
		t.Errorf("%d PUTs to Kratos, want none", n)
	}
}
