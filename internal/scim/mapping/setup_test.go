package mapping_test

import (
	"encoding/json"
	"maps"
	"strings"
	"testing"

	"github.com/holdline/holdline/internal/scim"
	"github.com/holdline/holdline/internal/scim/mapping"
)

const (
	enterprise = scim.EnterpriseSchema
	pendingKey = "pendingMobileNumber"
)

var users = scim.User(scim.Enterprise(), scim.WSO2())

// schemas are common ones, with the name of their mobile trait.
var schemas = map[string]struct{ text, mobile string }{
	"an e-mail address": {`{"email": {"type": "string"}}`, "mobile"},
	"an e-mail address, a name of two parts and a number": {`{
		"email": {"type": "string"}, "mobile": {"type": "string"},
		"name": {"type": "object", "properties": {"first": {"type": "string"}, "last": {"type": "string"}}}
	}`, "mobile"},
	"a user name and a number":          {`{"username": {"type": "string"}, "phone": {"type": "string"}}`, "phone"},
	"a user name and an e-mail address": {`{"username": {"type": "string"}, "email": {"type": "string"}, "mobile": {"type": "string"}}`, "mobile"},
	"a name of one part":                {`{"email": {"type": "string"}, "name": {"type": "string"}, "mobile": {"type": "string"}, "phone": {"type": "string"}}`, "mobile"},
}

func object(tb testing.TB, text string) map[string]any {
	tb.Helper()
	read, err := scim.ReadJSON([]byte(text), 1<<20)
	if err != nil {
		tb.Fatal(err)
	}
	return read
}

// schema is an identity schema with traits.
func schema(tb testing.TB, properties string, required ...string) map[string]any {
	tb.Helper()
	list, err := json.Marshal(append([]string{}, required...))
	if err != nil {
		tb.Fatal(err)
	}
	return object(tb, `{"$id": "https://holdline.test/s.json", "properties": {"traits": {"type": "object",
		"properties": `+properties+`, "required": `+string(list)+`}}}`)
}

func document(tb testing.TB, text string) map[string]any {
	tb.Helper()
	input := object(tb, text)
	read, err := users.Read(input, scim.Lenient)
	if err != nil {
		tb.Fatal(err)
	}
	return read
}

// spaceless compares numbers as their stored forms are compared.
func spaceless(a, b string) bool {
	return strings.ReplaceAll(a, " ", "") == strings.ReplaceAll(b, " ", "")
}

func made(tb testing.TB, rules []mapping.Rule, mobile string) *mapping.Mapping {
	tb.Helper()
	m, err := mapping.New(rules, mapping.Options{
		Resource: users, MobileTrait: mobile, PendingKey: pendingKey, Same: spaceless,
		Key: "scim.mapping", MobileKey: "kratos.mobile_trait",
	})
	if err != nil {
		tb.Fatal(err)
	}
	return m
}

// standard maps as by default for one of schemas.
func standard(tb testing.TB, name string) *mapping.Mapping {
	tb.Helper()
	s := schemas[name]
	return made(tb, mapping.Default(schema(tb, s.text), s.mobile), s.mobile)
}

// applied is what Kratos makes of operations.
func applied(tb testing.TB, record scim.Record, operations []scim.Operation) scim.Record {
	tb.Helper()
	whole := map[string]any{
		"traits": record.Traits, "metadata_public": record.MetadataPublic, "metadata_admin": record.MetadataAdmin, "state": record.State,
	}
	text, err := json.Marshal(whole)
	if err != nil {
		tb.Fatal(err)
	}
	whole = object(tb, string(text))
	added := false
	for _, o := range operations {
		path := strings.Split(strings.TrimPrefix(o.Path, "/"), "/")
		at := whole
		for _, name := range path[:len(path)-1] {
			inner, ok := at[unescape(name)].(map[string]any)
			if !ok && (o.Op != scim.Add || at[unescape(name)] != nil) {
				tb.Fatalf("%s %s leads nowhere", o.Op, o.Path)
			}
			if !ok {
				inner = map[string]any{}
				at[unescape(name)] = inner
			}
			at = inner
		}
		last := unescape(path[len(path)-1])
		_, there := at[last]
		switch {
		case o.Op == scim.Remove && (!there || added):
			tb.Fatalf("the removal of %s finds nothing, or comes late", o.Path)
		case o.Op == scim.Remove:
			delete(at, last)
		default:
			at[last], added = o.Value, true
		}
	}
	after := record
	after.State, _ = whole["state"].(string)
	after.Traits, _ = whole["traits"].(map[string]any)
	after.MetadataPublic, _ = whole["metadata_public"].(map[string]any)
	after.MetadataAdmin, _ = whole["metadata_admin"].(map[string]any)
	return after
}

func unescape(name string) string { return strings.NewReplacer("~1", "/", "~0", "~").Replace(name) }

// written is a document without what the test's own identity adds.
func written(document map[string]any) map[string]any {
	document = maps.Clone(document)
	for _, own := range []string{"externalId", "password", "id", "meta"} {
		delete(document, own)
	}
	for _, urn := range []string{enterprise, scim.WSO2Schema} {
		if members, ok := document[urn].(map[string]any); ok {
			members = maps.Clone(members)
			delete(members, "verifyMobile")
			if document[urn] = members; len(members) == 0 {
				delete(document, urn)
			}
		}
	}
	document["schemas"] = users.Schemas(document)
	return document
}
