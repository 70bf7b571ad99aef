package hook_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-jsonnet"
	"go.yaml.in/yaml/v3"

	"github.com/holdline/holdline/hook"
)

var setup = hook.Setup{
	BaseURL: "http://holdline:4478/", Key: key, MobileTrait: "mobile", PendingKey: "pendingMobileNumber",
	LocaleTrait: "locale", AddressHeader: "true-client-ip", ReturnURL: "http://holdline:4477/verify",
}

type webHook struct {
	Hook   string
	Config struct {
		URL, Method, Body string
		Response          map[string]bool
		Auth              struct {
			Type   string
			Config map[string]string
		}
	}
}

// flows is what the document has to say of each flow.
type flows map[string]struct {
	After struct {
		Hooks   []webHook
		Profile struct {
			ReturnURL string `yaml:"default_browser_return_url"`
			Hooks     []webHook
		}
	}
}

func printed(t *testing.T, s hook.Setup) flows {
	t.Helper()
	document, err := hook.KratosConfig(s)
	if err != nil {
		t.Fatal(err)
	}
	var tree struct{ Selfservice struct{ Flows flows } }
	if err := yaml.Unmarshal(document, &tree); err != nil {
		t.Fatal(err)
	}
	return tree.Selfservice.Flows
}

func hooks(t *testing.T, s hook.Setup) []webHook {
	t.Helper()
	profile := printed(t, s)["settings"].After.Profile
	if profile.ReturnURL != s.ReturnURL {
		t.Errorf("return URL is %q", profile.ReturnURL)
	}
	return profile.Hooks
}

func TestTheHooksStandInOrder(t *testing.T) {
	everything := setup
	everything.Changed = true
	got := hooks(t, everything)
	if len(got) != 3 {
		t.Fatalf("%d hooks", len(got))
	}
	if diff := cmp.Diff(got[:2], hooks(t, setup)); diff != "" {
		t.Errorf("without calls about changes (-want +got):\n%s", diff)
	}
	for i, want := range []struct{ url, response string }{
		{"http://holdline:4478/hooks/settings/stage", "parse"},
		{"http://holdline:4478/hooks/settings/activate", "ignore"},
		{"http://holdline:4478/hooks/identity/changed", "ignore"},
	} {
		config := got[i].Config
		if got[i].Hook != "web_hook" || config.URL != want.url || config.Method != http.MethodPost ||
			!cmp.Equal(config.Response, map[string]bool{want.response: true}) || config.Auth.Type != "api_key" ||
			!cmp.Equal(config.Auth.Config, map[string]string{"name": "X-Hook-Key", "value": key, "in": "header"}) {
			t.Errorf("hook %d is %+v", i, got[i])
		}
	}
}

func TestEveryFlowThatChangesAnIdentityTells(t *testing.T) {
	s := setup
	s.Changed = true
	got := printed(t, s)
	if len(got) != 3 || len(printed(t, setup)) != 1 {
		t.Errorf("got %d flows, and %d without", len(got), len(printed(t, setup)))
	}
	for _, name := range []string{"registration", "verification"} {
		if diff := cmp.Diff(hooks(t, s)[2:], got[name].After.Hooks); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	out, err := evaluate(t, s, 2, `{`+flow+`,"identity":`+before+`}`)
	if err != nil || strings.Join(strings.Fields(out), "") != `{"identity_id":"i"}` {
		t.Errorf("got %s, %v", out, err)
	}
}

func TestJsonnetCanBeWrittenToFiles(t *testing.T) {
	setup := setup
	setup.Changed = true
	s := setup
	s.JsonnetDir = filepath.Join(t.TempDir(), "jsonnet")
	for i, h := range hooks(t, s) {
		content, err := os.ReadFile(strings.TrimPrefix(h.Config.Body, "file://"))
		if err != nil || string(content) != source(t, setup, i) {
			t.Errorf("%s: %v, or another jsonnet than inline", h.Config.Body, err)
		}
	}
}

// source returns the inline jsonnet of a hook.
func source(t *testing.T, s hook.Setup, i int) string {
	t.Helper()
	content, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(hooks(t, s)[i].Config.Body, "base64://"))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// evaluate does with a hook's jsonnet what Kratos does.
func evaluate(t *testing.T, s hook.Setup, i int, ctx string) (string, error) {
	t.Helper()
	vm := jsonnet.MakeVM()
	vm.TLACode("ctx", ctx)
	return vm.EvaluateAnonymousSnippet("hook", source(t, s, i))
}

const (
	before = `{"id":"i","schema_id":"default","traits":{"mobile":"1111"},"metadata_public":{"a":1},"verifiable_addresses":[{"value":"1111"}]}`
	flow   = `"flow":{"id":"f","issued_at":"2026-11-01T11:59:00Z","identity":` + before + `},"request_cookies":{"ory_kratos_session":"secret"},"request_headers":{"Accept-Language":["de"],"Authorization":["secret"],"True-Client-Ip":["192.0.2.1"]}`
)

func TestJsonnetTellsOnlyWhatIsNeeded(t *testing.T) {
	changed := strings.Replace(before, "1111", "2222", 1)
	marked := strings.Replace(before, `"a":1`, `"a":1,"pendingMobileNumber":"2222"`, 1)
	for name, tt := range map[string]struct {
		hook int
		ctx  string
		want map[string]any // nil: cancelled
	}{
		"stage, number changed": {0, `{` + flow + `,"identity":` + changed + `}`, map[string]any{
			"identity_id": "i", "flow_id": "f", "flow_issued_at": "2026-11-01T11:59:00Z", "schema_id": "default", "old_mobile": "1111", "new_mobile": "2222",
			"pending_mobile": nil, "traits": map[string]any{"mobile": "2222"}, "metadata_public": map[string]any{"a": 1.0},
			"verifiable_addresses": []any{map[string]any{"value": "1111"}}, "authenticated_at": nil, "aal": nil, "language": "de",
			"locale": nil, "client_address": "192.0.2.1",
		}},
		"stage, number untouched":  {0, `{` + flow + `,"identity":` + before + `}`, nil},
		"stage, pending untouched": {0, `{` + strings.ReplaceAll(flow, before, marked) + `,"identity":` + marked + `}`, nil},
		"stage, first number, nothing else known": {
			0, `{"flow":{"id":"f","identity":{"id":"i","traits":{},"metadata_public":null}},"session":{"authenticated_at":"t","authenticator_assurance_level":"aal2"},
			"identity":{"id":"i","schema_id":"s","traits":{"mobile":"2"},"metadata_public":null}}`,
			map[string]any{
				"identity_id": "i", "flow_id": "f", "flow_issued_at": nil, "schema_id": "s", "old_mobile": nil, "new_mobile": "2",
				"pending_mobile": nil, "traits": map[string]any{"mobile": "2"}, "metadata_public": map[string]any{},
				"verifiable_addresses": []any{}, "authenticated_at": "t", "aal": "aal2", "language": "",
				"locale": nil, "client_address": "",
			},
		},
		"activate, a locale of one's own": {1, `{` + flow + `,"identity":` + strings.Replace(marked, `{"mobile"`, `{"locale":"pt-BR","mobile"`, 1) + `}`, map[string]any{
			"identity_id": "i", "flow_id": "f", "flow_issued_at": "2026-11-01T11:59:00Z", "new_mobile": "1111", "pending_mobile": "2222", "language": "de",
			"locale": "pt-BR", "client_address": "192.0.2.1",
		}},
		"activate, number held back": {1, `{` + flow + `,"identity":` + marked + `}`, map[string]any{
			"identity_id": "i", "flow_id": "f", "flow_issued_at": "2026-11-01T11:59:00Z", "new_mobile": "1111", "pending_mobile": "2222", "language": "de",
			"locale": nil, "client_address": "192.0.2.1",
		}},
		"activate, the same number again": {1, `{` + strings.ReplaceAll(flow, before, marked) + `,"identity":` + marked + `}`, map[string]any{
			"identity_id": "i", "flow_id": "f", "flow_issued_at": "2026-11-01T11:59:00Z", "new_mobile": "1111", "pending_mobile": "2222", "language": "de",
			"locale": nil, "client_address": "192.0.2.1",
		}},
		"activate, number let through": {1, `{` + flow + `,"identity":` + changed + `}`, map[string]any{
			"identity_id": "i", "flow_id": "f", "flow_issued_at": "2026-11-01T11:59:00Z", "new_mobile": "2222", "pending_mobile": nil, "language": "de",
			"locale": nil, "client_address": "192.0.2.1",
		}},
		"activate, number untouched": {1, `{` + flow + `,"identity":` + before + `}`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := evaluate(t, setup, tt.hook, tt.ctx)
			if tt.want == nil {
				if err == nil || !strings.Contains(err.Error(), "cancel") {
					t.Errorf("not cancelled: %v %s", err, out)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var got map[string]any
			if err := json.Unmarshal([]byte(out), &got); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestNamesAreQuoted(t *testing.T) {
	s := setup
	s.MobileTrait = `mo"bile`
	if _, err := evaluate(t, s, 1, `{`+flow+`,"identity":`+before+`}`); err == nil || !strings.Contains(err.Error(), "cancel") {
		t.Errorf("got %v", err)
	}
}
