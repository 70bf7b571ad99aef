package patch_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/holdline/holdline/internal/scim"
)

// The mobile number is one element, by whatever path a client reaches it.
func TestTheMobileNumberIsOneElement(t *testing.T) {
	const office = `{"type": "work", "value": "+15005550002"}`
	list := func(elements string) string { return `{"phoneNumbers": [` + elements + `]}` }
	with := func(mobile string) string { return list(mobile + "," + office) }
	set := with(`{"type": "mobile", "value": "+2"}`)
	gone := list(office)
	op := func(verb, path, value string) string {
		where := ""
		if path != "" {
			where = fmt.Sprintf(`, "path": %q`, path)
		}
		if value != "" {
			value = `, "value": ` + value
		}
		return fmt.Sprintf(`{"op": %q%s%s}`, verb, where, value)
	}
	const element, number = `phoneNumbers[type eq "mobile"]`, `phoneNumbers[type eq "mobile"].value`
	for name, c := range map[string]change{
		"add of a list":                          {op("add", "phoneNumbers", `[{"type": "mobile", "value": "+2"}]`), set},
		"add of an object":                       {op("add", "phoneNumbers", `{"type": "mobile", "value": "+2"}`), set},
		"add without a path":                     {op("add", "", `{"phoneNumbers": [{"type": "mobile", "value": "+2"}]}`), set},
		"add without a path, an object":          {op("add", "", `{"PhoneNumbers": {"Type": "Mobile", "VALUE": "+2"}}`), with(`{"type": "Mobile", "value": "+2"}`)},
		"add of the type in another case":        {op("add", "phoneNumbers", `[{"type": "MOBILE", "value": "+2"}]`), with(`{"type": "MOBILE", "value": "+2"}`)},
		"add beside another number":              {op("add", "phoneNumbers", `[{"type": "fax", "value": "+3"}, {"type": "mobile", "value": "+2"}]`), list(`{"type": "mobile", "value": "+2"},` + office + `, {"type": "fax", "value": "+3"}`)},
		"add keeps what is not given":            {op("replace", element+".display", `"D"`) + "," + op("add", "phoneNumbers", `[{"type": "mobile", "value": "+2"}]`), with(`{"type": "mobile", "value": "+2", "display": "D"}`)},
		"add of a primary one":                   {op("add", "phoneNumbers", `[{"type": "mobile", "value": "+2", "primary": true}]`), with(`{"type": "mobile", "value": "+2", "primary": true}`)},
		"add twice, the last counts":             {op("add", "phoneNumbers", `[{"type": "mobile", "value": "+3"}]`) + "," + op("add", "phoneNumbers", `[{"type": "mobile", "value": "+2"}]`), set},
		"add to its value":                       {op("add", number, `"+2"`), set},
		"add to it":                              {op("add", element, `{"value": "+2"}`), set},
		"add to one that is primary too":         {op("add", `phoneNumbers[type eq "mobile" and primary eq true].value`, `"+2"`), with(`{"type": "mobile", "value": "+2", "primary": true}`)},
		"replace of its value":                   {op("replace", number, `"+2"`), set},
		"replace of its value, any case":         {op("Replace", `PHONENUMBERS[TYPE EQ "Mobile"].VALUE`, `"+2"`), set},
		"replace by an object without a type":    {op("replace", element, `{"value": "+2"}`), set},
		"replace by an object with a display":    {op("replace", element, `{"value": "+2", "display": "D"}`), with(`{"type": "mobile", "value": "+2", "display": "D"}`)},
		"replace by a list of one":               {op("replace", element, `[{"value": "+2"}]`), set},
		"replace by a string":                    {op("replace", element, `"+2"`), set},
		"replace found by its value":             {op("replace", `phoneNumbers[value eq "+15005550001"]`, `{"value": "+2"}`), set},
		"replace of all":                         {op("replace", "phoneNumbers", `[{"type": "mobile", "value": "+2"}]`), list(`{"type": "mobile", "value": "+2"}`)},
		"replace of all by an object":            {op("replace", "phoneNumbers", `{"type": "mobile", "value": "+2"}`), list(`{"type": "mobile", "value": "+2"}`)},
		"replace as a name":                      {op("replace", "", `{"phoneNumbers[type eq \"mobile\"].value": "+2"}`), set},
		"replace as a name with a URN":           {op("replace", "", `{"`+scim.UserSchema+`:phoneNumbers[type eq \"mobile\"]": {"value": "+2"}}`), set},
		"another number becomes it":              {op("replace", `phoneNumbers[type eq "work"].type`, `"mobile"`), list(`{"type": "mobile", "value": "+15005550002"}`)},
		"remove of its value":                    {op("remove", number, ""), gone},
		"remove of it":                           {op("remove", element, ""), gone},
		"remove by its value":                    {op("remove", "phoneNumbers", `[{"value": "+15005550001"}]`), gone},
		"null for its value":                     {op("replace", number, "null"), gone},
		"a blank for its value":                  {op("replace", number, `""`), gone},
		"a blank that is added":                  {op("add", number, `" "`), gone},
		"a blank of invisible characters":        {op("replace", number, `"\u200b\u202a"`), gone},
		"null for it":                            {op("replace", element, "null"), gone},
		"a null in it":                           {op("replace", element, `{"value": null}`), gone},
		"a blank in it":                          {op("replace", element, `{"type": "mobile", "value": ""}`), gone},
		"a blank is added":                       {op("add", "phoneNumbers", `[{"type": "mobile", "value": ""}]`), gone},
		"remove of its value leaves no display":  {op("replace", element+".display", `"D"`) + "," + op("remove", number, ""), gone},
		"remove of a work number leaves no type": {op("remove", `phoneNumbers[type eq "work"].value`, ""), list(`{"type": "mobile", "value": "+15005550001"}`)},
	} {
		t.Run(name, func(t *testing.T) { c.run(t, scim.Lenient) })
	}
	t.Run("two that differ in one operation", func(t *testing.T) {
		got, err := send(t, object(t, bob), operations(op("add", "phoneNumbers", `[{"type": "mobile", "value": "+2"}, {"type": "mobile", "value": "+3"}]`)), scim.Lenient)
		if err != nil {
			t.Fatal(err)
		}
		want := object(t, list(`{"type": "mobile", "value": "+2"},`+office+`, {"type": "mobile", "value": "+3"}`))
		if diff := cmp.Diff(want["phoneNumbers"], got.Document["phoneNumbers"]); diff != "" {
			t.Error(diff) // and whoever keeps it refuses it
		}
	})
}

// A blank where there is no mobile number is still a word about it: it takes back
// a first number that is pending.
func TestABlankMobileNumberIsNamed(t *testing.T) {
	for _, operation := range []string{
		`{"op": "replace", "path": "phoneNumbers[type eq \"mobile\"].value", "value": ""}`,
		`{"op": "add", "path": "phoneNumbers", "value": [{"type": "mobile", "value": ""}]}`,
		`{"op": "replace", "path": "phoneNumbers", "value": [{"type": "mobile", "value": ""}]}`,
		`{"op": "replace", "path": "phoneNumbers[type eq \"mobile\"]", "value": {"value": ""}}`,
	} {
		got, err := send(t, object(t, `{"userName": "bob"}`), operations(operation), scim.Lenient)
		if err != nil {
			t.Fatal(err)
		}
		isMobile := func(element map[string]any) bool { return element["type"] == "mobile" }
		if got.Document["phoneNumbers"] != nil || !got.Touched.Element("phoneNumbers", "value", isMobile) {
			t.Errorf("%s: got %v, %+v", operation, got.Document["phoneNumbers"], got.Touched)
		}
	}
}

func TestActiveCannotBeRemoved(t *testing.T) {
	for _, operation := range []string{
		`{"op": "remove", "path": "active"}`,
		`{"op": "Remove", "path": "ACTIVE"}`,
		`{"op": "remove", "path": "` + scim.UserSchema + `:active"}`,
		`{"op": "replace", "path": "active", "value": null}`,
		`{"op": "replace", "path": "active", "value": []}`,
		`{"op": "replace", "value": {"active": null}}`,
	} {
		for _, mode := range []scim.Mode{scim.Lenient, scim.Strict} {
			_, err := send(t, object(t, bob), operations(operation), mode)
			if kind(err) != scim.Mutable || err.Error() != "scim: operation 1: active cannot be removed" {
				t.Errorf("%s: got %v", operation, err)
			}
		}
	}
}
