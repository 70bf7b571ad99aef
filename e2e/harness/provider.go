package harness

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"sync"
	"testing"
	"time"
)

// Text is what arrived at the SMS provider.
type Text struct {
	To   string
	Body string
	Code string
	Type string
	At   time.Time
}

// Reaction is how the provider meets one request. The zero value is success.
type Reaction struct {
	// Before runs when the request has arrived and been recorded.
	Before func()
	// Hang keeps the client waiting until it gives up.
	Hang bool
	// Drop closes the connection without an answer.
	Drop bool
	// Status is the answer; 0 is 200.
	Status int
}

// Provider is the operator's SMS provider. It takes what Kratos' own courier
// would send with the jsonnet in [Provider.RequestConfig].
type Provider struct {
	URL string

	server    *httptest.Server
	stopped   chan struct{}
	mu        sync.Mutex
	texts     []Text
	reactions []Reaction
}

const (
	providerUser     = "sms-user"
	providerPassword = "sms-password-of-no-importance"
	providerBody     = `function(ctx) {
  to: ctx.recipient, text: ctx.body, kind: ctx.message_type, type: ctx.template_type,
  data: { to: ctx.template_data.to, code: ctx.template_data.verification_code },
}`
)

// lastLine is what lets browsers fill a code in (WebOTP).
var lastLine = regexp.MustCompile(`\n@\S+ #([0-9A-Z]+)$`)

// NewProvider starts a provider.
func NewProvider(t testing.TB) *Provider {
	t.Helper()
	p := &Provider{stopped: make(chan struct{})}
	p.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { p.take(t, w, r) }))
	p.URL = p.server.URL
	t.Cleanup(func() {
		close(p.stopped)
		p.server.CloseClientConnections()
		p.server.Close()
	})
	return p
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

func (p *Provider) take(t testing.TB, w http.ResponseWriter, r *http.Request) {
	var in struct {
		To, Text, Kind, Type string
		Data                 struct{ To, Code string }
	}
	user, password, _ := r.BasicAuth()
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil || r.Method != http.MethodPost ||
		user != providerUser || password != providerPassword || r.Header.Get("X-Account") != "e2e" {
		t.Errorf("SMS provider got a request it cannot take: %s %s as %s: %v", r.Method, r.URL.Path, user, err)
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	shown := lastLine.FindStringSubmatch(in.Text)
	if in.Kind != "sms" || in.Data.To != in.To || len(shown) != 2 || shown[1] != in.Data.Code {
		t.Errorf("text is not as Kratos' courier would give it: %+v", in)
	}
	p.mu.Lock()
	p.texts = append(p.texts, Text{To: in.To, Body: in.Text, Code: in.Data.Code, Type: in.Type, At: time.Now()})
	var reaction Reaction
	if len(p.reactions) > 0 {
		reaction, p.reactions = p.reactions[0], p.reactions[1:]
	}
	p.mu.Unlock()
	if reaction.Before != nil {
		reaction.Before()
	}
	if reaction.Hang {
		select {
		case <-r.Context().Done():
		case <-p.stopped:
		}
	}
	if reaction.Drop || reaction.Hang {
		panic(http.ErrAbortHandler)
	}
	if reaction.Status != 0 {
		w.WriteHeader(reaction.Status)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = fmt.Fprintf(w, `{"id":"msg-%d"}`, time.Now().UnixNano())
}

// Next sets how the next requests are met, one reaction each.
func (p *Provider) Next(reactions ...Reaction) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.reactions = append(p.reactions, reactions...)
}

// Texts returns the texts to a number so far, or all for a blank one.
func (p *Provider) Texts(to string) []Text {
	p.mu.Lock()
	defer p.mu.Unlock()
	var found []Text
	for _, text := range p.texts {
		if to == "" || text.To == to {
			found = append(found, text)
		}
	}
	return found
}

// Nth waits for the n-th text to a number, counted from 1.
func (p *Provider) Nth(t testing.TB, to string, n int) Text {
	t.Helper()
	return p.NthWithin(t, to, n, 10*time.Second)
}

// NthWithin is [Provider.Nth] with another patience.
func (p *Provider) NthWithin(t testing.TB, to string, n int, within time.Duration) Text {
	t.Helper()
	var text Text
	Eventually(t, within, fmt.Sprintf("text %d to %s", n, to), func() error {
		texts := p.Texts(to)
		if len(texts) < n {
			return fmt.Errorf("%d texts", len(texts))
		}
		text = texts[n-1]
		return nil
	})
	return text
}
