package filter_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/holdline/holdline/internal/scim"
	"github.com/holdline/holdline/internal/scim/filter"
)

var ask = flag.Bool("ask", false, "ask the npm package scim2-parse-filter anew, with npm and node, and keep its answers in testdata")

const (
	oracleFile    = "testdata/oracle.jsonl.gz"
	oracleFilters = 4000 // of several comparisons
	oracleSeed    = 7644
)

// vector is a document, a filter, and what another implementation says of them.
type vector struct {
	Document json.RawMessage `json:"document"`
	Filter   string          `json:"filter"`
	Terms    []string        `json:"terms"` // the comparisons in it
	Matches  bool            `json:"matches"`
	Error    string          `json:"error,omitempty"`
}

// ruling is a line of the RFCs that decides a comparison about which we disagree.
type ruling struct {
	name, line string
	// applies reports whether the line is about a comparison, and says what we say.
	applies func(term string, ours bool) bool
}

// oracleDocuments are what filters are held against. Each has what the others lack.
var oracleDocuments = []string{
	`{"userName": "ada", "active": true, "logins": 7, "name": {"familyName": "Okafor"}, "emails": [{"value": "ada@work", "type": "work", "primary": true}, {"value": "ada@home", "type": "home"}]}`,
	`{"userName": "Bob", "title": "", "active": false, "score": 1.5, "born": "2011-05-13T04:42:34Z", "emails": [{"value": "bob@home", "type": "home"}], "` + scim.EnterpriseSchema + `": {"employeeNumber": "7", "manager": {"value": "ada"}}}`,
	`{"userName": "eve", "title": "Clerk", "born": "2011-05-13T06:42:34+02:00", "phoneNumbers": [], "name": {"givenName": "Eve", "familyName": null}, "` + scim.EnterpriseSchema + `": {}}`,
}

var oracleTerms = func() (terms []string) {
	operators := []string{"eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le"}
	values := map[string][]string{
		"userName": {`"ada"`, `"ADA"`, `"b"`, `"eve"`}, "title": {`"Clerk"`, `""`, `null`}, "active": {"true", "false"},
		"logins": {"7", "8"}, "score": {"1.5", "0"}, "born": {`"2011-05-13T04:42:34Z"`},
		"name.familyName": {`"Okafor"`, `null`}, "emails.type": {`"work"`, `"x"`}, "emails.value": {`"bob@home"`},
		scim.EnterpriseSchema + ":employeeNumber": {`"7"`}, scim.EnterpriseSchema + ":manager.value": {`"ada"`},
	}
	for _, path := range slices.Sorted(maps.Keys(values)) {
		for _, value := range values[path] {
			for _, operator := range operators {
				terms = append(terms, path+" "+operator+" "+value)
			}
		}
		terms = append(terms, path+" pr")
	}
	return append(terms,
		`score gt -2`, `name pr`, `emails pr`, `phoneNumbers pr`, `USERNAME eq "ada"`, `emails[type eq "work"]`, `emails[primary eq true]`,
		`emails[type eq "work" and value co "home"]`, `emails[type eq "home" and (value sw "bob" or value sw "x")]`, `emails[not (type eq "home")]`,
	)
}()

// TestTheReaderAgreesWithAnother compares what filters match with the npm package
// scim2-parse-filter: each comparison alone, where the RFCs decide whatever
// differs; and filters that were drawn of comparisons about which both agree, in
// which there is nothing to differ about but precedence, brackets and not.
func TestTheReaderAgreesWithAnother(t *testing.T) {
	if *ask {
		askOracle(t)
	}
	vectors := keptVectors(t)
	counts := map[string]int{}
	differ := map[string]bool{}
	composed := 0
	for _, v := range vectors {
		parsed, err := filter.Parse(v.Filter, filter.Limits{})
		if err != nil {
			t.Errorf("%s: %v", v.Filter, err)
			continue
		}
		ours := parsed.Matches(user(), decode(t, string(v.Document)))
		if len(v.Terms) > 1 {
			skip := false
			for _, term := range v.Terms {
				skip = skip || differ[term+string(v.Document)]
			}
			if skip {
				continue
			}
			if v.Error != "" && has(v.Filter, "-2 ", "-2)") {
				counts[unread.name]++
				continue
			}
			composed++
			if v.Error != "" || ours != v.Matches {
				t.Errorf("%s on %s: got %t, they say %t %s", v.Filter, v.Document, ours, v.Matches, v.Error)
			}
			continue
		}
		if ours == v.Matches && v.Error == "" {
			counts["the same"]++
			continue
		}
		differ[v.Filter+string(v.Document)] = true
		decided := false
		for _, r := range rulings {
			if decided = r.applies(v.Filter, ours); decided {
				counts[r.name]++
				break
			}
		}
		if !decided {
			t.Errorf("no line decides %s on %s: got %t, they say %t", v.Filter, v.Document, ours, v.Matches)
		}
	}
	if composed < oracleFilters/2 {
		t.Errorf("only %d of the drawn filters have comparisons about which both agree", composed)
	}
	t.Logf("%d comparisons the same; %d drawn filters the same", counts["the same"], composed)
	for _, r := range rulings {
		t.Logf("%5d %s (%s)", counts[r.name], r.name, r.line)
		if counts[r.name] == 0 {
			t.Errorf("no disagreement is decided by %q", r.line)
		}
	}
}

// unread is about what the other implementation cannot read within a filter.
var unread = ruling{
	"numbers below zero", "RFC 7644, 3.4.2.2: a compValue is a number as JSON writes it",
	func(string, bool) bool { return false },
}

var rulings = []ruling{
	unread,
	{
		"what is unassigned is not the value", "RFC 7643, 2.5: unassigned is null; 7644, table 3: ne is not identical",
		func(term string, ours bool) bool { return ours && has(term, " ne ") && !has(term, "userName") },
	},
	{
		"what is unassigned is null", "RFC 7643, 2.5: unassigned, null and an empty list are equivalent",
		func(term string, ours bool) bool { return ours && has(term, " eq null") },
	},
	{
		"presence", "RFC 7644, table 3: pr is a non-empty or non-null value",
		func(term string, ours bool) bool { return !ours && has(term, " pr") },
	},
	{
		"case", "RFC 7643, 4.1.1 and 7: userName is not caseExact; 7644, 3.4.2.2: comparisons go by that",
		func(term string, _ bool) bool { return has(term, "userName", "USERNAME") },
	},
	{
		"times", "RFC 7644, table 3: dateTimes are compared chronologically",
		func(term string, _ bool) bool { return has(term, "born ") },
	},
	{
		"booleans have no order", "RFC 7644, table 3: gt, ge, lt and le of a boolean fail",
		func(term string, ours bool) bool { return !ours && has(term, "active g", "active l") },
	},
	{
		"only texts have parts", "RFC 7644, table 3: co, sw and ew are about substrings",
		func(term string, ours bool) bool {
			return !ours && has(term, " co ", " sw ", " ew ") && has(term, "active", "logins", "score", "null")
		},
	},
	{
		"a value path chooses elements", "RFC 7644, 3.4.2.2: the filter in brackets is about the same value",
		func(term string, _ bool) bool { return has(term, "[") },
	},
}

func has(term string, words ...string) bool {
	return slices.ContainsFunc(words, func(word string) bool { return strings.Contains(term, word) })
}

// askOracle draws filters, asks the other implementation and keeps its answers.
func askOracle(t *testing.T) {
	t.Helper()
	var lines bytes.Buffer
	write := func(document, text string, terms ...string) {
		line, err := json.Marshal(vector{Document: json.RawMessage(document), Filter: text, Terms: terms})
		if err != nil {
			t.Fatal(err)
		}
		lines.Write(append(line, '\n'))
	}
	for _, term := range oracleTerms {
		for _, document := range oracleDocuments {
			write(document, term, term)
		}
	}
	random := rand.New(rand.NewPCG(oracleSeed, 0))
	for range oracleFilters {
		var terms []string
		text := drawFilter(random, 3, &terms)
		for len(terms) < 2 {
			terms = nil
			text = drawFilter(random, 3, &terms)
		}
		write(oracleDocuments[random.IntN(len(oracleDocuments))], text, terms...)
	}
	dir := t.TempDir()
	for _, name := range []string{"../patch/testdata/oracle/package.json", "../patch/testdata/oracle/package-lock.json", "testdata/oracle/answer.js"} {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, filepath.Base(name)), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	run := func(input io.Reader, name string, args ...string) []byte {
		command := exec.CommandContext(t.Context(), name, args...)
		command.Dir, command.Stdin = dir, input
		out, err := command.Output()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		return out
	}
	run(nil, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	answers := run(&lines, "node", "answer.js")
	var packed bytes.Buffer
	writer, _ := gzip.NewWriterLevel(&packed, gzip.BestCompression) // the level is a valid one
	if _, err := writer.Write(answers); err != nil {
		t.Fatal(err)
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(oracleFile, packed.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}

// drawFilter draws a filter, and notes the comparisons in it.
func drawFilter(random *rand.Rand, depth int, terms *[]string) string {
	switch kind := random.IntN(6); {
	case depth == 0 || kind == 0:
		term := oracleTerms[random.IntN(len(oracleTerms))]
		*terms = append(*terms, term)
		return term
	case kind == 1:
		return fmt.Sprintf("not (%s)", drawFilter(random, depth-1, terms))
	case kind == 2:
		return fmt.Sprintf("(%s)", drawFilter(random, depth-1, terms))
	default:
		return drawFilter(random, depth-1, terms) + []string{" and ", " or "}[random.IntN(2)] + drawFilter(random, depth-1, terms)
	}
}

func keptVectors(t *testing.T) (vectors []vector) {
	t.Helper()
	file, err := os.Open(oracleFile)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	reader, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(reader)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var v vector
		if err := json.Unmarshal(lines.Bytes(), &v); err != nil {
			t.Fatal(err)
		}
		vectors = append(vectors, v)
	}
	if err := lines.Err(); err != nil || len(vectors) < oracleFilters {
		t.Fatalf("got %d vectors, %v", len(vectors), err)
	}
	return vectors
}
