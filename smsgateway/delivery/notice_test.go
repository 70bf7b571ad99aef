package delivery_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/smsgateway"
	"github.com/holdline/holdline/smsgateway/smstest"
)

// tooLate is what a gateway makes of a provider that takes a text and answers
// after its time-out.
func tooLate(ctx context.Context) error {
	late, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	<-late.Done()
	return fmt.Errorf("%w: %w", smsgateway.ErrUnclear, late.Err())
}

// A text is worth trying for as long as its code lives, or a day for a notice, but
// nobody is to be told the same thing again and again.
func TestHowOftenATextIsTried(t *testing.T) {
	noAnswer := func(context.Context) error { return errors.New("the connection is refused") }
	mumbles := func(context.Context) error { return smsgateway.ErrUnsure }
	account := func(context.Context) error { return smsgateway.ErrAccount }
	for name, tt := range map[string]struct {
		kind        message.TextKind
		valid       time.Duration
		fault       func(context.Context) error
		least, most int32
		state       message.TextState
	}{
		"a code, too late an answer":          {message.TextCode, 5 * time.Minute, tooLate, 2, 2, message.TextSent},
		"a code of a day, too late an answer": {message.TextCode, 24 * time.Hour, tooLate, 2, 2, message.TextSent},
		"a code, the account is refused":      {message.TextCode, 5 * time.Minute, account, 1, 1, message.TextFailed},
		"a code, an answer of a kind":         {message.TextCode, 24 * time.Hour, mumbles, 3, 3, message.TextFailed},
		"a notice, an answer of a kind":       {message.TextChanged, 24 * time.Hour, mumbles, 3, 3, message.TextFailed},
		"a notice, too late an answer":        {message.TextChanged, 24 * time.Hour, tooLate, 2, 2, message.TextSent},
		"a notice, no answer at all":          {message.TextChanged, 24 * time.Hour, noAnswer, 20, 50, message.TextFailed},
		"a notice, the account is refused":    {message.TextChanged, 24 * time.Hour, account, 20, 50, message.TextFailed},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				text := living("text")
				text.Kind, text.Expires = tt.kind, time.Now().Add(tt.valid)
				o := newOutbox(text)
				var asked atomic.Int32
				b := newBench(t, o, realTime, smstest.GatewayFunc(func(ctx context.Context, _ smsgateway.Message) (string, error) {
					asked.Add(1)
					return "", tt.fault(ctx)
				}))
				stop := run(t, b.Worker)
				b.Enqueue(text)
				time.Sleep(tt.valid + time.Hour)
				stop()
				if n := asked.Load(); n > tt.most || n < tt.least {
					t.Errorf("the provider was asked %d times, want %d to %d", n, tt.least, tt.most)
				}
				got := o.row("text").result
				if got.State != tt.state || got.Reason == "" {
					t.Errorf("got %+v, want %s and a reason", got, tt.state)
				}
			})
		})
	}
}

// An account that is put in order within the hours of a notice sends it.
func TestANoticeOutlastsARefusedAccount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		notice := living("notice")
		notice.Kind, notice.Expires = message.TextChanged, begin.Add(24*time.Hour)
		b := newBench(t, newOutbox(notice), realTime, &moody{answer: func(int) error {
			return map[bool]error{true: smsgateway.ErrAccount}[time.Since(begin) < 5*time.Hour]
		}})
		stop := run(t, b.Worker)
		b.Enqueue(notice)
		time.Sleep(7 * time.Hour)
		stop()
		if got := b.outbox.row("notice").result; got.State != message.TextSent {
			t.Errorf("got %+v", got)
		}
	})
}
