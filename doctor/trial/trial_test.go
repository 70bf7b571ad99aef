package trial_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/holdline/holdline/doctor"
	"github.com/holdline/holdline/doctor/trial"
	"github.com/holdline/holdline/hook"
	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/kratostest"
	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/internal/storetest"
	"github.com/holdline/holdline/internal/web"
	"github.com/holdline/holdline/kratos"
)

const key = "a-hook-key-of-some-length"

// schemas are traits, and what is required of them, as sites have them.
var schemas = map[string]string{
	"email": `{"properties": {"email": {"type": "string", "format": "email", "ory.sh/kratos": {
		"credentials": {"password": {"identifier": true}}, "verification": {"via": "email"}, "recovery": {"via": "email"}}}, MOBILE}, "required": ["email"]}`,
	"user-name": `{"properties": {"username": {"type": "string", "minLength": 20, "maxLength": 24, "ory.sh/kratos": {"credentials": {"password": {"identifier": true}}}}, MOBILE},
		"additionalProperties": false}`,
	"number": `{"properties": {"mobile": {"type": "string", "format": "tel", "ory.sh/kratos": {
		"credentials": {"password": {"identifier": true}, "code": {"identifier": true, "via": "sms"}}, "verification": {"via": "sms"}}}}, "required": ["mobile"]}`,
	"plain-number": `{"properties": {"email": {"$ref": "#/definitions/mail"}, "mobile": {"type": "string"}}, "required": ["mobile"]}`,
	"german-numbers": `{"properties": {"email": {"$ref": "#/definitions/mail"}, "mobile": {"type": "string", "format": "no-validate", "pattern": "^\\+491[567]\\d{8,9}$",
		"ory.sh/kratos": {"verification": {"via": "sms"}}}}}`,
	"strict": `{"properties": {
		"email": {"allOf": [{"$ref": "#/definitions/mail"}, {"maxLength": 100}]},
		"name": {"type": "object", "properties": {"first": {"type": "string", "minLength": 1}, "last": {"type": "string", "maxLength": 5}, "middle": {"type": "string"}},
			"required": ["first", "last"], "additionalProperties": false},
		"born": {"type": "string", "format": "date"}, "site": {"type": "string", "format": "uri"}, "id": {"type": "string", "format": "uuid"},
		"terms": {"type": "boolean", "const": true}, "plan": {"enum": ["gold", "silver"]}, "language": {"type": ["null", "string"], "pattern": "^[a-z]{2}$"},
		"customer": {"type": "string", "pattern": "^[0-9]{9}$"}, "shelf": {"type": "string", "pattern": "^[A-Z][0-9]+$", "minLength": 4},
		"age": {"type": "integer", "minimum": 18, "maximum": 120}, "share": {"type": "number", "exclusiveMinimum": 0, "multipleOf": 0.5},
		"tags": {"type": "array", "minItems": 2, "items": {"type": "string", "minLength": 3}}, "country": {"type": "string", "default": "DE"},
		"landline": {"type": "string", "format": "tel"}, MOBILE},
		"required": ["email", "name", "born", "site", "id", "terms", "plan", "language", "customer", "shelf", "age", "share", "tags", "country", "landline"],
		"additionalProperties": false}`,
	"nested": `{"properties": {"emails": {"type": "array", "items": {"type": "object", "properties": {"address": {"$ref": "#/definitions/mail"}}}}, MOBILE}}`,
}

// schemaOf is a whole identity schema.
func schemaOf(name string) string {
	traits := strings.Replace(schemas[name], "MOBILE", `"mobile": {"type": ["string", "null"], "format": "no-validate", "ory.sh/kratos": {"verification": {"via": "sms"}}}`, 1)
	return fmt.Sprintf(`{"$id": "https://example.com/%s.json", "$schema": "http://json-schema.org/draft-07/schema#", "type": "object",
		"definitions": {"mail": {"type": "string", "format": "email", "ory.sh/kratos": {"credentials": {"password": {"identifier": true}}}}},
		"properties": {"traits": {"type": "object", %s}}`, name, strings.TrimPrefix(traits, "{"))
}

func parsed(t *testing.T, text string) map[string]any {
	t.Helper()
	var document map[string]any
	if err := json.Unmarshal([]byte(text), &document); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return document
}

// site is a Kratos without Holdline's lines, and what Holdline knows of trials.
type site struct {
	public, admin string
	options       trial.Options
	steps         []string
}

func newSite(t *testing.T) *site {
	t.Helper()
	files, listed := map[string]string{}, []string{}
	for name := range schemas {
		files[name+".json"] = schemaOf(name)
		listed = append(listed, fmt.Sprintf(`{id: %s, url: "file://./%s.json"}`, name, name))
	}
	slices.Sort(listed)
	files["kratos.yml"] = `
identity: {default_schema_id: email, schemas: [` + strings.Join(listed, ", ") + `]}
selfservice:
  default_browser_return_url: http://127.0.0.1:4455/
  methods: {password: {enabled: true, config: {haveibeenpwned_enabled: false}}, code: {enabled: true}}
courier: {smtp: {connection_uri: "smtp://127.0.0.1:9/?disable_starttls=true"}}
hashers: {algorithm: bcrypt, bcrypt: {cost: 4}}
secrets: {cookie: [cookie-secret-of-a-test-server], cipher: [cipher-secret-of-a-test-32-bytes]}
log: {level: error}
`
	s := &site{}
	s.public, s.admin = kratostest.Serve(t, files, "kratos.yml")
	client, err := kratos.New(kratos.Options{
		PublicURL: s.public, AdminURL: s.admin, MobileTrait: "mobile", PendingKey: "pendingMobileNumber", Timeout: time.Minute, Now: time.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	discard := slog.New(slog.DiscardHandler)
	claims := claim.New(claim.Options{
		Store: storetest.NewStore(), Identities: client, Trials: &storetest.Trials{}, Now: time.Now, Log: discard,
		Plan: phone.Parser{Format: phone.FormatE164}, NewID: func() string { return "id" },
	})
	server := &web.Server{Log: discard, NewID: func() string { return "id" }, Now: time.Now}
	engine, err := server.Engine()
	if err != nil {
		t.Fatal(err)
	}
	hook.Mount(engine, server, claims, hook.Options{Key: key, MobileTrait: "mobile", PendingKey: "pendingMobileNumber", Log: discard, Trials: claims})
	holdline := httptest.NewServer(engine)
	t.Cleanup(holdline.Close)
	s.options = trial.Options{
		Realm: doctor.Realm{Name: "PRIMARY", Key: "kratos", PublicURL: s.public, AdminURL: s.admin, Hook: hook.Setup{
			BaseURL: holdline.URL, Key: key, MobileTrait: "mobile", PendingKey: "pendingMobileNumber",
		}},
		SchemaID: "email", Schema: parsed(t, schemaOf("email")), Now: time.Now, Poll: 10 * time.Millisecond,
		Say: func(step string) { s.steps = append(s.steps, step) },
	}
	return s
}

// wantNobody checks that Kratos has no identity.
func (s *site) wantNobody(t *testing.T) {
	t.Helper()
	req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, s.admin+"/admin/identities", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if body, err := io.ReadAll(resp.Body); err != nil || strings.TrimSpace(string(body)) != "[]" {
		t.Errorf("identities are left: %s %v", body, err)
	}
}

func TestATrialGoesThroughAtARealKratos(t *testing.T) {
	s := newSite(t)
	for name := range schemas {
		t.Run("schema "+name, func(t *testing.T) {
			o := s.options
			o.SchemaID, o.Schema = name, parsed(t, schemaOf(name))
			seen, err := trial.Run(t.Context(), o)
			if err != nil || !seen.Complete || !seen.Written || seen.Identity == "" || seen.Left != "" {
				t.Errorf("got %+v, %v, want a number that is stored at once", seen, err)
			}
			if found := o.Realm.CheckTrial(seen); len(found) != 1 || found[0].ID != "try-written-at-once" {
				t.Errorf("found %+v", found)
			}
			s.wantNobody(t)
		})
	}
	t.Run("a fault of our own", func(t *testing.T) {
		o := s.options
		o.Say = func(step string) {
			if strings.HasPrefix(step, "changing") {
				panic("a fault")
			}
		}
		func() {
			defer func() {
				if recover() == nil {
					t.Error("no panic came through")
				}
			}()
			_, _ = trial.Run(t.Context(), o)
		}()
		s.wantNobody(t)
	})
	for _, step := range []string{"making", "signing", "changing"} {
		t.Run("the time is over when "+step, func(t *testing.T) {
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			over := errors.New("the time is over")
			o := s.options
			o.Say = func(said string) {
				if strings.HasPrefix(said, step) {
					cancel(over)
				}
			}
			if _, err := trial.Run(ctx, o); !errors.Is(err, over) {
				t.Errorf("got %v, want %v", err, over)
			}
			s.wantNobody(t)
		})
	}
	t.Run("Holdline is away", func(t *testing.T) {
		o := s.options
		o.Realm.Hook.BaseURL = "http://127.0.0.1:9"
		seen, err := trial.Run(t.Context(), o)
		if err == nil || !strings.HasPrefix(err.Error(), "not tried, because Holdline could not be told") || seen.Written {
			t.Errorf("got %+v, %v", seen, err)
		}
		s.wantNobody(t)
	})
	t.Run("Holdline has another key", func(t *testing.T) {
		o := s.options
		o.Realm.Hook.Key = "another-key-of-some-length"
		if _, err := trial.Run(t.Context(), o); err == nil || !strings.Contains(err.Error(), "not tried") {
			t.Errorf("got %v", err)
		}
		s.wantNobody(t)
	})
}

func TestTraitsThatCannotBeMadeAreNamed(t *testing.T) {
	with := func(traits string) string {
		return `{"properties": {"traits": {"type": "object", ` + strings.TrimPrefix(traits, "{") + `}}`
	}
	const mail = `"email": {"type": "string", "format": "email", "ory.sh/kratos": {"credentials": {"password": {"identifier": true}}}}`
	for name, tt := range map[string]struct{ schema, own, want string }{
		"a pattern": {
			with(`{"properties": {` + mail + `, "mobile": {"type": "string"}, "iban": {"type": "string", "pattern": "^DE[0-9]{2}X{18}$"}}, "required": ["iban"]}`), "",
			"no value can be made for the trait iban: give one in --try-traits",
		},
		"a part of one": {
			with(`{"properties": {` + mail + `, "mobile": {"type": "string"}, "a": {"type": "object", "required": ["b"], "properties": {"b": {"pattern": "^(?=x)y$"}}}}, "required": ["a"]}`), "",
			"no value can be made for the trait a.b: give one in --try-traits",
		},
		"its own value": {
			with(`{"properties": {` + mail + `, "mobile": {"type": "string"}, "iban": {"type": "string", "pattern": "^DE[0-9]{2}X{18}$"}}, "required": ["iban"]}`), `{"iban": "DE12"}`, "",
		},
		"no mobile trait":    {with(`{"properties": {` + mail + `}}`), "", "the identity schema has no trait mobile"},
		"own mobile number":  {with(`{"properties": {` + mail + `, "mobile": {"type": "string"}}}`), `{"mobile": "+1"}`, "--try-traits: mobile is the doctor's to choose"},
		"numbers of a firm":  {with(`{"properties": {` + mail + `, "mobile": {"type": "string", "maxLength": 5}}}`), "", "the trait mobile takes none of the numbers that nobody can have"},
		"nothing to sign in": {with(`{"properties": {"mobile": {"type": "string"}}}`), "", "the identity schema has no trait to sign in by with a password"},
	} {
		t.Run(name, func(t *testing.T) {
			var own map[string]any
			if tt.own != "" {
				own = parsed(t, tt.own)
			}
			traits, err := trial.MakeTraits(parsed(t, tt.schema), own, "mobile")
			switch {
			case tt.want == "" && (err != nil || traits["iban"] != own["iban"]):
				t.Errorf("got %v, %v", traits, err)
			case tt.want != "" && (err == nil || !strings.HasPrefix(err.Error(), tt.want)):
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}
