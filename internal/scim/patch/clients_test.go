package patch_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/holdline/holdline/internal/scim"
	"github.com/holdline/holdline/internal/scim/patch"
)

// What clients send, from their documentation and from reports of what arrived.
func TestClientsAreUnderstood(t *testing.T) {
	const (
		work, home     = `{"type": "work", "value": "bob@work", "primary": true}`, `{"type": "home", "value": "bob@home"}`
		mobile, office = `{"type": "mobile", "value": "+15005550001"}`, `{"type": "work", "value": "+15005550002"}`
	)
	ext := func(members string) string {
		return `{"` + enterprise + `": {"department": "Eng", "pendingMobileNumber": "+15005550009", ` + members + `}}`
	}
	for name, c := range map[string]change{
		"Okta deactivates":               {`{"op": "replace", "value": {"active": false}}`, `{"active": false}`},
		"Okta sets a password":           {`{"op": "replace", "value": {"password": "n3w", "id": "1"}}`, `{"password": "n3w"}`},
		"Okta names a path":              {`{"op": "replace", "path": "active", "value": false}`, `{"active": false}`},
		"Entra capitalises":              {`{"op": "Replace", "path": "emails[type eq \"work\"].value", "value": "new@x"}, {"op": "Replace", "path": "name.familyName", "value": "Reed"}`, `{"emails": [{"type": "work", "value": "new@x", "primary": true}, ` + home + `], "name": {"givenName": "Bob", "familyName": "Reed"}}`},
		"Entra adds an address in parts": {`{"op": "Add", "path": "addresses[type eq \"work\"].streetAddress", "value": "1 Quay"}, {"op": "Add", "path": "addresses[type eq \"work\"].locality", "value": "Galle"}`, `{"addresses": [{"type": "work", "streetAddress": "1 Quay", "locality": "Galle"}]}`},
		"Entra adds what is there":       {`{"op": "Add", "path": "emails[type eq \"work\"].value", "value": "new@x"}`, `{"emails": [{"type": "work", "value": "new@x", "primary": true}, ` + home + `]}`},
		"Entra replaces what is not":     {`{"op": "Replace", "path": "phoneNumbers[type eq \"fax\"].value", "value": "+15005550003"}`, `{"phoneNumbers": [` + mobile + "," + office + `, {"type": "fax", "value": "+15005550003"}]}`},
		"Entra removes what is not":      {`{"op": "Remove", "path": "phoneNumbers[type eq \"fax\"].value"}`, `{}`},
		"Entra wraps a value":            {`{"op": "Add", "path": "displayName", "value": [{"$ref": null, "value": "B"}]}, {"op": "Replace", "path": "phoneNumbers[type eq \"mobile\"].value", "value": [{"value": "+15005550007"}]}, {"op": "Replace", "path": "active", "value": {"$ref": null, "value": "False"}}`, `{"displayName": "B", "active": false, "phoneNumbers": [{"type": "mobile", "value": "+15005550007"}, ` + office + `]}`},
		"Entra writes False":             {`{"op": "Replace", "path": "active", "value": "False"}`, `{"active": false}`},
		"Entra compares with True":       {`{"op": "Add", "path": "roles[primary eq \"True\"].value", "value": "admin"}`, `{"roles": [{"primary": true, "value": "admin"}]}`},
		"Entra's manager is a string":    {`{"op": "Add", "path": "` + enterprise + `:manager", "value": "m-1"}`, ext(`"manager": {"value": "m-1"}`)},
		"Entra's manager is gone":        {`{"op": "Add", "path": "` + enterprise + `:manager", "value": "m-1"}, {"op": "Replace", "path": "` + enterprise + `:manager", "value": ""}`, `{}`},
		"Entra's manager is blank":       {`{"op": "Add", "value": {"` + enterprise + `": {"manager": "m-1"}}}, {"op": "Replace", "value": {"` + enterprise + `:manager": ""}}`, `{}`},
		"WSO2 leaves quotes out":         {`{"op": "replace", "path": "emails[type eq work].value", "value": "new@x"}`, `{"emails": [{"type": "work", "value": "new@x", "primary": true}, ` + home + `]}`},
		"Entra's manager is in a list":   {`{"op": "Add", "path": "` + enterprise + `:manager", "value": [{"$ref": "http://x/Users/m-1", "value": "m-1"}]}`, ext(`"manager": {"value": "m-1", "$ref": "http://x/Users/m-1"}`)},
		"Entra removes with a value":     {`{"op": "Remove", "path": "emails", "value": [{"value": "bob@home"}]}`, `{"emails": [` + work + `]}`},
		"Entra removes a title so":       {`{"op": "Remove", "path": "title", "value": "Clerk"}`, `{"title": null}`},
		"Entra sends paths as names": {
			`{"op": "replace", "value": {"displayName": "B", "name.givenName": "Rob", "NAME.middleName": "J", "emails[type eq \"work\"].value": "new@x", "` + enterprise + `:costCenter": "7"}}`,
			`{"displayName": "B", "name": {"givenName": "Rob", "middleName": "J", "familyName": "Marsh"}, "emails": [{"type": "work", "value": "new@x", "primary": true}, ` + home + `], "` + enterprise + `": {"department": "Eng", "pendingMobileNumber": "+15005550009", "costCenter": "7"}}`,
		},
		"Entra nests an extension":      {`{"op": "add", "value": {"` + enterprise + `": {"costCenter": "7", "manager": {"value": "m"}}}}`, ext(`"costCenter": "7", "manager": {"value": "m"}`)},
		"Entra maps a custom extension": {`{"op": "add", "value": {"urn:ietf:params:scim:schemas:extension:custom:2.0:User": {"badge": 7}, "urn:ietf:params:scim:schemas:extension:custom:2.0:User:badge": 8, "title": "Boss"}}`, `{"title": "Boss"}`},
		"OneLogin suspends":             {`{"op": "replace", "path": "active", "value": false}`, `{"active": false}`},
		"OneLogin sends a list of one":  {`{"op": "replace", "value": [{"title": "Boss"}]}`, `{"title": "Boss"}`},
		"JumpCloud sends one object":    {`{"op": "replace", "path": "emails", "value": {"type": "work", "value": "new@x"}}`, `{"emails": [{"type": "work", "value": "new@x"}]}`},
		"Ping's three operations":       {`{"op": "replace", "path": "userName", "value": "rob"}, {"op": "remove", "path": "title"}, {"op": "add", "path": "name.middleName", "value": "J"}`, `{"userName": "rob", "title": null, "name": {"givenName": "Bob", "middleName": "J", "familyName": "Marsh"}}`},
		"Ping adds without a path":      {`{"op": "add", "value": {"emails": [{"type": "other", "value": "b@o"}]}}`, `{"emails": [` + work + "," + home + `, {"type": "other", "value": "b@o"}]}`},
		"Ping replaces an element":      {`{"op": "replace", "path": "phoneNumbers[type eq \"mobile\"]", "value": {"type": "mobile", "value": "+15005550007"}}`, `{"phoneNumbers": [{"type": "mobile", "value": "+15005550007"}, ` + office + `]}`},
		"Google archives":               {`{"op": "replace", "path": "active", "value": false}, {"op": "replace", "path": "name", "value": {"givenName": "Bob", "familyName": "Reed"}}`, `{"active": false, "name": {"givenName": "Bob", "familyName": "Reed"}}`},
		"WSO2 verifies under a URN":     {`{"op": "replace", "value": {"` + enterprise + `": {"verifyMobile": "true"}, "phoneNumbers": [{"type": "mobile", "value": "+15005550301"}]}}`, `{"phoneNumbers": [{"type": "mobile", "value": "+15005550301"}], "` + enterprise + `": {"department": "Eng", "pendingMobileNumber": "+15005550009", "verifyMobile": true}}`},
		"WSO2's own schema":             {`{"op": "replace", "value": {"` + scim.WSO2Schema + `": {"verifyMobile": "yes", "pendingMobileNumber": "+1"}}}`, `{"` + scim.WSO2Schema + `": {"verifyMobile": false}}`},
		"a path to no element":          {`{"op": "add", "path": "ims.value", "value": "b@im"}`, `{"ims": [{"value": "b@im"}]}`},
		"a path to the primary element": {`{"op": "add", "path": "emails.value", "value": "new@x"}`, `{"emails": [{"type": "work", "value": "new@x", "primary": true}, ` + home + `]}`},
		"a plain string for an element": {`{"op": "add", "path": "emails", "value": "b@x"}`, `{"emails": [` + work + "," + home + `, {"value": "b@x"}]}`},
		"plain strings in a list":       {`{"op": "replace", "path": "emails", "value": ["a@x", "b@x"]}`, `{"emails": [{"value": "a@x"}, {"value": "b@x"}]}`},
		"a blank path":                  {`{"op": "replace", "path": "", "value": {"title": "Boss"}}`, `{"title": "Boss"}`},
		"any case":                      {`{"OP": "REPLACE", "Path": "DISPLAYNAME", "VALUE": "Cased"}`, `{"displayName": "Cased"}`},
		"any case in a value path":      {`{"op": "replace", "path": "EMAILS[TYPE EQ \"WORK\"].VALUE", "value": "new@x"}`, `{"emails": [{"type": "work", "value": "new@x", "primary": true}, ` + home + `]}`},
		"any case in a URN":             {`{"op": "replace", "path": "URN:IETF:PARAMS:scim:schemas:extension:ENTERPRISE:2.0:user:COSTCENTER", "value": "7"}`, ext(`"costCenter": "7"`)},
		"the core's URN as a name":      {`{"op": "replace", "value": {"` + scim.UserSchema + `": {"title": "Boss"}, "` + scim.UserSchema + `:nickName": "B"}}`, `{"title": "Boss", "nickName": "B"}`},
		"schemas are the server's":      {`{"op": "add", "path": "schemas", "value": ["urn:x:y"]}, {"op": "replace", "value": {"schemas": []}}`, `{}`},
	} {
		t.Run(name, func(t *testing.T) { c.run(t, scim.Lenient) })
	}
	_, err := send(t, object(t, bob), operations(`{"op": "add", "path": "phoneNumbers.value", "value": "+1"}`), scim.Lenient)
	if kind(err) != scim.NoTarget {
		t.Errorf("one of several, none of them primary: got %v", err)
	}
}

func TestWhetherTheMobileNumberWasNamed(t *testing.T) {
	isMobile := func(element map[string]any) bool { return element["type"] == "mobile" }
	for name, tt := range map[string]struct {
		operation string
		want      bool
	}{
		"another attribute":           {`{"op": "replace", "path": "title", "value": "x"}`, false},
		"the work number":             {`{"op": "replace", "path": "phoneNumbers[type eq \"work\"].value", "value": "+2"}`, false},
		"another work number":         {`{"op": "add", "path": "phoneNumbers", "value": [{"type": "work", "value": "+2"}]}`, false},
		"its value":                   {`{"op": "replace", "path": "phoneNumbers[type eq \"mobile\"].value", "value": "+2"}`, true},
		"its value, the same":         {`{"op": "replace", "path": "phoneNumbers[type eq \"mobile\"].value", "value": "+15005550001"}`, true},
		"its value as a name":         {`{"op": "add", "value": {"phoneNumbers[type eq \"mobile\"].value": "+2"}}`, true},
		"its display":                 {`{"op": "replace", "path": "phoneNumbers[type eq \"mobile\"].display", "value": "x"}`, false},
		"its display in an object":    {`{"op": "add", "path": "phoneNumbers[type eq \"mobile\"]", "value": {"display": "x"}}`, false},
		"its value in an object":      {`{"op": "add", "path": "phoneNumbers[type eq \"mobile\"]", "value": {"value": "+2"}}`, true},
		"another's turn to be it":     {`{"op": "replace", "path": "phoneNumbers[type eq \"work\"].type", "value": "mobile"}`, true},
		"it becomes another":          {`{"op": "replace", "path": "phoneNumbers[type eq \"mobile\"].type", "value": "home"}`, true},
		"primary moves away":          {`{"op": "add", "path": "phoneNumbers", "value": [{"type": "home", "value": "+2", "primary": true}]}`, false},
		"the same is added":           {`{"op": "add", "path": "phoneNumbers", "value": [{"type": "mobile", "value": "+15005550001"}]}`, true},
		"all are replaced":            {`{"op": "replace", "value": {"phoneNumbers": [{"type": "mobile", "value": "+2"}]}}`, true},
		"all are replaced without it": {`{"op": "replace", "value": {"phoneNumbers": []}}`, true},
		"all are removed":             {`{"op": "remove", "path": "phoneNumbers"}`, true},
		"the work number is removed":  {`{"op": "remove", "path": "phoneNumbers[type eq \"work\"]"}`, false},
		"it is removed":               {`{"op": "remove", "path": "phoneNumbers[type eq \"mobile\"]"}`, true},
		"it is removed by its value":  {`{"op": "remove", "path": "phoneNumbers", "value": [{"value": "+15005550001"}]}`, true},
		"the other by its value":      {`{"op": "remove", "path": "phoneNumbers", "value": [{"value": "+15005550002"}]}`, false},
	} {
		got, err := send(t, object(t, bob), operations(tt.operation), scim.Lenient)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if named := got.Touched.Element("phoneNumbers", "value", isMobile); named != tt.want {
			t.Errorf("%s: got %t, want %t", name, named, tt.want)
		}
	}
	t.Run("where there is none", func(t *testing.T) {
		for operation, want := range map[string]bool{
			`{"op": "remove", "path": "phoneNumbers[type eq \"mobile\"]"}`:                                                                                 true,
			`{"op": "remove", "path": "phoneNumbers[type eq \"mobile\"].display"}`:                                                                         false,
			`{"op": "remove", "path": "phoneNumbers[type eq \"fax\"]"}`:                                                                                    false,
			`{"op": "replace", "path": "phoneNumbers[type eq \"mobile\"].value", "value": null}`:                                                           true,
			`{"op": "replace", "path": "phoneNumbers", "value": []}`:                                                                                       true,
			`{"op": "add", "path": "phoneNumbers", "value": []}`:                                                                                           false,
			`{"op": "add", "path": "phoneNumbers[type eq \"mobile\"].value", "value": "+2"}`:                                                               true,
			`{"op": "add", "path": "phoneNumbers[type eq \"mobile\"].value", "value": "+2"}, {"op": "remove", "path": "phoneNumbers[type eq \"mobile\"]"}`: true,
		} {
			got, err := send(t, object(t, `{"userName": "bob"}`), operations(operation), scim.Lenient)
			if err != nil {
				t.Fatalf("%s: %v", operation, err)
			}
			if named := got.Touched.Element("phoneNumbers", "value", isMobile); named != want {
				t.Errorf("%s: got %t, want %t", operation, named, want)
			}
		}
	})
}

func TestAPathToThePrimaryElementNamesNoOther(t *testing.T) {
	document := object(t, `{"userName": "bob", "phoneNumbers": [
		{"type": "mobile", "value": "+1"}, {"type": "work", "value": "+2", "primary": true}]}`)
	got, err := send(t, document, operations(`{"op": "replace", "path": "phoneNumbers.value", "value": "+3"}`), scim.Lenient)
	if err != nil {
		t.Fatal(err)
	}
	for kind, want := range map[string]bool{"mobile": false, "work": true} {
		named := got.Touched.Element("phoneNumbers", "value", func(element map[string]any) bool { return element["type"] == kind })
		if named != want {
			t.Errorf("%s: got %t, want %t", kind, named, want)
		}
	}
}

func TestTouchedSaysWhatWasNamed(t *testing.T) {
	got, err := send(t, object(t, bob), operations(`
		{"op": "add", "path": "NAME.givenName", "value": "Bob"},
		{"op": "replace", "value": {"`+enterprise+`": {"verifyMobile": true}}},
		{"op": "remove", "path": "phoneNumbers[type eq \"work\"]"}`), scim.Lenient)
	if err != nil {
		t.Fatal(err)
	}
	want := patch.Touched{
		{Op: patch.Add, Path: "name", Subs: []string{"givenName"}},
		{Op: patch.Replace, Path: enterprise + ":verifyMobile"},
		{Op: patch.Remove, Path: "phoneNumbers"},
		{Op: patch.Remove, Path: "phoneNumbers", Before: map[string]any{"type": "work", "value": "+15005550002"}},
	}
	if diff := cmp.Diff(want, got.Touched); diff != "" {
		t.Error(diff)
	}
	for path, want := range map[string]bool{"name": true, "phoneNumbers": true, enterprise + ":verifyMobile": true, "title": false} {
		if got := slices.ContainsFunc(got.Touched, func(t patch.Touch) bool { return t.Path == path }); got != want {
			t.Errorf("%s: got %t, want %t", path, got, want)
		}
	}
}
