package kratos

import (
	"context"
	"fmt"
	"sync"

	"golang.org/x/sync/singleflight"

	"github.com/holdline/holdline/internal/claim"
)

// work knows what is under way, so that Close can wait for it.
type work struct {
	mu     sync.Mutex
	closed bool
	group  sync.WaitGroup
	slots  chan struct{}
}

func newWork(most int) *work { return &work{slots: make(chan struct{}, most)} }

// begin counts something that has an end; false after close.
func (w *work) begin() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return false
	}
	w.group.Add(1)
	return true
}

func (w *work) end() { w.group.Done() }

// do runs f in the background, between begin and end. When too much is running
// already the caller does it.
func (w *work) do(f func()) {
	select {
	case w.slots <- struct{}{}:
		w.group.Go(func() {
			defer func() { <-w.slots }()
			f()
		})
	default:
		f()
	}
}

// close lets nothing begin any more, and waits for the rest.
func (w *work) close() {
	w.mu.Lock()
	w.closed = true
	w.mu.Unlock()
	w.group.Wait()
}

// share makes one call for all who ask for the same at the same time. It goes on
// when the first of them goes away, and Close waits for it; each waits no longer
// than its own context.
func share[T any](
	ctx context.Context, w *work, group *singleflight.Group, key string, call func(context.Context) (T, error),
) (T, bool, error) {
	var none T
	answer := group.DoChan(key, func() (any, error) {
		if !w.begin() {
			return none, fmt.Errorf("%w: closed", claim.ErrIdentitiesUnavailable)
		}
		defer w.end()
		return call(context.WithoutCancel(ctx))
	})
	select {
	case <-ctx.Done():
		return none, false, fmt.Errorf("%w: %w", claim.ErrIdentitiesUnavailable, ctx.Err())
	case got := <-answer:
		value, _ := got.Val.(T)
		return value, got.Shared, got.Err
	}
}
