package patch_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/holdline/holdline/internal/scim"
	"github.com/holdline/holdline/internal/scim/patch"
)

// Whatever is sent, the input stays as it was, what the server writes stays as it
// was, and the result is a canonical document of bounded size or an error of the
// protocol's.
func FuzzApply(f *testing.F) {
	for _, seed := range []string{
		`{"op": "replace", "value": {"` + enterprise + `": {"verifyMobile": "true"}, "phoneNumbers": [{"type": "mobile", "value": "+1"}]}}`,
		`{"op": "Add", "path": "roles[primary eq \"True\"].value", "value": "admin"}`,
		`{"op": "remove", "path": "emails", "value": [{"value": "bob@home"}, "x", null]}`,
		`{"op": "replace", "value": {"name.givenName": "R", "emails[type eq \"work\" and primary eq true]": {"display": 1}}}`,
		`{"op": "add", "path": "` + enterprise + `:manager", "value": ["m"]}, {"op": "remove", "path": "` + enterprise + `"}`,
		`{"op": "replace", "path": "x509Certificates", "value": "AAAA"}`,
	} {
		f.Add([]byte(operations(seed)), true)
		f.Add([]byte(operations(seed)), false)
	}
	f.Fuzz(func(t *testing.T, body []byte, strict bool) {
		parsed, err := scim.ReadJSON(body, 1<<16)
		if err != nil {
			checkKind(t, err)
			return
		}
		options := patch.Options{Mode: scim.Mode(strict)}
		request, err := patch.Read(parsed, options)
		if err != nil {
			checkKind(t, err)
			return
		}
		document := object(t, bob)
		result, err := patch.Apply(users, document, request, options)
		if diff := cmp.Diff(object(t, bob), document); diff != "" {
			t.Fatalf("the input was changed:\n%s", diff)
		}
		if err != nil {
			checkKind(t, err)
			return
		}
		checkCanonical(t, result.Document)
		for _, own := range []string{"id", "meta", "groups"} {
			if !cmp.Equal(document[own], result.Document[own]) {
				t.Errorf("%s was changed", own)
			}
		}
		text, err := json.Marshal(result.Document)
		if err != nil || len(text) > 1<<22 {
			t.Errorf("the result has %d bytes, error %v", len(text), err)
		}
	})
}

func checkKind(t *testing.T, err error) {
	t.Helper()
	if kind(err) == foreign {
		t.Errorf("an error of no kind: %v", err)
	}
}
