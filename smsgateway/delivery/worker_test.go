package delivery_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/internal/problem"
	"github.com/holdline/holdline/smsgateway"
	"github.com/holdline/holdline/smsgateway/delivery"
	"github.com/holdline/holdline/smsgateway/provider"
	"github.com/holdline/holdline/smsgateway/smstest"
)

// run starts a worker within a bubble, and returns what stops it.
func run(t *testing.T, w *delivery.Worker) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx) }()
	return func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// living returns a text whose lease and code begin now.
func living(id string) message.Text {
	t := queued(id)
	t.CreatedAt, t.LeaseUntil, t.Expires = time.Now(), time.Now().Add(20*time.Second), time.Now().Add(5*time.Minute)
	return t
}

func realTime(o *delivery.Options) { o.Now = time.Now }

func TestOfferedTextsCostOneStatementAfterTheSend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		text := living("text-1")
		o := newOutbox(text)
		phone := provider.NewSimulator(10, time.Now)
		sentBefore := ""
		b := newBench(t, o, func(w *delivery.Options) { realTime(w); w.Poll = time.Hour },
			smstest.GatewayFunc(func(ctx context.Context, m smsgateway.Message) (string, error) {
				sentBefore = o.log()
				return phone.Send(ctx, m)
			}))
		stop := run(t, b.Worker)
		synctest.Wait()
		b.Enqueue(text)
		synctest.Wait()
		stop()
		if got := o.log(); sentBefore != "[due]" || got != "[due done]" {
			t.Errorf("statements: %s before the send, %s in all", sentBefore, got)
		}
		want := message.TextResult{TextID: "text-1", State: message.TextSent, Gateway: "gateway-1", ProviderID: "simulated-1", At: time.Now()}
		if got := o.row("text-1").result; got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
		if texts := phone.Texts(); len(texts) != 1 || !strings.HasPrefix(texts[0].Body, smstest.Code) {
			t.Errorf("got %v", texts)
		}
		for _, secret := range []string{smstest.Number, smstest.Code} {
			if strings.Contains(b.log.String(), secret) {
				t.Errorf("the log holds %s: %s", secret, b.log)
			}
		}
		if !strings.Contains(b.log.String(), `"number":"+44********23"`) {
			t.Errorf("no outcome line: %s", b.log)
		}
	})
}

func TestTextsThatNobodyOfferedAreFound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		text := living("text-1")
		o := newOutbox(text)
		phone := provider.NewSimulator(10, time.Now)
		stop := run(t, newBench(t, o, realTime, phone).Worker)
		time.Sleep(19 * time.Second) // the bubble's
		synctest.Wait()
		if n := len(phone.Texts()); n != 0 {
			t.Errorf("%d texts while another process has the lease", n)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		stop()
		if n := len(phone.Texts()); n != 1 || o.row("text-1").result.State != message.TextSent {
			t.Errorf("%d texts, %+v", n, o.row("text-1").result)
		}
	})
}

func TestAFullQueueLeavesTextsToPolling(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first, second := living("text-1"), living("text-2")
		o := newOutbox(first, second)
		phone := provider.NewSimulator(10, time.Now)
		b := newBench(t, o, func(w *delivery.Options) { realTime(w); w.Queue = 1 }, phone)
		b.Enqueue(first)
		b.Enqueue(second) // must not wait
		stop := run(t, b.Worker)
		synctest.Wait()
		if n := len(phone.Texts()); n != 1 {
			t.Errorf("%d texts, want one", n)
		}
		time.Sleep(21 * time.Second)
		synctest.Wait()
		stop()
		if n := len(phone.Texts()); n != 2 {
			t.Errorf("%d texts, want both", n)
		}
	})
}

func TestOfferedTextsAreNotSentAfterTheirLease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		text := living("text-1")
		o := newOutbox(text)
		phone := provider.NewSimulator(10, time.Now)
		b := newBench(t, o, func(w *delivery.Options) { realTime(w); w.Poll = time.Hour }, phone)
		b.Enqueue(text)
		time.Sleep(19 * time.Second)
		stop := run(t, b.Worker)
		synctest.Wait()
		stop()
		if n := len(phone.Texts()); n != 0 || o.log() != "[due]" {
			t.Errorf("%d texts, statements %s", n, o.log())
		}
	})
}

func TestSendsEndWithinTheLease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		text := living("text-1")
		var cut time.Time
		b := newBench(t, newOutbox(text), func(w *delivery.Options) { realTime(w); w.Poll = time.Hour },
			smstest.GatewayFunc(func(ctx context.Context, _ smsgateway.Message) (string, error) {
				<-ctx.Done()
				cut = time.Now()
				return "", ctx.Err()
			}))
		stop := run(t, b.Worker)
		b.Enqueue(text)
		time.Sleep(time.Minute)
		stop()
		if !cut.Before(text.LeaseUntil) || b.outbox.row("text-1").Tries != 1 {
			t.Errorf("cut %v before the lease's end, %+v", text.LeaseUntil.Sub(cut), b.outbox.row("text-1"))
		}
	})
}

func TestAHangingGatewayBlocksNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		phone := provider.NewSimulator(100, time.Now)
		hangs := smstest.GatewayFunc(func(ctx context.Context, _ smsgateway.Message) (string, error) {
			<-ctx.Done()
			return "", ctx.Err()
		})
		var texts []message.Text
		for i := range 20 {
			texts = append(texts, living(strings.Repeat("i", i+1)))
		}
		o := newOutbox(texts...)
		b := newBench(t, o, func(w *delivery.Options) { realTime(w); w.Routes[0].Concurrency = 2 }, hangs, phone)
		stop := run(t, b.Worker)
		for _, text := range texts {
			b.Enqueue(text)
		}
		synctest.Wait()
		if n := len(phone.Texts()); n != 18 {
			t.Errorf("%d texts while two hang, want 18", n)
		}
		time.Sleep(19 * time.Second)
		synctest.Wait()
		stop()
		if n := len(phone.Texts()); n != 20 {
			t.Errorf("%d texts in the end, want 20", n)
		}
	})
}

func TestRunDrainsWhatIsUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		text, late := living("text-1"), living("text-2")
		o := newOutbox(text, late)
		b := newBench(t, o, realTime,
			smstest.GatewayFunc(func(ctx context.Context, m smsgateway.Message) (string, error) {
				pause := 2 * time.Second
				if m.ID == "text-2" {
					pause = time.Hour
				}
				select {
				case <-time.After(pause):
					return "id", nil
				case <-ctx.Done():
					return "", ctx.Err()
				}
			}))
		stop := run(t, b.Worker)
		b.Enqueue(text)
		b.Enqueue(late)
		synctest.Wait()
		begin := time.Now()
		stop()
		if took := time.Since(begin); took > 10*time.Second {
			t.Errorf("took %v to stop", took)
		}
		if got := o.row("text-1").result.State; got != message.TextSent {
			t.Errorf("the text under way: %s", got)
		}
		if got := o.row("text-2"); got.result.State != message.TextQueued || got.Tries != 1 {
			t.Errorf("the text that was cut: %+v", got)
		}
	})
}

func TestTheOutboxComesBackAfterASend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		text := living("text-1")
		o := newOutbox(text)
		failures := 3
		o.fail = func(call string) error {
			if call == "done" && failures > 0 {
				failures--
				return problem.ErrStoreUnavailable
			}
			return nil
		}
		phone := provider.NewSimulator(10, time.Now)
		b := newBench(t, o, realTime, phone)
		stop := run(t, b.Worker)
		b.Enqueue(text)
		time.Sleep(3 * time.Second)
		stop()
		if o.row("text-1").result.State != message.TextSent || len(phone.Texts()) != 1 {
			t.Errorf("got %+v, %v", o.row("text-1").result, phone.Texts())
		}
	})
}

func TestDeathBetweenSendAndDoneSendsTheSameAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		text := living("text-1")
		o := newOutbox(text)
		o.fail = func(call string) error {
			if call == "done" {
				return problem.ErrStoreUnavailable
			}
			return nil
		}
		phone := provider.NewSimulator(10, time.Now)
		dying := newBench(t, o, realTime, phone)
		stop := run(t, dying.Worker)
		dying.Enqueue(text)
		synctest.Wait()
		stop()
		o.fail = nil
		stop = run(t, newBench(t, o, realTime, phone).Worker)
		time.Sleep(21 * time.Second)
		stop()
		texts := phone.Texts()
		if len(texts) != 2 || texts[0].Body != texts[1].Body || texts[0].ID != texts[1].ID {
			t.Fatalf("got %v, want the same text twice", texts)
		}
		if got := o.row("text-1").result.State; got != message.TextSent {
			t.Errorf("got %s", got)
		}
	})
}

func TestAnUnreadableOutboxIsAskedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		text := living("text-1")
		text.LeaseUntil = time.Now()
		o := newOutbox(text)
		failures := 3
		o.fail = func(string) error {
			if failures > 0 {
				failures--
				return problem.ErrStoreUnavailable
			}
			return nil
		}
		phone := provider.NewSimulator(10, time.Now)
		stop := run(t, newBench(t, o, realTime, phone).Worker)
		time.Sleep(10 * time.Second)
		stop()
		if len(phone.Texts()) != 1 {
			t.Errorf("got %v", phone.Texts())
		}
	})
}
