package mapping_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/holdline/holdline/internal/scim"
	"github.com/holdline/holdline/internal/scim/mapping"
)

const (
	anEmail    = "an e-mail address"
	twoNames   = "an e-mail address, a name of two parts and a number"
	aUserName  = "a user name and a number"
	oneName    = "a name of one part"
	aMail      = "a user name and an e-mail address"
	bobsMobile = `"phoneNumbers": [{"type": "mobile", "value": "+15005550001"}]`
)

func TestCommonSchemasHaveRules(t *testing.T) {
	for name, want := range map[string][]mapping.Rule{
		anEmail: {{Path: "userName", Trait: "email"}, {Path: "emails.value", Trait: "email"}},
		twoNames: {
			{Path: "userName", Trait: "email"},
			{Path: "emails.value", Trait: "email"},
			{Path: "name.givenName", Trait: "name.first"},
			{Path: "name.familyName", Trait: "name.last"},
		},
		aUserName: {{Path: "userName", Trait: "username"}},
		aMail:     {{Path: "userName", Trait: "username"}, {Path: "emails.value", Trait: "email"}},
		oneName: {
			{Path: "userName", Trait: "email"},
			{Path: "emails.value", Trait: "email"},
			{Path: "displayName", Trait: "name"},
			{Path: "name.formatted", Trait: "name"},
			{Path: `phoneNumbers[type eq "work"].value`, Trait: "phone"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := schema(t, schemas[name].text)
			rules := mapping.Default(s, schemas[name].mobile)
			if diff := cmp.Diff(want, rules); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			faults := made(t, rules, schemas[name].mobile).Check(s)
			if missing := name == anEmail; missing != (len(faults) == 1) || !missing && faults != nil {
				t.Errorf("got %v", faults)
			}
		})
	}
}

func TestADocumentBecomesAnIdentity(t *testing.T) {
	for name, tt := range map[string]struct {
		schema, document, traits, admin string
		number                          mapping.NumberWish
	}{
		"the address is the name": {
			anEmail,
			`{"userName": "b@x", "emails": [{"value": "b@x", "type": "work", "primary": true}], "title": "Ms"}`,
			`{"email": "b@x"}`, `{"scim": {"title": "Ms"}}`,
			mapping.NumberWish{},
		},
		"the address has a display": {
			anEmail,
			`{"userName": "b@x", "emails": [{"value": "h@x", "type": "home"}, {"value": "b@x", "type": "work", "display": "B"}]}`,
			`{"email": "b@x"}`,
			`{"scim": {"emails": [{"value": "h@x", "type": "home"}, {"value": null, "type": "work", "display": "B"}]}}`,
			mapping.NumberWish{},
		},
		"the name is no address": {
			anEmail, `{"userName": "bob", "emails": [{"value": "b@x", "type": "work"}]}`,
			`{"email": "bob"}`, `{"scim": {"emails": [{"value": "b@x", "type": "work"}]}}`,
			mapping.NumberWish{},
		},
		"the primary address": {
			aMail, `{"userName": "bob", "emails": [{"value": "1"}, {"value": "w@x", "type": "work"}, {"value": "h@x", "type": "home", "primary": true}]}`,
			`{"username": "bob", "email": "h@x"}`,
			`{"scim": {"emails": [{"value": "1"}, {"value": "w@x", "type": "work"}, {"value": null, "type": "home", "primary": true}]}}`,
			mapping.NumberWish{},
		},
		"there is no address": {anEmail, `{"userName": "b@x"}`, `{"email": "b@x"}`, `{"scim": {"$hidden": ["emails.value"]}}`, mapping.NumberWish{}},
		"names of two parts": {
			twoNames, `{"userName": "b@x", "name": {"givenName": "B", "familyName": "C", "middleName": "M"}, ` + bobsMobile + `}`,
			`{"email": "b@x", "name": {"first": "B", "last": "C"}, "mobile": "+15005550001"}`,
			`{"scim": {"name": {"middleName": "M"}, "$hidden": ["emails.value"]}}`,
			mapping.NumberWish{Change: true, Number: "+15005550001"},
		},
		"a number that is held back": {
			aUserName, `{"userName": "bob", ` + bobsMobile + `}`, `{"username": "bob"}`, `null`, mapping.NumberWish{},
		},
		"a number of another type": {
			aUserName, `{"userName": "bob", "phoneNumbers": [{"type": "work", "value": "1"}]}`,
			`{"username": "bob"}`, `{"scim": {"phoneNumbers": [{"type": "work", "value": "1"}]}}`,
			mapping.NumberWish{},
		},
		"displayName before name.formatted": {
			oneName, `{"userName": "b@x", "displayName": "Lisa", "name": {"formatted": "Lisa C"}}`,
			`{"email": "b@x", "name": "Lisa"}`, `{"scim": {"name": {"formatted": "Lisa C"}, "$hidden": ["emails.value"]}}`,
			mapping.NumberWish{},
		},
		"name.formatted alone": {
			oneName, `{"userName": "b@x", "name": {"formatted": "Lisa C"}}`,
			`{"email": "b@x", "name": "Lisa C"}`, `{"scim": {"$hidden": ["emails.value", "displayName"]}}`,
			mapping.NumberWish{},
		},
	} {
		t.Run(name, func(t *testing.T) {
			draft, err := standard(t, tt.schema).Draft(document(t, tt.document), tt.number)
			if err != nil {
				t.Fatal(err)
			}
			got, err := json.Marshal([]any{draft.Traits, draft.MetadataAdmin})
			if err != nil {
				t.Fatal(err)
			}
			same(t, string(got), `[`+tt.traits+`,`+tt.admin+`]`)
		})
	}
}

// same compares JSON.
func same(t *testing.T, got, want string) {
	t.Helper()
	if diff := cmp.Diff(object(t, `{"it":`+want+`}`), object(t, `{"it":`+got+`}`)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAnIdentityIsADocument(t *testing.T) {
	for name, tt := range map[string]struct{ schema, traits, public, admin, want string }{
		"that SCIM never wrote": {
			twoNames, `{"email": "b@x", "name": {"first": "B"}, "mobile": "+1", "other": 1}`, `{"pendingMobileNumber": "+2"}`, `{"mine": 1}`,
			`{"userName": "b@x", "emails": [{"value": "b@x", "type": "work", "primary": true}], "name": {"givenName": "B"},
				"phoneNumbers": [{"type": "mobile", "value": "+1"}],
				"` + enterprise + `": {"pendingMobileNumber": "+2"}, "` + scim.WSO2Schema + `": {"pendingMobileNumber": "+2"},
				"schemas": ["` + scim.UserSchema + `", "` + enterprise + `", "` + scim.WSO2Schema + `"]}`,
		},
		"whose address was changed elsewhere": {
			anEmail, `{"email": "new@x"}`, `{}`, `{"scim": {"emails": [{"type": "home", "value": "h@x"}, {"type": "work", "value": null, "display": "B"}]}}`,
			`{"userName": "new@x", "emails": [{"type": "home", "value": "h@x"}, {"type": "work", "value": "new@x", "display": "B"}], "schemas": ["` + scim.UserSchema + `"]}`,
		},
		"whose number was removed elsewhere": {
			aUserName, `{"username": "bob"}`, `{}`, `{"scim": {"phoneNumbers": [{"type": "mobile", "value": null, "primary": true}]}}`,
			`{"userName": "bob", "schemas": ["` + scim.UserSchema + `"]}`,
		},
		"whose rest claims a number": {
			aUserName, `{"username": "bob"}`, `{}`, `{"scim": {"phoneNumbers": [{"type": "mobile", "value": "+13"}]}}`,
			`{"userName": "bob", "schemas": ["` + scim.UserSchema + `"]}`,
		},
		"with traits of other types": {
			twoNames, `{"email": 5, "name": "B", "mobile": ["+1"]}`, `{"pendingMobileNumber": 2}`, `{"scim": "x"}`, `{"schemas": ["` + scim.UserSchema + `"]}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := standard(t, tt.schema).Document(scim.Record{
				State: scim.Active, Traits: object(t, tt.traits), MetadataPublic: object(t, tt.public), MetadataAdmin: object(t, tt.admin),
			})
			want := object(t, tt.want)
			want["active"] = true
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestOperationsAreFewAndRemovalsComeFirst(t *testing.T) {
	record := func(t *testing.T) scim.Record {
		t.Helper()
		return scim.Record{State: scim.Active, Traits: object(t, `{
			"email": "b@x", "name": {"first": "B", "last": "C"}, "mobile": "+1500 555 0001", "shoe": 44
		}`)}
	}
	mark := scim.Operation{Op: scim.Add, Path: "/metadata_public/pendingMobileNumber", Value: "+2"}
	for name, tt := range map[string]struct {
		change func(document map[string]any)
		number mapping.NumberWish
		own    []scim.Operation
		want   []scim.Operation
	}{
		"nothing changed": {func(map[string]any) {}, mapping.NumberWish{}, nil, nil},
		"the number is spelled otherwise": {
			func(map[string]any) {}, mapping.NumberWish{Change: true, Number: "+15005550001"}, nil, nil,
		},
		"a name goes, another comes, the number is held back": {
			func(d map[string]any) {
				d["name"] = map[string]any{"givenName": "D"}
				d["phoneNumbers"] = []any{map[string]any{"type": "mobile", "value": "+2"}}
			},
			mapping.NumberWish{},
			[]scim.Operation{mark},
			[]scim.Operation{{Op: scim.Remove, Path: "/traits/name/last"}, {Op: scim.Add, Path: "/traits/name/first", Value: "D"}, mark},
		},
		"what else a held-back number has waits with it": {
			func(d map[string]any) {
				d["phoneNumbers"] = []any{map[string]any{"type": "mobile", "value": "+2", "display": "new"}}
			},
			mapping.NumberWish{},
			nil,
			[]scim.Operation{{Op: scim.Add, Path: "/metadata_admin/scim", Value: map[string]any{
				"phoneNumbers": []any{map[string]any{"type": "mobile", "value": nil, "display": "new"}},
			}}},
		},
		"the number is removed with the marker": {
			func(d map[string]any) { delete(d, "phoneNumbers"); d["active"] = false },
			mapping.NumberWish{Change: true},
			[]scim.Operation{{Op: scim.Remove, Path: mark.Path}},
			[]scim.Operation{
				{Op: scim.Remove, Path: "/traits/mobile"},
				{Op: scim.Remove, Path: mark.Path},
				{Op: scim.Replace, Path: "/state", Value: scim.Inactive},
			},
		},
		"an attribute without a trait": {
			func(d map[string]any) { d["title"] = "Ms"; delete(d, "active") },
			mapping.NumberWish{},
			nil,
			[]scim.Operation{{Op: scim.Add, Path: "/metadata_admin/scim", Value: map[string]any{"title": "Ms"}}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			m, before := standard(t, twoNames), record(t)
			wanted := m.Document(before)
			tt.change(wanted)
			got, err := m.Operations(before, wanted, tt.number, tt.own...)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestTheFirstNumberWaitsWithItsDisplay(t *testing.T) {
	m := standard(t, aUserName)
	record := scim.Record{Traits: object(t, `{"username": "bob"}`)}
	wanted := document(t, `{"userName": "bob", "phoneNumbers": [{"type": "mobile", "value": "+2", "display": "new"}]}`)
	record = bring(t, m, record, wanted, mapping.NumberWish{})
	if list, ok := m.Document(record)["phoneNumbers"]; ok {
		t.Errorf("before: got %v", list)
	}
	record.Traits["phone"] = "+2"
	if diff := cmp.Diff(wanted["phoneNumbers"], m.Document(record)["phoneNumbers"]); diff != "" {
		t.Errorf("after (-want +got):\n%s", diff)
	}
}

func TestTheRestGoesWithItsLastAttribute(t *testing.T) {
	m := standard(t, aUserName)
	before := scim.Record{Traits: object(t, `{"username": "bob"}`), MetadataAdmin: object(t, `{"scim": {"title": "Ms"}, "mine": 1}`)}
	got, err := m.Operations(before, document(t, `{"userName": "bob"}`), mapping.NumberWish{})
	if diff := cmp.Diff([]scim.Operation{{Op: scim.Remove, Path: "/metadata_admin/scim"}}, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

func TestNamesInPointersAreEscaped(t *testing.T) {
	m := made(t, []mapping.Rule{{Path: "userName", Trait: "/a~1b/c~0.d"}}, "mobile")
	got, err := m.Operations(scim.Record{Traits: object(t, `{"a/b": null}`)}, document(t, `{"userName": "bob"}`), mapping.NumberWish{})
	if diff := cmp.Diff([]scim.Operation{{Op: scim.Add, Path: "/traits/a~1b/c~0.d", Value: "bob"}}, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

func TestWhatDoesNotFitIsRefused(t *testing.T) {
	bob := `"userName": "b@x"`
	for name, tt := range map[string]struct {
		traits, document, attribute string
		number                      mapping.NumberWish
	}{
		"a trait that is a number":        {`{"email": 5}`, `{` + bob + `}`, "userName", mapping.NumberWish{}},
		"a trait within a text":           {`{"name": "B"}`, `{` + bob + `, "name": {"familyName": "C"}}`, "name.familyName", mapping.NumberWish{}},
		"a mobile trait that is a number": {`{"mobile": 5}`, `{` + bob + `}`, "phoneNumbers", mapping.NumberWish{Change: true, Number: "+1"}},
		"two mobile numbers": {
			`{}`, `{` + bob + `, "phoneNumbers": [{"type": "mobile", "value": "+1"}, {"type": "Mobile", "value": "+2"}]}`, "phoneNumbers", mapping.NumberWish{},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := standard(t, twoNames).Operations(scim.Record{Traits: object(t, tt.traits)}, document(t, tt.document), tt.number)
			var fault *scim.Error
			if !errors.As(err, &fault) || fault.ScimType != scim.InvalidValue || !strings.HasPrefix(fault.Detail, tt.attribute) || got != nil {
				t.Errorf("got %v, %v, want invalidValue of %s", got, err, tt.attribute)
			}
		})
	}
}

func TestRulesThatCannotBeAreFaults(t *testing.T) {
	for name, tt := range map[string]struct {
		rules []mapping.Rule
		want  string
	}{
		"no attribute":            {[]mapping.Rule{{Key: "k", Path: "shoe", Trait: "shoe"}}, `k: "shoe" is no attribute of the schemas: correct its path`},
		"no trait":                {[]mapping.Rule{{Path: "title", Trait: "a..b"}}, "title: the trait must be like name.first or /name/first"},
		"active":                  {[]mapping.Rule{{Path: "active", Trait: "on"}}, "active: active has a place of its own: remove the rule"},
		"a common attribute":      {[]mapping.Rule{{Path: "externalId", Trait: "x"}}, "externalId: externalId has a place of its own: remove the rule"},
		"password":                {[]mapping.Rule{{Path: "password", Trait: "x"}}, "password: password has a place of its own: remove the rule"},
		"a complex attribute":     {[]mapping.Rule{{Path: "name", Trait: "x"}}, "name: name has more than one value: name a sub-attribute"},
		"a filter of its own":     {[]mapping.Rule{{Path: `emails[value co "x"].value`, Trait: "x"}}, `emails[value co "x"].value: the filter must be like [type eq "work"]`},
		"the type":                {[]mapping.Rule{{Path: "emails.type", Trait: "x"}}, "emails.type: emails.type decides which element is meant: remove the rule"},
		"two rules":               {[]mapping.Rule{{Path: "title", Trait: "x"}, {Key: "k", Path: "Title", Trait: "y"}}, "k: title has two rules: remove one"},
		"one element, two rules":  {[]mapping.Rule{{Path: "phoneNumbers.value", Trait: "x"}}, `phoneNumbers.value: phoneNumbers[type eq "mobile"].value and phoneNumbers.value may mean the same element: give both a type`},
		"a trait within another":  {[]mapping.Rule{{Path: "title", Trait: "x"}, {Path: "nickName", Trait: "x.y"}}, "nickName: the trait x.y lies within the other or holds it: x"},
		"the mobile trait":        {[]mapping.Rule{{Path: "title", Trait: "/mobile"}}, "title: the trait /mobile keeps the mobile number and nothing else: choose another"},
		"another mobile trait":    {[]mapping.Rule{{Key: "k", Path: `phoneNumbers[type eq "Mobile"].value`, Trait: "phone"}}, `k: phoneNumbers[type eq "mobile"].value must name the trait mobile here too, or have no rule`},
		"the mobile trait itself": {[]mapping.Rule{{Path: `phoneNumbers[TYPE  EQ "Mobile"].value`, Trait: "mobile"}}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := mapping.New(tt.rules, mapping.Options{Resource: users, MobileTrait: "mobile"})
			got := ""
			if err != nil {
				got = err.Error()
			}
			if got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestRulesAreCheckedAgainstTheSchema(t *testing.T) {
	login := mapping.Rule{Key: "k", Path: "userName", Trait: "login"}
	for name, tt := range map[string]struct {
		rules    []mapping.Rule
		schema   string
		required []string
		want     []string
	}{
		"all is well":          {[]mapping.Rule{login}, `{"login": {"type": ["string", "null"]}}`, []string{"login"}, nil},
		"no type is any type":  {[]mapping.Rule{login}, `{"login": {"minLength": 1}}`, nil, nil},
		"a part elsewhere":     {[]mapping.Rule{login}, `{"login": {"$ref": "https://elsewhere.test/s.json"}}`, nil, nil},
		"a part of the schema": {[]mapping.Rule{login}, `{"login": {"$ref": "#/properties/traits/properties/mobile"}}`, nil, nil},
		"a part of all":        {[]mapping.Rule{login}, `{"login": {"allOf": [{"type": "string"}, {"minLength": 1}]}}`, nil, nil},
		"no trait": {[]mapping.Rule{login}, `{"name": {"properties": {"a.b": {"type": "string"}, "c": {"type": "string"}}}, "n": {"type": "integer"}}`, nil, []string{
			"k: the schema has no trait login: name one of those that it has (mobile, /name/a.b, name.c)",
		}},
		"a wrong type":     {[]mapping.Rule{login}, `{"login": {"type": "integer"}}`, nil, []string{"k: the trait login is no string: name another one for userName"}},
		"no rule for user": {nil, `{}`, nil, []string{"scim.mapping: userName has no trait: add a rule for it with the trait by which users sign in"}},
		"required": {
			[]mapping.Rule{login, {Path: "title", Trait: "job.title"}},
			`{"login": {"type": "string"}, "job": {"properties": {"title": {"type": "string"}}, "required": ["since"]}}`,
			[]string{"job", "shoe"},
			[]string{
				"scim.mapping: the schema requires the trait job.since: add a rule for it, or do not require it",
				"scim.mapping: the schema requires the trait shoe: add a rule for it, or do not require it",
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			traits := strings.Replace(tt.schema, "{", `{"mobile": {"type": "string"}, `, 1)
			traits = strings.Replace(traits, ", }", "}", 1)
			var got []string
			for _, fault := range made(t, tt.rules, "mobile").Check(schema(t, traits, tt.required...)) {
				got = append(got, fault.Error())
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestASchemaThatRefersToItselfEnds(t *testing.T) {
	s := object(t, `{"properties": {"traits": {"$ref": "#/properties/traits", "anyOf": [{"$ref": "#"}, {"$ref": "#/properties/traits"}]}}}`)
	if got := mapping.Default(s, "mobile"); got != nil {
		t.Errorf("got %v", got)
	}
	if faults := made(t, nil, "mobile").Check(s); len(faults) == 0 {
		t.Error("no fault")
	}
}
