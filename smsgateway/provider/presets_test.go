package provider_test

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/smsgateway"
	"github.com/holdline/holdline/smsgateway/provider"
	"github.com/holdline/holdline/smsgateway/smstest"
)

// recorded is an answer that a provider gives, and where that is published.
type recorded struct {
	What, Body, Want, ID, Published string
	Status                          int
}

func recordedAnswers(t *testing.T, preset string) []recorded {
	t.Helper()
	answers, err := readRecorded(preset)
	if err != nil {
		t.Fatal(err)
	}
	return answers
}

func readRecorded(preset string) (answers []recorded, err error) {
	content, err := os.ReadFile(filepath.Join("testdata", "presets", preset+".json"))
	if err == nil {
		err = json.Unmarshal(content, &answers)
	}
	return answers, err
}

// givens are what an operator gives for each preset that makes requests.
var givens = map[string]struct {
	auth provider.Auth
	path string
}{
	"infobip":        {key("Authorization", "App "+credential), "/sms/3/messages"},
	"plivo":          {provider.Auth{Type: "basic_auth", Config: map[string]string{"user": "MA123", "password": credential}}, "/v1/Account/MA123/Message/"},
	"telnyx":         {key("Authorization", "Bearer "+credential), "/v2/messages"},
	"smsapi":         {key("Authorization", "Bearer "+credential), "/sms.do"},
	"clickatell":     {key("Authorization", credential), "/v1/message"},
	"msg91":          {key("authkey", credential), "/api/v5/flow"},
	"fast2sms":       {key("authorization", credential), "/dev/bulkV2"},
	"africastalking": {key("apiKey", credential), "/version1/messaging"},
	"alibaba": {provider.Auth{Type: "acs3", Config: map[string]string{
		"access_key_id": "LTAI123", "access_key_secret": credential,
	}}, "/"},
}

func key(name, value string) provider.Auth {
	return provider.Auth{Type: "api_key", Config: map[string]string{"name": name, "value": value, "in": "header"}}
}

// presetGateway is a gateway of type http with a preset. Providers with a type of
// their own get a request that an operator describes.
func presetGateway(t *testing.T, name, endpoint string, options provider.HTTPOptions) smsgateway.Gateway {
	t.Helper()
	options.EvaluationLimit = smstest.Patient.EvaluationLimit
	options.Custom = provider.CustomOptions{
		Preset: name, Now: func() time.Time { return smstest.Start },
		Data: map[string]string{
			"from": "Holdline", "username": "holdline", "sign_name": "Holdline", "entity_id": "1101456780000012345",
			"variables": "code|minutes",
		},
		TemplateIDs: map[message.TextKind]map[string]string{
			message.TextCode: {"en": "1107161234567890123"}, message.TextChanged: {"en": "1107161234567890456"},
		},
	}
	given, makesRequests := givens[name]
	config := provider.RequestConfig{URL: endpoint + given.path, Auth: given.auth}
	if !makesRequests {
		config.URL, config.Body = endpoint+"/send", smstest.Inline(`function(ctx) {to: ctx.recipient, text: ctx.body}`)
	}
	gateway := smstest.NewHTTP(t, config, options)
	if name != "fast2sms" {
		return gateway
	}
	return smstest.GatewayFunc(func(ctx context.Context, m smsgateway.Message) (string, error) {
		m.To = phone.FromStore("+919876543210") // it texts no others
		return gateway.Send(ctx, m)
	})
}

func TestPresetsUnderstandWhatProvidersAnswer(t *testing.T) {
	for _, name := range provider.Presets() {
		answers := recordedAnswers(t, name)
		for _, what := range []string{"sent", "throttled", "bad number", "no credit", "bad credentials", "rejected"} {
			if !slices.ContainsFunc(answers, func(a recorded) bool { return a.What == what }) {
				t.Errorf("%s: no answer is recorded for %s", name, what)
			}
		}
		answers = append(
			answers,
			recorded{What: "an HTML page", Status: 200, Body: "<!DOCTYPE html><html><body>Maintenance</body></html>", Want: "unsure"},
			recorded{What: "an empty body", Status: 200, Want: "unsure"},
			recorded{What: "an empty object", Status: 200, Body: "{}", Want: "unsure"},
			recorded{What: "a list", Status: 200, Body: "[]", Want: "unsure"},
			recorded{What: "null", Status: 200, Body: "null", Want: "unsure"},
			recorded{What: "something else", Status: 200, Body: `{"status":"maintenance"}`, Want: "unsure"},
			recorded{What: "elsewhere", Status: 302, Body: "<html>Sign in</html>", Want: "refused"},
			recorded{What: "a proxy's page", Status: 502, Body: "<html>Bad Gateway</html>", Want: "passes after 7s"},
		)
		for _, a := range answers {
			t.Run(name+" "+a.What+" "+a.Body, func(t *testing.T) {
				if a.Published == "" && a.What == "" {
					t.Error("nobody published this")
				}
				id, reason := said{a.Status, a.Body, a.Want}.isUnderstood(t, func(t *testing.T, endpoint string, options provider.HTTPOptions) smsgateway.Gateway {
					t.Helper()
					return presetGateway(t, name, endpoint, options)
				})
				if id != a.ID {
					t.Errorf("got id %q, want %q", id, a.ID)
				}
				if a.Want != "sent" && reason == "" {
					t.Error("no reason is given")
				}
			})
		}
	}
}

func TestPresetsAskAsProvidersDocument(t *testing.T) {
	for name := range givens {
		for kind, body := range map[string]string{"code": "481516 is your code & <more>.", "notice": "Your number was changed. https://example.org/not-me/x"} {
			t.Run(name+" "+kind, func(t *testing.T) {
				asked := make(chan string, 1)
				sent := recordedAnswers(t, name)[0]
				double := smstest.NewServer(t, func(w http.ResponseWriter, r *http.Request) {
					for _, header := range []string{"X-Acs-Signature-Nonce", "Authorization"} {
						if name == "alibaba" {
							r.Header.Set(header, strings.Split(r.Header.Get(header), "Signature=")[0])
						}
					}
					r.Header.Del("X-Acs-Signature-Nonce")
					asked <- transcript(r)
					w.WriteHeader(sent.Status)
					_, _ = w.Write([]byte(sent.Body))
				})
				m := smstest.NewMessage()
				m.To, m.Body = phone.FromStore("+919876543210"), body
				if kind == "notice" {
					m.Kind, m.Code, m.Validity, m.Link = message.TextChanged, "", 0, "https://example.org/not-me/x"
				}
				id, err := presetGateway(t, name, double.URL, smstest.Patient).Send(t.Context(), m)
				if err != nil || id != sent.ID {
					t.Fatalf("got %q, %v, want %q", id, err, sent.ID)
				}
				smstest.Golden(t, "preset-"+name+"-"+kind+".golden", <-asked)
			})
		}
	}
}

// To look at a gateway no text is made, which a body may be for some numbers alone.
func TestAGatewayWithAPresetCanBeLookedAt(t *testing.T) {
	for name := range givens {
		double := smstest.NewServer(t, func(http.ResponseWriter, *http.Request) { t.Error("it was asked") })
		options := smstest.Patient
		options.Custom = provider.CustomOptions{
			Preset: name, Now: time.Now, Data: map[string]string{"from": "x", "username": "x", "sign_name": "x"},
			TemplateIDs: map[message.TextKind]map[string]string{message.TextCode: {"en": "1"}},
		}
		g := smstest.NewHTTP(t, provider.RequestConfig{URL: double.URL, Auth: givens[name].auth}, options)
		if err := g.CheckAccount(t.Context()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestFaultsOfPresetsAreNamed(t *testing.T) {
	for name, tt := range map[string]struct {
		options provider.CustomOptions
		want    []string
	}{
		"unknown":  {provider.CustomOptions{Preset: "pigeon"}, []string{"preset: must be one of africastalking, alibaba, bird, "}},
		"infobip":  {provider.CustomOptions{Preset: "infobip"}, []string{"request_config.url: must be", "data.from: is missing", "auth.type: must be api_key"}},
		"fast2sms": {provider.CustomOptions{Preset: "fast2sms"}, []string{"template_ids: is missing", "data.from: is missing"}},
		"alibaba":  {provider.CustomOptions{Preset: "alibaba"}, []string{"auth.type: must be acs3", "data.sign_name: is missing"}},
		"twilio":   {provider.CustomOptions{Preset: "twilio"}, []string{"request_config.url: must be", "request_config.body: is missing"}},
		"language": {provider.CustomOptions{TemplateIDs: map[message.TextKind]map[string]string{message.TextCode: {"english!": "1"}}}, []string{"template_ids.english!: is not a language"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := provider.NewHTTP(provider.RequestConfig{}, provider.HTTPOptions{Custom: tt.options})
			for _, want := range tt.want {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("%q is not in %v", want, err)
				}
			}
		})
	}
}
