package provider_test

import (
	"bytes"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/holdline/holdline/smsgateway"
	"github.com/holdline/holdline/smsgateway/provider"
	"github.com/holdline/holdline/smsgateway/smstest"
)

// Credentials hold this word, by which tests find them in errors.
const credential = "hunter2"

const callback = "https://login.example.com/sms/receipts/main"

// providerTest is what a provider documents, which its gateway is held against.
type providerTest struct {
	gatewayType, path, callback string
	settings                    provider.Settings // without the endpoint
	accepted                    accepted
	account                     account
	answers                     []said // each class of them
	receipts                    map[string]receiptCase
}

// accepted is the answer to a text that is taken, and the text's id in it.
type accepted struct {
	status   int
	body, id string
}

// account is the request that shows whether the credentials are good, blank if a
// gateway only connects, and an answer that refuses them with any status.
type account struct{ asks, refusal string }

// providerTests are those of the providers that have a type of gateway of their own, and
// of one that the operator describes.
var providerTests = map[string]providerTest{
	"bird": birdTest, "http": anyProviderTest, "kannel": kannelTest, "messagebird": messageBirdTest, "sinch": sinchTest,
	"sns": snsTest, "twilio": twilioTest, "twilio-service": twilioServiceTest, "vonage": vonageTest,
}

func TestEveryProviderIsTested(t *testing.T) {
	for _, name := range provider.Presets() {
		if _, own := provider.ForType(name); own && providerTests[name].gatewayType != name {
			t.Errorf("%s has a type of gateway of its own, and is not in providerTests", name)
		}
	}
}

// preset returns a gateway of the table.
func preset(t *testing.T, name, endpoint string, o provider.HTTPOptions) smsgateway.Gateway {
	t.Helper()
	if o.EvaluationLimit == 0 {
		o.EvaluationLimit = smstest.Patient.EvaluationLimit
	}
	p := providerTests[name]
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

func TestProvidersAreAskedAsTheyDocument(t *testing.T) {
	for name, p := range providerTests {
		for encoding, body := range map[string]string{"gsm7": "481516 is your code & <more>.", "ucs2": "481516 是您的验证码。"} {
			t.Run(name+" "+encoding, func(t *testing.T) {
				asked := make(chan string, 1)
				double := smstest.NewServer(t, func(w http.ResponseWriter, r *http.Request) {
					asked <- transcript(r)
					w.WriteHeader(p.accepted.status)
					_, _ = w.Write([]byte(p.accepted.body))
				})
				m := smstest.NewMessage()
				m.Body = body
				id, err := preset(t, name, double.URL, smstest.Patient).Send(t.Context(), m)
				if err != nil || id != p.accepted.id {
					t.Fatalf("got %q, %v, want %q", id, err, p.accepted.id)
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
