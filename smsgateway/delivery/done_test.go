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
