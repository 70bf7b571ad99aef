package harness

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"sync"
	"testing"
	"time"
)

// Call is a request that came to a [Proxy] and what became of it.
type Call struct {
	Method, Path string
	Body         string
	Header       http.Header
	// Status is what the server behind answered; 0 if it was not asked or did
	// not answer.
	Status     int
	Began, End time.Time
}

// Rule makes a proxy do something about some requests. Exactly one of the rules
// that fit a request is used: the first one.
type Rule struct {
	// Method and Path choose the requests; blank means any. Path is a
	// prefix of the request's path.
	Method, Path string
	// Times is how many requests the rule is for; 0 means all.
	Times int
	// Before runs when the request arrives.
	Before func()
	// Drop closes the connection, without asking the server behind.
	Drop bool
	// Status answers, without asking the server behind.
	Status int
	// After runs when the server behind has answered, and the caller has not
	// heard of it.
	After func()
	// DropAnswer closes the connection after the server behind has answered.
	DropAnswer bool
}

// Proxy stands between two servers, counts what passes, and can interfere.
type Proxy struct {
	URL string

	server *httptest.Server
	mu     sync.Mutex
	rules  []*Rule
	calls  []*Call
}

// NewProxy returns a proxy in front of a server. The server need not run yet.
func NewProxy(t testing.TB, target string) *Proxy {
	t.Helper()
	to, err := url.Parse(target)
	if err != nil {
		t.Fatalf("proxy: %v", err)
	}
	p := &Proxy{}
	forward := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(to); r.Out.Host = r.In.Host },
		// Idle connections to a server that was killed would fail the next request.
		Transport:    &http.Transport{DisableKeepAlives: true},
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
	}
	p.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { p.serve(forward, w, r) }))
	p.URL = p.server.URL
	t.Cleanup(func() {
		p.server.CloseClientConnections()
		p.server.Close()
	})
	return p
}

func (p *Proxy) serve(forward http.Handler, w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	call := &Call{Method: r.Method, Path: r.URL.Path, Body: string(body), Header: r.Header.Clone(), Began: time.Now()}
	rule := p.arrived(call)
	defer func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		call.End = time.Now()
	}()
	if rule.Before != nil {
		rule.Before()
	}
	if rule.Drop {
		panic(http.ErrAbortHandler)
	}
	if rule.Status != 0 {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(rule.Status)
		_, _ = io.WriteString(w, `{"error":{"message":"the proxy says no"}}`)
		return
	}
	answer := httptest.NewRecorder()
	forward.ServeHTTP(answer, r)
	p.mu.Lock()
	call.Status = answer.Code
	p.mu.Unlock()
	if rule.After != nil {
		rule.After()
	}
	if rule.DropAnswer {
		panic(http.ErrAbortHandler)
	}
	for name, values := range answer.Header() {
		w.Header()[name] = values
	}
	w.WriteHeader(answer.Code)
	_, _ = w.Write(answer.Body.Bytes())
}

// arrived records a call and takes the rule for it.
func (p *Proxy) arrived(call *Call) Rule {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls = append(p.calls, call)
	for i, rule := range p.rules {
		if rule.Method != "" && rule.Method != call.Method || len(rule.Path) > len(call.Path) || call.Path[:len(rule.Path)] != rule.Path {
			continue
		}
		if rule.Times == 1 {
			p.rules = slices.Delete(p.rules, i, i+1)
		} else if rule.Times > 1 {
			rule.Times--
		}
		return *rule
	}
	return Rule{}
}

// On adds a rule.
func (p *Proxy) On(rule Rule) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.rules = append(p.rules, &rule)
}

// Heal drops all rules.
func (p *Proxy) Heal() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.rules = nil
}

// Calls returns the calls so far that have the method, or all for a blank one.
func (p *Proxy) Calls(method string) []Call {
	p.mu.Lock()
	defer p.mu.Unlock()
	var found []Call
	for _, call := range p.calls {
		if method == "" || call.Method == method {
			found = append(found, *call)
		}
	}
	return found
}

// Forget empties the list of calls.
func (p *Proxy) Forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls = nil
}
