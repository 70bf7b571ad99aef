package delivery_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
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
	"github.com/holdline/holdline/smsgateway/delivery"
	"github.com/holdline/holdline/smsgateway/smstest"
	"github.com/holdline/holdline/smsgateway/template"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// queued is a text as the outbox keeps it.
func queued(id string) message.Text {
	return message.Text{
		ID: id, IdentityID: "identity-1", To: phone.FromStore(smstest.Number),
		Code:    otp.CodeRef{ClaimID: "claim-1", Key: "n6.key", Number: 1},
		Expires: smstest.Start.Add(5 * time.Minute), Validity: 5 * time.Minute,
		CreatedAt: smstest.Start, LeaseUntil: smstest.Start.Add(20 * time.Second),
	}
}

// outbox is a working message.Outbox in memory.
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

func (o *outbox) Done(_ context.Context, results ...message.TextResult) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if err := o.call("done"); err != nil {
		return err
	}
	for _, result := range results {
		o.rows[result.TextID].result = result
	}
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
	*delivery.Worker
	clock  *clock
	outbox *outbox
	log    *bytes.Buffer // to be read when the worker rests
}

func newBench(t *testing.T, o *outbox, change func(*delivery.Options), gateways ...smsgateway.Gateway) bench {
	t.Helper()
	templates, err := template.New(template.Options{Product: "Holdline", LongestLink: "https://login.example.com/no"})
	if err != nil {
		t.Fatal(err)
	}
	b := bench{clock: &clock{now: smstest.Start}, outbox: o, log: &bytes.Buffer{}}
	options := delivery.Options{
		Outbox: o, Now: b.clock.Now, Compose: template.Composer{
			Codes: smstest.Codes{}, Templates: templates, Now: b.clock.Now, Link: func(message.Text) (string, error) { return "https://login.example.com/no", nil },
		}.Compose,
		Log: slog.New(slog.NewJSONHandler(b.log, nil)), Jitter: func() float64 { return 0 },
	}
	for i, g := range gateways {
		options.Routes = append(options.Routes, delivery.Route{ID: fmt.Sprintf("gateway-%d", i+1), Gateway: g})
	}
	if change != nil {
		change(&options)
	}
	if b.Worker, err = delivery.New(options); err != nil {
		t.Fatal(err)
	}
	return b
}
