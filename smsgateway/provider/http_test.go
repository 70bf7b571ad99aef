package provider_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/holdline/holdline/smsgateway"
	"github.com/holdline/holdline/smsgateway/provider"
	"github.com/holdline/holdline/smsgateway/smstest"
)

func TestRequestsAreWhatKratosWouldSend(t *testing.T) {
	for name, config := range map[string]provider.RequestConfig{
		"twilio": {
			Method: "POST",
			Headers: map[string]string{
				"Content-Type": "application/x-www-form-urlencoded", "Host": "api.twilio.com",
			},
			Body: "file://testdata/twilio.jsonnet",
			Auth: provider.Auth{Type: "basic_auth", Config: map[string]string{"user": "AC123", "password": "secret"}},
		},
		"json": {
			Method:  "PUT",
			Headers: map[string]string{"Host": "sms.example.com", "X-Sender": "Holdline"},
			Body:    "file://testdata/everything.jsonnet",
			Auth: provider.Auth{Type: "api_key", Config: map[string]string{
				"name": "X-Api-Key", "value": "secret", "in": "header",
			}},
		},
		"cookie": {
			Headers: map[string]string{
				"Content-Type": "application/json; charset=utf-8", "Host": "sms.example.com", "idempotency-key": "fixed",
			},
			Body: smstest.Inline(`function(ctx) {text: ctx.body}`),
			Auth: provider.Auth{Type: "api_key", Config: map[string]string{"name": "key", "value": "secret", "in": "cookie"}},
		},
		"get": {Method: "GET", Headers: map[string]string{"Host": "sms.example.com"}},
	} {
		t.Run(name, func(t *testing.T) {
			dump := make(chan string, 1)
			p := smstest.NewServer(t, func(w http.ResponseWriter, r *http.Request) {
				raw, _ := httputil.DumpRequest(r, true)
				dump <- strings.ReplaceAll(string(raw), "\r\n", "\n")
				w.WriteHeader(http.StatusCreated)
			})
			config.URL = p.URL + "/2010-04-01/Accounts/AC123/Messages.json"
			if _, err := smstest.NewHTTP(t, config, smstest.Patient).Send(t.Context(), smstest.NewMessage()); err != nil {
				t.Fatal(err)
			}
			smstest.Golden(t, name+".golden", <-dump)
		})
	}
}

func TestProviderAnswers(t *testing.T) {
	for name, tt := range map[string]struct {
		answer  func(http.ResponseWriter, *http.Request, int)
		id      string
		refused bool
		after   time.Duration // of a failure that passes; -1 for one without a hint
	}{
		"taken, with an id":         {answer: smstest.Answer(200, `{"sid":"SM1"}`), id: "SM1"},
		"taken, id under its dash":  {answer: smstest.Answer(202, `{"message-uuid":"u-1"}`), id: "u-1"},
		"taken, id is a number":     {answer: smstest.Answer(200, `{"id":7}`), id: "7"},
		"taken, id is neither":      {answer: smstest.Answer(200, `{"id":{"a":1}}`)},
		"taken, id deep inside":     {answer: smstest.Answer(200, `{"messages":[{"status":{"id":3},"messageId":"m-1"}]}`), id: "m-1"},
		"taken, id under data":      {answer: smstest.Answer(200, `{"success":true,"data":{"id":"d-1"}}`), id: "d-1"},
		"taken, errors are empty":   {answer: smstest.Answer(200, `{"error":null,"errors":[],"error_message":""}`)},
		"taken, id beside an error": {answer: smstest.Answer(200, `{"id":"a","errors":["number is roaming"]}`), id: "a"},
		"taken, id is too long":     {answer: smstest.Answer(200, `{"id":"`+strings.Repeat("x", 500)+`"}`)},
		"taken, answer is no JSON":  {answer: smstest.Answer(200, `OK`)},
		"taken, answer is too long": {answer: smstest.Answer(200, `{"id":"a","x":"`+strings.Repeat("x", 70<<10)+`"}`)},
		"taken, as Vonage says it":  {answer: smstest.Answer(200, `{"message-count":"1","messages":[{"status":"0","message-id":"v-1"}]}`), id: "v-1"},
		"a yes breaks off":          {answer: smstest.HalfAnAnswer, after: -1},
		"an error with a yes":       {answer: smstest.Answer(200, `{"error":"no route to `+smstest.Number+`"}`), refused: true},
		"errors with a yes":         {answer: smstest.Answer(200, `{"errors":[{"code":9}]}`), refused: true},
		"an error text with a yes":  {answer: smstest.Answer(200, `{"error-text":"`+smstest.Code+`"}`), refused: true},
		"a message with a yes":      {answer: smstest.Answer(202, `{"error_message":"no"}`), refused: true},
		"a no as Vonage says it":    {answer: smstest.Answer(200, `{"message-count":"1","messages":[{"status":"9"}]}`), refused: true},
		"a pause as Vonage says it": {answer: smstest.Answer(200, `{"message-count":"1","messages":[{"status":"1"}]}`), after: -1},
		"refused":                   {answer: smstest.Answer(400, `{"number":"`+smstest.Number+`"}`), refused: true},
		"redirects are refused":     {answer: smstest.Redirect, refused: true},
		"overloaded, in seconds":    {answer: smstest.RetryAfter("7"), after: 7 * time.Second},
		"overloaded, by date": {
			answer: func(w http.ResponseWriter, r *http.Request, n int) {
				w.Header().Set("Date", smstest.Start.Format(http.TimeFormat))
				smstest.RetryAfter(smstest.Start.Add(9*time.Second).Format(http.TimeFormat))(w, r, n)
			},
			after: 9 * time.Second,
		},
		"overloaded, for ever":    {answer: smstest.RetryAfter("999999999999"), after: time.Hour},
		"overloaded, nonsense":    {answer: smstest.RetryAfter("soon"), after: -1},
		"overloaded, in the past": {answer: smstest.RetryAfter("-5"), after: -1},
		"broken":                  {answer: smstest.Answer(500, smstest.Code), after: -1},
		"times out itself":        {answer: smstest.Answer(408, ""), after: -1},
		"too early":               {answer: smstest.Answer(425, ""), after: -1},
		"no HTTP at all":          {answer: smstest.Garbage, after: -1},
	} {
		t.Run(name, func(t *testing.T) {
			p := smstest.NewProvider(t, tt.answer)
			id, err := smstest.JSONGateway(t, p.URL, smstest.Patient).Send(t.Context(), smstest.NewMessage())
			if id != tt.id {
				t.Errorf("id: got %q, want %q", id, tt.id)
			}
			if got := errors.Is(err, smsgateway.ErrRefused); got != tt.refused {
				t.Errorf("refused: got %v, want %v (%v)", got, tt.refused, err)
			}
			if passes := err != nil && !tt.refused; passes != (tt.after != 0) {
				t.Errorf("got %v", err)
			}
			var later *smsgateway.RetryError
			if errors.As(err, &later) && later.After != max(0, tt.after) {
				t.Errorf("retry after: got %v, want %v", later.After, tt.after)
			}
			saysNothing(t, err)
		})
	}
}

func TestSilentProvidersAreGivenUp(t *testing.T) {
	release := make(chan struct{})
	p := smstest.NewProvider(t, func(http.ResponseWriter, *http.Request, int) { <-release })
	defer close(release)
	g := smstest.JSONGateway(t, strings.Replace(p.URL, "http://", "http://me:hunter2@", 1), provider.HTTPOptions{Timeout: 50 * time.Millisecond, EvaluationLimit: time.Minute})
	_, err := g.Send(t.Context(), smstest.NewMessage())
	if !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, smsgateway.ErrRefused) {
		t.Errorf("got %v, want a time-out", err)
	}
	saysNothing(t, err)
}

func TestRefusedConnectionsPass(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	_ = listener.Close()
	_, err = smstest.JSONGateway(t, "http://me:hunter2@"+address+"/?key=hunter2", smstest.Patient).Send(t.Context(), smstest.NewMessage())
	if err == nil || errors.Is(err, smsgateway.ErrRefused) || !strings.Contains(err.Error(), "connection is refused") {
		t.Errorf("got %v, want a failure that passes", err)
	}
	saysNothing(t, err)
}

func TestAnEndedContextIsNoRefusal(t *testing.T) {
	p := smstest.NewProvider(t, smstest.Answer(200, ""))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := smstest.JSONGateway(t, p.URL, smstest.Patient).Send(ctx, smstest.NewMessage())
	if !errors.Is(err, context.Canceled) || errors.Is(err, smsgateway.ErrRefused) {
		t.Errorf("got %v, want the context's error", err)
	}
}

func TestConfigurationFaultsComeTogether(t *testing.T) {
	_, err := provider.NewHTTP(provider.RequestConfig{
		URL: "/relative", Method: "TRACE",
		Headers: map[string]string{"Bad Name": "x", "Content-Type": "text/xml"},
		Body:    "postman://x",
		Auth:    provider.Auth{Type: "api_key", Config: map[string]string{"in": "body", "pass": "hunter2"}},
	}, smstest.Patient)
	for _, key := range []string{
		"request_config.url:", "request_config.method:", `"Bad Name"`, "Content-Type", "request_config.body:",
		"auth.config.pass:", "auth.config.name:", "auth.config.value:", "auth.config.in:",
	} {
		if err == nil || !strings.Contains(err.Error(), key) {
			t.Errorf("%s is not in %v", key, err)
		}
	}
	saysNothing(t, err)
}

func TestOneFaultIsFound(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(*provider.RequestConfig)
		want   string
	}{
		"no body":         {func(c *provider.RequestConfig) { c.Body = "" }, "request_config.body: is missing"},
		"no base64":       {func(c *provider.RequestConfig) { c.Body = "base64://%%" }, "request_config.body: is no base64"},
		"no file":         {func(c *provider.RequestConfig) { c.Body = "file://testdata/none" }, "no such file"},
		"huge body":       {func(c *provider.RequestConfig) { c.Body = smstest.Inline(strings.Repeat(" ", 65<<10)) }, "no longer than"},
		"auth type":       {func(c *provider.RequestConfig) { c.Auth.Type = "oauth" }, "request_config.auth.type:"},
		"no password":     {func(c *provider.RequestConfig) { c.Auth.Type = "basic_auth" }, "auth.config.password: is missing"},
		"header is two":   {func(c *provider.RequestConfig) { c.Headers = map[string]string{"X-A": "a\r\nB: c"} }, `"X-A"`},
		"URL has no host": {func(c *provider.RequestConfig) { c.URL = "https:///x" }, "request_config.url:"},
	} {
		t.Run(name, func(t *testing.T) {
			config := provider.RequestConfig{URL: "https://sms.example.com", Body: smstest.Inline("{}")}
			tt.change(&config)
			if _, err := provider.NewHTTP(config, smstest.Patient); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

func TestTemplatesCanBeFetched(t *testing.T) {
	p := smstest.NewProvider(t, func(w http.ResponseWriter, r *http.Request, _ int) {
		if r.URL.Path == "/body.jsonnet" {
			_, _ = w.Write([]byte(`function(ctx) {fetched: ctx.body}`))
			return
		}
		w.WriteHeader(http.StatusNotFound)
	})
	g := smstest.NewHTTP(t, provider.RequestConfig{URL: p.URL + "/body.jsonnet", Body: p.URL + "/body.jsonnet"}, smstest.Patient)
	if _, err := g.Send(t.Context(), smstest.NewMessage()); err != nil {
		t.Fatal(err)
	}
	if got := p.Got(); len(got) != 2 || !strings.Contains(got[1].Body, "fetched") {
		t.Errorf("got %v, want one fetch and one text", got)
	}
	_, err := provider.NewHTTP(provider.RequestConfig{URL: p.URL, Body: p.URL + "/none?key=hunter2"}, smstest.Patient)
	if err == nil || !strings.Contains(err.Error(), "the answer is 404") {
		t.Errorf("got %v", err)
	}
	saysNothing(t, err)
}

// saysNothing fails if an error tells what it must not.
func saysNothing(t *testing.T, err error) {
	t.Helper()
	for _, secret := range []string{smstest.Number, smstest.Number[1:], smstest.Code, "hunter2"} {
		if strings.Contains(fmt.Sprintf("%+v", err), secret) {
			t.Errorf("%q is in %v", secret, err)
		}
	}
}

// A provider that takes a text and then breaks the connection gets it once for
// each send, however many connections lie idle.
func TestNothingIsRepeatedBehindTheWorkersBack(t *testing.T) {
	const idle = 8
	var arrived sync.WaitGroup
	arrived.Add(idle)
	var breaking atomic.Bool
	var taken atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		if breaking.Load() {
			taken.Add(1)
			panic(http.ErrAbortHandler)
		}
		arrived.Done()
		arrived.Wait()
	}))
	t.Cleanup(server.Close)
	for _, method := range []string{http.MethodPost, http.MethodGet} {
		t.Run(method, func(t *testing.T) {
			config := provider.RequestConfig{URL: server.URL, Method: method}
			if method == http.MethodPost {
				config.Body = "base64://" + base64.StdEncoding.EncodeToString([]byte("function(ctx) ctx"))
			}
			gateway, err := provider.NewHTTP(config, provider.HTTPOptions{})
			if err != nil {
				t.Fatal(err)
			}
			defer gateway.Close()
			breaking.Store(false)
			taken.Store(0)
			arrived = sync.WaitGroup{}
			arrived.Add(idle)
			var warm errgroup.Group
			for range idle {
				warm.Go(func() error {
					_, err := gateway.Send(t.Context(), smstest.NewMessage())
					return err
				})
			}
			if err := warm.Wait(); err != nil {
				t.Fatal(err)
			}
			breaking.Store(true)
			_, err = gateway.Send(t.Context(), smstest.NewMessage())
			if taken.Load() != 1 || !errors.Is(err, smsgateway.ErrUnclear) {
				t.Errorf("the server got it %d times: %v", taken.Load(), err)
			}
		})
	}
}
