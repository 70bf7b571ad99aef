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

// presets are gateways to providers at a URL of the test's.
var presets = map[string]func(endpoint string, o provider.HTTPOptions) smsgateway.Gateway{
	"vonage": func(endpoint string, o provider.HTTPOptions) smsgateway.Gateway {
		return provider.NewAPI(provider.Vonage{
			APIKey: "key-" + credential, APISecret: credential, From: "Holdline", Endpoint: endpoint + "/sms/json", Callback: callback,
		}, o)
	},
	"twilio": func(endpoint string, o provider.HTTPOptions) smsgateway.Gateway {
		return provider.NewAPI(provider.Twilio{
			AccountSID: "AC123", AuthToken: credential, From: "+15005550006",
			Endpoint: endpoint + "/2010-04-01/Accounts/AC123/Messages.json", Callback: callback,
		}, o)
	},
	"twilio-service": func(endpoint string, o provider.HTTPOptions) smsgateway.Gateway {
		return provider.NewAPI(provider.Twilio{
			AccountSID: "AC123", APIKeySID: "SK123", APIKeySecret: credential, MessagingServiceSID: "MG123",
			Endpoint: endpoint + "/2010-04-01/Accounts/AC123/Messages.json",
		}, o)
	},
	"messagebird": func(endpoint string, o provider.HTTPOptions) smsgateway.Gateway {
		return provider.NewAPI(provider.MessageBird{
			AccessKey: credential, Originator: "Holdline", Endpoint: endpoint + "/messages", Callback: callback + "?secret=" + credential,
		}, o)
	},
	"bird": func(endpoint string, o provider.HTTPOptions) smsgateway.Gateway {
		return provider.NewAPI(provider.Bird{
			AccessKey: credential, WorkspaceID: "w-1", ChannelID: "c-1", Endpoint: endpoint + "/workspaces/w-1/channels/c-1/messages",
		}, o)
	},
	"sinch": func(endpoint string, o provider.HTTPOptions) smsgateway.Gateway {
		return provider.NewAPI(provider.Sinch{
			ServicePlanID: "plan", APIToken: credential, From: "447700900000",
			Endpoint: endpoint + "/xms/v1/plan/batches", Callback: callback + "?secret=" + credential,
		}, o)
	},
	"kannel": func(endpoint string, o provider.HTTPOptions) smsgateway.Gateway {
		return provider.NewAPI(provider.Kannel{
			Username: "holdline", Password: credential, From: "Holdline",
			Endpoint: endpoint + "/cgi-bin/sendsms", Callback: callback + "?secret=" + credential,
		}, o)
	},
	"sns": func(endpoint string, o provider.HTTPOptions) smsgateway.Gateway {
		return provider.NewSNS(provider.SNSOptions{
			Region: "eu-west-1", AccessKeyID: "AKIA" + credential, SecretAccessKey: credential, SenderID: "Holdline", Endpoint: endpoint,
		}, o)
	},
	"http": func(endpoint string, o provider.HTTPOptions) smsgateway.Gateway {
		g, err := provider.NewHTTP(provider.RequestConfig{
			URL: strings.Replace(endpoint, "://", "://me:"+credential+"@", 1), Body: smstest.Inline(`function(ctx) {to: ctx.recipient, text: ctx.body}`),
		}, o)
		if err != nil {
			panic(err) // The configuration above is good.
		}
		return g
	},
}

// preset returns a gateway of the table.
func preset(t *testing.T, name, endpoint string, o provider.HTTPOptions) smsgateway.Gateway {
	t.Helper()
	if o.EvaluationLimit == 0 {
		o.EvaluationLimit = smstest.Patient.EvaluationLimit
	}
	g := presets[name](endpoint, o)
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
	for want, api := range map[string]provider.API{
		"https://rest.nexmo.com/sms/json":                                 provider.Vonage{},
		"https://api.twilio.com/2010-04-01/Accounts/AC%2F1/Messages.json": provider.Twilio{AccountSID: "AC/1"},
		"https://rest.messagebird.com/messages":                           provider.MessageBird{},
		"https://api.bird.com/workspaces/w/channels/c/messages":           provider.Bird{WorkspaceID: "w", ChannelID: "c"},
		"https://us.sms.api.sinch.com/xms/v1/plan/batches":                provider.Sinch{ServicePlanID: "plan"},
		"https://eu.sms.api.sinch.com/xms/v1/plan/batches":                provider.Sinch{ServicePlanID: "plan", Region: "eu"},
		"http://127.0.0.1:13013/cgi-bin/sendsms":                          provider.Kannel{},
	} {
		got := askedOf(t, func(o provider.HTTPOptions) smsgateway.Gateway { return provider.NewAPI(api, o) })
		if got.RawQuery = ""; got.String() != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	got := askedOf(t, func(o provider.HTTPOptions) smsgateway.Gateway {
		return provider.NewSNS(provider.SNSOptions{Region: "eu-west-1", AccessKeyID: "a", SecretAccessKey: "b"}, o)
	})
	if want := "https://sns.eu-west-1.amazonaws.com/"; got.String() != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// askedOf returns the URL that a gateway asks.
func askedOf(t *testing.T, make func(provider.HTTPOptions) smsgateway.Gateway) *url.URL {
	t.Helper()
	var asked *url.URL
	spy := transport(func(r *http.Request) (*http.Response, error) {
		asked = r.URL
		return nil, http.ErrServerClosed
	})
	if _, err := make(provider.HTTPOptions{Transport: spy}).Send(t.Context(), smstest.NewMessage()); err == nil {
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
	kannel := provider.Kannel{Username: "u", Password: "p", Endpoint: double.URL + "/cgi-bin/sendsms?smsc=foo"}
	if _, err := provider.NewAPI(kannel, provider.HTTPOptions{}).Send(t.Context(), smstest.NewMessage()); err != nil {
		t.Fatal(err)
	}
	if got.Get("smsc") != "foo" || got.Get("charset") != "UTF-8" || got.Get("username") != "u" {
		t.Errorf("got the names %v, smsc %q", slices.Sorted(maps.Keys(got)), got.Get("smsc"))
	}
}
