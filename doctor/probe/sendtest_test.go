package probe_test

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/holdline/holdline/config"
	"github.com/holdline/holdline/doctor"
	"github.com/holdline/holdline/doctor/probe"
)

const testNumber = "+447400123456"

// Everything secret has this in it.
const hidden = "hunter2-hunter2"

// echoing answers all that it is asked, which no provider should.
func echoing(t *testing.T, status int, answer string) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("X-Echo", hidden)
		w.Header().Set("Set-Cookie", "session="+hidden)
		w.WriteHeader(status)
		all, _ := json.Marshal(map[string]string{
			"path": r.URL.String(), "authorization": r.Header.Get("Authorization"), "said": r.Header.Get("X-Account"), "text": string(body), "to": testNumber,
		})
		_, _ = w.Write([]byte(strings.Replace(answer, "{", "{\"echo\":"+string(all)+",", 1)))
	}))
	t.Cleanup(s.Close)
	return s
}

func inline(jsonnet string) string {
	return "base64://" + base64.StdEncoding.EncodeToString([]byte(jsonnet))
}

// testGateways are one that refuses, one that nobody understands, one that says yes
// and one behind it, in every place where secrets are kept.
func testGateways(t *testing.T) config.Config {
	t.Helper()
	cfg := config.Default()
	cfg.SMS.Gateways = []config.Gateway{
		{
			ID: "refuses", Type: "http", Preset: "smsapi", Data: map[string]config.Secret{"from": "Example"},
			Request: config.RequestConfig{
				URL:  config.Secret(strings.Replace(echoing(t, 200, `{"error":101}`).URL, "://", "://me:"+hidden+"@", 1) + "/" + hidden + "/sms.do?apikey=" + hidden),
				Auth: config.RequestAuth{Type: "api_key", Config: map[string]config.Secret{"name": "Authorization", "value": "Bearer " + hidden}},
			},
		},
		{
			ID: "mumbles", Type: "vonage", APIKey: "abcd1234", APISecret: hidden, From: "Example", Timeout: 2 * time.Second,
			Endpoint: echoing(t, 200, `{}`).URL,
		},
		{
			ID: "takes", Type: "http", Response: inline(`function(ctx) {sent: std.get(ctx.body, 'ok') == true, id: ctx.body.id}`),
			Data: map[string]config.Secret{"api_key": hidden, "from": "Example"},
			Request: config.RequestConfig{
				URL: config.Secret(echoing(t, 200, `{"ok":true,"id":"m-1"}`).URL), Headers: map[string]config.Secret{"X-Account": hidden},
				Body: config.Secret(inline(`function(ctx) {to: ctx.recipient, text: ctx.body, sender: ctx.data.from, account: ctx.data.api_key, "password": "in the body"}`)),
				Auth: config.RequestAuth{Type: "basic_auth", Config: map[string]config.Secret{"user": "holdline", "password": hidden}},
			},
		},
		{ID: "spare", Type: "http", Request: config.RequestConfig{
			URL: config.Secret(echoing(t, 200, `{"id":"m-2"}`).URL), Body: config.Secret(inline(`function(ctx) {text: ctx.body}`)),
		}},
	}
	return cfg
}

func TestATestTextShowsWhatWasAskedAndAnswered(t *testing.T) {
	cfg := testGateways(t)
	for name, tt := range map[string]struct {
		gateway  string
		outcomes map[string]doctor.Outcome
		found    []string
		failed   bool
	}{
		"in order": {
			"",
			map[string]doctor.Outcome{"refuses": doctor.OutcomeAccount, "mumbles": doctor.OutcomeUnsure, "takes": doctor.OutcomeSent},
			[]string{"test-text-refused", "test-text-refused"},
			false,
		},
		"one that refuses": {"refuses", map[string]doctor.Outcome{"refuses": doctor.OutcomeAccount}, []string{"test-text-not-sent"}, true},
		"one without rule": {"spare", map[string]doctor.Outcome{"spare": doctor.OutcomeSent}, []string{"gateway-without-response"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			report, err := probe.SendTest(t.Context(), cfg, testNumber, tt.gateway)
			if err != nil {
				t.Fatal(err)
			}
			outcomes := map[string]doctor.Outcome{}
			for _, a := range report.Attempts {
				outcomes[a.Gateway] = a.Outcome
				if len(a.Exchanges) == 0 || a.Outcome != doctor.OutcomeUnsure && a.Exchanges[0].Response == nil {
					t.Errorf("%s: got %+v, want what was asked and answered", a.Gateway, a.Exchanges)
				}
			}
			var found []string
			for _, f := range report.Findings {
				found = append(found, f.ID)
			}
			if tt.gateway == "" && outcomes["mumbles"] == doctor.OutcomeUnclear {
				outcomes["mumbles"] = doctor.OutcomeUnsure // its time-out was over before it answered
			}
			if diff := cmp.Diff(tt.outcomes, outcomes); diff != "" {
				t.Errorf("outcomes (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.found, found); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
			if got := doctor.Failed(report.Findings, false); got != tt.failed {
				t.Errorf("failed: got %v, want %v", got, tt.failed)
			}
			var printed, written strings.Builder
			if err := report.WriteText(&printed); err != nil {
				t.Fatal(err)
			}
			if err := report.WriteJSON(&written); err != nil {
				t.Fatal(err)
			}
			for _, text := range []string{printed.String(), written.String()} {
				for _, secret := range []string{
					hidden, base64.StdEncoding.EncodeToString([]byte("holdline:" + hidden)), "in the body", testNumber[1:], "Bearer h",
				} {
					if strings.Contains(text, secret) {
						t.Errorf("%q is shown:\n%s", secret, text)
					}
				}
				if !strings.Contains(text, "http://127.0.0.1:") && !strings.Contains(text, "@127.0.0.1:") || !strings.Contains(text, "is your Holdline code") && !strings.Contains(text, "is+your+Holdline+code") {
					t.Errorf("not shown what was asked:\n%s", text)
				}
			}
		})
	}
}

func TestATestTextGoesTheWayOfItsNumber(t *testing.T) {
	cfg := testGateways(t)
	cfg.SMS.Routes = []config.Route{{CallingCodes: []string{"44"}, Gateways: []string{"spare", "refuses"}}}
	report, err := probe.SendTest(t.Context(), cfg, testNumber, "")
	if err != nil {
		t.Fatal(err)
	}
	if len(report.Attempts) != 1 || report.Attempts[0].Gateway != "spare" {
		t.Errorf("got %+v, want the route's first gateway alone", report.Attempts)
	}
	for name, number := range map[string]string{"no number": "hello", "an emergency number": "+44999", "premium": "+449098790000"} {
		if _, err := probe.SendTest(t.Context(), cfg, number, ""); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	for number, want := range map[string]string{
		"+1 555 0143": "The area code is missing. Begin with + and the country code.", "+49 151 1234": "This number is too short for Germany.",
		"+870773111632": "Numbers of this kind or country are not accepted.",
	} {
		if _, err := probe.SendTest(t.Context(), cfg, number, ""); err == nil || err.Error() != "--send-test: "+want {
			t.Errorf("%s: got %v, want %s", number, err, want)
		}
	}
	if _, err := probe.SendTest(t.Context(), cfg, testNumber, "nobody"); err == nil || !strings.Contains(err.Error(), "must be one of refuses, mumbles, takes, spare") {
		t.Errorf("got %v, want the gateways that there are", err)
	}
}
