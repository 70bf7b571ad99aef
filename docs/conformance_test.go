package docs_test

import (
	"encoding/csv"
	"encoding/json"
	"os"
	"strings"
	"testing"
)

// Each requirement of the SCIM RFCs names proofs that are there, and what is not met
// stands in scim.md.
func TestTheConformanceTableIsTrue(t *testing.T) {
	file, err := os.Open("scim-conformance.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	rows, err := csv.NewReader(file).ReadAll()
	if err != nil || len(rows) < 100 {
		t.Fatalf("%d rows: %v", len(rows), err)
	}
	page, err := os.ReadFile("scim.md")
	if err != nil {
		t.Fatal(err)
	}
	_, differs, _ := strings.Cut(string(page), "\n## What differs\n")
	tests, vectors := testNames(t), vectorIDs(t)
	for _, row := range rows[1:] {
		rfc, section, requirement, ours, proofs := row[0], row[1], row[2], row[3], strings.Fields(row[4])
		verdict, _, _ := strings.Cut(ours, ":")
		switch verdict {
		case "yes", "strict", "n.a.":
		case "no", "partly":
			if !strings.Contains(differs, "| "+rfc+" | "+section+" |") {
				t.Errorf("RFC %s, %s: %s: %s; scim.md does not say so", rfc, section, requirement, ours)
			}
		default:
			t.Errorf("RFC %s, %s: %s: %q", rfc, section, requirement, ours)
		}
		for _, proof := range proofs {
			if !tests[proof] && !vectors[proof] {
				t.Errorf("RFC %s, %s: there is no %s", rfc, section, proof)
			}
		}
	}
}

// vectorIDs are the requests that TestSCIMClientsGetWhatTheyExpect in e2e sends.
func vectorIDs(t *testing.T) map[string]bool {
	t.Helper()
	content, err := os.ReadFile("../e2e/testdata/scim-client-vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Vectors []struct{ ID string } }
	if err := json.Unmarshal(content, &file); err != nil {
		t.Fatal(err)
	}
	ids := map[string]bool{}
	for _, v := range file.Vectors {
		ids[v.ID] = true
	}
	return ids
}
