package smsgateway_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdline/holdline/claim"
	"github.com/holdline/holdline/smsgateway"
)

// A notice is worth a day of trying, but nobody is to be told the same thing
// again and again by a provider that takes it and answers too late.
func TestNoticesAreNotRepeatedLikeCodes(t *testing.T) {
	for name, tt := range map[string]struct {
		fault func(context.Context) error
		most  int32
		state claim.TextState
	}{
		"too late an answer": {func(ctx context.Context) error {
			late, cancel := context.WithTimeout(ctx, 10*time.Second)
			defer cancel()
			<-late.Done()
			return late.Err()
		}, 2, claim.TextSent},
		"no answer at all": {func(context.Context) error { return errors.New("the connection is refused") }, 50, claim.TextFailed},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				notice := living("notice")
				notice.Kind, notice.Expires = claim.TextChanged, time.Now().Add(24*time.Hour)
				o := newOutbox(notice)
				var asked atomic.Int32
				b := newBench(t, o, func(w *smsgateway.WorkerOptions) { realTime(w) },
					sender(func(ctx context.Context, _ smsgateway.Message) (string, error) {
						asked.Add(1)
						return "", tt.fault(ctx)
					}))
				stop := run(t, b.Worker)
				time.Sleep(25 * time.Hour)
				stop()
				if n := asked.Load(); n > tt.most || n < 2 {
					t.Errorf("the provider was asked %d times, at most %d are wanted", n, tt.most)
				}
				if got := o.row("notice").result.State; got != tt.state {
					t.Errorf("the notice is %s, want %s", got, tt.state)
				}
			})
		})
	}
}
