package harness

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Text is what arrived at the SMS provider.
type Text struct {
	To   string
	Body string
	Code string
	Type string
	// Key is the request's Idempotency-Key.
	Key string
	// Header and Request are the request's header and body, as they came.
	Header  http.Header
	Request string
	// Taken tells that the provider said it would deliver it.
	Taken bool
	At    time.Time
}

// Reaction is how the provider meets one request. The zero value is success.
type Reaction struct {
	// Before runs when the request has arrived and been recorded.
	Before func()
	// Hang keeps the client waiting until it gives up; then GivenUp runs.
	Hang    bool
	GivenUp func()
	// Drop closes the connection without an answer.
	Drop bool
	// Half breaks off in the middle of the answer.
	Half bool
	// Status is the answer; 0 is 200.
	Status int
	// Header and Body are laid over the answer; a nil body is the usual one.
	Header map[string]string
	Body   []byte
}

// Provider is the operator's SMS provider. It takes what Kratos' own courier
// would send with the jsonnet in [Provider.RequestConfig].
type Provider struct {
	URL string

	dialect
	t         testing.TB
	underWay  atomic.Int32
	address   string
	tls       bool
	server    *httptest.Server // nil while it is down
	mu        sync.Mutex
	texts     []Text
	to        map[string][]int // which of the texts went to a number
	reactions []Reaction
	always    Reaction
}

// dialect is the API that a provider speaks.
type dialect struct {
	// read takes the text out of a request; an error says that no client of this
	// API would send it.
	read func(r *http.Request, body []byte) (Text, error)
	// accepted is the answer to the n-th text.
	accepted func(n int) string
	// gateway is the entry of sms.gateways, without an id.
	gateway func(p *Provider) tree
}

const (
	providerUser     = "sms-user"
	providerPassword = "sms-password-of-no-importance"
	providerBody     = `function(ctx) {
  to: ctx.recipient, text: ctx.body, kind: ctx.message_type, type: ctx.template_type,
  data: { to: ctx.template_data.to, code: std.get(ctx.template_data, 'verification_code', '') },
}`
)

// lastLine is what lets browsers fill a code in (WebOTP).
var lastLine = regexp.MustCompile(`\n@\S+ #([0-9A-Z]+)$`)

// NewProvider starts a provider.
func NewProvider(t testing.TB) *Provider {
	t.Helper()
	return newProvider(t, &Provider{dialect: courierDialect})
}

// NewKratosProvider starts a provider that also takes texts of Kratos' own, which
// have no last line for browsers.
func NewKratosProvider(t testing.TB) *Provider {
	t.Helper()
	lenient := courierDialect
	lenient.read = readTemplate
	return newProvider(t, &Provider{dialect: lenient})
}

// NewTLSProvider starts a provider whose certificate nobody trusts.
func NewTLSProvider(t testing.TB) *Provider {
	t.Helper()
	return newProvider(t, &Provider{dialect: courierDialect, tls: true})
}

func newProvider(t testing.TB, p *Provider) *Provider {
	t.Helper()
	p.t = t
	listener := p.listen()
	p.address = listener.Addr().String()
	p.URL = "http://" + p.address
	if p.tls {
		p.URL = "https://" + p.address
	}
	p.serve(listener)
	t.Cleanup(p.Down)
	return p
}

// listen takes a port; somebody else may have taken one before.
func (p *Provider) listen() net.Listener {
	var err error
	for range 5 {
		var listener net.Listener
		if listener, err = net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", freePort())); err == nil {
			return listener
		}
	}
	p.t.Fatalf("SMS provider: %v", err)
	return nil
}

// Up starts the provider again, at the same address.
func (p *Provider) Up() {
	listener, err := net.Listen("tcp", p.address)
	if err != nil {
		p.t.Fatalf("SMS provider: %v", err)
	}
	p.serve(listener)
}

func (p *Provider) serve(listener net.Listener) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(p.take))
	_ = server.Listener.Close()
	server.Listener = listener
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // clients that do not trust it
	if p.tls {
		server.StartTLS()
	} else {
		server.Start()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.server = server
}

// Down breaks off what is under way; then connections are refused.
func (p *Provider) Down() {
	p.mu.Lock()
	server := p.server
	p.server = nil
	p.mu.Unlock()
	if server != nil {
		server.CloseClientConnections()
		server.Close()
	}
}

// Gateway is the provider as an entry of sms.gateways.
func (p *Provider) Gateway(id string) tree {
	return merge(p.gateway(p), tree{"id": id})
}

// RequestConfig is the gateway's request_config, as in Kratos' courier.
func (p *Provider) RequestConfig() tree {
	return tree{
		"url": p.URL + "/send", "method": "POST",
		"body":    "base64://" + base64.StdEncoding.EncodeToString([]byte(providerBody)),
		"headers": tree{"X-Account": "e2e"},
		"auth":    tree{"type": "basic_auth", "config": tree{"user": providerUser, "password": providerPassword}},
	}
}

var courierDialect = dialect{
	read:     readCourier,
	accepted: func(n int) string { return fmt.Sprintf(`{"id":"msg-%d-%d"}`, time.Now().UnixNano(), n) },
	gateway: func(p *Provider) tree {
		return tree{
			"type": "http", "request_config": p.RequestConfig(),
			"response": "base64://" + base64.StdEncoding.EncodeToString([]byte(providerRule)),
		}
	},
}

// providerRule understands what the provider answers, and Vonage's way to say no.
const providerRule = `function(ctx)
	if std.isObject(ctx.body) && std.objectHas(ctx.body, 'id') then {sent: true, id: ctx.body.id}
	else if std.isObject(ctx.body) && std.objectHas(ctx.body, 'messages') then {sent: false, reason: 'status ' + ctx.body.messages[0].status}
	else {}`

// readCourier reads what [Provider.RequestConfig] makes of one of Holdline's texts.
func readCourier(r *http.Request, body []byte) (Text, error) {
	text, err := readTemplate(r, body)
	if err == nil && shownCode(text.Body) != text.Code {
		err = errors.New("the last line has another code, or none")
	}
	return text, err
}

// readTemplate reads what the jsonnet makes of any courier's text.
func readTemplate(r *http.Request, body []byte) (Text, error) {
	var in struct {
		To, Text, Kind, Type string
		Data                 struct{ To, Code string }
	}
	user, password, _ := r.BasicAuth()
	if user != providerUser || password != providerPassword || r.Header.Get("X-Account") != "e2e" {
		return Text{}, fmt.Errorf("who is %q?", user)
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return Text{}, err
	}
	if in.Kind != "sms" || in.Data.To != in.To || !strings.Contains(in.Text, in.Data.Code) {
		return Text{}, fmt.Errorf("not as Kratos' courier would give it: %+v", in)
	}
	return Text{To: in.To, Body: in.Text, Code: in.Data.Code, Type: in.Type}, nil
}

// shownCode is the code in a text's last line; blank for none, as in a notice.
func shownCode(text string) string {
	if shown := lastLine.FindStringSubmatch(text); shown != nil {
		return shown[1]
	}
	return ""
}

func (p *Provider) take(w http.ResponseWriter, r *http.Request) {
	p.underWay.Add(1)
	defer p.underWay.Add(-1)
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler) // it was broken off on its way
	}
	text, err := p.read(r, body)
	if err == nil && r.Method != http.MethodPost {
		err = errors.New("POST is what it takes")
	}
	if err != nil {
		p.t.Errorf("SMS provider got a request it cannot take: %s %s: %v", r.Method, r.URL.Path, err)
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	text.Header, text.Request, text.At = r.Header.Clone(), string(body), time.Now()
	text.Key = r.Header.Get("Idempotency-Key")
	n, reaction := p.took(text)
	if reaction.Before != nil {
		reaction.Before()
	}
	if reaction.Hang {
		<-r.Context().Done()
		if reaction.GivenUp != nil {
			reaction.GivenUp()
		}
	}
	if reaction.Drop || reaction.Hang {
		panic(http.ErrAbortHandler)
	}
	answer := reaction.Body
	if answer == nil && reaction.Status < 300 {
		answer = []byte(p.accepted(n))
	}
	w.Header().Set("Content-Type", "application/json")
	for name, value := range reaction.Header {
		w.Header().Set(name, value)
	}
	if reaction.Half {
		w.Header().Set("Content-Length", fmt.Sprint(len(answer)))
		answer = answer[:len(answer)/2]
	}
	if reaction.Status != 0 {
		w.WriteHeader(reaction.Status)
	}
	_, _ = w.Write(answer)
	if reaction.Half {
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
}

// took records a text and chooses how it is met.
func (p *Provider) took(text Text) (int, Reaction) {
	p.mu.Lock()
	defer p.mu.Unlock()
	reaction := p.always
	if len(p.reactions) > 0 {
		reaction, p.reactions = p.reactions[0], p.reactions[1:]
	}
	text.Taken = !reaction.Hang && !reaction.Drop && !reaction.Half && reaction.Status < 300 && reaction.Body == nil
	if p.to == nil {
		p.to = map[string][]int{}
	}
	p.to[text.To] = append(p.to[text.To], len(p.texts))
	p.texts = append(p.texts, text)
	return len(p.texts), reaction
}

// Always sets how requests are met from now on, when [Provider.Next] says
// nothing else.
func (p *Provider) Always(reaction Reaction) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.always = reaction
}

// AwaitIdle waits until every request so far is answered.
func (p *Provider) AwaitIdle(t testing.TB) {
	t.Helper()
	Eventually(t, "the SMS provider has answered", func() error {
		if p.underWay.Load() > 0 {
			return errNotYet
		}
		return nil
	})
}

// Next sets how the next requests are met, one reaction each.
func (p *Provider) Next(reactions ...Reaction) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.reactions = append(p.reactions, reactions...)
}

// Texts returns the texts with codes to a number so far, or all for a blank one.
func (p *Provider) Texts(to string) []Text {
	return p.some(to, func(t Text) bool { return t.Code != "" })
}

// Notices returns the texts without codes.
func (p *Provider) Notices(to string) []Text {
	return p.some(to, func(t Text) bool { return t.Code == "" })
}

func (p *Provider) some(to string, which func(Text) bool) []Text {
	p.mu.Lock()
	defer p.mu.Unlock()
	var found []Text
	if to != "" {
		for _, i := range p.to[to] {
			if which(p.texts[i]) {
				found = append(found, p.texts[i])
			}
		}
		return found
	}
	for _, text := range p.texts {
		if which(text) {
			found = append(found, text)
		}
	}
	return found
}

// Nth waits for the n-th text to a number, counted from 1.
func (p *Provider) Nth(t testing.TB, to string, n int) Text {
	t.Helper()
	var text Text
	Eventually(t, fmt.Sprintf("text %d to %s", n, to), func() error {
		texts := p.Texts(to)
		if len(texts) < n {
			return fmt.Errorf("%d texts", len(texts))
		}
		text = texts[n-1]
		return nil
	})
	return text
}
