package config_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/holdline/holdline/config"
)

// withSMS is a configuration that is good but for what it says of sms.
func withSMS(sms string) string {
	head, _, _ := strings.Cut(good, "sms:")
	return head + "public: {base_url: 'https://login.example.com'}\nsms:\n" + sms
}

const everyGateway = `
  gateways:
    - {id: a, type: vonage, api_key: key, api_secret: hunter2, from: Holdline, signature_secret: hunter2, rate: 30, timeout: 5s}
    - {id: b, type: twilio, account_sid: AC1, auth_token: hunter2, from: "+15005550006", concurrency: 4096}
    - {id: c, type: twilio, account_sid: AC1, api_key_sid: SK1, api_key_secret: hunter2, messaging_service_sid: MG1}
    - {id: d, type: messagebird, access_key: hunter2, originator: Holdline, receipt_secret: hunter2-hunter2-hunter2}
    - {id: e, type: bird, access_key: hunter2, workspace_id: w, channel_id: c, endpoint: "http://127.0.0.1:8080/messages"}
    - {id: f, type: sinch, service_plan_id: plan, api_token: hunter2, region: eu, endpoint: "https://sms.example.com"}
    - {id: g, type: kannel, username: holdline, password: hunter2, endpoint: "http://kannel.internal:13013/cgi-bin/sendsms"}
    - {id: h, type: sns, region: eu-west-1, access_key_id: AKIA, secret_access_key: hunter2, rate: 0.5}
    - {id: i, type: sns, region: eu-west-1}
    - id: j
      type: http
      request_config:
        url: https://me:hunter2@sms.example.com
        headers: {X-Key: hunter2}
        body: base64://hunter2
        auth: {type: basic_auth, config: {user: me, password: hunter2}}
    - {id: k, type: simulator}
  routes:
    - {calling_codes: ["1", "1876", "44"], gateways: [b, a]}
    - {calling_codes: "49", gateways: d}
`

func TestEveryTypeOfGatewayCanBeConfigured(t *testing.T) {
	c, err := load(t, "holdline.yml", withSMS(everyGateway), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := c.SMS.Gateways[0]; got.APISecret.Reveal() != "hunter2" || got.Rate != 30 {
		t.Errorf("got %v at %v a second", got.APISecret, got.Rate)
	}
	if got := c.SMS.Gateways[9].Request.Auth.Config["password"].Reveal(); got != "hunter2" {
		t.Errorf("got password %q", got)
	}
	want := []config.Route{
		{CallingCodes: []string{"1", "1876", "44"}, Gateways: []string{"b", "a"}},
		{CallingCodes: []string{"49"}, Gateways: []string{"d"}},
	}
	if diff := cmp.Diff(want, c.SMS.Routes); diff != "" {
		t.Errorf("routes (-want +got):\n%s", diff)
	}
	for _, verb := range []string{"%v", "%+v", "%#v"} {
		if text := fmt.Sprintf(verb, c); strings.Contains(text, "hunter2") {
			t.Errorf("%s shows a secret", verb)
		}
	}
}

func TestFaultsOfGatewaysComeTogether(t *testing.T) {
	_, err := load(t, "holdline.yml", strings.Replace(withSMS(`
  gateways:
    - {id: a, type: vonage, api_key: key, auth_token: hunter2}
    - {id: a, type: twilio, account_sid: AC1, api_key_secret: hunter2, from: "1", messaging_service_sid: MG1}
    - {id: b, type: twilio}
    - {id: c, type: messagebird, access_key: "hunter2\nX-Other: 1", originator: x, endpoint: "http://sms.example.com", receipt_secret: hunter2}
    - {id: d, type: sinch, service_plan_id: x, api_token: hunter2, region: evil.example.com/}
    - {id: e, type: sns, access_key_id: AKIA, colour: red}
    - {id: f, type: pigeon, rate: -1, concurrency: 5000, timeout: 20s}
    - {id: g, type: http, signature_secret: hunter2}
  routes:
    - {calling_codes: ["+44", "1"], gateways: [nobody]}
    - {calling_codes: ["1"], gateways: [b, b]}
    - {}
`), "base_url: 'https://login.example.com'", "port: 4477", 1), nil, nil)
	if err == nil {
		t.Fatal("accepted")
	}
	for _, want := range []string{
		"[0].api_secret: is missing", "[0].from: is missing", "[0].auth_token: is no key of type vonage",
		"[1].id: is used twice", "[1].auth_token: is missing", "[1].api_key_secret: goes together", "[1].from: or messaging_service_sid",
		"[2].account_sid: is missing", "[2].from: or messaging_service_sid",
		"[3].access_key: must be one line", "[3].endpoint: must be an https URL", "[3].receipt_secret: must have at least 16",
		"[3].type: receipts need public.base_url",
		"[4].region: must be us, eu", "[5].region: is missing", "[5].secret_access_key: goes together", "gateways[5].colour: unknown key",
		"[6].type: is none of", "[6].rate: must not", "[6].concurrency: must be at most", "[6].timeout: must be at most",
		"[7].request_config: is missing", "[7].signature_secret: is no key of type http",
		"sms.routes[0].gateways: must be ids",
		"sms.routes[1].calling_codes: has one", "sms.routes[1].gateways: names one twice",
		"sms.routes[2].calling_codes: is missing", "sms.routes[2].gateways: is missing",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in:\n%v", want, err)
		}
	}
	if strings.Contains(err.Error(), "hunter2") {
		t.Errorf("a value is shown: %v", err)
	}
}

func TestRegisteredTextsAndOwnValuesAreRead(t *testing.T) {
	file := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(file, []byte("hunter2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	gateway := fmt.Sprintf(`{id: a, type: http, preset: msg91, response: "base64://e30=", data: {from: Example, key_file: %q},
      template_ids: {en: {code: "1", changed: "2", removed: "3"}, pt-BR: "4"}, request_config: {url: "https://sms.example.com"}}`, file)
	c, err := load(t, "holdline.yml", withSMS("  gateways:\n    - "+gateway), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	got := c.SMS.Gateways[0]
	want := map[string]config.TemplateIDs{"en": {Code: "1", Changed: "2", Removed: "3"}, "pt-BR": {Code: "4"}}
	if diff := cmp.Diff(want, got.TemplateIDs); diff != "" {
		t.Errorf("template_ids (-want +got):\n%s", diff)
	}
	if got.Preset != "msg91" || got.Response != "base64://e30=" || got.Data["from"].Reveal() != "Example" || got.Data["key"].Reveal() != "hunter2" || len(got.Data) != 2 {
		t.Errorf("got %q, %q, %d values", got.Preset, got.Response, len(got.Data))
	}
	for name, tt := range map[string]struct{ keys, want string }{
		"a number":    {"template_ids: {en: 1107161234567890123}", "[0].template_ids"},
		"another one": {"template_ids: {en: {code: 7}}", "put it in quotes"},
		"no kind":     {`template_ids: {en: {colour: "7"}}`, "unknown key"},
		"other type":  {`preset: msg91, type: vonage, api_key: a, api_secret: b, from: c`, "[0].preset: is no key of type vonage"},
		"no file":     {"data: {key_file: /none/such}", "[0].data.key_file: "},
	} {
		t.Run(name, func(t *testing.T) {
			record := "{id: a, type: http, request_config: {url: 'https://sms.example.com'}, " + tt.keys + "}"
			if name == "other type" {
				record = "{id: a, " + tt.keys + "}"
			}
			_, err := load(t, "holdline.yml", withSMS("  gateways: ["+record+"]"), nil, nil)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

func TestSecretsOfGatewaysComeFromFiles(t *testing.T) {
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte("hunter2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	record := fmt.Sprintf(`{id: a, type: twilio, account_sid: AC1, from: "1", auth_token_file: %q}`, file)
	toml := strings.Replace(goodTOML, `type = "simulator"`, fmt.Sprintf("type = \"twilio\"\naccount_sid = \"AC1\"\nfrom = \"1\"\nauth_token_file = %q", file), 1)
	flag := fmt.Sprintf(`--sms-gateways=[{"id":"a","type":"twilio","account_sid":"AC1","from":"1","auth_token_file":%q}]`, file)
	for name, tt := range map[string]struct {
		file, content string
		args          []string
	}{
		"YAML": {"holdline.yml", withSMS("  gateways: [" + record + "]"), nil},
		"TOML": {"holdline.toml", toml, nil},
		"flag": {"holdline.yml", good, []string{flag}},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := load(t, tt.file, tt.content, nil, tt.args)
			if err != nil {
				t.Fatal(err)
			}
			if got := c.SMS.Gateways[0].AuthToken.Reveal(); got != "hunter2" {
				t.Errorf("got %q", got)
			}
		})
	}
	for fault, tt := range map[string]struct{ key, want string }{
		"twice":      {`auth_token: hunter3, auth_token_file: ` + file, "auth_token_file: is given beside auth_token"},
		"no file":    {`auth_token_file: ` + file + `.none`, "no such file"},
		"no secret":  {`auth_token: hunter3, from_file: ` + file, "from_file: unknown key"},
		"other type": {`auth_token: hunter3, api_key_file: ` + file, "api_key: is no key of type twilio"},
	} {
		t.Run(fault, func(t *testing.T) {
			_, err := load(t, "holdline.yml", withSMS(`  gateways: [{id: a, type: twilio, account_sid: AC1, from: "1", `+tt.key+`}]`), nil, nil)
			if err == nil || !strings.Contains(err.Error(), "sms.gateways[0].") || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}
