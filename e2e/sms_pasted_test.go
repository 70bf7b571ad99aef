package e2e_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/holdline/holdline/e2e/harness"
)

// One request_config, given to Kratos and to Holdline as it stands: the provider
// cannot tell which of the two sends it a text.
func TestKratosRequestConfigIsPastedUnchanged(t *testing.T) {
	t.Parallel()
	provider := harness.NewKratosProvider(t)
	var config harness.Overlay
	pasted, err := os.ReadFile("testdata/request_config.yml")
	if err == nil {
		err = yaml.Unmarshal([]byte(strings.Replace(string(pasted), "https://sms.example", provider.URL, 1)), &config)
	}
	if err != nil {
		t.Fatal(err)
	}
	s := harness.NewStack(t, harness.Options{Kratos: harness.Overlay{
		"selfservice": harness.Overlay{"flows": harness.Overlay{"verification": harness.Overlay{"enabled": true}}},
		"courier": harness.Overlay{"channels": []harness.Overlay{
			{"id": "sms", "type": "http", "request_config": config},
		}},
	}})
	s.Kratos.Courier(t)
	s.Holdline.Reconfigure(t, onlyGateways(harness.Overlay{"id": "pasted", "type": "http", "request_config": config}))

	s.Register(t, m3)
	ofKratos := provider.Nth(t, m3, 1)
	bob := s.NewPerson(t, m0)
	bob.MustSave(t, harness.Profile{Name: "After", Mobile: m1})
	ofHoldline := provider.Nth(t, m1, 1)

	if ofHoldline.Type != ofKratos.Type {
		t.Errorf("template_type: got %q, want Kratos' %q", ofHoldline.Type, ofKratos.Type)
	}
	theirs, ours := members(t, ofKratos), members(t, ofHoldline)
	t.Logf("Kratos:   %s", strings.Join(slices.Sorted(maps.Keys(theirs)), " "))
	t.Logf("Holdline: %s", strings.Join(slices.Sorted(maps.Keys(ours)), " "))
	for name, kind := range theirs {
		if ours[name] != kind {
			t.Errorf("%s: got %q, want %s as from Kratos", name, ours[name], kind)
		}
	}
	for name, value := range map[string]string{"Content-Type": "application/json", "X-Account": "e2e"} {
		if theirs, ours := ofKratos.Header.Get(name), ofHoldline.Header.Get(name); theirs != value || ours != value {
			t.Errorf("%s: got %q from Holdline and %q from Kratos, want %q", name, ours, theirs, value)
		}
	}
	if ours, theirs := ofHoldline.Header.Get("Authorization"), ofKratos.Header.Get("Authorization"); ours != theirs || ours == "" {
		t.Error("Holdline proves itself otherwise than Kratos")
	}
	wantEmpty(t, bob.Confirm(t, ofHoldline.Code), http.StatusAccepted)
	wantMade(t, bob, m1)
}

// members lists the members of the request that do not differ from identity to
// identity, by path, with the JSON type of each.
func members(t *testing.T, text harness.Text) map[string]string {
	t.Helper()
	var request map[string]any
	if err := json.Unmarshal([]byte(text.Request), &request); err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	var walk func(path string, value any)
	walk = func(path string, value any) {
		object, ok := value.(map[string]any)
		switch {
		case !ok:
			found[path] = jsonType(value)
		case strings.HasSuffix(path, ".identity"): // whose traits are the operator's own
			found[path+".id"] = jsonType(object["id"])
		default:
			for name, member := range object {
				walk(path+"."+name, member)
			}
		}
	}
	walk("ctx", request["given"])
	return found
}

func jsonType(value any) string {
	switch value.(type) {
	case string:
		return "text"
	case float64:
		return "number"
	case bool:
		return "bool"
	case nil:
		return "null"
	default:
		return "list"
	}
}
