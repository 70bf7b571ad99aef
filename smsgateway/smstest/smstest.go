// Package smstest is what the tests of smsgateway's rooms share: a text, a provider
// on a loopback address, and what providers may do wrong.
package smstest

import (
	"bytes"
	"context"
	"encoding/base64"
	"flag"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/internal/otp"
	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/internal/storetest"
	"github.com/holdline/holdline/smsgateway"
	"github.com/holdline/holdline/smsgateway/provider"
)

// What a text is sent to, and what it says.
const (
	Number = "+447700900123"
	Code   = "481516"
)

// Start is when tests begin.
var Start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// NewMessage is a text as gateways get it.
func NewMessage() smsgateway.Message {
	return smsgateway.Message{
		ID: "text-1", To: phone.FromStore(Number), Body: Code + " is your code.", Code: Code,
		Validity: 5 * time.Minute, Language: "en", IdentityID: "identity-1",
	}
}

// Inline is where a template is that stands in the configuration itself.
func Inline(jsonnet string) string {
	return "base64://" + base64.StdEncoding.EncodeToString([]byte(jsonnet))
}

// Provider is a loopback server; what it is asked can be read afterwards.
type Provider struct {
	*httptest.Server
	mu       sync.Mutex
	requests []Request
}

// Request is what a provider was asked.
type Request struct {
	Header http.Header
	Body   string
}

// NewProvider answers the nth request (from 1) by handle.
func NewProvider(t *testing.T, handle func(w http.ResponseWriter, r *http.Request, n int)) *Provider {
	t.Helper()
	p := &Provider{}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body bytes.Buffer
		_, _ = body.ReadFrom(r.Body)
		p.mu.Lock()
		p.requests = append(p.requests, Request{r.Header.Clone(), body.String()})
		n := len(p.requests)
		p.mu.Unlock()
		handle(w, r, n)
	}))
	t.Cleanup(p.Close)
	return p
}

// Got is what it was asked so far.
func (p *Provider) Got() []Request {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]Request(nil), p.requests...)
}

// Answer always answers the same.
func Answer(status int, body string) func(http.ResponseWriter, *http.Request, int) {
	return func(w http.ResponseWriter, _ *http.Request, _ int) {
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

// JSONGateway is an HTTP gateway with a plain JSON body.
func JSONGateway(t *testing.T, url string, options provider.HTTPOptions) *provider.HTTP {
	t.Helper()
	return NewHTTP(t, provider.RequestConfig{
		URL: url, Body: Inline(`function(ctx) {to: ctx.recipient, text: ctx.body}`),
	}, options)
}

// NewHTTP is a gateway of type http that is closed in the end.
func NewHTTP(t *testing.T, config provider.RequestConfig, options provider.HTTPOptions) *provider.HTTP {
	t.Helper()
	g, err := provider.NewHTTP(config, options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(g.Close)
	return g
}

// Codes knows one key.
type Codes struct{}

// Code returns the code of that key.
func (Codes) Code(ref otp.CodeRef) (string, error) {
	if ref.Key != "n6.key" {
		return "", otp.ErrUnknownKey
	}
	return Code, nil
}

// GatewayFunc is a gateway made of a function.
type GatewayFunc func(ctx context.Context, m smsgateway.Message) (string, error)

// Send calls the function.
func (s GatewayFunc) Send(ctx context.Context, m smsgateway.Message) (string, error) {
	return s(ctx, m)
}

// NewServer is a loopback server.
func NewServer(t *testing.T, handle http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(handle)
	t.Cleanup(s.Close)
	return s
}

// RetryAfter answers 429, and when to come again.
func RetryAfter(value string) func(http.ResponseWriter, *http.Request, int) {
	return func(w http.ResponseWriter, _ *http.Request, _ int) {
		w.Header().Set("Retry-After", value)
		w.WriteHeader(http.StatusTooManyRequests)
	}
}

// Redirect sends elsewhere.
func Redirect(w http.ResponseWriter, r *http.Request, _ int) {
	http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
}

// HalfAnAnswer promises more than it sends.
func HalfAnAnswer(w http.ResponseWriter, _ *http.Request, _ int) {
	w.Header().Set("Content-Length", "100")
	_, _ = w.Write([]byte(`{"id":"a"`))
}

// Garbage answers what is no HTTP.
func Garbage(w http.ResponseWriter, _ *http.Request, _ int) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	_, _ = conn.Write([]byte("220 " + Code + " to " + Number + "\r\n"))
	_ = conn.Close()
}

// Patient makes tests independent of the machine's load.
var Patient = provider.HTTPOptions{EvaluationLimit: time.Minute, Timeout: time.Minute}

// Update rewrites golden files.
var Update = flag.Bool("update", false, "rewrite golden files")

// Golden compares with a file.
func Golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *Update {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

// How providers prove and address receipts.
const (
	Secret      = "a7f3c2e9d1b845608c2e7f91ab34cd56"
	PublicURL   = "https://id.example.com"
	ReceiptsURL = PublicURL + "/sms/receipts/main"
)

// ReceiptRequest is a request to the gateway main. Its Host header is not the public one.
func ReceiptRequest(method, query, body string, header ...string) *http.Request {
	r := httptest.NewRequest(method, "http://10.0.0.7:4477/sms/receipts/main"+query, strings.NewReader(body))
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return r
}

// WantReceipts compares what was kept of the gateway main at Start.
func WantReceipts(t *testing.T, store *storetest.Store, want ...message.Receipt) {
	t.Helper()
	for i := range want {
		want[i].Gateway, want[i].At = "main", Start
	}
	if diff := cmp.Diff(want, store.Receipts()); diff != "" {
		t.Errorf("kept receipts differ (-want +got):\n%s", diff)
	}
}
