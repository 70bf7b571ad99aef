package kratos_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/kratos"
)

func TestCodeIdentifier(t *testing.T) {
	requireKratos(t)
	now, way := newClock(), watch(t, shared)
	d := open(t, way.server, func(o *kratos.Options) { o.Now = now.Now })
	for _, step := range []struct {
		schema   string
		pass     time.Duration
		want     bool
		requests int
	}{
		{"person", 0, false, 1},
		{"member", 0, true, 2},
		{"person", 4 * time.Minute, false, 2},
		{"member", time.Minute, true, 3},
	} {
		now.advance(step.pass)
		got, err := d.CodeIdentifier(t.Context(), step.schema)
		if err != nil || got != step.want {
			t.Errorf("%s: got %v, %v; want %v", step.schema, got, err, step.want)
		}
		if n := len(way.seen(http.MethodGet, "/schemas/")); n != step.requests {
			t.Errorf("%s: made %d requests, want %d", step.schema, n, step.requests)
		}
	}
}

func TestPrefetch(t *testing.T) {
	requireKratos(t)
	way := watch(t, shared)
	d := open(t, way.server, nil)
	if err := d.Prefetch(t.Context()); err != nil {
		t.Fatal(err)
	}
	for schema, want := range map[string]bool{"person": false, "member": true} {
		if got, err := d.CodeIdentifier(t.Context(), schema); err != nil || got != want {
			t.Errorf("%s: got %v, %v; want %v", schema, got, err, want)
		}
	}
	if n := len(way.seen(http.MethodGet, "/schemas")); n != 1 {
		t.Errorf("made %d requests, want 1", n)
	}
}

func TestUnknownSchema(t *testing.T) {
	requireKratos(t)
	d := open(t, shared, nil)
	for _, schema := range []string{"", ".", "..", "unknown", "../sessions/whoami"} {
		if _, err := d.CodeIdentifier(t.Context(), schema); !errors.Is(err, claim.ErrIdentitiesUnavailable) {
			t.Errorf("%q: got %v, want %v", schema, err, claim.ErrIdentitiesUnavailable)
		}
	}
}

// What people can write in a schema is more than a test server needs to serve.
func TestSchemaForms(t *testing.T) {
	const code = `"ory.sh/kratos": {"credentials": {"code": {"identifier": true, "via": "sms"}}}`
	for name, tt := range map[string]struct {
		schema string
		want   bool
	}{
		"no such trait":     {`{"properties": {"traits": {"properties": {"name": {}}}}}`, false},
		"no traits":         {`{}`, false},
		"another's":         {`{"properties": {"traits": {"properties": {"mobile": {}, "email": {` + code + `}}}}}`, false},
		"identifier false":  {`{"properties": {"traits": {"properties": {"mobile": {"ory.sh/kratos": {"credentials": {"code": {"identifier": false}}}}}}}}`, false},
		"password":          {`{"properties": {"traits": {"properties": {"mobile": {"ory.sh/kratos": {"credentials": {"password": {"identifier": true}}}}}}}}`, false},
		"plain":             {`{"properties": {"traits": {"properties": {"mobile": {` + code + `}}}}}`, true},
		"traits by $ref":    {`{"definitions": {"a/b~c d": {"properties": {"mobile": {` + code + `}}}}, "properties": {"traits": {"$ref": "#/definitions/a~1b~0c%20d"}}}`, true},
		"$ref by $id":       {`{"$id": "https://x.test/s.json", "definitions": {"m": {"type": "string"}}, "properties": {"traits": {"properties": {"mobile": {"$ref": "https://x.test/s.json#/definitions/m"}}}}}`, false},
		"within allOf":      {`{"allOf": [{"properties": {"traits": {"anyOf": [{}, {"properties": {"mobile": {"oneOf": [{` + code + `}]}}}]}}}]}`, true},
		"$ref elsewhere":    {`{"properties": {"traits": {"properties": {"mobile": {"$ref": "https://y.test/mobile.json"}}}}}`, true},
		"$ref to nothing":   {`{"properties": {"traits": {"properties": {"mobile": {"$ref": "#/definitions/gone"}}}}}`, true},
		"$ref to itself":    {`{"definitions": {"m": {"allOf": [{"$ref": "#/definitions/m"}, {"$ref": "#/definitions/m"}]}}, "properties": {"traits": {"properties": {"mobile": {"$ref": "#/definitions/m"}}}}}`, true},
		"not as it must be": {`{"properties": {"traits": {"properties": {"mobile": {"ory.sh/kratos": [], "allOf": {}, "$ref": 1}}}}}`, false},
	} {
		t.Run(name, func(t *testing.T) {
			if !json.Valid([]byte(tt.schema)) {
				t.Fatal("the test's schema is not JSON")
			}
			kratos := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				_, _ = w.Write([]byte(tt.schema))
			}))
			t.Cleanup(kratos.Close)
			d := open(t, &server{public: kratos.URL, admin: kratos.URL}, nil)
			got, err := d.CodeIdentifier(t.Context(), "person")
			if err != nil || got != tt.want {
				t.Errorf("got %v, %v; want %v", got, err, tt.want)
			}
		})
	}
}
