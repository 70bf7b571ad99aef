package filter_test

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/holdline/holdline/internal/scim"
	"github.com/holdline/holdline/internal/scim/filter"
)

// keeps is what an index does with a condition.
func keeps(c scim.Condition, values scim.Values) bool {
	keep := func(part scim.Condition) bool { return keeps(part, values) }
	switch c := c.(type) {
	case scim.All:
		return true
	case scim.And:
		return !slices.ContainsFunc(c, func(part scim.Condition) bool { return !keep(part) })
	case scim.Or:
		return slices.ContainsFunc(c, keep)
	case scim.Within:
		return slices.ContainsFunc(values[c.Path], func(key string) bool { return c.Low <= key && key < c.High })
	case scim.Contains:
		return slices.ContainsFunc(values[c.Path], func(key string) bool {
			return strings.Contains(key, c.Part) || len(key) > scim.KeyLength
		})
	}
	return false
}

// everyPath are paths of all types.
func everyPath() []string {
	return []string{
		"userName", "displayName", "title", "active", "name.familyName", "name.givenName", "emails.value", "emails.type",
		"emails.primary", "phoneNumbers.value", "born", "profileUrl", "key", "id", "schemas", "logins", "meta.created",
		scim.EnterpriseSchema + ":employeeNumber", scim.EnterpriseSchema + ":manager.value",
	}
}

func TestNarrowingKeepsWhatMatches(t *testing.T) {
	long := strings.Repeat("x", 300)
	within := func(path, low, high string) scim.Condition { return scim.Within{Path: path, Low: low, High: high} }
	for text, want := range map[string]struct {
		condition scim.Condition
		exact     bool
	}{
		`userName eq "BJensen"`:          {scim.Equal("userName", "bjensen"), true},
		`userName sw "BJ"`:               {within("userName", "bj", "bj\xff"), true},
		`userName gt "BJ"`:               {within("userName", "bj\x00", "\xff"), true},
		`userName le "BJ"`:               {within("userName", "", "bj\x00"), true},
		`userName sw "` + long + `"`:     {within("userName", long[:128], long[:128]+"\xff"), false},
		`userName eq "` + long + `"`:     {scim.Equal("userName", scim.Key(long)), true},
		`userName le "` + long + `"`:     {within("userName", "", long[:128]+"\xff"), false},
		`userName lt "` + long + `"`:     {within("userName", "", long[:128]+"\xff"), false},
		`userName ge "` + long + `"`:     {within("userName", long[:128], "\xff"), false},
		`id eq "Ab"`:                     {scim.Equal("id", "Ab"), true},
		`active eq "True"`:               {scim.Equal("active", "true"), true},
		`emails co "X"`:                  {scim.Contains{Path: "emails.value", Part: "x"}, false},
		`emails ew "X"`:                  {scim.Contains{Path: "emails.value", Part: "x"}, false},
		`emails ne "X"`:                  {scim.All{}, false},
		`emails pr`:                      {scim.All{}, false},
		`born co "2011"`:                 {scim.All{}, false},
		`emails eq "X"`:                  {scim.Equal("emails.value", "x"), true},
		`emails[value eq "X"]`:           {scim.Equal("emails.value", "x"), true},
		`not (userName ne "x")`:          {scim.Equal("userName", "x"), true},
		`not (emails ne "x")`:            {scim.Equal("emails.value", "x"), false},
		`not (userName eq "x")`:          {scim.All{}, false},
		`nickName eq "x"`:                {scim.Or{}, true},
		`nickName eq null`:               {scim.All{}, true},
		`userName eq "x" or title pr`:    {scim.All{}, false},
		`userName eq "x" and title pr`:   {scim.Equal("userName", "x"), false},
		`score eq 1 and userName eq "x"`: {scim.Equal("userName", "x"), false},
		`userName eq "x" or nickName eq "y"`: {
			scim.Or{scim.Equal("userName", "x"), scim.Or{}}, true,
		},
		`not (userName ne "x" or id ne "y")`: {scim.And{scim.Equal("userName", "x"), scim.Equal("id", "y")}, true},
		`emails[type eq "work" and not (value ne "a" or none pr)]`: {
			scim.And{scim.Equal("emails.type", "work"), scim.Equal("emails.value", "a")}, false,
		},
		`meta.created ge "2011-05-13T06:42:34.5+02:00"`: {
			within("meta.created", "2011-05-13T04:42:34.500000000Z", "\xff"), true,
		},
	} {
		f, err := filter.Parse(text, filter.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		indexed := func(path string) bool { return slices.Contains(everyPath(), path) }
		got, exact := f.Narrow(user(), indexed)
		if !reflect.DeepEqual(got, want.condition) || exact != want.exact {
			t.Errorf("%.60s: got %#v, %t, want %#v, %t", text, got, exact, want.condition, want.exact)
		}
	}
}

func TestNarrowingLooksUpAFewOfManyTerms(t *testing.T) {
	text := strings.Repeat(`userName sw "a" and `, 9) + `id eq "x"`
	f, err := filter.Parse(text, filter.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	got, exact := f.Narrow(user(), func(string) bool { return true })
	and, ok := got.(scim.And)
	if !ok || len(and) != 8 || and[0] != scim.Equal("id", "x") || exact {
		t.Errorf("got %v, %t", got, exact)
	}
}

// Narrowed and then evaluated is the same as evaluated over all, whatever is
// indexed and whatever the filter.
func TestNarrowingNeverLosesAMatch(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		paths := everyPath()
		indexed := map[string]bool{}
		for _, path := range paths {
			indexed[path] = rapid.IntRange(0, 3).Draw(t, "indexed") > 0
		}
		indexing := filter.NewIndexing(user(), paths, []string{"userName", "emails", "logins"})
		text := aFilter(t, 3)
		f, err := filter.Parse(text, filter.Limits{})
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		condition, exact := f.Narrow(user(), func(path string) bool { return indexed[path] })
		for range 5 {
			document := aDocument(t)
			matches, kept := f.Matches(user(), document), keeps(condition, indexing.Values(document))
			if matches && !kept {
				t.Fatalf("%s matches %v, which %v does not keep", text, document, condition)
			}
			if exact && matches != kept {
				t.Fatalf("%s, exactly %v: matches %t, kept %t: %v", text, condition, matches, kept, document)
			}
		}
	})
}

// Few texts, so that they meet; among them what case, escapes, length and types
// make difficult.
var texts = []string{
	"", "a", "A", "ab", "aB", "b", "work", "ſ", "S", "ẞ", "ß", "é\u2028", `"\`, "true", "False", "1", "\U0010ffff",
	"2011-05-13T04:42:34Z", "2011-05-13T06:42:34+02:00", "9999-12-31T23:59:59-01:00",
	strings.Repeat("a", 128), strings.Repeat("a", 129), strings.Repeat("A", 128) + "b", strings.Repeat("a", 127) + "é",
}

func aText(t *rapid.T) string { return rapid.SampledFrom(texts).Draw(t, "text") }

// aFilter draws a filter of some depth.
func aFilter(t *rapid.T, depth int) string {
	if depth > 0 {
		switch rapid.IntRange(0, 5).Draw(t, "logic") {
		case 0:
			return aFilter(t, depth-1) + " and " + aFilter(t, depth-1)
		case 1:
			return aFilter(t, depth-1) + " or " + aFilter(t, depth-1)
		case 2:
			return "not (" + aFilter(t, depth-1) + ")"
		case 3:
			return "(" + aFilter(t, depth-1) + ")"
		}
	}
	if rapid.IntRange(0, 4).Draw(t, "value path") == 0 {
		element := rapid.SampledFrom([]string{"emails", "name", "nickName"}).Draw(t, "of")
		return element + "[" + anElementFilter(t) + "]"
	}
	return aComparison(t, append(everyPath(), "emails", "name", "nickName", "score", "manager"))
}

func anElementFilter(t *rapid.T) string {
	paths := []string{"value", "type", "primary", "none", "familyName"}
	text := aComparison(t, paths)
	for range rapid.IntRange(0, 2).Draw(t, "more") {
		text += rapid.SampledFrom([]string{" and ", " or ", " and not (type pr) or "}).Draw(t, "how") + aComparison(t, paths)
	}
	return text
}

func aComparison(t *rapid.T, paths []string) string {
	path := rapid.SampledFrom(paths).Draw(t, "path")
	operator := rapid.SampledFrom([]string{"eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le", "pr"}).Draw(t, "operator")
	if operator == "pr" {
		return path + " pr"
	}
	literal := rapid.OneOf(
		rapid.SampledFrom([]string{"null", "true", "false", "1", "-1.5", "1e3"}),
		rapid.Custom(func(t *rapid.T) string {
			quoted, err := json.Marshal(aText(t))
			if err != nil {
				t.Fatal(err)
			}
			return string(quoted)
		}),
	).Draw(t, "literal")
	return path + " " + operator + " " + literal
}

// aDocument draws a resource, among them some that break their schema.
func aDocument(t *rapid.T) map[string]any {
	value := rapid.Custom(func(t *rapid.T) any {
		switch rapid.IntRange(0, 9).Draw(t, "kind") {
		case 0:
			return nil
		case 1:
			return rapid.Bool().Draw(t, "bool")
		case 2:
			return json.Number(rapid.SampledFrom([]string{"1", "-1.5", "1000"}).Draw(t, "number"))
		default:
			return aText(t)
		}
	})
	member := func(in map[string]any, names ...string) {
		for _, name := range names {
			if rapid.Bool().Draw(t, "has "+name) {
				in[name] = value.Draw(t, name)
			}
		}
	}
	document := map[string]any{}
	member(document, "id", "userName", "displayName", "title", "active", "born", "profileUrl", "key", "logins", "score")
	name := map[string]any{}
	member(name, "familyName", "givenName")
	document["name"] = name
	var emails []any
	for range rapid.IntRange(0, 3).Draw(t, "emails") {
		email := map[string]any{}
		member(email, "value", "type", "primary")
		emails = append(emails, email)
	}
	if rapid.IntRange(0, 9).Draw(t, "bare") == 0 {
		emails = append(emails, aText(t))
	}
	document["emails"] = emails
	enterprise := map[string]any{}
	member(enterprise, "employeeNumber", "manager")
	document[scim.EnterpriseSchema] = enterprise
	meta := map[string]any{}
	member(meta, "created")
	document["meta"] = meta
	return document
}
