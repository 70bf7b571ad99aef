package mapping_test

import (
	"encoding/json"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/holdline/holdline/internal/scim"
	"github.com/holdline/holdline/internal/scim/mapping"
)

// propertyTB lets a helper for tests fail a property.
type propertyTB struct {
	testing.TB
	t *rapid.T
}

func (b propertyTB) Helper()                         {}
func (b propertyTB) Fatal(args ...any)               { b.t.Fatal(args...) }
func (b propertyTB) Fatalf(form string, args ...any) { b.t.Fatalf(form, args...) }

// texts are few, so that attributes often agree.
var texts = rapid.SampledFrom([]string{"", "a", "b", "c@x", "Ω~/"})

func maybe(t *rapid.T, object map[string]any, name string, value func() any) {
	if rapid.Bool().Draw(t, name) {
		object[name] = value()
	}
}

func elements(t *rapid.T, sub string, types ...string) []any {
	var list []any
	for range rapid.IntRange(0, 3).Draw(t, "elements") {
		element := map[string]any{}
		maybe(t, element, sub, func() any { return texts.Draw(t, sub) })
		maybe(t, element, "display", func() any { return texts.Draw(t, "display") })
		maybe(t, element, "country", func() any { return texts.Draw(t, "country") })
		maybe(t, element, "type", func() any { return rapid.SampledFrom(types).Draw(t, "type") })
		maybe(t, element, "primary", func() any { return rapid.Bool().Draw(t, "primary") })
		list = append(list, element)
	}
	return list
}

// anyDocument is in canonical form, with one mobile number at most.
func anyDocument(t *rapid.T) map[string]any {
	text := func() any { return texts.Draw(t, "text") }
	input := map[string]any{
		"userName": rapid.SampledFrom([]string{"a", "b", "c@x"}).Draw(t, "userName"),
		"active":   rapid.Bool().Draw(t, "active"),
		"emails":   elements(t, "value", "work", "Work", "home"), "roles": elements(t, "value", "work", "x"),
		"addresses": elements(t, "locality", "work", "home"),
	}
	for _, name := range []string{"displayName", "title", "externalId", "password", "locale"} {
		maybe(t, input, name, text)
	}
	maybe(t, input, "name", func() any {
		name := map[string]any{}
		for _, sub := range []string{"givenName", "familyName", "middleName", "formatted"} {
			maybe(t, name, sub, text)
		}
		return name
	})
	maybe(t, input, enterprise, func() any {
		return map[string]any{"department": text(), "manager": map[string]any{"value": text()}, "verifyMobile": "true"}
	})
	phones := elements(t, "value", "work", "fax", "home")
	maybe(t, input, "mobile", func() any {
		element := map[string]any{"type": "mobile", "value": rapid.SampledFrom([]string{"+1 2", "+12", "+13"}).Draw(t, "number")}
		maybe(t, element, "display", text)
		maybe(t, element, "primary", func() any { return true })
		phones = slices.Insert(phones, rapid.IntRange(0, len(phones)).Draw(t, "place"), any(element))
		return nil
	})
	input["phoneNumbers"] = phones
	read, err := users.Read(input, scim.Lenient)
	if err != nil {
		t.Fatal(err)
	}
	return read
}

// anyMapping is one of the default ones, or one with rules of every kind.
func anyMapping(t *rapid.T) *mapping.Mapping {
	tb := propertyTB{t: t}
	if rapid.Bool().Draw(t, "own rules") {
		return made(tb, []mapping.Rule{
			{Path: `emails[type eq "home"].value`, Trait: "/mails/home~1x"},
			{Path: `emails[type eq "work"].value`, Trait: "mails.work"},
			{Path: "userName", Trait: "mails.work"},
			{Path: enterprise + ":department", Trait: "work/unit"},
			{Path: `phoneNumbers[type eq "fax"].value`, Trait: "fax"},
			{Path: "addresses.locality", Trait: "address.city"},
			{Path: "addresses.country", Trait: "address.country"},
			{Path: "displayName", Trait: "name"},
			{Path: "title", Trait: "name"},
		}, "mobile")
	}
	return standard(tb, rapid.SampledFrom(slices.Sorted(maps.Keys(schemas))).Draw(t, "schema"))
}

// anyRecord has traits and metadata that no rule knows.
func anyRecord(t *rapid.T) scim.Record {
	record := scim.Record{
		State:  rapid.SampledFrom([]string{scim.Active, scim.Inactive}).Draw(t, "state"),
		Traits: map[string]any{"shoe": json.Number("44"), "name~": []any{"x"}},
	}
	maybe(t, record.Traits, "email", func() any { return texts.Draw(t, "email") })
	maybe(t, record.Traits, "username", func() any { return texts.Draw(t, "username") })
	if rapid.Bool().Draw(t, "metadata") {
		record.MetadataAdmin = map[string]any{"other": map[string]any{"n": json.Number("1e400")}}
		record.MetadataPublic = map[string]any{"seen": true}
	}
	return record
}

// wish writes the document's number.
func wish(tb testing.TB, m *mapping.Mapping, document map[string]any) mapping.NumberWish {
	tb.Helper()
	number, err := m.Mobile(document)
	if err != nil {
		tb.Fatal(err)
	}
	return mapping.NumberWish{Change: true, Number: number}
}

func bring(tb testing.TB, m *mapping.Mapping, record scim.Record, document map[string]any, number mapping.NumberWish) scim.Record {
	tb.Helper()
	operations, err := m.Operations(record, document, number)
	if err != nil {
		tb.Fatal(err)
	}
	return applied(tb, record, operations)
}

// alike compares documents but for the spelling of mobile numbers.
func alike(tb testing.TB, got, want map[string]any) {
	tb.Helper()
	spelling := cmp.FilterPath(func(p cmp.Path) bool {
		return len(p) > 1 && p[1].String() == `["phoneNumbers"]` && p.Last().String() == `["value"]`
	}, cmp.Comparer(func(a, b any) bool {
		x, _ := a.(string)
		y, _ := b.(string)
		return (a == nil) == (b == nil) && spaceless(x, y)
	}))
	if diff := cmp.Diff(want, got, spelling); diff != "" {
		tb.Fatalf("(-want +got):\n%s", diff)
	}
}

func TestADocumentComesBackAsItWasWritten(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		tb, m, record := propertyTB{t, r}, anyMapping(r), anyRecord(r)
		for range 3 {
			want := anyDocument(r)
			record = bring(tb, m, record, want, wish(tb, m, want))
			alike(tb, m.Document(record), written(want))
		}
	})
}

func TestADraftIsTheDocument(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		tb, m, want := propertyTB{t, r}, anyMapping(r), anyDocument(r)
		draft, err := m.Draft(want, wish(tb, m, want))
		if err != nil {
			r.Fatal(err)
		}
		record := applied(tb, scim.Record{State: draft.State, Traits: draft.Traits, MetadataAdmin: draft.MetadataAdmin}, nil)
		alike(tb, m.Document(record), written(want))
		if password, _ := want["password"].(string); draft.Password != password {
			r.Errorf("got password %q, want %q", draft.Password, password)
		}
	})
}

func TestNothingIsWrittenWhereNothingChanged(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		tb, m, record := propertyTB{t, r}, anyMapping(r), anyRecord(r)
		if rapid.Bool().Draw(r, "written before") {
			document := anyDocument(r)
			number := wish(tb, m, document)
			number.Change = rapid.Bool().Draw(r, "number written")
			record = bring(tb, m, record, document, number)
			again, err := m.Operations(record, document, number)
			if err != nil || len(again) > 0 {
				r.Fatalf("the second time: %v, %v", again, err)
			}
		}
		document := m.Document(record)
		for _, number := range []mapping.NumberWish{{}, wish(tb, m, document)} {
			operations, err := m.Operations(record, document, number)
			if err != nil || len(operations) > 0 {
				r.Fatalf("%+v: got %v, %v", number, operations, err)
			}
		}
	})
}

func TestAHeldBackNumberWaitsAndEverythingElseIsWritten(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		tb, m, want := propertyTB{t, r}, anyMapping(r), anyDocument(r)
		before := anyRecord(r)
		record := bring(tb, m, before, want, mapping.NumberWish{})
		shown, err := m.Mobile(m.Document(record))
		if err != nil || shown != "" {
			r.Fatalf("the number shows: %q, %v", shown, err)
		}
		number := wish(tb, m, want)
		operations, err := m.Operations(record, want, number)
		if err != nil || len(operations) != min(1, len(number.Number)) {
			r.Fatalf("the number is more than one trait: %v, %v", operations, err)
		}
		alike(tb, m.Document(applied(tb, record, operations)), written(want))
	})
}

func TestTraitsWithoutARuleStayAsTheyAre(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		tb, before := propertyTB{t, r}, anyRecord(r)
		m := made(tb, []mapping.Rule{{Path: "userName", Trait: "login"}, {Path: "name.givenName", Trait: "person.first"}}, "mobile")
		before.Traits["person"] = map[string]any{"age": json.Number("5")}
		document := anyDocument(r)
		after := bring(tb, m, before, document, wish(tb, m, document))
		delete(after.Traits, "login")
		delete(after.Traits, "mobile")
		delete(after.Traits["person"].(map[string]any), "first")
		delete(after.MetadataAdmin, "scim")
		if len(before.MetadataAdmin) == 0 && len(after.MetadataAdmin) == 0 {
			after.MetadataAdmin = nil
		}
		after.State = before.State
		if diff := cmp.Diff(before, after); diff != "" {
			r.Fatalf("(-before +after):\n%s", diff)
		}
	})
}
