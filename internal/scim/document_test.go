package scim_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/holdline/holdline/internal/scim"
)

const enterprise = scim.EnterpriseSchema

var users = scim.User(scim.Enterprise(), scim.WSO2())

func object(tb testing.TB, text string) map[string]any {
	tb.Helper()
	value, err := scim.ReadJSON([]byte(text), 1<<20)
	if err != nil {
		tb.Fatalf("%v in %s", err, text)
	}
	return value
}

const foreign = "an error of no kind"

// kind is an error's keyword, or its status where it has none.
func kind(err error) any {
	var fault *scim.Error
	switch {
	case err == nil:
		return nil
	case !errors.As(err, &fault):
		return foreign
	case fault.ScimType == "":
		return fault.Status
	}
	return fault.ScimType
}

func TestABodyIsOneJSONObject(t *testing.T) {
	for name, tt := range map[string]struct {
		body string
		want any
	}{
		"an object":              {`{"a": [1, {"b": null}], "c": {}}`, nil},
		"nothing":                {``, scim.InvalidSyntax},
		"a list":                 {`[]`, scim.InvalidSyntax},
		"null":                   {`null`, scim.InvalidSyntax},
		"two objects":            {`{} {}`, scim.InvalidSyntax},
		"half an object":         {`{"a": 1`, scim.InvalidSyntax},
		"a member twice":         {`{"a": 1, "a": 1}`, scim.InvalidSyntax},
		"a member twice, deeper": {`{"a": [{"b": 1, "\u0062": 2}]}`, scim.InvalidSyntax},
		"bytes of no text":       {"{\"a\": \"\xff\"}", scim.InvalidSyntax},
		"a byte order mark":      {"\ufeff{}", scim.InvalidSyntax},
		"deep nesting":           {`{"a": ` + strings.Repeat("[", 31) + strings.Repeat("]", 31) + `}`, nil},
		"deeper nesting":         {`{"a": ` + strings.Repeat("[", 32) + strings.Repeat("]", 32) + `}`, scim.InvalidSyntax},
		"objects, deeper":        {strings.Repeat(`{"a":`, 33) + "1" + strings.Repeat("}", 33), scim.InvalidSyntax},
		"two hundred bytes":      {`{"a": "` + strings.Repeat("x", 191) + `"}`, nil},
		"one byte more":          {`{"a": "` + strings.Repeat("x", 192) + `"}`, 413},
	} {
		if _, err := scim.ReadJSON([]byte(tt.body), 200); kind(err) != tt.want {
			t.Errorf("%s: got %v, want %v", name, err, tt.want)
		}
	}
	got := object(t, `{"n": 12345678901234567890}`)
	if text := fmt.Sprint(got["n"]); text != "12345678901234567890" {
		t.Errorf("got %s", text)
	}
}

func TestAResourceIsReadIntoItsCanonicalForm(t *testing.T) {
	const core = scim.UserSchema
	for name, tt := range map[string]struct {
		input, want string // without schemas, with userName bob in both
	}{
		"names in any case":            {`"DISPLAYNAME": "B", "Name": {"GIVENNAME": "Bob"}`, `"displayName": "B", "name": {"givenName": "Bob"}`},
		"an extension's URN in any":    {`"` + strings.ToUpper(enterprise) + `": {"Department": "Eng"}`, `"` + enterprise + `": {"department": "Eng"}`},
		"the core's URN":               {`"` + core + `": {"title": "x"}`, `"title": "x"`},
		"what has no value":            {`"title": null, "emails": [], "name": {}, "phoneNumbers": [null, {"value": null}], "` + enterprise + `": {"manager": {}}`, ``},
		"an extension of no value":     {`"` + enterprise + `": null`, ``},
		"the server's own":             {`"id": 7, "meta": "x", "groups": [{"value": "g"}], "` + enterprise + `": {"pendingMobileNumber": 1, "manager": {"value": "m", "displayName": "M"}}`, `"` + enterprise + `": {"manager": {"value": "m"}}`},
		"an empty string is a value":   {`"title": ""`, `"title": ""`},
		"unknown attributes":           {`"shoe": 1, "name": {"shoe": 1, "givenName": "Bob"}, "` + enterprise + `": {"shoe": 1}`, `"name": {"givenName": "Bob"}`},
		"unknown schemas":              {`"urn:x:y": {"a": 1}`, ``},
		"booleans as strings":          {`"active": "FALSE", "emails": [{"value": "a", "primary": "True"}]`, `"active": false, "emails": [{"value": "a", "primary": true}]`},
		"a manager as a string":        {`"` + enterprise + `": {"manager": "m"}`, `"` + enterprise + `": {"manager": {"value": "m"}}`},
		"a manager who is blank":       {`"` + enterprise + `": {"manager": " "}, "emails": [""], "name": ""`, ``},
		"a manager in a list":          {`"` + enterprise + `": {"manager": [{"value": "m"}]}`, `"` + enterprise + `": {"manager": {"value": "m"}}`},
		"a single value in a list":     {`"title": ["x"], "nickName": []`, `"title": "x"`},
		"an object instead of a list":  {`"emails": {"value": "a"}`, `"emails": [{"value": "a"}]`},
		"strings as elements":          {`"emails": ["a", {"value": "b"}], "roles": "admin"`, `"emails": [{"value": "a"}, {"value": "b"}], "roles": [{"value": "admin"}]`},
		"the first primary is":         {`"emails": [{"value": "a"}, {"value": "b", "primary": true}, {"value": "c", "primary": true}]`, `"emails": [{"value": "a"}, {"value": "b", "primary": true}, {"value": "c", "primary": false}]`},
		"a reference in an address":    {`"photos": [{"value": "http://x/p.png", "type": "photo"}]`, `"photos": [{"value": "http://x/p.png", "type": "photo"}]`},
		"certificates in base64":       {`"x509Certificates": [{"value": "AA=="}, {"value": "_-8"}]`, `"x509Certificates": [{"value": "AA=="}, {"value": "_-8"}]`},
		"verifyMobile as a string":     {`"` + enterprise + `": {"verifyMobile": "TRUE"}`, `"` + enterprise + `": {"verifyMobile": true}`},
		"verifyMobile as another":      {`"` + enterprise + `": {"verifyMobile": "1"}`, `"` + enterprise + `": {"verifyMobile": false}`},
		"verifyMobile as a number":     {`"` + enterprise + `": {"verifyMobile": 1}`, `"` + enterprise + `": {"verifyMobile": false}`},
		"verifyMobile as a list":       {`"` + scim.WSO2Schema + `": {"verifyMobile": [true]}`, `"` + scim.WSO2Schema + `": {"verifyMobile": false}`},
		"verifyMobile as an object":    {`"` + scim.WSO2Schema + `": {"verifyMobile": {"a": true}}`, `"` + scim.WSO2Schema + `": {"verifyMobile": false}`},
		"schemas are no matter":        {`"schemas": "x"`, ``},
		"a password, an external id":   {`"password": "p", "externalId": "e"`, `"password": "p", "externalId": "e"`},
		"what Entra sends to create":   {`"meta": {"resourceType": "User"}, "roles": [], "externalId": "e", "emails": [{"primary": true, "type": "work", "value": "a"}]`, `"externalId": "e", "emails": [{"primary": true, "type": "work", "value": "a"}]`},
		"an unknown extension is none": {`"schemas": ["urn:x"], "urn:x": {"a": {"b": []}}`, ``},
	} {
		t.Run(name, func(t *testing.T) {
			want := object(t, `{"userName": "bob"`+strings.TrimSuffix(", "+tt.want, ", ")+`}`)
			want["schemas"] = users.Schemas(want)
			got, err := users.Read(object(t, `{"USERNAME": "bob", `+tt.input+`}`), scim.Lenient)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			written := object(t, `{"userName": "bob"`+strings.TrimSuffix(", "+tt.want, ", ")+`}`)
			written["schemas"] = want["schemas"]
			again, err := users.Read(written, scim.Strict)
			if err != nil {
				t.Fatalf("the canonical form is not strict: %v", err)
			}
			if diff := cmp.Diff(want, again); diff != "" {
				t.Errorf("the canonical form is read as another (-want +got):\n%s", diff)
			}
		})
	}
}

func TestResourcesThatAreRefused(t *testing.T) {
	both := func(k any) [2]any { return [2]any{k, k} }
	strictly := func(k any) [2]any { return [2]any{nil, k} }
	for name, tt := range map[string]struct {
		members string
		want    [2]any // lenient, strict
		detail  string
	}{
		"nothing wrong":             {`"title": "x"`, both(nil), ""},
		"a number for a string":     {`"title": 1`, both(scim.InvalidValue), "title must be a string"},
		"an object for a string":    {`"title": {}`, both(scim.InvalidValue), "title must be a string"},
		"a wrong sub-attribute":     {`"name": {"givenName": true}`, both(scim.InvalidValue), "name.givenName must be a string"},
		"a wrong extension's":       {`"` + enterprise + `": {"manager": {"value": 1}}`, both(scim.InvalidValue), enterprise + ":manager.value must be a string"},
		"a number for a boolean":    {`"active": 1`, both(scim.InvalidValue), "active must be true or false"},
		"a word for a boolean":      {`"active": "yes"`, both(scim.InvalidValue), "active must be true or false"},
		"a number for a complex":    {`"name": 1`, both(scim.InvalidValue), "name must be an object"},
		"a string for a name":       {`"name": "Bob"`, both(scim.InvalidValue), "name must be an object"},
		"a string for an address":   {`"addresses": ["1 Quay"]`, both(scim.InvalidValue), "addresses must be an object"},
		"a list in a list":          {`"emails": [["a", "b"]]`, both(scim.InvalidValue), "emails must be an object"},
		"two for one":               {`"title": ["a", "b"]`, both(scim.InvalidValue), "title must be a string"},
		"an extension that is none": {`"` + enterprise + `": "x"`, both(scim.InvalidValue), enterprise + " must be an object"},
		"bad base64":                {`"x509Certificates": [{"value": "*"}]`, both(scim.InvalidValue), "x509Certificates.value must be base64"},
		"an attribute twice":        {`"title": "a", "Title": "b"`, both(scim.InvalidSyntax), "title is given twice"},
		"a sub-attribute twice":     {`"name": {"givenName": "a", "GIVENNAME": "b"}`, both(scim.InvalidSyntax), "name.givenName is given twice"},
		"an extension twice":        {`"` + enterprise + `": {"division": "a"}, "` + strings.ToUpper(enterprise) + `": {"division": "b"}`, both(scim.InvalidSyntax), enterprise + " is given twice"},
		"twice, under the URN":      {`"title": "a", "` + scim.UserSchema + `": {"title": "b"}`, both(scim.InvalidSyntax), "title is given twice"},
		"no user name":              {`"userName": null`, both(scim.InvalidValue), "userName is required"},
		"a blank user name":         {`"userName": ""`, both(scim.InvalidValue), "userName is required"},
		"an unknown attribute":      {`"shoe": 1`, strictly(scim.InvalidValue), "an attribute is not known"},
		"an unknown sub-attribute":  {`"name": {"shoe": 1}`, strictly(scim.InvalidValue), "name has a sub-attribute that is not known"},
		"an extension's unknown":    {`"` + enterprise + `": {"shoe": 1}`, strictly(scim.InvalidValue), "an attribute is not known"},
		"an unknown schema":         {`"urn:x:y": {}`, strictly(scim.InvalidSyntax), "a schema is not known"},
		"an unlisted schema":        {`"` + scim.WSO2Schema + `": {"verifyMobile": true}`, strictly(scim.InvalidSyntax), "schemas does not list " + scim.WSO2Schema},
		"schemas that are none":     {`"schemas": 1`, strictly(scim.InvalidSyntax), "schemas must list the resource's schemas"},
		"schemas of another":        {`"schemas": ["urn:x"]`, strictly(scim.InvalidSyntax), "schemas lists one that is not known"},
		"verifyMobile as a string":  {`"` + enterprise + `": {"verifyMobile": "true"}`, strictly(scim.InvalidValue), enterprise + ":verifyMobile must be true or false"},
		"one value for a list":      {`"emails": {"value": "a"}`, strictly(scim.InvalidValue), "emails must be a list"},
		"a string for an element":   {`"emails": ["a"]`, strictly(scim.InvalidValue), "emails must be an object"},
		"a list for one value":      {`"title": ["a"]`, strictly(scim.InvalidValue), "title must be a string"},
		"two primary values":        {`"emails": [{"value": "a", "primary": true}, {"value": "b", "primary": true}]`, strictly(scim.InvalidValue), "emails has two primary values"},
	} {
		t.Run(name, func(t *testing.T) {
			for i, mode := range []scim.Mode{scim.Lenient, scim.Strict} {
				input := object(t, `{"schemas": ["`+scim.UserSchema+`", "`+enterprise+`"], "userName": "bob"}`)
				for name, value := range object(t, `{`+tt.members+`}`) {
					input[name] = value
				}
				_, err := users.Read(input, mode)
				if got, want := kind(err), tt.want[i]; got != want {
					t.Errorf("strict %t: got %v (%v), want %v", mode, got, err, want)
				}
				if err != nil && err.Error() != "scim: "+tt.detail {
					t.Errorf("got %q, want %q", err, tt.detail)
				}
			}
		})
	}
}

func TestNumbersAndTimesAreChecked(t *testing.T) {
	for name, tt := range map[string]struct {
		kind  scim.Type
		value string
		good  bool
	}{
		"a whole number":           {scim.Integer, `12345678901234567890`, true},
		"a fraction":               {scim.Integer, `1.5`, false},
		"a power":                  {scim.Integer, `1e3`, false},
		"a text":                   {scim.Integer, `"1"`, false},
		"a decimal":                {scim.Decimal, `1.5e3`, true},
		"a time in UTC":            {scim.DateTime, `"2026-01-02T03:04:05Z"`, true},
		"a time with a zone":       {scim.DateTime, `"2026-01-02T03:04:05.123+05:30"`, true},
		"a time without a zone":    {scim.DateTime, `"2026-01-02T03:04:05"`, true},
		"a day":                    {scim.DateTime, `"2026-01-02"`, false},
		"a number instead of time": {scim.DateTime, `1`, false},
	} {
		value := object(t, `{"v": `+tt.value+`}`)["v"]
		got, err := scim.Attribute{Name: "a", Type: tt.kind}.Read(value, scim.Strict)
		switch {
		case tt.good && (err != nil || got != value):
			t.Errorf("%s: got %v, %v", name, got, err)
		case !tt.good && kind(err) != scim.InvalidValue:
			t.Errorf("%s: got %v, %v", name, got, err)
		}
	}
}

func TestRequiredIsWhatClientsCanWrite(t *testing.T) {
	required := scim.Attribute{Name: "value", Type: scim.String, Required: true}
	r := scim.Resource{
		Core: scim.Schema{ID: "urn:a", Attributes: []scim.Attribute{
			{Name: "own", Type: scim.String, Required: true, Mutability: scim.ReadOnly},
			{Name: "keys", Type: scim.Complex, MultiValued: true, Sub: []scim.Attribute{required, {Name: "type", Type: scim.String}}},
		}},
		Extensions: []scim.Schema{{ID: "urn:b", Attributes: []scim.Attribute{required, {Name: "type", Type: scim.String}}}},
	}
	for input, want := range map[string]string{
		`{}`: "",
		`{"keys": [{"value": "a", "type": "x"}], "urn:b": {"value": "a"}}`: "",
		`{"keys": [{"value": "a"}, {"type": "x"}]}`:                        "scim: keys.value is required",
		`{"urn:b": {"type": "x"}}`:                                         "scim: urn:b:value is required",
	} {
		_, err := r.Read(object(t, input), scim.Lenient)
		if got := fmt.Sprint(err); got != want && (want != "" || err != nil) {
			t.Errorf("%s: got %s, want %s", input, got, want)
		}
	}
}

// What was read is read again as it is, in both modes; nothing is shared.
func FuzzRead(f *testing.F) {
	for _, seed := range []string{
		`{"userName": "b", "emails": ["a", {"primary": "true"}], "` + enterprise + `": {"manager": "m"}}`,
		`{"userName": "b", "x509Certificates": [{"value": "AA=\n="}], "active": "True", "verifyMobile": 1}`,
		`{"username": "b", "urn:ietf:params:scim:schemas:core:2.0:User": {"title": ["x"]}}`,
	} {
		f.Add([]byte(seed), false)
		f.Add([]byte(seed), true)
	}
	f.Fuzz(func(t *testing.T, body []byte, strict bool) {
		input, err := scim.ReadJSON(body, 1<<16)
		if err == nil {
			input, err = users.Read(input, scim.Mode(strict))
		}
		if err != nil {
			if kind(err) == foreign {
				t.Fatalf("an error of no kind: %v", err)
			}
			return
		}
		for _, mode := range []scim.Mode{scim.Lenient, scim.Strict} {
			again, err := users.Read(input, mode)
			if err != nil {
				t.Fatalf("strict %t: %v", mode, err)
			}
			if diff := cmp.Diff(input, again); diff != "" {
				t.Fatalf("strict %t:\n%s", mode, diff)
			}
		}
	})
}
