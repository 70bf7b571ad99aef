package kratos_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/internal/storetest"
	"github.com/holdline/holdline/kratos"
)

var plan = phone.Parser{Format: phone.FormatE164, Region: "CN"}

// clock stands still until it is told to go on.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(by time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(by)
}

// open makes a directory in front of a server. It waits long, because a test
// machine may be slow; nothing here measures how long.
func open(t *testing.T, s *server, change func(*kratos.Options)) *kratos.Client {
	t.Helper()
	opt := kratos.Options{
		PublicURL: s.public, AdminURL: s.admin, MobileTrait: "mobile", PendingKey: "pendingMobileNumber",
		Limiter: &storetest.Limiter{}, Plan: plan, Timeout: 30 * time.Second, Now: newClock().Now,
		PasswordCost: 4, // Kratos' own would take seconds beside the race detector
	}
	if change != nil {
		change(&opt)
	}
	d, err := kratos.New(opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	return d
}

func email() string { return uuid.NewString() + "@holdline.test" }

var numbers atomic.Int64

// number is one that no other test uses.
func number(t *testing.T) phone.Number {
	t.Helper()
	return parse(t, fmt.Sprintf("+861370000%04d", numbers.Add(1)))
}

func parse(t *testing.T, text string) phone.Number {
	t.Helper()
	m, err := phone.Parse(plan, text)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// spaced is the number as people write it: +86 137 0000 0001.
func spaced(m phone.Number) string {
	n := m.Unmasked()
	return n[:3] + " " + n[3:6] + " " + n[6:10] + " " + n[10:]
}

// watched is a server whose requests are kept on their way.
type watched struct {
	*server
	mu       sync.Mutex
	requests []*http.Request
}

// watch puts a recording proxy in front of a server.
func watch(t *testing.T, s *server) *watched {
	t.Helper()
	w := &watched{server: &server{}}
	w.public, w.admin = w.proxy(t, s.public), w.proxy(t, s.admin)
	return w
}

func (w *watched) proxy(t *testing.T, to string) string {
	t.Helper()
	target, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{}
	proxy := &httputil.ReverseProxy{Transport: transport, Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) }}
	front := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.mu.Lock()
		w.requests = append(w.requests, r.Clone(r.Context()))
		w.mu.Unlock()
		proxy.ServeHTTP(rw, r)
	}))
	t.Cleanup(func() { front.Close(); transport.CloseIdleConnections() })
	return front.URL
}

// seen returns the requests of a method whose path has a prefix.
func (w *watched) seen(method, prefix string) []*http.Request {
	w.mu.Lock()
	defer w.mu.Unlock()
	var list []*http.Request
	for _, r := range w.requests {
		if r.Method == method && strings.HasPrefix(r.URL.Path, prefix) {
			list = append(list, r)
		}
	}
	return list
}
