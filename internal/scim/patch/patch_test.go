package patch_test

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/holdline/holdline/internal/scim"
	"github.com/holdline/holdline/internal/scim/patch"
)

var users = scim.User(scim.Enterprise(), scim.WSO2())

const (
	enterprise = scim.EnterpriseSchema
	bob        = `{
		"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", "` + enterprise + `"],
		"id": "1", "meta": {"resourceType": "User"}, "userName": "bob", "active": true, "title": "Clerk",
		"name": {"givenName": "Bob", "familyName": "Marsh"},
		"emails": [
			{"type": "work", "value": "bob@work", "primary": true},
			{"type": "home", "value": "bob@home"}
		],
		"phoneNumbers": [{"type": "mobile", "value": "+15005550001"}, {"type": "work", "value": "+15005550002"}],
		"` + enterprise + `": {"department": "Eng", "pendingMobileNumber": "+15005550009"}
	}`
)

func object(tb testing.TB, text string) map[string]any {
	tb.Helper()
	value, err := scim.ReadJSON([]byte(text), 1<<20)
	if err != nil {
		tb.Fatalf("%v in %s", err, text)
	}
	return value
}

// send applies a PATCH's body to a document as a server would.
func send(tb testing.TB, document map[string]any, body string, mode scim.Mode) (patch.Result, error) {
	tb.Helper()
	options := patch.Options{Mode: mode}
	request, err := patch.Read(object(tb, body), options)
	if err != nil {
		return patch.Result{}, err
	}
	return patch.Apply(users, document, request, options)
}

// operations is the body with these operations.
func operations(list string) string {
	return `{"schemas": ["` + scim.PatchOpSchema + `"], "Operations": [` + list + `]}`
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

// change is a table's row: what the operations make of bob, as the members that
// differ; null for one that is gone.
type change struct {
	operations string
	want       string
}

func (c change) run(t *testing.T, mode scim.Mode) {
	t.Helper()
	before := object(t, bob)
	want := object(t, bob)
	for name, value := range object(t, c.want) {
		want[name] = value
		if value == nil {
			delete(want, name)
		}
	}
	got, err := send(t, before, operations(c.operations), mode)
	if err != nil {
		t.Fatal(err)
	}
	want["schemas"] = users.Schemas(want)
	if diff := cmp.Diff(want, got.Document); diff != "" {
		t.Errorf("document (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(object(t, bob), before); diff != "" {
		t.Errorf("the input was changed:\n%s", diff)
	}
	if _, err := json.Marshal(got.Document); err != nil {
		t.Error(err)
	}
}

func TestOperationsDoWhatTheRFCSays(t *testing.T) {
	emails := func(list string) string { return `{"emails": [` + list + `]}` }
	work, home := `{"type": "work", "value": "bob@work", "primary": true}`, `{"type": "home", "value": "bob@home"}`
	for name, c := range map[string]change{
		"add sets a simple attribute":      {`{"op": "add", "path": "nickName", "value": "Bobby"}`, `{"nickName": "Bobby"}`},
		"add replaces a simple attribute":  {`{"op": "add", "path": "title", "value": "Boss"}`, `{"title": "Boss"}`},
		"add of the same changes nothing":  {`{"op": "add", "path": "title", "value": "Clerk"}`, `{}`},
		"add merges a complex attribute":   {`{"op": "add", "path": "name", "value": {"middleName": "J"}}`, `{"name": {"givenName": "Bob", "familyName": "Marsh", "middleName": "J"}}`},
		"add appends to a list":            {`{"op": "add", "path": "emails", "value": [{"type": "other", "value": "b@o"}]}`, emails(work + "," + home + `,{"type": "other", "value": "b@o"}`)},
		"add appends a single value":       {`{"op": "add", "path": "emails", "value": {"type": "other", "value": "b@o"}}`, emails(work + "," + home + `,{"type": "other", "value": "b@o"}`)},
		"add of an equal element is void":  {`{"op": "add", "path": "emails", "value": [` + home + `]}`, `{}`},
		"add to what a filter chooses":     {`{"op": "add", "path": "emails[type eq \"home\"]", "value": {"display": "H"}}`, emails(work + `,{"type": "home", "value": "bob@home", "display": "H"}`)},
		"add without a path merges":        {`{"op": "add", "value": {"nickName": "B", "emails": [{"value": "b@x"}], "name": {"givenName": "R"}}}`, `{"nickName": "B", "name": {"givenName": "R", "familyName": "Marsh"}, "emails": [` + work + "," + home + `,{"value": "b@x"}]}`},
		"a new primary ends the old one":   {`{"op": "add", "path": "emails", "value": [{"value": "b@x", "primary": true}]}`, emails(`{"type": "work", "value": "bob@work", "primary": false},` + home + `,{"value": "b@x", "primary": true}`)},
		"replace sets a simple attribute":  {`{"op": "replace", "path": "title", "value": "Boss"}`, `{"title": "Boss"}`},
		"replace adds what is not there":   {`{"op": "replace", "path": "nickName", "value": "B"}`, `{"nickName": "B"}`},
		"replace keeps other members":      {`{"op": "replace", "path": "name", "value": {"familyName": "Reed"}}`, `{"name": {"givenName": "Bob", "familyName": "Reed"}}`},
		"replace of a list replaces all":   {`{"op": "replace", "path": "emails", "value": [{"value": "new@x"}]}`, emails(`{"value": "new@x"}`)},
		"replace without a path, a list":   {`{"op": "replace", "value": {"emails": [{"value": "new@x"}]}}`, emails(`{"value": "new@x"}`)},
		"replace of chosen elements":       {`{"op": "replace", "path": "emails[type eq \"home\"]", "value": {"type": "other", "value": "o@x"}}`, emails(work + `,{"type": "other", "value": "o@x"}`)},
		"replace of a chosen value":        {`{"op": "replace", "path": "emails[type eq \"home\"].value", "value": "h@x"}`, emails(work + `,{"type": "home", "value": "h@x"}`)},
		"replace makes another primary":    {`{"op": "replace", "path": "emails[type eq \"home\"].primary", "value": true}`, emails(`{"type": "work", "value": "bob@work", "primary": false}, {"type": "home", "value": "bob@home", "primary": true}`)},
		"replace with null removes":        {`{"op": "replace", "path": "title", "value": null}`, `{"title": null}`},
		"replace with an empty list":       {`{"op": "replace", "path": "emails", "value": []}`, `{"emails": null}`},
		"remove of a simple attribute":     {`{"op": "remove", "path": "title"}`, `{"title": null}`},
		"remove of what is not there":      {`{"op": "remove", "path": "nickName"}`, `{}`},
		"remove of a sub-attribute":        {`{"op": "remove", "path": "name.givenName"}`, `{"name": {"familyName": "Marsh"}}`},
		"remove of the last sub-attribute": {`{"op": "remove", "path": "name.givenName"}, {"op": "remove", "path": "name.familyName"}`, `{"name": null}`},
		"remove of a list":                 {`{"op": "remove", "path": "emails"}`, `{"emails": null}`},
		"remove of chosen elements":        {`{"op": "remove", "path": "emails[type eq \"work\" and value ew \"work\"]"}`, emails(home)},
		"remove of the last element":       {`{"op": "remove", "path": "emails[type pr]"}`, `{"emails": null}`},
		"remove of a chosen sub-attribute": {`{"op": "remove", "path": "emails[type eq \"work\"].primary"}`, emails(`{"type": "work", "value": "bob@work"},` + home)},
		"a URN before the attribute":       {`{"op": "replace", "path": "` + enterprise + `:department", "value": "Ops"}`, `{"` + enterprise + `": {"department": "Ops", "pendingMobileNumber": "+15005550009"}}`},
		"the core's URN":                   {`{"op": "replace", "path": "urn:ietf:params:scim:schemas:core:2.0:User:name.givenName", "value": "R"}`, `{"name": {"givenName": "R", "familyName": "Marsh"}}`},
		"an extension's whole URN":         {`{"op": "add", "path": "` + enterprise + `", "value": {"costCenter": "7"}}`, `{"` + enterprise + `": {"department": "Eng", "costCenter": "7", "pendingMobileNumber": "+15005550009"}}`},
		"remove leaves the server's own":   {`{"op": "remove", "path": "` + enterprise + `"}`, `{"` + enterprise + `": {"pendingMobileNumber": "+15005550009"}}`},
		"brackets within strings":          {`{"op": "replace", "path": "emails[type eq \"home\" and value ne \"a]\\\"b\"].display", "value": "H"}`, emails(work + `,{"type": "home", "value": "bob@home", "display": "H"}`)},
		"later operations see earlier":     {`{"op": "add", "path": "emails", "value": [{"type": "new", "value": "n"}]}, {"op": "replace", "path": "emails[type eq \"new\"].value", "value": "m"}`, emails(work + "," + home + `,{"type": "new", "value": "m"}`)},
		"the server's own is left alone":   {`{"op": "replace", "value": {"id": "2", "groups": [], "meta": {}, "title": "Boss"}}`, `{"title": "Boss"}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Run("strict", func(t *testing.T) { c.run(t, scim.Strict) })
			t.Run("lenient", func(t *testing.T) { c.run(t, scim.Lenient) })
		})
	}
}

func TestRefusedRequests(t *testing.T) {
	always := func(k any) [2]any { return [2]any{k, k} }
	strictly := func(k any) [2]any { return [2]any{nil, k} }
	for name, tt := range map[string]struct {
		operations string
		want       [2]any // lenient, strict
	}{
		"no operations":                   {``, always(scim.InvalidSyntax)},
		"an operation that is a string":   {`"add"`, always(scim.InvalidSyntax)},
		"an unknown op":                   {`{"op": "move", "path": "title"}`, always(scim.InvalidSyntax)},
		"no op":                           {`{"path": "title", "value": "x"}`, always(scim.InvalidSyntax)},
		"op twice":                        {`{"op": "add", "OP": "remove", "path": "title", "value": "x"}`, always(scim.InvalidSyntax)},
		"add without a value":             {`{"op": "add", "path": "title"}`, always(scim.InvalidValue)},
		"a path that is a number":         {`{"op": "add", "path": 1, "value": "x"}`, always(scim.InvalidPath)},
		"a blank path":                    {`{"op": "add", "path": "", "value": {"title": "x"}}`, strictly(scim.InvalidPath)},
		"remove without a path":           {`{"op": "remove"}`, always(scim.NoTarget)},
		"remove of the core":              {`{"op": "remove", "path": "` + scim.UserSchema + `"}`, always(scim.NoTarget)},
		"a value without a path":          {`{"op": "add", "value": "x"}`, always(scim.InvalidValue)},
		"an open bracket":                 {`{"op": "replace", "path": "emails[type eq", "value": "x"}`, always(scim.InvalidPath)},
		"a bad filter":                    {`{"op": "replace", "path": "emails[type zz \"x\"].value", "value": "x"}`, always(scim.InvalidFilter)},
		"a filter on one value":           {`{"op": "replace", "path": "name[givenName eq \"Bob\"]", "value": {}}`, always(scim.InvalidPath)},
		"an unknown attribute as path":    {`{"op": "replace", "path": "shoeSize", "value": "x"}`, always(scim.InvalidPath)},
		"an unknown sub-attribute":        {`{"op": "replace", "path": "name.shoe", "value": "x"}`, always(scim.InvalidPath)},
		"an unknown schema":               {`{"op": "replace", "path": "urn:x:y:User:a", "value": "x"}`, always(scim.InvalidPath)},
		"an unknown attribute as member":  {`{"op": "replace", "value": {"shoeSize": 1}}`, strictly(scim.InvalidValue)},
		"an unknown member of a value":    {`{"op": "replace", "path": "name", "value": {"shoe": "x"}}`, strictly(scim.InvalidValue)},
		"a path as member":                {`{"op": "replace", "value": {"name.givenName": "R"}}`, strictly(scim.InvalidValue)},
		"a member twice":                  {`{"op": "replace", "value": {"title": "a", "TITLE": "b"}}`, always(scim.InvalidSyntax)},
		"the id":                          {`{"op": "replace", "path": "id", "value": "2"}`, always(scim.Mutable)},
		"removal of the id":               {`{"op": "remove", "path": "ID"}`, always(scim.Mutable)},
		"a read-only attribute":           {`{"op": "replace", "path": "` + enterprise + `:pendingMobileNumber", "value": "+1"}`, always(scim.Mutable)},
		"a read-only sub-attribute":       {`{"op": "add", "path": "` + enterprise + `:manager.displayName", "value": "x"}`, always(scim.Mutable)},
		"removal of a required attribute": {`{"op": "remove", "path": "userName"}`, always(scim.Mutable)},
		"null for a required attribute":   {`{"op": "replace", "value": {"userName": null}}`, always(scim.Mutable)},
		"a blank required attribute":      {`{"op": "replace", "path": "userName", "value": ""}`, always(scim.InvalidValue)},
		"a wrong type":                    {`{"op": "replace", "path": "title", "value": 7}`, always(scim.InvalidValue)},
		"a string that is no boolean":     {`{"op": "replace", "path": "active", "value": "maybe"}`, always(scim.InvalidValue)},
		"a boolean as a string":           {`{"op": "replace", "path": "active", "value": "False"}`, strictly(scim.InvalidValue)},
		"a filter's text without quotes":  {`{"op": "replace", "path": "emails[type eq work].value", "value": "x"}`, strictly(scim.InvalidFilter)},
		"a string for a complex":          {`{"op": "add", "path": "` + enterprise + `:manager", "value": "m"}`, strictly(scim.InvalidValue)},
		"a filter that chooses nothing":   {`{"op": "replace", "path": "emails[type eq \"x\"].value", "value": "x"}`, strictly(scim.NoTarget)},
		"remove with such a filter":       {`{"op": "remove", "path": "emails[type eq \"x\"]"}`, strictly(scim.NoTarget)},
		"a filter that says not how":      {`{"op": "replace", "path": "emails[type ne \"work\" and type ne \"home\"].value", "value": "x"}`, always(scim.NoTarget)},
		"a filter on no sub-attribute":    {`{"op": "add", "path": "emails[shoe eq \"x\"].value", "value": "x"}`, always(scim.NoTarget)},
		"several for one":                 {`{"op": "replace", "path": "emails[type eq \"home\"]", "value": [{"value": "a"}, {"value": "b"}]}`, always(scim.InvalidValue)},
		"two primary values":              {`{"op": "replace", "path": "emails", "value": [{"value": "a", "primary": true}, {"value": "b", "primary": true}]}`, strictly(scim.InvalidValue)},
		"remove with a value":             {`{"op": "remove", "path": "emails", "value": [{"value": "bob@home"}]}`, strictly(scim.InvalidValue)},
	} {
		t.Run(name, func(t *testing.T) {
			for i, mode := range []scim.Mode{scim.Lenient, scim.Strict} {
				first := `{"op": "replace", "path": "title", "value": "changed"}, `
				if tt.operations == "" {
					first = ""
				}
				before := object(t, bob)
				_, err := send(t, before, operations(first+tt.operations), mode)
				if got, want := kind(err), tt.want[i]; got != want {
					t.Errorf("strict %t: got %v (%v), want %v", mode, got, err, want)
				}
				if diff := cmp.Diff(object(t, bob), before); diff != "" {
					t.Errorf("the input was changed:\n%s", diff)
				}
			}
		})
	}
}

func TestSchemasOfARequestMatterInStrictMode(t *testing.T) {
	for body, want := range map[string]any{
		`{"schemas": [], "Operations": [{"op": "remove", "path": "title"}]}`:        scim.InvalidSyntax,
		`{"Operations": [{"op": "remove", "path": "title"}]}`:                       scim.InvalidSyntax,
		operations(`{"op": "remove", "path": "title"}`):                             nil,
		`{"schemas": "x", "operations": [{"op": "remove", "path": "title"}]}`:       scim.InvalidSyntax,
		`{"schemas": ["urn:x"], "Operations": [{"op": "remove", "path": "title"}]}`: scim.InvalidSyntax,
	} {
		_, err := send(t, object(t, bob), body, scim.Strict)
		if got := kind(err); got != want {
			t.Errorf("strict, %s: got %v, want %v", body, got, want)
		}
		if _, err := send(t, object(t, bob), body, scim.Lenient); err != nil {
			t.Errorf("lenient, %s: %v", body, err)
		}
	}
}

func TestAnImmutableAttributeIsSetOnce(t *testing.T) {
	device := scim.Resource{Core: scim.Schema{ID: "urn:x:Device", Attributes: []scim.Attribute{
		{Name: "serial", Type: scim.String, Mutability: scim.Immutable},
		{Name: "owners", Type: scim.Complex, MultiValued: true, Sub: []scim.Attribute{
			{Name: "value", Type: scim.String, Mutability: scim.Immutable}, {Name: "display", Type: scim.String},
		}},
		{Name: "tags", Type: scim.String, MultiValued: true},
	}}}
	for name, tt := range map[string]struct {
		operation patch.Operation
		want      any
	}{
		"set":            {patch.Operation{Op: patch.Add, Path: "serial", Value: "1"}, nil},
		"the same again": {patch.Operation{Op: patch.Replace, Path: "serial", Value: "0"}, nil},
		"another":        {patch.Operation{Op: patch.Replace, Path: "serial", Value: "1"}, scim.Mutable},
		"removed":        {patch.Operation{Op: patch.Remove, Path: "serial"}, scim.Mutable},
		"within a value": {patch.Operation{Op: patch.Add, Value: map[string]any{"serial": "1"}}, scim.Mutable},
		"in an element":  {patch.Operation{Op: patch.Replace, Path: `owners[value eq "a"].value`, Value: "b"}, scim.Mutable},
		"beside it":      {patch.Operation{Op: patch.Replace, Path: `owners[value eq "a"].display`, Value: "b"}, nil},
		"another verb":   {patch.Operation{Op: "move", Path: `serial`}, scim.InvalidSyntax},
	} {
		document := map[string]any{"serial": "0", "owners": []any{map[string]any{"value": "a"}}}
		if name == "set" {
			delete(document, "serial")
		}
		_, err := patch.Apply(device, document, patch.Request{Operations: []patch.Operation{tt.operation}}, patch.Options{})
		if got := kind(err); got != tt.want {
			t.Errorf("%s: got %v, want %v", name, got, tt.want)
		}
	}
	tags := func(op patch.Op, path string, value any) patch.Operation {
		return patch.Operation{Op: op, Path: path, Value: value}
	}
	request := patch.Request{Operations: []patch.Operation{
		tags(patch.Add, "tags", []any{"a", "b", "a"}), tags(patch.Add, "tags", "c"), tags(patch.Remove, "tags", []any{"b"}),
	}}
	got, err := patch.Apply(device, map[string]any{}, request, patch.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]any{"a", "c"}, got.Document["tags"]); diff != "" {
		t.Error(diff)
	}
}

func TestWhatIsTooLargeIsRefused(t *testing.T) {
	limits := patch.Limits{Operations: 2, Elements: 3, Bytes: 2000}
	one := `{"op": "add", "path": "title", "value": "x"}`
	for name, tt := range map[string]struct {
		operations string
		want       any
	}{
		"two operations":   {one + "," + one, nil},
		"three operations": {one + "," + one + "," + one, 413},
		"three elements":   {`{"op": "add", "path": "emails", "value": [{"value": "a"}]}`, nil},
		"four elements":    {`{"op": "add", "path": "emails", "value": [{"value": "a"}, {"value": "b"}]}`, 413},
		"a large document": {`{"op": "add", "path": "title", "value": "` + long(2000) + `"}`, 413},
		"growth undone":    {`{"op": "add", "path": "title", "value": "` + long(2000) + `"}, {"op": "remove", "path": "title"}`, 413},
	} {
		options := patch.Options{Limits: limits}
		request, err := patch.Read(object(t, operations(tt.operations)), options)
		if err == nil {
			_, err = patch.Apply(users, object(t, bob), request, options)
		}
		if got := kind(err); got != tt.want {
			t.Errorf("%s: got %v, want %v", name, got, tt.want)
		}
	}
	three := patch.Request{Operations: make([]patch.Operation, 3)}
	if _, err := patch.Apply(users, object(t, bob), three, patch.Options{Limits: limits}); kind(err) != 413 {
		t.Errorf("three operations without a body: got %v", err)
	}
	if _, err := patch.Apply(users, object(t, bob), patch.Request{}, patch.Options{}); kind(err) != scim.InvalidSyntax {
		t.Errorf("no operations without a body: got %v", err)
	}
}

func long(n int) string {
	text := make([]byte, n)
	for i := range text {
		text[i] = 'x'
	}
	return string(text)
}

func TestAnErrorNamesItsOperation(t *testing.T) {
	_, err := send(t, object(t, bob), operations(`{"op": "remove", "path": "title"}, {"op": "add", "path": "active", "value": "secret"}`), scim.Lenient)
	if got, want := err.Error(), "scim: operation 2: active must be true or false"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestElementsThatMeanTheSameBecomeOne(t *testing.T) {
	element := func(value, kind, display string) map[string]any {
		return map[string]any{"value": value, "type": kind, "display": display}
	}
	document := map[string]any{"userName": "bob", "emails": []any{
		element("a", "x", "first"), element("b", "x", "second"), element("c", "x", "third"),
	}}
	for name, tt := range map[string]struct {
		operation patch.Operation
		want      []any
	}{
		"an earlier one meets a later": {
			patch.Operation{Op: patch.Replace, Path: `emails[value eq "a"].value`, Value: "b"},
			[]any{element("b", "x", "first"), element("c", "x", "third")},
		},
		"a later one meets an earlier": {
			patch.Operation{Op: patch.Replace, Path: `emails[value eq "c"].value`, Value: "b"},
			[]any{element("a", "x", "first"), element("b", "x", "third")},
		},
		"what is added meets another": {
			patch.Operation{Op: patch.Add, Path: "emails", Value: map[string]any{"value": "a", "type": "x", "primary": true}},
			[]any{
				map[string]any{"value": "a", "type": "x", "display": "first", "primary": true},
				element("b", "x", "second"), element("c", "x", "third"),
			},
		},
		"all become one": {
			patch.Operation{Op: patch.Replace, Path: `emails[type eq "x"]`, Value: element("d", "y", "")},
			[]any{element("d", "y", "")},
		},
	} {
		got, err := patch.Apply(users, document, patch.Request{Operations: []patch.Operation{tt.operation}}, patch.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tt.want, got.Document["emails"]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		held := 0
		for _, touch := range got.Touched {
			if touch.Before != nil {
				held++
			}
			if touch.After != nil {
				touch.After["display"] = "changed"
			}
		}
		if diff := cmp.Diff(tt.want, got.Document["emails"]); diff != "" {
			t.Errorf("%s: what was touched is shared with the document:\n%s", name, diff)
		}
		if gone := 3 - len(tt.want); held <= gone {
			t.Errorf("%s: %d elements were touched, of which %d are gone", name, held, gone)
		}
	}
	document["emails"].([]any)[0].(map[string]any)["primary"] = true
	document["emails"].([]any)[1].(map[string]any)["primary"] = true
	request := patch.Request{Operations: []patch.Operation{{Op: patch.Add, Path: "emails.value", Value: "d"}}}
	if _, err := patch.Apply(users, document, request, patch.Options{}); kind(err) != scim.NoTarget {
		t.Errorf("two are primary: got %v", err)
	}
}
