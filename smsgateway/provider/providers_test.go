package provider_test

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/holdline/holdline/smsgateway"
	"github.com/holdline/holdline/smsgateway/provider"
	"github.com/holdline/holdline/smsgateway/smstest"
)

// Credentials hold this word, by which tests find them in errors.
const credential = "hunter2"

const callback = "https://login.example.com/sms/receipts/main"

// presets are gateways to providers, without their endpoints and callbacks.
var presets = map[string]struct {
	gatewayType, path, callback string
	settings                    provider.Settings
}{
	"vonage": {"vonage", "/sms/json", callback, provider.Settings{"api_key": "key-" + credential, "api_secret": credential, "from": "Holdline"}},
	"twilio": {"twilio", "/2010-04-01/Accounts/AC123/Messages.json", callback, provider.Settings{"account_sid": "AC123", "auth_token": credential, "from": "+15005550006"}},
	"twilio-service": {"twilio", "/2010-04-01/Accounts/AC123/Messages.json", "", provider.Settings{
		"account_sid": "AC123", "api_key_sid": "SK123", "api_key_secret": credential, "messaging_service_sid": "MG123",
	}},
	"messagebird": {"messagebird", "/messages", callback + "?secret=" + credential, provider.Settings{"access_key": credential, "originator": "Holdline"}},
	"bird":        {"bird", "/workspaces/w-1/channels/c-1/messages", "", provider.Settings{"access_key": credential, "workspace_id": "w-1", "channel_id": "c-1"}},
	"sinch": {"sinch", "/xms/v1/plan/batches", callback + "?secret=" + credential, provider.Settings{
		"service_plan_id": "plan", "api_token": credential, "from": "447700900000",
	}},
	"kannel": {"kannel", "/cgi-bin/sendsms", callback + "?secret=" + credential, provider.Settings{"username": "holdline", "password": credential, "from": "Holdline"}},
	"sns": {"sns", "", "", provider.Settings{
		"region": "eu-west-1", "access_key_id": "AKIA" + credential, "secret_access_key": credential, "sender_id": "Holdline",
	}},
	"http": {gatewayType: "http"},
}

// preset returns a gateway of the table.
func preset(t *testing.T, name, endpoint string, o provider.HTTPOptions) smsgateway.Gateway {
	t.Helper()
	if o.EvaluationLimit == 0 {
		o.EvaluationLimit = smstest.Patient.EvaluationLimit
	}
	p := presets[name]
	settings := maps.Clone(p.settings)
	if settings != nil {
		settings["endpoint"] = endpoint + p.path
	}
	g, err := provider.New(p.gatewayType, provider.Config{
		Settings: settings, Callback: p.callback, Options: o, Request: provider.RequestConfig{
			URL: strings.Replace(endpoint, "://", "://me:"+credential+"@", 1), Body: smstest.Inline(`function(ctx) {to: ctx.recipient, text: ctx.body}`),
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if closer, ok := g.(interface{ Close() }); ok {
		t.Cleanup(closer.Close)
	}
	return g
}

// accepted is what each provider answers to a text that it takes, and its id.
var accepted = map[string]struct {
	status   int
	body, id string
}{
	"vonage": {200, `{"message-count":"1","messages":[{"to":"447700900123","message-id":"0A0000000123ABCD1","status":"0",
		"remaining-balance":"3.14","message-price":"0.03","network":"12345","client-ref":"text-1"}]}`, "0A0000000123ABCD1"},
	"twilio": {201, `{"sid":"SM1f0e8ae6ade43cb3c0ce4525424e404f","status":"queued","to":"+447700900123","num_segments":"1",
		"error_code":null,"error_message":null}`, "SM1f0e8ae6ade43cb3c0ce4525424e404f"},
	"twilio-service": {201, `{"sid":"SM2","status":"accepted","error_code":null,"error_message":null}`, "SM2"},
	"messagebird": {
		201, `{"id":"e8077d803532c0b5937c639b60216938","href":"https://rest.messagebird.com/messages/e8077d803532c0b5937c639b60216938",
		"direction":"mt","type":"sms","recipients":{"totalCount":1,"totalSentCount":1,"items":[{"recipient":447700900123,"status":"sent"}]}}`,
		"e8077d803532c0b5937c639b60216938",
	},
	"bird":   {202, `{"id":"3f1a4d3e-5d0c-4d7e-8f5c-6b1f1e7a9c10","channelId":"c-1","status":"accepted","reference":"text-1"}`, "3f1a4d3e-5d0c-4d7e-8f5c-6b1f1e7a9c10"},
	"sinch":  {201, `{"id":"01FC66621XXXXX119Z8PMV1QPQ","to":["447700900123"],"from":"447700900000","canceled":false,"type":"mt_text"}`, "01FC66621XXXXX119Z8PMV1QPQ"},
	"kannel": {202, "0: Accepted for delivery", ""},
	"sns": {200, `<PublishResponse xmlns="https://sns.amazonaws.com/doc/2010-03-31/"><PublishResult><MessageId>567910cd-659e-55d4-8ccb-5aaf14679dc0</MessageId></PublishResult>
		<ResponseMetadata><RequestId>d74b8436-ae13-5ab4-a9ff-ce54dfea72a0</RequestId></ResponseMetadata></PublishResponse>`, "567910cd-659e-55d4-8ccb-5aaf14679dc0"},
	"http": {200, `{"id":"1"}`, "1"},
}

func TestProvidersAreAskedAsTheyDocument(t *testing.T) {
	for name := range presets {
		for encoding, body := range map[string]string{"gsm7": "481516 is your code & <more>.", "ucs2": "481516 是您的验证码。"} {
			t.Run(name+" "+encoding, func(t *testing.T) {
				asked := make(chan string, 1)
				double := smstest.NewServer(t, func(w http.ResponseWriter, r *http.Request) {
					asked <- transcript(r)
					w.WriteHeader(accepted[name].status)
					_, _ = w.Write([]byte(accepted[name].body))
				})
				m := smstest.NewMessage()
				m.Body = body
				id, err := preset(t, name, double.URL, smstest.Patient).Send(t.Context(), m)
				if err != nil || id != accepted[name].id {
					t.Fatalf("got %q, %v, want %q", id, err, accepted[name].id)
				}
				smstest.Golden(t, "preset-"+name+"-"+encoding+".golden", <-asked)
			})
		}
	}
}

// The SDK of SNS signs and describes itself: that differs from run to run.
var (
	signature = regexp.MustCompile(`Credential=([^/]+)/\d+/(\S+), SignedHeaders=.*`)
	ephemeral = []string{"X-Amz-Date", "Amz-Sdk-Invocation-Id", "Amz-Sdk-Request", "User-Agent"}
)

// transcript is a whole request, in order, its query and form one part a line.
func transcript(r *http.Request) string {
	var body, out bytes.Buffer
	_, _ = body.ReadFrom(r.Body)
	r.Header.Del("Accept-Encoding")
	if authorization := r.Header.Get("Authorization"); strings.HasPrefix(authorization, "AWS4") {
		for _, name := range ephemeral {
			r.Header.Del(name)
		}
		r.Header.Set("Authorization", signature.ReplaceAllString(authorization, "Credential=$1/DATE/$2"))
	}
	query := ""
	if r.URL.RawQuery != "" {
		query = "?" + strings.ReplaceAll(r.URL.RawQuery, "&", "\n &")
	}
	fmt.Fprintf(&out, "%s %s%s\n", r.Method, r.URL.Path, query)
	_ = r.Header.Write(&out)
	text := body.String()
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		text = strings.ReplaceAll(text, "&", "\n&")
	}
	return strings.ReplaceAll(out.String(), "\r\n", "\n") + "\n" + strings.TrimSuffix(text, "\n") + "\n"
}

func TestProvidersAreAskedWhereTheyAre(t *testing.T) {
	for want, p := range map[string]struct {
		gatewayType string
		settings    provider.Settings
	}{
		"https://rest.nexmo.com/sms/json":                                 {"vonage", nil},
		"https://api.twilio.com/2010-04-01/Accounts/AC%2F1/Messages.json": {"twilio", provider.Settings{"account_sid": "AC/1"}},
		"https://rest.messagebird.com/messages":                           {"messagebird", nil},
		"https://api.bird.com/workspaces/w/channels/c/messages":           {"bird", provider.Settings{"workspace_id": "w", "channel_id": "c"}},
		"https://us.sms.api.sinch.com/xms/v1/plan/batches":                {"sinch", provider.Settings{"service_plan_id": "plan"}},
		"https://eu.sms.api.sinch.com/xms/v1/plan/batches":                {"sinch", provider.Settings{"service_plan_id": "plan", "region": "eu"}},
		"http://127.0.0.1:13013/cgi-bin/sendsms":                          {"kannel", nil},
		"https://sns.eu-west-1.amazonaws.com/":                            {"sns", provider.Settings{"region": "eu-west-1", "access_key_id": "A", "secret_access_key": "S"}},
	} {
		got := askedOf(t, p.gatewayType, p.settings)
		if got.RawQuery = ""; got.String() != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func askedOf(t *testing.T, gatewayType string, settings provider.Settings) *url.URL {
	t.Helper()
	var asked *url.URL
	spy := transport(func(r *http.Request) (*http.Response, error) {
		asked = r.URL
		return nil, http.ErrServerClosed
	})
	g, err := provider.New(gatewayType, provider.Config{Settings: settings, Options: provider.HTTPOptions{Transport: spy}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := g.Send(t.Context(), smstest.NewMessage()); err == nil {
		t.Error("sent")
	}
	return asked
}

// transport is a function in place of the network.
type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// Kannel's endpoint may name a centre or an account of its own.
func TestKannelKeepsItsEndpointsQuery(t *testing.T) {
	var got url.Values
	double := smstest.NewServer(t, func(w http.ResponseWriter, r *http.Request) {
		got = r.URL.Query()
		w.WriteHeader(http.StatusAccepted)
		_, _ = io.WriteString(w, "0: Accepted for delivery")
	})
	kannel, err := provider.New("kannel", provider.Config{Settings: provider.Settings{
		"username": "u", "password": "p", "endpoint": double.URL + "/cgi-bin/sendsms?smsc=foo",
	}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := kannel.Send(t.Context(), smstest.NewMessage()); err != nil {
		t.Fatal(err)
	}
	if got.Get("smsc") != "foo" || got.Get("charset") != "UTF-8" || got.Get("username") != "u" {
		t.Errorf("got the names %v, smsc %q", slices.Sorted(maps.Keys(got)), got.Get("smsc"))
	}
}
