package config_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/holdline/holdline/config"
)

func TestNumbersAreNoText(t *testing.T) {
	yaml := withSMS(`
  product: 1984
  gateways:
    - {id: t, type: twilio, account_sid: AC1, auth_token: 00112233445566770011, from: +15005550006}
    - {id: v, type: vonage, api_key: 12345e67, api_secret: 0123456, from: 0044123}
    - {id: m, type: messagebird, access_key: 0x1F2E3D, originator: 1.50, receipt_secret: 12345678901234567890}
    - {id: h, type: http, request_config: {url: "https://sms.example.com", headers: {X-Key: 7}, auth: {config: {password: 07}}}}
  routes: [{calling_codes: [044, "1"], gateways: [t]}]
`)
	gateway := `"sms":{"gateways":[{"id":"t","type":"twilio","account_sid":"AC1","auth_token":"x","from":15005550006}]}`
	json := strings.Replace(`{"secrets":{"otp":["0123456789012345678901234567890123456789",7]},"hooks":{"api_key":0.5},SMS}`, "SMS", gateway, 1)
	toml := strings.Replace(goodTOML, `"a-hook-key-of-some-length"`, "12345678901", 1) + "account_sid = 0x12\n"
	for name, tt := range map[string]struct {
		content string
		keys    []string
	}{
		"holdline.yml": {yaml, []string{
			"sms.product", "sms.gateways[0].auth_token", "sms.gateways[0].from",
			"sms.gateways[1].api_key", "sms.gateways[1].api_secret", "sms.gateways[1].from",
			"sms.gateways[2].access_key", "sms.gateways[2].originator", "sms.gateways[2].receipt_secret",
			"sms.gateways[3].request_config.headers[X-Key]", "sms.gateways[3].request_config.auth.config[password]",
			"sms.routes[0].calling_codes[0]",
		}},
		"holdline.json": {json, []string{"secrets.otp[1]", "hooks.api_key", "sms.gateways[0].from"}},
		"holdline.toml": {toml, []string{"hooks.api_key", "sms.gateways[0].account_sid"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := load(t, name, tt.content, nil, nil)
			if got, want := len(config.Each(err)), len(tt.keys); got != want {
				t.Errorf("got %d faults, want %d: %v", got, want, err)
			}
			for _, key := range tt.keys {
				if want := key + ": is a number here: put it in quotes"; err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("%q is not in: %v", want, err)
				}
			}
		})
	}
}

func TestTextsNeedAnAddressThatPeopleKnow(t *testing.T) {
	const simulator, provider = "{id: a, type: simulator}", "{id: a, type: sns, region: eu-west-1}"
	for name, tt := range map[string]struct {
		public, gateway string
		refused         bool
	}{
		"first look":                   {"{}", simulator, false},
		"provider, IPv4 loopback":      {"{host: 127.0.0.1}", provider, false},
		"provider, IPv6 loopback":      {"{host: '::1'}", provider, false},
		"provider, this machine":       {"{host: localhost}", provider, false},
		"provider, address":            {"{host: 192.0.2.1}", provider, true},
		"provider, name":               {"{host: holdline.internal}", provider, true},
		"simulator, address":           {"{host: 192.0.2.1}", simulator, false},
		"simulator, any IPv4":          {"{host: 0.0.0.0}", simulator, true},
		"simulator, any IPv6":          {"{host: '::'}", simulator, true},
		"simulator, any":               {"{host: ''}", simulator, true},
		"provider, any IPv4, with URL": {"{host: 0.0.0.0, base_url: 'https://login.example.com'}", provider, false},
	} {
		t.Run(name, func(t *testing.T) {
			content := strings.Replace(good, "{id: phone, type: simulator}", tt.gateway, 1) + "public: " + tt.public + "\n"
			_, err := load(t, "holdline.yml", content, nil, nil)
			if refused := err != nil; refused != tt.refused {
				t.Errorf("got %v, want refused %t", err, tt.refused)
			}
			if err != nil && err.Error() != "public.base_url: is needed: texts and notices name it" {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestBrokenFilesShowNothing(t *testing.T) {
	for name, tt := range map[string]struct{ file, content, want string }{
		"scalar":         {"holdline.yml", "hunter2 hunter2", " near line 1"},
		"syntax":         {"holdline.yml", "hooks:\n  api_key: \"hunter2", " near line 2"},
		"alias":          {"holdline.yml", "hooks: {api_key: *hunter2}", ""},
		"given twice":    {"holdline.yml", "hooks: {}\nhooks: {api_key: hunter2}", " near line 2"},
		"JSON":           {"holdline.json", "{\"hooks\": hunter2}", " near byte 11"},
		"JSON of a text": {"holdline.json", "\"hunter2\"", ""},
		"TOML":           {"holdline.toml", "[hooks]\napi_key = hunter2", " near line 2"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := load(t, tt.file, tt.content, []string{"HOLDLINE_OTP_LENGTH=99"}, nil)
			if err == nil || !strings.Contains(err.Error(), tt.file+": cannot be read"+tt.want+": look") || strings.Contains(err.Error(), "hunter") {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

func TestAFaultBringsNoFurtherOnes(t *testing.T) {
	for name, tt := range map[string]struct {
		gateway string
		environ []string
		want    string
	}{
		"no file":            {"{id: a, type: messagebird, originator: x, access_key_file: /no/such/file}", nil, "sms.gateways[0].access_key_file: open /no/such/file: "},
		"no file's name":     {"{id: a, type: messagebird, originator: x, access_key_file: 123}", nil, "sms.gateways[0].access_key_file: must be the name of a file"},
		"no text":            {"{id: a, type: messagebird, originator: x, access_key: [hunter2]}", nil, "sms.gateways[0].access_key: has a value of the wrong type"},
		"no record":          {"hunter2", nil, "sms.gateways[0]: has a value of the wrong type"},
		"no variable's file": {"{id: a, type: simulator}", []string{"HOLDLINE_SECRETS_OTP_FILE=/no/such/file"}, "HOLDLINE_SECRETS_OTP_FILE: open "},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := load(t, "holdline.yml", withSMS("  gateways: ["+tt.gateway+"]"), tt.environ, nil)
			if err == nil || !strings.HasPrefix(err.Error(), tt.want) || len(config.Each(err)) != 1 || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("got %v, want %q alone", err, tt.want)
			}
		})
	}
}

func TestLaterFaultsThatFollowAreLeftOut(t *testing.T) {
	earlier := errors.Join(errors.New("a.b[1].c: x"), errors.New("d: x"))
	later := errors.Join(
		errors.New("a.b[1].c: y"), errors.New("a.b: y"), errors.New("d.e: y"),
		errors.Join(errors.New("a.b[10].c: kept"), errors.New("a.b[1].cc: kept: d: y")), errors.New("de: kept"),
	)
	want := "a.b[1].c: x\nd: x\na.b[10].c: kept\na.b[1].cc: kept: d: y\nde: kept"
	if got := config.Join(earlier, later); got.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", got, want)
	}
	if got := config.Join(nil, nil); got != nil {
		t.Errorf("got %v of no faults", got)
	}
}

func TestCredentialsInARequestComeFromFiles(t *testing.T) {
	dir := t.TempDir()
	write := func(name, content string) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	secret := write("secret", "hunter2\n")
	request := func(credentials string) string {
		return `{"url":"https://sms.example.com","auth":{"config":{` + credentials + `}}}`
	}
	fromFile := func(key string) string { return request(`"` + key + `_file":"` + secret + `"`) }
	gateways := func(request string) string { return `[{"id":"h","type":"http","request_config":` + request + `}]` }
	content := withSMS("  gateways: " + gateways(fromFile("password")) +
		"\nnotices: {webhook: {request_config: " + fromFile("value") + "}}\n")
	variable := "HOLDLINE_SMS_GATEWAYS_FILE=" + write("gateways.json", gateways(request(`"password":"hunter2"`)))
	for name, tt := range map[string]struct{ environ, args []string }{
		"file":            {},
		"flag":            {nil, []string{"--sms-gateways=" + gateways(fromFile("password"))}},
		"the whole lists": {[]string{variable}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := load(t, "holdline.yml", content, tt.environ, tt.args)
			if err != nil {
				t.Fatal(err)
			}
			password, value := c.SMS.Gateways[0].Request.Auth.Config["password"], c.Notices.Webhook.Request.Auth.Config["value"]
			if password.Reveal() != "hunter2" || value.Reveal() != "hunter2" || len(c.SMS.Gateways[0].Request.Auth.Config) != 1 {
				t.Errorf("got %q and %q", password.Reveal(), value.Reveal())
			}
		})
	}
	both := request(`"password":"hunter3","password_file":"` + secret + `"`)
	_, err := load(t, "holdline.yml", withSMS("  gateways: "+gateways(both)), nil, nil)
	if want := "sms.gateways[0].request_config.auth.config.password_file: is given beside password"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
