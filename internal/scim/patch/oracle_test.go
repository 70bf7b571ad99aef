package patch_test

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
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/holdline/holdline/internal/scim"
)

var ask = flag.Bool("ask", false, "ask the npm package scim-patch anew, with npm and node, and keep its answers in testdata")

const (
	oracleFile    = "testdata/oracle.jsonl.gz"
	oracleVectors = 6000
	oracleSeed    = 7644
)

// vector is a document, the operations of a PATCH, and what another implementation
// makes of them.
type vector struct {
	Document   map[string]any   `json:"document"`
	Operations []map[string]any `json:"operations"`
	After      map[string]any   `json:"document_after,omitempty"`
	Error      string           `json:"error,omitempty"`
}

// ruling is a line of RFC 7643 or RFC 7644 that decides where we disagree with the
// other implementation. Where it applies to a vector it takes out of both results what it decides;
// what is left has to be the same.
type ruling struct {
	name, line string
	// applies reports whether the line is about a vector at all; nil for always.
	applies func(*testing.T, vector) bool
	// settle takes out of a result what the line decides; nil for all of it.
	settle func(vector, map[string]any)
}

var rulings = []ruling{
	{
		"no value and type twice", "RFC 7643, 2.4: the same (type, value) combination SHOULD NOT be returned more than once; 7644, 3.5.2.1: a value that is there is not added",
		nil, func(_ vector, document map[string]any) { eachList(document, united) },
	},
	{
		"one primary value", "RFC 7644, 3.5.2: a new primary value SHALL end the old one",
		nil, func(_ vector, document map[string]any) {
			eachList(document, func(list []any) []any { return each(list, func(e map[string]any) { delete(e, "primary") }) })
		},
	},
	{
		"an element goes with its value", "RFC 7643, 2.4: value is the significant value; 7644, 3.5.2.2: what has no value left is unassigned",
		nil, func(_ vector, document map[string]any) {
			eachList(document, func(list []any) []any {
				return slices.DeleteFunc(list, func(e any) bool {
					members, _ := e.(map[string]any)
					return members["value"] == nil && members["locality"] == nil && members["region"] == nil
				})
			})
		},
	},
	{
		"one mobile number", "RFC 7643, 4.1.2 leaves it to the provider how many there are; 7644, 3.5.2.1: add replaces a value that is single",
		func(_ *testing.T, v vector) bool { return names(v, `"mobile"`) },
		func(_ vector, document map[string]any) {
			eachList(document, func(list []any) []any {
				return slices.DeleteFunc(list, func(e any) bool { members, _ := e.(map[string]any); return members["type"] == "mobile" })
			})
		},
	},
	{
		"add without a path merges complex attributes", "RFC 7644, 3.5.2.1: value has attributes to be added to the resource; sub-attributes that are not given stay",
		func(_ *testing.T, v vector) bool {
			return operation(v, func(op, path string, value any) bool {
				members, _ := value.(map[string]any)
				return path == "" && members["name"] != nil
			})
		},
		func(_ vector, document map[string]any) { delete(document, "name") },
	},
	{
		"replace of what a filter chooses replaces it", "RFC 7644, 3.5.2.3: the values that the filter selects SHALL be replaced; others than the given sub-attributes go",
		func(_ *testing.T, v vector) bool {
			return operation(v, func(op, path string, _ any) bool { return op == "replace" && strings.HasSuffix(path, "]") })
		},
		func(v vector, document map[string]any) {
			operation(v, func(op, path string, _ any) bool {
				if op == "replace" && strings.HasSuffix(path, "]") {
					delete(document, path[:strings.Index(path, "[")])
				}
				return false
			})
		},
	},
	{
		"a filter that chooses nothing", "RFC 7644, 3.5.2.3: noTarget, as our strict mode says; the lenient mode makes the element, as clients want",
		func(t *testing.T, v vector) bool {
			t.Helper()
			document, operations := v.text(t)
			_, err := send(t, object(t, document), `{"schemas": ["`+scim.PatchOpSchema+`"], "Operations": `+operations+`}`, scim.Strict)
			return kind(err) == scim.NoTarget
		}, nil,
	},
}

// eachList changes every list of objects.
func eachList(document map[string]any, change func([]any) []any) {
	for name, value := range document {
		if list, ok := value.([]any); ok {
			if document[name] = any(change(list)); len(change(list)) == 0 {
				delete(document, name)
			}
		}
	}
}

func each(list []any, change func(map[string]any)) []any {
	for _, e := range list {
		if members, ok := e.(map[string]any); ok {
			change(members)
		}
	}
	return list
}

// united are elements that mean the same as one, in an order of their own.
func united(list []any) []any {
	found := map[string]map[string]any{}
	for _, e := range list {
		members, _ := e.(map[string]any)
		key := fmt.Sprint(members)
		if value, ok := members["value"]; ok {
			key = fmt.Sprint(value, members["type"])
		}
		if found[key] == nil {
			found[key] = map[string]any{}
		}
		maps.Copy(found[key], members)
	}
	var one []any
	for _, key := range slices.Sorted(maps.Keys(found)) {
		one = append(one, found[key])
	}
	return one
}

// operation reports whether one of a vector's operations is of a kind.
func operation(v vector, of func(op, path string, value any) bool) bool {
	return slices.ContainsFunc(v.Operations, func(o map[string]any) bool {
		op, _ := o["op"].(string)
		path, _ := o["path"].(string)
		return of(strings.ToLower(op), path, o["value"])
	})
}

// names reports whether a vector's operations have a text.
func names(v vector, text string) bool {
	all, _ := json.Marshal(v.Operations)
	return strings.Contains(string(all), text) || strings.Contains(string(all), strings.ReplaceAll(text, `"`, `\"`))
}

func (v vector) text(t *testing.T) (document, operations string) {
	t.Helper()
	d, err := json.Marshal(v.Document)
	if err != nil {
		t.Fatal(err)
	}
	o, err := json.Marshal(v.Operations)
	if err != nil {
		t.Fatal(err)
	}
	return string(d), string(o)
}

// decided are the fewest rulings that explain a disagreement; nil if none do.
func decided(t *testing.T, v vector, ours map[string]any, err error) []ruling {
	t.Helper()
	var apply []ruling
	for _, r := range rulings {
		if r.applies == nil || r.applies(t, v) {
			apply = append(apply, r)
		}
	}
	var best []ruling
	for set := 1; set < 1<<len(apply); set++ {
		var chosen []ruling
		mine, theirs := assigned(ours), assigned(v.After)
		whole := false
		for i, r := range apply {
			if set>>i&1 == 0 {
				continue
			}
			chosen = append(chosen, r)
			if r.settle == nil {
				whole = true
				continue
			}
			r.settle(v, mine)
			r.settle(v, theirs)
		}
		explains := whole || v.Error == "" && err == nil && reflect.DeepEqual(assigned(mine), assigned(theirs))
		if explains && (best == nil || len(chosen) < len(best)) {
			best = chosen
		}
	}
	return best
}

// TestTheEngineAgreesWithAnother compares the engine with the npm package
// scim-patch, on documents and operations that were drawn once. Each disagreement
// is of a kind that the RFCs decide.
func TestTheEngineAgreesWithAnother(t *testing.T) {
	if *ask {
		keep(t, answers(t, drawn()))
	}
	vectors := kept(t)
	if len(vectors) != oracleVectors {
		t.Fatalf("got %d vectors, want %d", len(vectors), oracleVectors)
	}
	counts := map[string]int{}
	undecided := 0
	for i, v := range vectors {
		document, operations := v.text(t)
		got, err := send(t, object(t, document), `{"Operations": `+operations+`}`, scim.Lenient)
		ours := assigned(got.Document)
		if v.Error != "" && err != nil || v.Error == "" && err == nil && reflect.DeepEqual(ours, assigned(v.After)) {
			counts["the same"]++
			continue
		}
		lines := decided(t, v, ours, err)
		for _, r := range lines {
			counts[r.name]++
		}
		if lines != nil {
			continue
		}
		if undecided++; undecided <= 10 {
			t.Errorf("vector %d: no line decides between us (%v) and them (%s): %s\non %s\n-them +us:\n%s",
				i, err, v.Error, operations, document, cmp.Diff(assigned(v.After), ours))
		}
	}
	t.Logf("%d vectors: %d the same, %d undecided", len(vectors), counts["the same"], undecided)
	for _, r := range rulings {
		t.Logf("%5d %s (%s)", counts[r.name], r.name, r.line)
		if counts[r.name] == 0 {
			t.Errorf("no disagreement is decided by %q", r.line)
		}
	}
}

// assigned is a document without what means nothing (RFC 7643, section 2.5), and
// without schemas, which only we keep.
func assigned(document map[string]any) map[string]any {
	kept := map[string]any{}
	for name, value := range document {
		switch inner := value.(type) {
		case map[string]any:
			if value = assigned(inner); len(assigned(inner)) == 0 {
				value = nil
			}
		case []any:
			var list []any
			for _, element := range inner {
				if members, ok := element.(map[string]any); ok {
					if members = assigned(members); len(members) > 0 {
						list = append(list, members)
					}
				} else if element != nil {
					list = append(list, element)
				}
			}
			if value = list; list == nil {
				value = nil
			}
		}
		if value != nil && name != "schemas" {
			kept[name] = value
		}
	}
	return kept
}

// drawn draws vectors, the same ones each time.
func drawn() []vector {
	d := drawer{rand.New(rand.NewPCG(oracleSeed, 0))}
	vectors := make([]vector, oracleVectors)
	for i := range vectors {
		vectors[i].Document = d.document()
		for range 1 + d.IntN(2)*d.IntN(3) {
			vectors[i].Operations = append(vectors[i].Operations, d.operation())
		}
	}
	return vectors
}

type drawer struct{ *rand.Rand }

func (d drawer) one(of ...string) string { return of[d.IntN(len(of))] }

func (d drawer) maybe() bool { return d.IntN(2) == 0 }

func (d drawer) document() map[string]any {
	document := map[string]any{"userName": "bob", "active": d.maybe()}
	for _, name := range []string{"displayName", "title", "nickName"} {
		if d.maybe() {
			document[name] = d.one("a", "b", "c")
		}
	}
	if d.maybe() {
		document["name"] = d.object("givenName", "familyName", "middleName")
	}
	for _, name := range []string{"emails", "phoneNumbers", "addresses", "roles"} {
		var list []any
		primary := false
		for _, kind := range d.Perm(3)[:d.IntN(3)] {
			element := map[string]any{"type": []string{"work", "home", "other"}[kind]}
			if name == "phoneNumbers" {
				element["type"] = []string{"work", "mobile", "fax"}[kind]
			}
			if name == "addresses" {
				element["locality"] = d.one("x", "y")
			} else {
				element["value"] = d.one("1", "2", "3")
			}
			if !primary && d.IntN(3) == 0 {
				element["primary"], primary = true, true
			}
			list = append(list, element)
		}
		if list != nil {
			document[name] = list
		}
	}
	if d.maybe() {
		document[enterprise] = d.object("department", "costCenter", "division")
	}
	return document
}

func (d drawer) object(names ...string) map[string]any {
	members := map[string]any{}
	for _, name := range names {
		if d.maybe() {
			members[name] = d.one("a", "b", "c")
		}
	}
	if len(members) == 0 {
		members[names[0]] = "a"
	}
	return members
}

func (d drawer) element(list string) map[string]any {
	members := map[string]any{}
	if list == "addresses" {
		members["locality"] = d.one("x", "y", "z")
	} else {
		members["value"] = d.one("1", "2", "3", "4")
	}
	if d.IntN(4) > 0 {
		members["type"] = d.kind(list)
	}
	if d.IntN(5) == 0 {
		members["primary"] = d.maybe()
	}
	if d.IntN(5) == 0 && list != "addresses" {
		members["display"] = d.one("d", "e")
	}
	return members
}

func (d drawer) kind(list string) string {
	if list == "phoneNumbers" {
		return d.one("work", "mobile", "fax")
	}
	return d.one("work", "home", "other")
}

func (d drawer) elements(list string) []any {
	var elements []any
	for range 1 + d.IntN(2) {
		elements = append(elements, d.element(list))
	}
	return elements
}

// filter draws a filter of an element.
func (d drawer) filter(list string, depth int) string {
	switch n := d.IntN(6); {
	case depth > 0 && n == 0:
		return d.filter(list, depth-1) + " and " + d.filter(list, depth-1)
	case depth > 0 && n == 1:
		return d.filter(list, depth-1) + " or " + d.filter(list, depth-1)
	case depth > 0 && n == 2:
		return "not (" + d.filter(list, depth-1) + ")"
	case n == 3:
		return d.one("type", "value", "primary") + " pr"
	case n == 4:
		return fmt.Sprintf("value %s %q", d.one("eq", "ne", "co", "sw", "ew", "gt", "le"), d.one("1", "2", "3"))
	default:
		return fmt.Sprintf("type %s %q", d.one("eq", "ne", "sw"), d.kind(list))
	}
}

// operation draws one in a form that both implementations read.
func (d drawer) operation() map[string]any {
	o := map[string]any{"op": d.one("add", "replace", "remove", "Add", "Replace")}
	removes := o["op"] == "remove"
	list := d.one("emails", "phoneNumbers", "addresses", "roles")
	filter := fmt.Sprintf("%s[type eq %q]", list, d.kind(list))
	if d.IntN(4) == 0 && list != "addresses" {
		filter = fmt.Sprintf("%s[value eq %q]", list, d.one("1", "2", "3"))
	}
	if d.IntN(4) == 0 && list != "addresses" {
		filter = list + "[" + d.filter(list, 2) + "]"
	}
	sub := d.one("value", "display", "primary", "type")
	if list == "addresses" {
		sub = d.one("locality", "region")
	}
	scalar := func(sub string) any {
		switch sub {
		case "primary":
			return d.maybe()
		case "type":
			return d.kind(list)
		case "locality", "region":
			return d.one("x", "y", "z")
		default:
			return d.one("1", "2", "3", "4")
		}
	}
	var path string
	var value any
	switch d.IntN(9) {
	case 0:
		path, value = d.one("displayName", "title", "nickName"), d.one("a", "b", "c")
	case 1:
		path, value = "name."+d.one("givenName", "familyName", "middleName"), d.one("a", "b", "c")
	case 2:
		path, value = "name", d.object("givenName", "familyName", "middleName")
	case 3:
		path, value = list, any(d.elements(list))
	case 4:
		path, value = filter, d.element(list)
	case 5, 6:
		path, value = filter+"."+sub, scalar(sub)
	case 7:
		path, value = enterprise+":"+d.one("department", "costCenter", "division"), d.one("a", "b", "c")
	default:
		members := map[string]any{}
		for range 1 + d.IntN(3) {
			switch d.IntN(4) {
			case 0:
				members[d.one("displayName", "title")] = d.one("a", "b")
			case 1:
				members["name"] = d.object("givenName", "familyName")
			case 2:
				members[list] = d.elements(list)
			default:
				members["active"] = d.maybe()
			}
		}
		o["op"], value, removes = d.one("add", "replace"), members, false
	}
	if path != "" {
		o["path"] = path
	}
	if !removes {
		o["value"] = value
	}
	return o
}

// answers asks the other implementation.
func answers(t *testing.T, vectors []vector) []byte {
	t.Helper()
	var lines bytes.Buffer
	for _, v := range vectors {
		text, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		lines.Write(append(text, '\n'))
	}
	dir := t.TempDir()
	for _, name := range []string{"package.json", "package-lock.json", "answer.js"} {
		content, err := os.ReadFile(filepath.Join("testdata/oracle", name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	run := func(input io.Reader, name string, args ...string) []byte {
		t.Helper()
		command := exec.CommandContext(t.Context(), name, args...)
		command.Dir, command.Stdin = dir, input
		out, err := command.Output()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		return out
	}
	run(nil, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	return run(&lines, "node", "answer.js")
}

func keep(t *testing.T, lines []byte) {
	t.Helper()
	var packed bytes.Buffer
	writer, _ := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if _, err := writer.Write(lines); err != nil {
		t.Fatal(err)
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(oracleFile, packed.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}

func kept(t *testing.T) []vector {
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
	var vectors []vector
	lines := bufio.NewScanner(reader)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var v vector
		if err := json.Unmarshal(lines.Bytes(), &v); err != nil {
			t.Fatal(err)
		}
		vectors = append(vectors, v)
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return vectors
}
