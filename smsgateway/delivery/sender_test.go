package delivery_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/smsgateway"
	"github.com/holdline/holdline/smsgateway/delivery"
	"github.com/holdline/holdline/smsgateway/provider"
	"github.com/holdline/holdline/smsgateway/smstest"
)

// moody is a gateway that answers what it is told to, and counts.
type moody struct {
	asked  atomic.Int32
	answer func(n int) error // to the nth send, from 1; nil for taking all
}

func (m *moody) Send(context.Context, smsgateway.Message) (string, error) {
	n := int(m.asked.Add(1))
	if m.answer == nil {
		return "id", nil
	}
	return "id", m.answer(n)
}

func always(err error) func(int) error { return func(int) error { return err } }

// offered offers n texts one after another.
func (b bench) offered(prefix string, n int) {
	for i := range n {
		text := living(fmt.Sprintf("%s-%d", prefix, i))
		b.outbox.add(text)
		b.Enqueue(text)
		synctest.Wait()
	}
}

// states are the gateways' states in their order.
func (b bench) states() string {
	var states []string
	for _, h := range b.Health() {
		states = append(states, string(h.State))
	}
	return strings.Join(states, " ")
}

func TestBreakers(t *testing.T) {
	away := errors.New("away")
	refused := fmt.Errorf("%w: bad number", smsgateway.ErrRefused)
	everyOther := func(n int) error { return map[int]error{0: away}[n%2] }
	for name, tt := range map[string]struct {
		answer func(int) error
		texts  int
		state  smsgateway.GatewayState
		asked  int
	}{
		"all is well":                    {nil, 50, smsgateway.GatewayClosed, 50},
		"four failures in a row":         {always(away), 4, smsgateway.GatewayClosed, 4},
		"five failures in a row":         {always(away), 9, smsgateway.GatewayOpen, 5},
		"every other one of twenty":      {everyOther, 30, smsgateway.GatewayOpen, 20},
		"messages are refused":           {always(refused), 50, smsgateway.GatewayClosed, 50},
		"the account is refused":         {always(smsgateway.ErrAccount), 9, smsgateway.GatewayOpen, 5},
		"it says when to come":           {always(&smsgateway.RetryError{Reason: "slowly", After: time.Minute}), 9, smsgateway.GatewayResting, 1},
		"this process is in the way":     {always(fmt.Errorf("%w: too busy", smsgateway.ErrLocal)), 50, smsgateway.GatewayClosed, 50},
		"it says no, but not until when": {always(&smsgateway.RetryError{Reason: "slowly"}), 9, smsgateway.GatewayOpen, 5},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				first, second := &moody{answer: tt.answer}, &moody{}
				b := newBench(t, newOutbox(), realTime, first, second)
				stop := run(t, b.Worker)
				begin := time.Now()
				b.offered("text", tt.texts)
				if took := time.Since(begin); took != 0 {
					t.Errorf("texts waited %v", took)
				}
				stop()
				if got := b.Health()[0].State; got != tt.state || int(first.asked.Load()) != tt.asked {
					t.Errorf("%s after %d, want %s after %d", got, first.asked.Load(), tt.state, tt.asked)
				}
				if sent, _ := b.outbox.count(message.TextSent, ""); sent != tt.texts {
					t.Errorf("%d of %d texts sent", sent, tt.texts)
				}
			})
		})
	}
}

func TestAnOpenBreakerLetsOneTextTry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		works := false
		first, second := &moody{}, &moody{}
		first.answer = func(int) error {
			if works {
				return nil
			}
			return smsgateway.ErrAccount
		}
		b := newBench(t, newOutbox(), realTime, first, second)
		stop := run(t, b.Worker)
		step := func(wait time.Duration, texts int, asked int32, states string) {
			t.Helper()
			before := first.asked.Load()
			time.Sleep(wait)
			b.offered(fmt.Sprint(time.Now()), texts)
			if got := first.asked.Load() - before; got != asked || b.states() != states {
				t.Errorf("asked %d times, %s; want %d, %s", got, b.states(), asked, states)
			}
		}
		step(0, 20, 5, "open closed")
		step(14*time.Second, 5, 0, "open closed")
		step(2*time.Second, 5, 1, "open closed") // it fails: another pause
		works = true
		step(14*time.Second, 5, 0, "open closed")
		step(2*time.Second, 5, 5, "closed closed")
		stop()
		h := b.Health()[0]
		if h.Sent != 5 || h.Refused != 6 || h.Failed != 0 || h.InFlight != 0 || h.LastReason != smsgateway.ErrAccount.Error() ||
			time.Since(h.LastAt) > time.Second || !h.RestingUntil.IsZero() {
			t.Errorf("got %+v", h)
		}
		log := b.log.String()
		for line, want := range map[string]int{
			`"level":"ERROR","msg":"gateway changes state","gateway":"gateway-1","state":"open"`: 2,
			`"level":"ERROR"`: 2,
			`"level":"INFO","msg":"gateway changes state","gateway":"gateway-1","state":"half-open"`: 2,
			`"level":"INFO","msg":"gateway changes state","gateway":"gateway-1","state":"closed"`:    1,
		} {
			if got := strings.Count(log, line); got != want {
				t.Errorf("%d times, want %d: %s", got, want, line)
			}
		}
	})
}

func TestWhileOneTextTriesTheOthersGoOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first, second := &moody{}, &moody{}
		first.answer = func(n int) error {
			if n > 5 {
				time.Sleep(3 * time.Second)
			}
			return errors.New("away")
		}
		b := newBench(t, newOutbox(), realTime, first, second)
		stop := run(t, b.Worker)
		b.offered("text", 5)
		time.Sleep(16 * time.Second)
		b.offered("late", 10)
		if b.states() != "half-open closed" || first.asked.Load() != 6 || second.asked.Load() != 14 {
			t.Errorf("%s; asked %d and %d times", b.states(), first.asked.Load(), second.asked.Load())
		}
		stop()
	})
}

func TestATextWaitsUntilAGatewayIsWilling(t *testing.T) {
	for name, tt := range map[string]struct {
		answer func(int) error
		state  string
		after  time.Duration
	}{
		"open": {func(n int) error { return map[bool]error{true: errors.New("away")}[n <= 5] }, "open", 15 * time.Second},
		"resting": {func(n int) error {
			return map[bool]error{true: &smsgateway.RetryError{Reason: "slowly", After: 42 * time.Second}}[n <= 1]
		}, "resting", 42 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := &moody{answer: tt.answer}
				b := newBench(t, newOutbox(), realTime, g)
				stop := run(t, b.Worker)
				defer stop()
				begin := time.Now()
				b.offered("text", 20)
				asked := g.asked.Load()
				if h := b.Health()[0]; b.states() != tt.state || h.RestingUntil.Sub(begin) != tt.after {
					t.Errorf("%s for %v", b.states(), h.RestingUntil.Sub(begin))
				}
				time.Sleep(tt.after - time.Second)
				if sent, _ := b.outbox.count(message.TextSent, ""); sent != 0 || g.asked.Load() != asked {
					t.Errorf("%d sent, asked %d times", sent, g.asked.Load())
				}
				time.Sleep(4 * time.Second)
				if sent, _ := b.outbox.count(message.TextSent, ""); sent != 20 || b.states() != "closed" {
					t.Errorf("%d sent, %s", sent, b.states())
				}
			})
		})
	}
}

// A text's way is seen from the reasons why nobody takes it.
func TestRoutesByCallingCode(t *testing.T) {
	routing := delivery.Routing{
		Default: []string{"gateway-3", "gateway-1"},
		ByCode:  map[string][]string{"1": {"gateway-1"}, "1876": {"gateway-2", "gateway-1"}, "94": {"gateway-2"}},
		Webhook: []string{"gateway-4"},
	}
	for name, tt := range map[string]struct {
		routing delivery.Routing
		to      string
		channel message.Channel
		want    string
	}{
		"a calling code":                {routing, "+94771234567", "", "gateway-2"},
		"the longest of two":            {routing, "+18765551234", "", "gateway-2 gateway-1"},
		"the shorter of two":            {routing, "+12125551234", message.ChannelSMS, "gateway-1"},
		"no calling code":               {routing, "+447700900123", "", "gateway-3 gateway-1"},
		"shorter than any calling code": {routing, "+9", "", "gateway-3 gateway-1"},
		"typed with spaces":             {routing, "+1 876-555-1234", "", "gateway-2 gateway-1"},
		"not international":             {routing, "0941234567", "", "gateway-3 gateway-1"},
		"to the webhook":                {routing, "", message.ChannelWebhook, "gateway-4"},
		"all that are no webhooks":      {delivery.Routing{Webhook: []string{"gateway-2"}}, "+94771234567", "", "gateway-1 gateway-3 gateway-4"},
		"no routing":                    {delivery.Routing{}, "+94771234567", "", "gateway-1 gateway-2 gateway-3 gateway-4"},
		"no webhook":                    {delivery.Routing{}, "", message.ChannelWebhook, "no gateway is for it"},
	} {
		t.Run(name, func(t *testing.T) {
			text := queued("text-1")
			text.To, text.Channel, text.LeaseUntil = phone.FromStore(tt.to), tt.channel, smstest.Start
			refuses := &moody{answer: always(smsgateway.ErrRefused)}
			b := newBench(t, newOutbox(text), func(w *delivery.Options) {
				w.Routing = tt.routing
				w.Compose = func(message.Text) (smsgateway.Message, error) { return smstest.NewMessage(), nil }
			}, refuses, refuses, refuses, refuses)
			if err := b.Once(t.Context()); err != nil {
				t.Fatal(err)
			}
			result := b.outbox.row("text-1").result
			got := strings.ReplaceAll(strings.ReplaceAll(result.Reason, ": refused", ""), ";", "")
			if got != tt.want || result.State != message.TextFailed {
				t.Errorf("got %s, %s, want %s", result.State, got, tt.want)
			}
		})
	}
}

func TestWrongRoutesAreReportedTogether(t *testing.T) {
	_, err := delivery.New(delivery.Options{
		Routes: []delivery.Route{{ID: "main"}, {ID: "main"}, {ID: "slow", Rate: -1}},
		Routing: delivery.Routing{
			Default: []string{"other"}, ByCode: map[string][]string{"+44": {"main"}, "49": nil}, Webhook: []string{"mail"},
		},
	})
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{
		`two gateways are called "main"`, `gateway "slow": rate and concurrency must not be negative`,
		`default: no gateway is called "other"`, `webhook: no gateway is called "mail"`,
		`calling code "+44": must be digits alone`, `calling code "49": names no gateway`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in %q", want, err)
		}
	}
}

// Places that become free together let no more texts through than the rate does.
func TestARateHoldsAfterAProviderHung(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const rate, places = 10, 20
		begin, took := time.Now(), &diary{}
		b := newBench(t, newOutbox(), func(w *delivery.Options) {
			limited(rate)(w)
			w.Routes[0].Concurrency = places
		}, smstest.GatewayFunc(func(ctx context.Context, m smsgateway.Message) (string, error) {
			id, err := took.Send(ctx, m)
			if left := 4*time.Second - time.Since(begin); left > 0 {
				time.Sleep(left)
			}
			return id, err
		}))
		stop := run(t, b.Worker)
		const all = 60
		for i := range all {
			time.Sleep(time.Second / rate)
			b.offered(fmt.Sprint("text-", i), 1)
		}
		time.Sleep(20 * time.Second)
		stop()
		if most := took.mostWithin(time.Second); most > rate {
			t.Errorf("%d texts in one second, want at most %d", most, rate)
		}
		if sent, _ := b.outbox.count(message.TextSent, ""); sent != all || b.Health()[0].InFlight != 0 {
			t.Errorf("%d of %d texts sent, %d places taken", sent, all, b.Health()[0].InFlight)
		}
	})
}

// One provider hangs. Who is routed to the other is sent to it at once, and so is
// who is routed to both when there is no more room at the first.
func TestARealProviderThatHangsSlowsNobodyElse(t *testing.T) {
	const perRoute = 40
	release := make(chan struct{})
	hangs := smstest.NewProvider(t, func(w http.ResponseWriter, _ *http.Request, _ int) {
		<-release
		w.WriteHeader(http.StatusOK)
	})
	arrived := make(chan struct{}, 3*perRoute)
	works := smstest.NewProvider(t, func(w http.ResponseWriter, _ *http.Request, _ int) {
		arrived <- struct{}{}
		w.WriteHeader(http.StatusOK)
	})
	b := newBench(t, newOutbox(), func(w *delivery.Options) {
		realTime(w)
		w.Routes[0].Concurrency = perRoute
		w.Routing = delivery.Routing{ByCode: map[string][]string{
			"44": {"gateway-1"}, "94": {"gateway-2"}, "49": {"gateway-1", "gateway-2"},
		}}
	}, smstest.JSONGateway(t, hangs.URL, provider.HTTPOptions{Timeout: time.Minute}), smstest.JSONGateway(t, works.URL, smstest.Patient))
	stop := run(t, b.Worker)
	for i, prefix := range []string{"+4477009001", "+9477123456", "+4915112345"} {
		for n := range perRoute {
			text := living(fmt.Sprintf("text-%d-%d", i, n))
			text.To = phone.FromStore(fmt.Sprintf("%s%02d", prefix, n))
			b.outbox.add(text)
			b.Enqueue(text)
		}
		for i == 0 && b.Health()[0].InFlight < perRoute {
			<-time.After(time.Millisecond) // the first provider is full before the others' texts come
		}
	}
	for range 2 * perRoute {
		<-arrived
	}
	if n := b.Health()[0].InFlight; n != perRoute {
		t.Errorf("%d texts hang, want %d", n, perRoute)
	}
	close(release)
	stop()
	if sent, _ := b.outbox.count(message.TextSent, ""); sent != 3*perRoute {
		t.Errorf("%d texts sent in the end", sent)
	}
}
