package e2e_test

import (
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/holdline/holdline/e2e/harness"
)

// Public suites, against the built program and a real Kratos. A step is a request
// and all that its suite expects of the answer. What fails says why in its vector,
// and must go on failing until somebody takes the reason out; docs/scim.md has the
// numbers, and is held to them.
func TestPublicSCIMSuites(t *testing.T) {
	t.Parallel()
	s := harness.NewStack(t, harness.Options{
		Kratos: onlySchema("suite"),
		Holdline: harness.Overlay{
			"limits": noTextLimits,
			"mobile": harness.Overlay{"default_region": "US"},
			"scim":   harness.Overlay{"password_min_length": 7},
		},
	})
	token := harness.ByClient(s.Token(t, "--privileged"))
	var rows []string
	for _, name := range []string{"okta", "microsoft", "wso2"} {
		suite := harness.ReadSuite(t, filepath.Join("testdata", "suites", name+".json"))
		t.Run(name, func(t *testing.T) { rows = append(rows, runSuite(t, s, suite, token)) })
	}
	t.Run("schemas", func(t *testing.T) { rows = append(rows, walkSchemas(t, s, token)) })
	if node := os.Getenv("HOLDLINE_SCIMMY"); node != "" {
		t.Run("scimmy", func(t *testing.T) { rows = append(rows, askScimmy(t, s, node, token)) })
	}
	harness.Report(t, "scim-suites", "| suite | steps | passed | failed |\n"+strings.Join(rows, "\n"))
	document, err := os.ReadFile("../docs/scim.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows {
		if !strings.Contains(string(document), row) {
			t.Errorf("docs/scim.md has no row that begins with %q", row)
		}
	}
}

// runSuite sends a suite's requests, and returns the row about it.
func runSuite(t *testing.T, s *harness.Stack, suite harness.Suite, token harness.Header) string {
	random := "r" + strings.ToLower(rand.Text())[:8]
	client := &harness.Client{
		Base: s.Holdline.PublicURL + harness.SCIM,
		Vars: map[string]any{"rand": random, "RAND": strings.ToUpper(random), "uuid": newUUID()},
	}
	client.Authorize = func(v harness.Vector) harness.Header {
		if v.Profile != "me" {
			return token
		}
		return passwordOf(t, s, token, client.Fill(*v.Headers["X-Sub"]))
	}
	failed := 0
	for _, v := range suite.Vectors {
		differences := client.Differences(t, v)
		switch {
		case v.Fails == "" && len(differences) > 0:
			t.Errorf("%s: %s", v.ID, strings.Join(differences, "\n"))
		case v.Fails != "" && len(differences) == 0:
			t.Errorf("%s: passes, but is said to fail: %s", v.ID, v.Fails)
		case v.Fails != "":
			failed++
		}
	}
	return suiteRow(suite.Name, len(suite.Vectors), failed)
}

func suiteRow(name string, steps, failed int) string {
	return fmt.Sprintf("| %s | %d | %d | %d |", name, steps, steps-failed, failed)
}
