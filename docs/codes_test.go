package docs_test

import (
	"os"
	"regexp"
	"testing"

	"go.yaml.in/yaml/v3"
)

// code is an error code as documents write one in full.
var code = regexp.MustCompile(`\b(HLD-\d{5}|UAR-\d{5}|18\d{3}|17007)\b`)

// Each code that the API can answer is explained in api.md, and no document speaks
// of one that does not exist.
func TestTheDocumentsNameEveryCodeAndNoOther(t *testing.T) {
	source, err := os.ReadFile("../api/openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var api struct {
		Components struct {
			Schemas struct {
				ErrorCode struct{ Enum []string } `yaml:"ErrorCode"`
			}
		}
	}
	if err := yaml.Unmarshal(source, &api); err != nil {
		t.Fatal(err)
	}
	unnamed := map[string]bool{}
	for _, c := range api.Components.Schemas.ErrorCode.Enum {
		unnamed[c] = true
	}
	if len(unnamed) < 30 {
		t.Fatalf("only %d codes were found", len(unnamed))
	}
	known := map[string]bool{}
	for c := range unnamed {
		known[c] = true
	}
	for _, d := range documents(t) {
		text, err := os.ReadFile("../" + d.name)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range code.FindAllString(string(text), -1) {
			if d.name == "docs/api.md" {
				delete(unnamed, c)
			}
			if !known[c] {
				t.Errorf("%s speaks of %s", d.name, c)
			}
		}
	}
	for c := range unnamed {
		t.Errorf("docs/api.md does not name %s", c)
	}
}
