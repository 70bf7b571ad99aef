package e2e_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/holdline/holdline/e2e/harness"
)

// Numbers that a double cannot keep pass untouched, to the digit: through a form with a
// change of number, its confirmation, and SCIM.
func TestLongNumbersPassToTheDigit(t *testing.T) {
	t.Parallel()
	// Without SCIM nothing but the hook reads identities.
	s := harness.NewStack(t, harness.Options{Holdline: harness.Overlay{
		"limits": harness.Overlay{"resend_cooldown": "0s"}, "scim": harness.Overlay{"enabled": false},
	}})
	const (
		big      = `9007199254740993`
		numbers  = `"employee":` + big + `,"nested":{"list":[1,` + big + `,{"rate":0.1,"price":19.90}]},"huge":12345678901234567890123`
		metadata = `{"customer":` + big + `,"deep":[[` + big + `,3.14159265358979323846264]]}`
	)
	client := harness.ByClient(s.Token(t, "--privileged"))
	bob := s.NewAccount(t, harness.Account{Mobile: m0, Schema: "exact"})
	patch := `[{"op":"add","path":"/metadata_public","value":` + metadata + `},{"op":"add","path":"/metadata_admin","value":` + metadata + `}`
	for _, trait := range strings.Split(`employee=`+big+`;nested={"list":[1,`+big+`,{"rate":0.1,"price":19.90}]};huge=12345678901234567890123`, ";") {
		name, value, _ := strings.Cut(trait, "=")
		patch += `,{"op":"add","path":"/traits/` + name + `","value":` + value + `}`
	}
	if got := harness.Send(t, http.MethodPatch, s.Kratos.AdminURL+"/admin/identities/"+bob.ID, patch+"]", harness.JSONBody); got.Status != http.StatusOK {
		t.Fatalf("got %d %s", got.Status, got.Body)
	}
	// wantDigits wants every number as it was.
	wantDigits := func(step string) {
		t.Helper()
		var found struct {
			Traits map[string]json.RawMessage
			Public map[string]json.RawMessage `json:"metadata_public"`
			Admin  map[string]json.RawMessage `json:"metadata_admin"`
		}
		harness.Send(t, http.MethodGet, s.Kratos.AdminURL+"/admin/identities/"+bob.ID, "").JSON(t, &found)
		for name, want := range map[string]string{
			"employee": big, "nested": `{"list":[1,` + big + `,{"rate":0.1,"price":19.90}]}`, "huge": "12345678901234567890123",
		} {
			if got := sorted(t, found.Traits[name]); got != sorted(t, json.RawMessage(want)) {
				t.Errorf("%s: %s is %s, want %s", step, name, got, want)
			}
		}
		for name, members := range map[string]map[string]json.RawMessage{"public": found.Public, "admin": found.Admin} {
			if got := string(members["customer"]) + string(members["deep"]); got != big+`[[`+big+`,3.14159265358979323846264]]` {
				t.Errorf("%s: %s metadata has %s", step, name, got)
			}
		}
	}
	wantDigits("before")
	form := func(mobile, name, numbers string) map[string]any {
		var traits map[string]any
		decoder := json.NewDecoder(strings.NewReader(fmt.Sprintf(`{"email":%q,"name":%q,"mobile":%q,%s}`, bob.Email, name, mobile, numbers)))
		decoder.UseNumber()
		if err := decoder.Decode(&traits); err != nil {
			t.Fatal(err)
		}
		return traits
	}
	reads := func() (n int) {
		for _, call := range s.KratosAdmin.Calls(http.MethodGet) {
			if strings.HasSuffix(call.Path, bob.ID) {
				n++
			}
		}
		return n
	}
	before := reads()
	if got := bob.SaveTraits(t, form(m1, "By form", numbers), nil); got.Status != http.StatusOK {
		t.Fatalf("form: got %d %s", got.Status, got.Body)
	}
	if got := reads() - before; got != 1 {
		t.Errorf("the identity was read %d times for its digits, want once", got)
	}
	wantHeld(t, bob, m0, m1)
	wantDigits("held")
	wantEmpty(t, bob.Confirm(t, s.Provider.Nth(t, m1, 1).Code), http.StatusAccepted)
	wantMade(t, bob, m1)
	wantDigits("confirmed")

	s.Holdline.Reconfigure(t, harness.Overlay{"scim": harness.Overlay{"enabled": true}})
	rename := fmt.Sprintf(`{"schemas":[%q],"Operations":[{"op":"replace","path":"displayName","value":"By SCIM"},{"op":"replace","path":"password","value":"a long pass phrase"},`+
		`{"op":"replace","path":"phoneNumbers[type eq \"mobile\"].value","value":%q}]}`, harness.PatchOpSchema, m2)
	if got := s.SCIM(t, http.MethodPatch, "/Users/"+bob.ID, rename, client); got.Status != http.StatusOK {
		t.Fatalf("SCIM: got %d %s", got.Status, got.Body)
	}
	wantDigits("SCIM")
	bob.Token = bob.TrySignIn(t, "a long pass phrase")

	// A long number that the form itself changes is refused, with the number.
	changed := strings.Replace(numbers, big, "9007199254740995", 1)
	refused := bob.SaveTraits(t, form(m3, "By form", changed), nil)
	if refused.Status != http.StatusBadRequest || len(refused.Field) != 1 || !strings.Contains(refused.Field[0].Text, "other changes first") {
		t.Errorf("a long number that is changed: got %d %s", refused.Status, harness.Words(refused.Field))
	}
	wantDigits("refused")
}

// sorted is JSON with its members in order and its numbers as they are written.
func sorted(t *testing.T, text json.RawMessage) string {
	t.Helper()
	var value any
	decoder := json.NewDecoder(strings.NewReader(string(text)))
	decoder.UseNumber()
	if err := decoder.Decode(&value); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	out, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}
