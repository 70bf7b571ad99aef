package smsgateway_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/internal/otp"
	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/smsgateway"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	number = "+447700900123"
	code   = "481516"
)

var start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// message is a text as gateways get it.
func newMessage() smsgateway.Message {
	return smsgateway.Message{
		ID: "text-1", To: phone.FromStore(number), Body: code + " is your code.", Code: code,
		Validity: 5 * time.Minute, Language: "en", IdentityID: "identity-1",
	}
}

// queued is a text as the outbox keeps it.
func queued(id string) message.Text {
	return message.Text{
		ID: id, IdentityID: "identity-1", To: phone.FromStore(number),
		Code:    otp.CodeRef{ClaimID: "claim-1", Key: "n6.key", Number: 1},
		Expires: start.Add(5 * time.Minute), Validity: 5 * time.Minute,
		CreatedAt: start, LeaseUntil: start.Add(20 * time.Second),
	}
}

func inline(jsonnet string) string {
	return "base64://" + base64.StdEncoding.EncodeToString([]byte(jsonnet))
}

// provider is a loopback server; what it is asked can be read afterwards.
type provider struct {
	*httptest.Server
	mu       sync.Mutex
	requests []received
}

type received struct {
	header http.Header
	body   string
}

// newProvider answers the nth request (from 1) by handle.
func newProvider(t *testing.T, handle func(w http.ResponseWriter, r *http.Request, n int)) *provider {
	t.Helper()
	p := &provider{}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body bytes.Buffer
		_, _ = body.ReadFrom(r.Body)
		p.mu.Lock()
		p.requests = append(p.requests, received{r.Header.Clone(), body.String()})
		n := len(p.requests)
		p.mu.Unlock()
		handle(w, r, n)
	}))
	t.Cleanup(p.Close)
	return p
}

func (p *provider) got() []received {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]received(nil), p.requests...)
}

func answers(status int, body string) func(http.ResponseWriter, *http.Request, int) {
	return func(w http.ResponseWriter, _ *http.Request, _ int) {
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

// gateway is an HTTP gateway with a plain JSON body.
func gateway(t *testing.T, url string, options smsgateway.HTTPOptions) *smsgateway.HTTP {
	t.Helper()
	return mustHTTP(t, smsgateway.RequestConfig{
		URL: url, Body: inline(`function(ctx) {to: ctx.recipient, text: ctx.body}`),
	}, options)
}

func mustHTTP(t *testing.T, config smsgateway.RequestConfig, options smsgateway.HTTPOptions) *smsgateway.HTTP {
	t.Helper()
	g, err := smsgateway.NewHTTP(config, options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(g.Close)
	return g
}

// outbox is a working claim.Outbox in memory.
type outbox struct {
	mu    sync.Mutex
	rows  map[string]*row
	order []string
	calls []string // what was asked, in order
	fail  func(call string) error

	deepest int // the most texts that were asked for at once
}

type row struct {
	message.QueuedText
	due    time.Time
	result message.TextResult // with the state queued while there is none
}

func newOutbox(texts ...message.Text) *outbox {
	o := &outbox{rows: map[string]*row{}}
	for _, t := range texts {
		o.add(t)
	}
	return o
}

func (o *outbox) add(t message.Text) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.rows[t.ID] = &row{message.QueuedText{Text: t, Current: true}, t.LeaseUntil, message.TextResult{State: message.TextQueued}}
	o.order = append(o.order, t.ID)
}

func (o *outbox) call(name string) error {
	o.calls = append(o.calls, name)
	if o.fail == nil {
		return nil
	}
	return o.fail(name)
}

func (o *outbox) DueTexts(_ context.Context, now time.Time, n int) ([]message.QueuedText, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if err := o.call("due"); err != nil {
		return nil, err
	}
	o.deepest = max(o.deepest, n)
	var due []message.QueuedText
	for _, id := range o.order {
		if r := o.rows[id]; r.result.State == message.TextQueued && !r.due.After(now) {
			due = append(due, r.QueuedText)
		}
	}
	slices.SortStableFunc(due, func(a, b message.QueuedText) int {
		dead := func(t message.QueuedText) bool { return !t.Expires.IsZero() && !now.Before(t.Expires) }
		switch {
		case dead(a) == dead(b):
			return b.CreatedAt.Compare(a.CreatedAt)
		case dead(a):
			return -1
		default:
			return 1
		}
	})
	return due[:min(n, len(due))], nil
}

func (o *outbox) TakeText(_ context.Context, t message.QueuedText, until time.Time) (bool, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if err := o.call("take"); err != nil {
		return false, err
	}
	r := o.rows[t.ID]
	if r.result.State != message.TextQueued || !r.LeaseUntil.Equal(t.LeaseUntil) || r.Tries != t.Tries {
		return false, nil
	}
	r.LeaseUntil, r.due = until, until
	return true, nil
}

func (o *outbox) Done(_ context.Context, result message.TextResult) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if err := o.call("done"); err != nil {
		return err
	}
	o.rows[result.TextID].result = result
	return nil
}

func (o *outbox) PutOff(_ context.Context, id string, until time.Time, reason string) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if err := o.call("put off"); err != nil {
		return err
	}
	r := o.rows[id]
	r.Tries++
	r.LeaseUntil, r.due, r.result.Reason = until, until, reason
	r.Unclear = strings.HasPrefix(reason, message.ReasonUnclear)
	return nil
}

func (o *outbox) DropTexts(_ context.Context, ids []string, now time.Time, reason string) error {
	return o.settleDue("drop", ids, now, func(r *row) {
		r.result = message.TextResult{TextID: r.ID, State: message.TextDropped, Reason: reason, At: now}
	})
}

func (o *outbox) PostponeTexts(_ context.Context, ids []string, now, until time.Time) error {
	return o.settleDue("postpone", ids, now, func(r *row) { r.LeaseUntil, r.due = until, until })
}

func (o *outbox) settleDue(call string, ids []string, now time.Time, do func(*row)) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if err := o.call(call); err != nil {
		return err
	}
	for _, id := range ids {
		if r := o.rows[id]; r.result.State == message.TextQueued && !r.due.After(now) {
			do(r)
		}
	}
	return nil
}

// count tells how many texts are in a state, and how often a call was made.
func (o *outbox) count(state message.TextState, call string) (texts, calls int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, r := range o.rows {
		if r.result.State == state {
			texts++
		}
	}
	for _, c := range o.calls {
		if c == call {
			calls++
		}
	}
	return texts, calls
}

func (o *outbox) row(id string) row {
	o.mu.Lock()
	defer o.mu.Unlock()
	return *o.rows[id]
}

func (o *outbox) log() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return fmt.Sprint(o.calls)
}

// codes knows one key.
type codes struct{}

func (codes) Code(ref otp.CodeRef) (string, error) {
	if ref.Key != "n6.key" {
		return "", otp.ErrUnknownKey
	}
	return code, nil
}

// clock is moved by hand.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// bench is a worker and what it works with.
type bench struct {
	*smsgateway.Worker
	clock  *clock
	outbox *outbox
	log    *bytes.Buffer // to be read when the worker rests
}

func newBench(t *testing.T, o *outbox, change func(*smsgateway.WorkerOptions), gateways ...smsgateway.Gateway) bench {
	t.Helper()
	templates, err := smsgateway.NewTemplates(smsgateway.TemplateOptions{Product: "Holdline", LongestLink: "https://login.example.com/no"})
	if err != nil {
		t.Fatal(err)
	}
	b := bench{clock: &clock{now: start}, outbox: o, log: &bytes.Buffer{}}
	options := smsgateway.WorkerOptions{
		Outbox: o, Now: b.clock.Now, Compose: smsgateway.Composer{
			Codes: codes{}, Templates: templates, Now: b.clock.Now, Link: func(message.Text) (string, error) { return "https://login.example.com/no", nil },
		}.Compose,
		Log: slog.New(slog.NewJSONHandler(b.log, nil)), Jitter: func() float64 { return 0 },
	}
	for i, g := range gateways {
		options.Routes = append(options.Routes, smsgateway.Route{ID: fmt.Sprintf("gateway-%d", i+1), Gateway: g})
	}
	if change != nil {
		change(&options)
	}
	if b.Worker, err = smsgateway.NewWorker(options); err != nil {
		t.Fatal(err)
	}
	return b
}

// sender is a gateway made of a function.
type sender func(ctx context.Context, m smsgateway.Message) (string, error)

func (s sender) Send(ctx context.Context, m smsgateway.Message) (string, error) { return s(ctx, m) }
