package patch_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/holdline/holdline/internal/scim"
	"github.com/holdline/holdline/internal/scim/patch"
)

// anyCase writes ASCII letters outside of strings in any case.
func anyCase(t *rapid.T, text string) string {
	quoted := false
	return strings.Map(func(r rune) rune {
		if r == '"' {
			quoted = !quoted
		}
		if quoted || r > unicode.MaxASCII || !rapid.Bool().Draw(t, "upper") {
			return r
		}
		return unicode.ToUpper(r)
	}, text)
}

var simple = []string{"title", "nickName", "displayName", "locale", enterprise + ":department"}

// The model: an attribute is a member of a map, nothing else.
func TestSimpleAttributesBehaveAsAMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		model := map[string]any{}
		var request patch.Request
		for range rapid.IntRange(1, 12).Draw(t, "operations") {
			op := rapid.SampledFrom([]patch.Op{patch.Add, patch.Replace, patch.Remove}).Draw(t, "op")
			path := rapid.SampledFrom(simple).Draw(t, "path")
			value := any(rapid.SampledFrom([]string{"", "a", "ß\u0000", `"`}).Draw(t, "value"))
			if rapid.IntRange(0, 4).Draw(t, "null") == 0 {
				value = nil
			}
			switch {
			case op == patch.Remove, op == patch.Replace && value == nil:
				delete(model, path)
			case value != nil:
				model[path] = value
			}
			o := patch.Operation{Op: op, Path: anyCase(t, path), Value: value}
			if op == patch.Remove {
				o.Value = nil
			} else if rapid.Bool().Draw(t, "without a path") {
				o.Path, o.Value = "", map[string]any{o.Path: value}
			}
			request.Operations = append(request.Operations, o)
		}
		result, err := patch.Apply(users, map[string]any{"userName": "bob"}, request, patch.Options{})
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]any{}
		for _, path := range simple {
			in := result.Document
			urn, name, isURN := strings.Cut(path, enterprise+":")
			if isURN {
				in, _ = in[enterprise].(map[string]any)
			} else {
				name = urn
			}
			if value, ok := in[name]; ok {
				got[path] = value
			}
		}
		if diff := cmp.Diff(model, got); diff != "" {
			t.Fatalf("(-model +got):\n%s", diff)
		}
	})
}

var texts = rapid.SampledFrom([]string{"", "a", "b", "c@x", "work", "home", "mobile", "Ω"})

func anyElement(t *rapid.T, members ...string) map[string]any {
	element := map[string]any{}
	for _, name := range members {
		if rapid.Bool().Draw(t, name) {
			element[name] = texts.Draw(t, name)
		}
	}
	if rapid.IntRange(0, 3).Draw(t, "primary") == 0 {
		element["primary"] = true
	}
	return element
}

func elementsOf(t *rapid.T) []any {
	var list []any
	for range rapid.IntRange(0, 4).Draw(t, "elements") {
		list = append(list, anyElement(t, "value", "type", "display"))
	}
	return list
}

// anyDocument is a document in canonical form.
func anyDocument(t *rapid.T) map[string]any {
	input := map[string]any{
		"userName": "bob", "title": texts.Draw(t, "title"), "emails": elementsOf(t), "phoneNumbers": elementsOf(t),
		"name":     map[string]any{"givenName": texts.Draw(t, "given")},
		enterprise: map[string]any{"department": texts.Draw(t, "department")},
	}
	document, err := users.Read(input, scim.Lenient)
	if err != nil {
		t.Fatal(err)
	}
	return document
}

// anyOperation is one of the good ones and some of the bad.
func anyOperation(t *rapid.T) patch.Operation {
	o := patch.Operation{Op: rapid.SampledFrom([]patch.Op{patch.Add, patch.Replace, patch.Remove}).Draw(t, "op")}
	attribute := rapid.SampledFrom([]string{"emails", "phoneNumbers"}).Draw(t, "attribute")
	chosen := fmt.Sprintf("%s[%s %s %q]", attribute,
		rapid.SampledFrom([]string{"type", "value", "display"}).Draw(t, "sub"),
		rapid.SampledFrom([]string{"eq", "ne", "co"}).Draw(t, "operator"), texts.Draw(t, "literal"))
	text := texts.Draw(t, "text")
	list := rapid.SampledFrom([]any{elementsOf(t), anyElement(t, "value", "type"), text}).Draw(t, "list")
	switch rapid.IntRange(0, 9).Draw(t, "kind") {
	case 0:
		o.Path, o.Value = rapid.SampledFrom(simple).Draw(t, "simple"), text
	case 1:
		o.Path, o.Value = "name.familyName", text
	case 2:
		o.Path, o.Value = "name", map[string]any{"middleName": text, "givenName": nil}
	case 3:
		o.Path, o.Value = attribute, list
	case 4:
		o.Path, o.Value = chosen, anyElement(t, "value", "type")
	case 5:
		o.Path, o.Value = chosen+".value", text
	case 6:
		o.Path, o.Value = chosen+".primary", "True"
	case 7:
		o.Value = map[string]any{attribute: list, "title": text, enterprise: map[string]any{"division": text}}
	case 8:
		o.Path, o.Value = rapid.SampledFrom([]string{"id", "shoe", "emails[", "", "userName", attribute + ".value"}).Draw(t, "path"), text
	default:
		o.Path, o.Value = enterprise, map[string]any{"manager": text}
	}
	if o.Op == patch.Remove && rapid.Bool().Draw(t, "without a value") {
		o.Value = nil
	}
	return o
}

func anyRequest(t *rapid.T) patch.Request {
	return patch.Request{Operations: rapid.SliceOfN(rapid.Custom(anyOperation), 1, 6).Draw(t, "request")}
}

func must(t *rapid.T, document map[string]any, operations ...patch.Operation) map[string]any {
	t.Helper()
	result, err := patch.Apply(users, document, patch.Request{Operations: operations}, patch.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return result.Document
}

// checkCanonical wants a document that a strict reader would keep as it is, with
// one primary element at most.
func checkCanonical(tb testing.TB, document map[string]any) {
	tb.Helper()
	written := maps.Clone(document)
	for _, own := range []string{"id", "meta", "groups"} {
		delete(written, own)
	}
	for _, urn := range []string{enterprise, scim.WSO2Schema} {
		if members, ok := written[urn].(map[string]any); ok {
			members = maps.Clone(members)
			delete(members, "pendingMobileNumber")
			written[urn] = members
			if len(members) == 0 {
				delete(written, urn)
			}
		}
	}
	written["schemas"] = users.Schemas(written)
	read, err := users.Read(written, scim.Strict)
	if err != nil {
		tb.Fatalf("not canonical: %v", err)
	}
	if diff := cmp.Diff(written, read); diff != "" {
		tb.Fatalf("not canonical:\n%s", diff)
	}
}

// propertyTB lets a helper for tests fail a property.
type propertyTB struct {
	testing.TB
	t *rapid.T
}

func (b propertyTB) Helper()                         {}
func (b propertyTB) Fatalf(form string, args ...any) { b.t.Fatalf(form, args...) }

func TestARequestIsAppliedWholeOrNot(t *testing.T) {
	applied, refused := 0, 0
	rapid.Check(t, func(r *rapid.T) {
		document, request := anyDocument(r), anyRequest(r)
		mode := scim.Mode(rapid.Bool().Draw(r, "strict"))
		before, err := json.Marshal([]any{document, request})
		if err != nil {
			r.Fatal(err)
		}
		result, err := patch.Apply(users, document, request, patch.Options{Mode: mode})
		after, marshalErr := json.Marshal([]any{document, request})
		if marshalErr != nil || string(before) != string(after) {
			r.Fatalf("the input was changed: %s to %s", before, after)
		}
		if err != nil {
			refused++
			if result.Document != nil || result.Touched != nil {
				r.Fatal("a refused request has a result")
			}
			if kind(err) == foreign {
				r.Fatalf("an error of no kind: %v", err)
			}
			return
		}
		applied++
		checkCanonical(propertyTB{t, r}, result.Document)
		// One operation at a time comes to the same.
		for _, operation := range request.Operations {
			step, err := patch.Apply(users, document, patch.Request{Operations: []patch.Operation{operation}}, patch.Options{Mode: mode})
			if err != nil {
				r.Fatal(err)
			}
			document = step.Document
		}
		if diff := cmp.Diff(document, result.Document); diff != "" {
			r.Fatalf("(-one by one +at once):\n%s", diff)
		}
	})
	if applied == 0 || refused == 0 {
		t.Errorf("%d requests were applied and %d refused: there should be both", applied, refused)
	}
}

func TestReplacingTwiceIsReplacingOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		document, text := anyDocument(t), texts.Draw(t, "text")
		o := rapid.SampledFrom([]patch.Operation{
			{Path: "title", Value: text},
			{Path: "name", Value: map[string]any{"middleName": text, "givenName": nil}},
			{Path: "emails", Value: elementsOf(t)},
			{Path: `emails[type eq "work"].value`, Value: text},
			{Path: `emails[type eq "work"].primary`, Value: true},
			{Path: `emails[type eq "work"]`, Value: map[string]any{"type": "work", "value": text}},
			{Path: `emails[type eq "work"]`},
			{Value: map[string]any{"phoneNumbers": elementsOf(t), `emails[type eq "home"].display`: text}},
		}).Draw(t, "operation")
		o.Op = patch.Replace
		once := must(t, document, o)
		if diff := cmp.Diff(once, must(t, once, o)); diff != "" {
			t.Fatalf("%+v (-once +twice):\n%s", o, diff)
		}
	})
}

func TestRemovingWhatWasAddedRestores(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		document := anyDocument(t)
		element := anyElement(t, "type", "display")
		delete(element, "primary")
		element["value"] = "new"
		for _, pair := range [][2]patch.Operation{
			{{Op: patch.Add, Path: "emails", Value: []any{element}}, {Op: patch.Remove, Path: `emails[value eq "new"]`}},
			{{Op: patch.Add, Path: "emails", Value: []any{element}}, {Op: patch.Remove, Path: "emails", Value: []any{element}}},
			{{Op: patch.Add, Path: "emails[type eq \"new\"].value", Value: "n"}, {Op: patch.Remove, Path: `emails[type eq "new"]`}},
			{{Op: patch.Add, Path: "timezone", Value: "UTC"}, {Op: patch.Remove, Path: "timezone"}},
			{{Op: patch.Add, Value: map[string]any{"name.honorificPrefix": "Dr"}}, {Op: patch.Remove, Path: "name.honorificPrefix"}},
			{{Op: patch.Add, Path: enterprise + ":manager", Value: "m"}, {Op: patch.Remove, Path: enterprise + ":manager.value"}},
		} {
			added := must(t, document, pair[0])
			if cmp.Equal(document, added) {
				t.Fatalf("%+v added nothing", pair[0])
			}
			if diff := cmp.Diff(document, must(t, added, pair[1])); diff != "" {
				t.Fatalf("%+v (-before +after):\n%s", pair, diff)
			}
		}
	})
}

func TestPathsMeanTheSameInAnyCase(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		document, o := anyDocument(t), anyOperation(t)
		other := o
		other.Path = anyCase(t, o.Path)
		if members, ok := o.Value.(map[string]any); ok {
			cased := map[string]any{}
			for _, name := range slices.Sorted(maps.Keys(members)) {
				cased[anyCase(t, name)] = members[name]
			}
			other.Value = cased
		}
		want, wantErr := patch.Apply(users, document, patch.Request{Operations: []patch.Operation{o}}, patch.Options{})
		got, gotErr := patch.Apply(users, document, patch.Request{Operations: []patch.Operation{other}}, patch.Options{})
		if kind(wantErr) != kind(gotErr) {
			t.Fatalf("%+v: got %v, want %v", other, gotErr, wantErr)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("%+v (-want +got):\n%s", other, diff)
		}
	})
}

func TestAtMostOneElementIsPrimary(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		result, err := patch.Apply(users, anyDocument(t), anyRequest(t), patch.Options{})
		if err != nil {
			return
		}
		for _, attribute := range []string{"emails", "phoneNumbers"} {
			primary := 0
			list, _ := result.Document[attribute].([]any)
			for _, element := range list {
				if element.(map[string]any)["primary"] == true {
					primary++
				}
			}
			if primary > 1 {
				t.Fatalf("%s has %d primary elements", attribute, primary)
			}
		}
	})
}
