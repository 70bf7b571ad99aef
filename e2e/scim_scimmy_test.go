package e2e_test

import (
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/holdline/holdline/e2e/harness"
)

// scimmyFailures are what SCIMMY finds and what is meant so, with the RFC's line.
var scimmyFailures = map[string]string{}

// askScimmy lets the npm package SCIMMY, an implementation of its own, read what is
// answered. The modules are what `make scim-suites` has installed.
func askScimmy(t *testing.T, s *harness.Stack, modules string, token harness.Header) string {
	ask := func(method, path, body string) json.RawMessage {
		return json.RawMessage(s.SCIM(t, method, path, body, token).Body)
	}
	var schemas struct{ Resources json.RawMessage }
	if err := json.Unmarshal(ask(http.MethodGet, "/Schemas", ""), &schemas); err != nil {
		t.Fatal(err)
	}
	name := "scimmy-" + newUUID()
	user := func(name string, more string) string {
		return `{"schemas":["` + harness.UserSchema + `"],"userName":"` + name + `"` + more + `}`
	}
	full := user(name, `,"active":true,"name":{"givenName":"Ada","familyName":"Okafor","formatted":"Ada Okafor"},
		"emails":[{"value":"ada@example.com","type":"work","primary":true},{"value":"ada@example.org","type":"home"}],
		"phoneNumbers":[{"value":"+13123201799","type":"mobile"}],"title":"Engineer","timezone":"Europe/Berlin",
		"addresses":[{"type":"work","locality":"Berlin","country":"DE"}],"externalId":"scimmy-1",
		"`+harness.EnterpriseSchema+`":{"department":"Cards","employeeNumber":"7","manager":{"value":"1"}}`)
	said, err := json.Marshal(map[string]any{
		"schemas": schemas.Resources,
		"users":   []json.RawMessage{ask(http.MethodPost, "/Users", full), ask(http.MethodPost, "/Users", user(name+"-2", ""))},
		"lists":   []json.RawMessage{ask(http.MethodGet, "/Users?count=3", ""), ask(http.MethodGet, "/Users?filter=userName+eq+%22nobody%22", "")},
		"errors": []json.RawMessage{
			ask(http.MethodPost, "/Users", full), ask(http.MethodPost, "/Users", "{}"), ask(http.MethodGet, "/Users/"+newUUID(), ""),
			ask(http.MethodGet, "/Users?filter=x", ""),
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	node := exec.CommandContext(t.Context(), "node", "testdata/suites/scimmy/read.js")
	node.Env = append(os.Environ(), "NODE_PATH="+modules)
	node.Stdin = strings.NewReader(string(said))
	written, err := node.Output()
	if err != nil {
		t.Fatalf("node: %v: %s", err, harness.Stderr(err))
	}
	var steps []struct{ Name, Fault string }
	if err := json.Unmarshal(written, &steps); err != nil {
		t.Fatal(err)
	}
	failed := 0
	for _, step := range steps {
		why := scimmyFailures[step.Name]
		switch {
		case step.Fault != "" && why != "":
			failed++
		case step.Fault != "":
			t.Errorf("%s: %s", step.Name, step.Fault)
		case why != "":
			t.Errorf("%s passes, but is said to fail: %s", step.Name, why)
		}
	}
	return suiteRow("npm scimmy 1.3.5: its definitions read what is answered", len(steps), failed)
}
