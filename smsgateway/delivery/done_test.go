package delivery_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/smsgateway"
	"github.com/holdline/holdline/smsgateway/delivery"
	"github.com/holdline/holdline/smsgateway/smstest"
)

// Whoever counts texts hears of each once: sent, refused or dropped.
func TestEachTextsEndIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sent, refused, stale := living("sent"), living("refused"), living("stale")
		o := newOutbox(sent, refused, stale)
		o.rows["stale"].Current = false
		var mu sync.Mutex
		var told []string
		b := newBench(t, o, func(w *delivery.Options) {
			realTime(w)
			w.OnDone = func(text message.Text, r message.TextResult) {
				mu.Lock()
				defer mu.Unlock()
				told = append(told, fmt.Sprint(text.ID, " ", r.TextID, " ", r.State, " ", r.At.IsZero()))
			}
		}, smstest.GatewayFunc(func(_ context.Context, m smsgateway.Message) (string, error) {
			if m.ID == "refused" {
				return "", smsgateway.ErrRefused
			}
			return "", nil
		}))
		stop := run(t, b.Worker)
		time.Sleep(time.Minute) // their leases end
		stop()
		slices.Sort(told)
		want := []string{"refused refused failed false", "sent sent sent false", "stale stale dropped false"}
		if !slices.Equal(told, want) {
			t.Errorf("got %q, want %q", told, want)
		}
	})
}

// Texts that end within the same few milliseconds wait for the disk once, also when the
// first attempt to record them fails.
func TestEndsThatComeTogetherAreRecordedTogether(t *testing.T) {
	for name, tt := range map[string]struct{ texts, failures, calls int }{
		"one text":                    {1, 0, 1},
		"twenty":                      {20, 0, 1},
		"twenty, and one failed call": {20, 1, 12},
		"more than one call holds":    {100, 0, 2},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := newOutbox()
				failures := tt.failures
				o.fail = func(call string) error {
					if call != "done" || failures == 0 {
						return nil
					}
					failures--
					return context.DeadlineExceeded
				}
				var mu sync.Mutex
				told := map[string]int{}
				b := newBench(t, o, func(w *delivery.Options) {
					realTime(w)
					w.OnDone = func(_ message.Text, r message.TextResult) { mu.Lock(); defer mu.Unlock(); told[r.TextID]++ }
				}, smstest.GatewayFunc(func(context.Context, smsgateway.Message) (string, error) { return "", nil }))
				stop := run(t, b.Worker)
				for i := range tt.texts {
					text := living(fmt.Sprint("text-", i))
					o.add(text)
					b.Enqueue(text)
				}
				time.Sleep(500 * time.Millisecond)
				stop()
				sent, calls := o.count(message.TextSent, "done")
				if sent != tt.texts || calls > tt.calls || len(told) != tt.texts {
					t.Errorf("%d sent, %d told, in %d calls; want %d in %d", sent, len(told), calls, tt.texts, tt.calls)
				}
				for id, n := range told {
					if n != 1 {
						t.Errorf("%s: told %d times", id, n)
					}
				}
			})
		})
	}
}
