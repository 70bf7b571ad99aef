package hook_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/holdline/holdline/hook"
	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/kratostest"
)

// person is a schema of who signs in by e-mail address and password.
const person = `{
	"$schema": "http://json-schema.org/draft-07/schema#", "type": "object",
	"properties": {"traits": {"type": "object", "properties": {
		"email": {"type": "string", "ory.sh/kratos": {
			"credentials": {"password": {"identifier": true}}, "verification": {"via": "email"}}},
		"mobile": {"type": "string", "ory.sh/kratos": {"verification": {"via": "sms"}}}}}}
}`

// base is the kratos.yml that the printed document is merged into.
const base = `
identity: {default_schema_id: person, schemas: [{id: person, url: "file://./person.schema.json"}]}
selfservice:
  default_browser_return_url: http://127.0.0.1:4455/
  methods: {password: {enabled: true, config: {haveibeenpwned_enabled: false}}, code: {enabled: true}}
  flows: {registration: {enabled: true}, verification: {enabled: true, use: code}}
courier: {smtp: {connection_uri: "smtp://127.0.0.1:9/?disable_starttls=true"}}
hashers: {algorithm: bcrypt, bcrypt: {cost: 4}}
secrets: {cookie: [cookie-secret-of-a-test-server], cipher: [cipher-secret-of-a-test-32-bytes]}
log: {level: error}
`

// kratos runs Kratos with what KratosConfig prints until the test ends.
func kratos(t *testing.T, s hook.Setup) (public, admin string) {
	t.Helper()
	document, err := hook.KratosConfig(s)
	if err != nil {
		t.Fatal(err)
	}
	return kratostest.Serve(t, map[string]string{
		"person.schema.json": person, "kratos.yml": base, "holdline.yml": string(document),
	}, "kratos.yml", "holdline.yml")
}

// call sends JSON and reads the answer, which may be a form again.
func call(t *testing.T, method, url, session string, in, out any) int {
	t.Helper()
	body, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(t.Context(), method, url, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "application/json")
	request.Header.Set("X-Session-Token", session)
	resp, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(answer, out); err != nil {
		t.Fatalf("%s: %d %s", url, resp.StatusCode, answer)
	}
	return resp.StatusCode
}

// form is a flow of Kratos.
type form struct {
	UI struct{ Action string }
}

func begin(t *testing.T, public, flow, session string) string {
	t.Helper()
	var f form
	call(t, http.MethodGet, public+"/self-service/"+flow+"/api", session, nil, &f)
	if f.UI.Action == "" {
		t.Fatalf("no %s flow", flow)
	}
	return f.UI.Action
}

// The real Kratos takes what is printed, and tells of everybody who registers,
// proves an address or saves a profile.
func TestKratosTellsOfWhatItsFlowsChange(t *testing.T) {
	told := make(chan string, 10)
	handler := mounted(t, &rulings{answer: claim.Answer{Decision: claim.WriteDirectly}}, slog.New(slog.DiscardHandler), func(_ context.Context, id string) error {
		told <- id
		return nil
	})
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	s := setup
	s.BaseURL, s.ReturnURL, s.Changed = server.URL, "", true
	public, admin := kratos(t, s)
	hears := func(of, id string) {
		t.Helper()
		select {
		case got := <-told:
			if got != id {
				t.Errorf("%s: told of %q, want %q", of, got, id)
			}
		case <-time.After(time.Minute):
			t.Fatalf("%s: nothing was told", of)
		}
	}

	var made struct {
		Identity struct{ ID string }
	}
	status := call(t, http.MethodPost, begin(t, public, "registration", ""), "", map[string]any{
		"method": "password", "password": "a long pass phrase 1", "traits": map[string]any{"email": "ann@example.com"},
	}, &made)
	if status != http.StatusOK || made.Identity.ID == "" {
		t.Fatalf("registration: %d", status)
	}
	hears("registration", made.Identity.ID)

	verify := begin(t, public, "verification", "")
	var asked struct{ State string }
	call(t, http.MethodPost, verify, "", map[string]any{"method": "code", "email": "ann@example.com"}, &asked)
	var answered struct{ State string }
	call(t, http.MethodPost, verify, "", map[string]any{"method": "code", "code": code(t, admin)}, &answered)
	if answered.State != "passed_challenge" {
		t.Fatalf("verification: %s", answered.State)
	}
	hears("verification", made.Identity.ID)

	var signedIn struct {
		Token string `json:"session_token"`
	}
	call(t, http.MethodPost, begin(t, public, "login", ""), "", map[string]any{
		"method": "password", "identifier": "ann@example.com", "password": "a long pass phrase 1",
	}, &signedIn)
	var saved struct{ State string }
	call(t, http.MethodPost, begin(t, public, "settings", signedIn.Token), signedIn.Token, map[string]any{
		"method": "profile", "traits": map[string]any{"email": "ann@example.org"},
	}, &saved)
	if saved.State != "success" {
		t.Fatalf("settings: %s", saved.State)
	}
	hears("settings", made.Identity.ID)
}

// code reads the latest code that Kratos has mailed.
func code(t *testing.T, admin string) string {
	t.Helper()
	var messages []struct {
		Data struct {
			Code string `json:"verification_code"`
		} `json:"template_data"`
		Body string
	}
	call(t, http.MethodGet, admin+"/admin/courier/messages", "", nil, &messages)
	for _, m := range messages { // the latest first
		if m.Data.Code != "" {
			return m.Data.Code
		}
		for word := range strings.FieldsSeq(m.Body) {
			if len(word) == 6 && strings.Trim(word, "0123456789") == "" {
				return word
			}
		}
	}
	t.Fatalf("no code in %d messages", len(messages))
	return ""
}
