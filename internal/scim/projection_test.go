package scim_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/holdline/holdline/internal/scim"
)

const whole = `{
	"schemas": ["` + scim.UserSchema + `", "` + enterprise + `", "` + scim.WSO2Schema + `"],
	"id": "1", "externalId": "e", "userName": "bob", "password": "secret", "title": "Dr",
	"name": {"givenName": "Bob", "familyName": "Lee"},
	"emails": [{"value": "a@x", "type": "work"}, {"type": "home"}],
	"meta": {"resourceType": "User", "version": "v"},
	"` + enterprise + `": {"department": "d", "manager": {"value": "2", "displayName": "Eve"}, "verifyMobile": true},
	"` + scim.WSO2Schema + `": {"verifyMobile": true}
}`

func TestAProjectionShowsWhatTheClientNamed(t *testing.T) {
	const (
		core = `"schemas": ["` + scim.UserSchema + `"], "id": "1"`
		both = `"schemas": ["` + scim.UserSchema + `", "` + enterprise + `"], "id": "1"`
		most = `, "externalId": "e", "title": "Dr", "name": {"givenName": "Bob", "familyName": "Lee"}`
		mail = `, "emails": [{"value": "a@x", "type": "work"}, {"type": "home"}]`
		meta = `, "meta": {"resourceType": "User", "version": "v"}`
		work = `, "` + enterprise + `": {"department": "d", "manager": {"value": "2", "displayName": "Eve"}}`
		all  = `{` + both + most + mail + meta + work + `, "userName": "bob"}`
	)
	for name, tt := range map[string]struct {
		attributes, excluded []string
		want                 string
	}{
		"nothing":               {nil, nil, all},
		"blank names":           {[]string{""}, []string{" "}, all},
		"one":                   {[]string{"userName"}, nil, `{` + core + `, "userName": "bob"}`},
		"in another case":       {[]string{" USERNAME "}, nil, `{` + core + `, "userName": "bob"}`},
		"with the core's URN":   {[]string{scim.UserSchema + ":userName"}, nil, `{` + core + `, "userName": "bob"}`},
		"a sub-attribute":       {[]string{"name.givenname"}, nil, `{` + core + `, "name": {"givenName": "Bob"}}`},
		"one of each element":   {[]string{"emails.value"}, nil, `{` + core + `, "emails": [{"value": "a@x"}]}`},
		"one of no element":     {[]string{"emails.display"}, nil, `{` + core + `}`},
		"an attribute and more": {[]string{"emails.value", "emails"}, nil, `{` + core + mail + `}`},
		"part of meta":          {[]string{"meta.version"}, nil, `{` + core + `, "meta": {"version": "v"}}`},
		"a whole extension":     {[]string{strings.ToUpper(enterprise)}, nil, `{` + both + work + `}`},
		"the whole core": {
			[]string{scim.UserSchema},
			nil,
			`{` + core + most + mail + meta + `, "userName": "bob"}`,
		},
		"an extension's": {
			[]string{enterprise + ":department"},
			nil,
			`{` + both + `, "` + enterprise + `": {"department": "d"}}`,
		},
		"part of an extension's": {
			[]string{enterprise + ":manager.value"},
			nil,
			`{` + both + `, "` + enterprise + `": {"manager": {"value": "2"}}}`,
		},
		"what is never shown": {
			[]string{"password", enterprise + ":verifyMobile", scim.WSO2Schema}, nil, `{` + core + `}`,
		},
		"unknown names":            {[]string{"nose", "name.nose", "urn:x:y", "[", `emails[type eq "work"]`}, nil, `{` + core + `}`},
		"without unknown names":    {nil, []string{"nose", "name.nose", "department"}, all},
		"without what always is":   {nil, []string{"id", "schemas"}, all},
		"without some":             {nil, []string{"emails", "META", "userName"}, `{` + both + most + work + `}`},
		"without the whole core":   {nil, []string{scim.UserSchema}, `{` + both + work + `}`},
		"without an extension":     {nil, []string{enterprise}, `{` + core + most + mail + meta + `, "userName": "bob"}`},
		"without all it has of it": {nil, []string{enterprise + ":manager", enterprise + ":department"}, `{` + core + most + mail + meta + `, "userName": "bob"}`},
		"without sub-attributes": {
			nil,
			[]string{"emails.type", "name.familyName", "externalId", "title", "meta.version", "meta.resourceType", "userName", enterprise},
			`{` + core + `, "name": {"givenName": "Bob"}, "emails": [{"value": "a@x"}]}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			document, before := object(t, whole), object(t, whole)
			p, err := users.Projection(tt.attributes, tt.excluded)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(object(t, tt.want), p.Apply(document)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(before, document); diff != "" {
				t.Errorf("the document was changed (-before +after):\n%s", diff)
			}
			if tt.attributes == nil && tt.excluded == nil {
				if diff := cmp.Diff(object(t, tt.want), (scim.Projection{}).Apply(document)); diff != "" {
					t.Errorf("the zero value (-want +got):\n%s", diff)
				}
			}
		})
	}
}

func TestAttributesAndExcludedAttributesExcludeEachOther(t *testing.T) {
	if _, err := users.Projection([]string{"nose"}, []string{"id"}); kind(err) != scim.InvalidValue {
		t.Errorf("got %v", err)
	}
}

func TestAProjectionKeepsToWhenAttributesAreReturned(t *testing.T) {
	resource := scim.Resource{Core: scim.Schema{ID: "urn:c", Attributes: []scim.Attribute{
		{Name: "tag", Returned: scim.ReturnedAlways},
		{Name: "photo", Returned: scim.ReturnedRequest},
		{Name: "secret", Type: scim.Complex, Returned: scim.ReturnedNever, Sub: []scim.Attribute{{Name: "a", Returned: scim.ReturnedAlways}}},
		{Name: "o", Type: scim.Complex, Sub: []scim.Attribute{
			{Name: "a", Returned: scim.ReturnedAlways},
			{Name: "d"},
			{Name: "n", Returned: scim.ReturnedNever},
			{Name: "r", Returned: scim.ReturnedRequest},
		}},
	}}}
	document := object(t, `{"tag": 1, "photo": 2, "secret": {"a": 3}, "o": {"a": 4, "d": 5, "n": 6, "r": 7, "x": 8},
		"SECRET": {"a": 9}, "other": {"a": []}}`)
	for name, tt := range map[string]struct {
		attributes, excluded []string
		want                 string
	}{
		"by default":               {nil, nil, `{"tag": 1, "o": {"a": 4, "d": 5, "x": 8}, "other": {"a": []}}`},
		"the attribute":            {[]string{"o"}, nil, `{"tag": 1, "o": {"a": 4, "d": 5, "x": 8}}`},
		"what is shown on request": {[]string{"photo", "o.r"}, nil, `{"tag": 1, "photo": 2, "o": {"a": 4, "r": 7}}`},
		"a URN requests nothing":   {[]string{"urn:c"}, nil, `{"tag": 1, "o": {"a": 4, "d": 5, "x": 8}}`},
		"what is never shown":      {[]string{"secret", "secret.a", "o.n"}, nil, `{"tag": 1, "o": {"a": 4}}`},
		"without what always is":   {nil, []string{"tag", "o.a", "photo"}, `{"tag": 1, "o": {"a": 4, "d": 5, "x": 8}, "other": {"a": []}}`},
		"without the attribute":    {nil, []string{"o"}, `{"tag": 1, "other": {"a": []}}`},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := resource.Projection(tt.attributes, tt.excluded)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(object(t, tt.want), p.Apply(document)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestAProjectionIsCarefulWithWhatNoSchemaHas(t *testing.T) {
	document := object(t, `{"id": "1", "PASSWORD": "secret", "emails": ["a@x"],
		"`+enterprise+`": {"VERIFYMOBILE": true, "nose": 1}, "`+scim.WSO2Schema+`": "secret"}`)
	for name, tt := range map[string]struct {
		attributes, excluded []string
		want                 string
	}{
		"a secret in another case":    {nil, []string{scim.WSO2Schema, "emails"}, `{"id": "1", "` + enterprise + `": {"nose": 1}}`},
		"an element of another shape": {[]string{"emails.value"}, nil, `{"id": "1"}`},
		"a member of an extension":    {nil, []string{enterprise, scim.WSO2Schema}, `{"id": "1", "emails": ["a@x"]}`},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := users.Projection(tt.attributes, tt.excluded)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(object(t, tt.want), p.Apply(document)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// within reports whether a value is what another has, or less of it.
func within(part, of any) bool {
	switch part := part.(type) {
	case map[string]any:
		of, ok := of.(map[string]any)
		for name, value := range part {
			other, there := of[name]
			ok = ok && there && within(value, other)
		}
		return ok
	case []any:
		of, _ := of.([]any)
		for _, element := range part {
			at := slices.IndexFunc(of, func(other any) bool { return within(element, other) })
			if at < 0 {
				return false
			}
			of = of[at+1:]
		}
		return true
	default:
		return part == of
	}
}

func TestAProjectionInventsNothingAndShowsNoSecret(t *testing.T) {
	paths := []string{
		"userName", "password", "name", "name.givenName", "emails", "emails.value", "emails.type", "meta", "meta.version", "id",
		"externalId", "schemas", "nose", scim.UserSchema, scim.UserSchema + ":title", scim.UserSchema + ":password",
		enterprise, enterprise + ":department", enterprise + ":manager.value", enterprise + ":verifyMobile", scim.WSO2Schema,
		scim.WSO2Schema + ":pendingMobileNumber", scim.WSO2Schema + ":verifyMobile",
	}
	original := object(t, whole)
	rapid.Check(t, func(t *rapid.T) {
		document := scim.CloneObject(original)
		document["nose"] = []any{"long", json.Number("1")}
		for _, name := range []string{"name", "emails", "meta", "title", "externalId", "nose", enterprise, scim.WSO2Schema} {
			if rapid.Bool().Draw(t, name) {
				delete(document, name)
			}
		}
		named := rapid.SliceOf(rapid.SampledFrom(paths)).Draw(t, "named")
		for i := range named {
			if rapid.Bool().Draw(t, "upper") {
				named[i] = strings.ToUpper(named[i])
			}
		}
		var shown [2]map[string]any
		for i, named := range [2][2][]string{{named, nil}, {nil, named}} {
			p, err := users.Projection(named[0], named[1])
			if err != nil {
				t.Fatal(err)
			}
			shown[i] = p.Apply(document)
			text, _ := json.Marshal(shown[i])
			if strings.Contains(string(text), "secret") || strings.Contains(string(text), "verifyMobile") {
				t.Errorf("a secret is shown: %s", text)
			}
			if !within(shown[i], document) || shown[i]["id"] == nil || shown[i]["schemas"] == nil {
				t.Errorf("not a part of the document, with what is always shown: %s", text)
			}
			if diff := cmp.Diff(shown[i], p.Apply(shown[i])); diff != "" {
				t.Errorf("the second time (-first +second):\n%s", diff)
			}
		}
		for _, name := range []string{"userName", "title", "externalId"} {
			_, only := shown[0][name]
			_, without := shown[1][name]
			if _, has := document[name]; len(named) > 0 && has && only == without {
				t.Errorf("%s: attributes shows it %v, excludedAttributes %v", name, only, without)
			}
		}
	})
}
