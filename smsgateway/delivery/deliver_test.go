package delivery_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/smsgateway"
	"github.com/holdline/holdline/smsgateway/provider"
	"github.com/holdline/holdline/smsgateway/smstest"
)

func TestTwoWorkersSendOneText(t *testing.T) {
	text := queued("text-1")
	text.LeaseUntil = smstest.Start
	o := newOutbox(text)
	phone := provider.NewSimulator(10, func() time.Time { return smstest.Start })
	slow := newBench(t, o, nil, phone)
	fast := newBench(t, o, nil, phone)
	if err := errors.Join(slow.Once(t.Context()), fast.Once(t.Context())); err != nil {
		t.Fatal(err)
	}
	if len(phone.Texts()) != 1 {
		t.Errorf("got %v", phone.Texts())
	}
}

func TestFailuresOfRealProviders(t *testing.T) {
	for name, tt := range map[string]struct {
		first, second func(http.ResponseWriter, *http.Request, int)
		state         message.TextState
		gateway       string
		reason        string
		asked         [2]int
		due           time.Duration // for one that is put off
	}{
		"refused, the next takes it": {
			first: smstest.Answer(400, smstest.Number), second: smstest.Answer(200, `{"id":"b"}`),
			state: message.TextSent, gateway: "gateway-2", asked: [2]int{1, 1},
		},
		"half an answer, the next takes it": {
			first: smstest.HalfAnAnswer, second: smstest.Answer(200, ""),
			state: message.TextSent, gateway: "gateway-2", asked: [2]int{1, 1},
		},
		"half an answer twice may be two texts": {
			first: smstest.HalfAnAnswer, second: smstest.HalfAnAnswer, state: message.TextSent, gateway: "gateway-2",
			reason: "gateway-1: the provider may have taken it: the connection breaks, or the answer is not HTTP; " +
				"gateway-2: the provider may have taken it: the connection breaks, or the answer is not HTTP",
			asked: [2]int{1, 1},
		},
		"broken, the next takes it": {
			first: smstest.Garbage, second: smstest.Answer(200, ""),
			state: message.TextSent, gateway: "gateway-2", asked: [2]int{1, 1},
		},
		"refused by all": {
			first: smstest.Answer(400, smstest.Number), second: smstest.Answer(401, smstest.Code), state: message.TextFailed, gateway: "gateway-2",
			reason: "gateway-1: refused: the provider answers 400; gateway-2: refused: the provider refuses the account: the provider answers 401", asked: [2]int{1, 1},
		},
		"refused by one, the other may later": {
			first: smstest.Answer(400, ""), second: smstest.Answer(503, ""), state: message.TextQueued,
			reason: "gateway-1: refused: the provider answers 400; gateway-2: the provider answers 503",
			asked:  [2]int{1, 1}, due: time.Second,
		},
		"the provider says when": {
			first: smstest.Answer(400, ""), second: smstest.RetryAfter("42"), state: message.TextQueued,
			reason: "gateway-1: refused: the provider answers 400; gateway-2: the provider answers 429",
			asked:  [2]int{1, 1}, due: 42 * time.Second,
		},
		"not before one is willing": {
			first: smstest.RetryAfter("42"), second: smstest.RetryAfter("17"), state: message.TextQueued,
			reason: "gateway-1: the provider answers 429; gateway-2: the provider answers 429",
			asked:  [2]int{1, 1}, due: 17 * time.Second,
		},
		"too late for the code": {
			first: smstest.RetryAfter("300"), second: smstest.Answer(400, ""), state: message.TextFailed, gateway: "gateway-2",
			reason: "the code expires before another try; gateway-1: the provider answers 429; gateway-2: refused: the provider answers 400",
			asked:  [2]int{1, 1},
		},
	} {
		t.Run(name, func(t *testing.T) {
			text := queued("text-1")
			text.LeaseUntil = smstest.Start
			o := newOutbox(text)
			first, second := smstest.NewProvider(t, tt.first), smstest.NewProvider(t, tt.second)
			b := newBench(t, o, nil,
				smstest.JSONGateway(t, first.URL, smstest.Patient), smstest.JSONGateway(t, second.URL, smstest.Patient))
			if err := b.Once(t.Context()); err != nil {
				t.Fatal(err)
			}
			got := o.row("text-1")
			if got.result.State != tt.state || got.result.Gateway != tt.gateway || got.result.Reason != tt.reason {
				t.Errorf("got %+v", got.result)
			}
			if asked := [2]int{len(first.Got()), len(second.Got())}; asked != tt.asked {
				t.Errorf("asked %v, want %v", asked, tt.asked)
			}
			if tt.due != 0 && !got.due.Equal(smstest.Start.Add(tt.due)) {
				t.Errorf("due %v later, want %v", got.due.Sub(smstest.Start), tt.due)
			}
		})
	}
}

func TestAnotherTryHasTheSameCodeAndKey(t *testing.T) {
	text := queued("text-1")
	text.LeaseUntil = smstest.Start
	o := newOutbox(text)
	p := smstest.NewProvider(t, func(w http.ResponseWriter, r *http.Request, n int) {
		smstest.Answer(map[int]int{1: 500, 2: 200}[n], "")(w, r, n)
	})
	b := newBench(t, o, nil, smstest.JSONGateway(t, p.URL, smstest.Patient))
	for range 2 {
		if err := b.Once(t.Context()); err != nil {
			t.Fatal(err)
		}
		b.clock.move(time.Second)
	}
	got := p.Got()
	if len(got) != 2 || got[0].Body != got[1].Body || !strings.Contains(got[0].Body, smstest.Code) {
		t.Fatalf("got %v", got)
	}
	for _, r := range got {
		if key := r.Header.Get("Idempotency-Key"); key != "text-1" {
			t.Errorf("idempotency key %q", key)
		}
	}
	if state := o.row("text-1").result.State; state != message.TextSent {
		t.Errorf("got %s", state)
	}
}

func TestATextThatMayHaveBeenTakenIsSentOnceMore(t *testing.T) {
	text := queued("text-1")
	text.LeaseUntil = smstest.Start
	o := newOutbox(text)
	p := smstest.NewProvider(t, smstest.HalfAnAnswer)
	b := newBench(t, o, nil, smstest.JSONGateway(t, p.URL, smstest.Patient))
	for range 4 {
		if err := b.Once(t.Context()); err != nil {
			t.Fatal(err)
		}
		b.clock.move(time.Minute)
	}
	got := o.row("text-1").result
	if n := len(p.Got()); n != 2 || got.State != message.TextSent || !strings.Contains(got.Reason, "may have taken it") {
		t.Errorf("asked %d times, %+v", n, got)
	}
}

// What passes before does not count as having been taken: the spare is asked.
func TestAnUnclearAnswerToALaterTryLeavesTheSpare(t *testing.T) {
	text := queued("text-1")
	text.LeaseUntil = smstest.Start
	o := newOutbox(text)
	busy := &smsgateway.RetryError{Reason: "busy"}
	answer := func(then error) func(int) error {
		return func(n int) error { return map[bool]error{true: busy, false: then}[n == 1] }
	}
	first, second := &moody{answer: answer(smsgateway.ErrUnclear)}, &moody{answer: answer(nil)}
	b := newBench(t, o, nil, first, second)
	for range 2 {
		if err := b.Once(t.Context()); err != nil {
			t.Fatal(err)
		}
		b.clock.move(time.Minute)
	}
	got := o.row("text-1").result
	if got.State != message.TextSent || got.Gateway != "gateway-2" || got.Reason != "" || first.asked.Load() != 2 {
		t.Errorf("got %+v", got)
	}
}

// An unclear answer is remembered past tries that were none.
func TestAnUnclearAnswerIsNotForgotten(t *testing.T) {
	text := queued("text-1")
	text.LeaseUntil = smstest.Start
	o := newOutbox(text)
	g := &moody{answer: func(n int) error {
		return map[bool]error{true: smsgateway.ErrUnclear, false: &smsgateway.RetryError{Reason: "busy"}}[n != 2]
	}}
	b := newBench(t, o, nil, g)
	for range 4 {
		if err := b.Once(t.Context()); err != nil {
			t.Fatal(err)
		}
		b.clock.move(time.Minute)
	}
	if got := o.row("text-1").result; got.State != message.TextSent || g.asked.Load() != 3 {
		t.Errorf("asked %d times, %+v", g.asked.Load(), got)
	}
}

// The one repeat comes when an outage may be over.
func TestAnOutageOfSomeSecondsLosesNoText(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin, text := time.Now(), living("text-1")
		b := newBench(t, newOutbox(text), realTime, smstest.GatewayFunc(func(ctx context.Context, _ smsgateway.Message) (string, error) {
			if time.Since(begin) < 25*time.Second {
				return "", tooLate(ctx)
			}
			return "id", nil
		}))
		stop := run(t, b.Worker)
		b.Enqueue(text)
		time.Sleep(time.Minute)
		stop()
		if got := b.outbox.row("text-1").result; got.State != message.TextSent || got.ProviderID != "id" {
			t.Errorf("got %+v", got)
		}
	})
}

// Each gateway is given the time that a send takes, and the last ones none rather
// than too little.
func TestNoGatewayIsAskedWithoutTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		text := living("text-1")
		text.Expires = time.Now().Add(2500 * time.Millisecond)
		var got []time.Duration
		hangs := smstest.GatewayFunc(func(ctx context.Context, _ smsgateway.Message) (string, error) {
			until, _ := ctx.Deadline()
			got = append(got, time.Until(until))
			<-ctx.Done()
			return "", ctx.Err()
		})
		b := newBench(t, newOutbox(text), realTime, hangs, hangs, hangs, hangs)
		stop := run(t, b.Worker)
		b.Enqueue(text)
		time.Sleep(5 * time.Second)
		stop()
		if want := []time.Duration{time.Second, time.Second}; !slices.Equal(got, want) {
			t.Errorf("the gateways had %v, want %v", got, want)
		}
	})
}

func TestPausesGrow(t *testing.T) {
	text := queued("text-1")
	text.LeaseUntil = smstest.Start
	o := newOutbox(text)
	b := newBench(t, o, nil, smstest.GatewayFunc(func(context.Context, smsgateway.Message) (string, error) {
		return "", &smsgateway.RetryError{Reason: "away", After: time.Nanosecond} // opens no breaker
	}))
	var got []time.Duration
	for range 7 {
		if err := b.Once(t.Context()); err != nil {
			t.Fatal(err)
		}
		pause := o.row("text-1").due.Sub(b.clock.Now())
		got = append(got, pause/time.Second)
		b.clock.move(pause)
	}
	for i, want := range []time.Duration{1, 2, 4, 8, 16, 30, 30} {
		if got[i] != want {
			t.Fatalf("got %d, want [1 2 4 8 16 30 30]", got)
		}
	}
}

func TestTextsThatMustNotBeSent(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(*row)
		state  message.TextState
		reason string
	}{
		"its code expired":      {func(r *row) { r.Expires = smstest.Start }, message.TextDropped, "the code expired"},
		"its claim is over":     {func(r *row) { r.Current = false }, message.TextDropped, "the claim no longer waits for this code"},
		"its key is not known":  {func(r *row) { r.Code.Key = "n6.other" }, message.TextFailed, "the code's key is not in the key ring"},
		"another process is at": {func(r *row) { r.due = smstest.Start.Add(time.Second) }, message.TextQueued, ""},
	} {
		t.Run(name, func(t *testing.T) {
			text := queued("text-1")
			text.LeaseUntil = smstest.Start
			o := newOutbox(text)
			tt.change(o.rows["text-1"])
			phone := provider.NewSimulator(10, func() time.Time { return smstest.Start })
			if err := newBench(t, o, nil, phone).Once(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got := o.row("text-1").result; got.State != tt.state || got.Reason != tt.reason {
				t.Errorf("got %+v", got)
			}
			if len(phone.Texts()) != 0 {
				t.Errorf("sent: %v", phone.Texts())
			}
		})
	}
}
