package delivery

import (
	"context"
	"sync"
	"time"

	"github.com/holdline/holdline/internal/message"
)

// The ends of texts that come within recordWindow are recorded together, at most
// mostRecords of them: the disk is waited for once. Nobody waits for a record, but if
// the process dies within the window, what was sent is sent once more.
const (
	recordWindow = 20 * time.Millisecond
	mostRecords  = 64
)

// recorder records how texts ended.
type recorder struct {
	outbox message.Outbox
	now    func() time.Time

	mu   sync.Mutex
	open *batch // what comes next joins it; nil for none
}

// batch is what is recorded together. Whoever opens it records it.
type batch struct {
	results []message.TextResult
	full    chan struct{} // closed when it has mostRecords
	done    chan struct{} // closed when it is recorded, or err says why not
	err     error
}

// record returns when the result is recorded, with the moment of its window's end.
func (r *recorder) record(ctx context.Context, result message.TextResult) (time.Time, error) {
	b, first := r.join(result)
	if !first {
		select {
		case <-b.done:
			return b.results[0].At, b.err
		case <-ctx.Done():
			return time.Time{}, ctx.Err()
		}
	}
	window := time.NewTimer(recordWindow)
	defer window.Stop()
	select {
	case <-window.C:
	case <-b.full:
	case <-ctx.Done():
	}
	r.leave(b)
	now := r.now()
	for i := range b.results {
		b.results[i].At = now
	}
	b.err = r.outbox.Done(ctx, b.results...)
	close(b.done)
	return now, b.err
}

// join adds a result to the open batch, and reports whether it is its first.
func (r *recorder) join(result message.TextResult) (b *batch, first bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	first = r.open == nil
	if first {
		r.open = &batch{full: make(chan struct{}), done: make(chan struct{})}
	}
	b = r.open
	b.results = append(b.results, result)
	if len(b.results) == mostRecords {
		close(b.full)
		r.open = nil
	}
	return b, first
}

// leave closes a batch to newcomers.
func (r *recorder) leave(b *batch) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.open == b {
		r.open = nil
	}
}
