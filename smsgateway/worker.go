package smsgateway

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/holdline/holdline/claim"
)

// Route is a gateway and its name in the configuration.
type Route struct {
	ID      string
	Gateway Gateway
}

// WorkerOptions are what a [Worker] works with. Those without a default are needed.
type WorkerOptions struct {
	Outbox  claim.Outbox
	Compose func(claim.Text) (Message, error) // as [Composer.Compose]; an error is final
	Routes  []Route                           // in order of preference
	Now     func() time.Time
	Log     *slog.Logger

	Jitter      func() float64 // from 0 to 1; math/rand if nil
	Concurrency int            // sends at once for each route; 16 if zero
	Queue       int            // offered texts that may wait; 1024 if zero
	Poll        time.Duration  // how often the outbox is looked at; 1 s if zero
	Lease       time.Duration  // of a text that was found there; 45 s if zero
	Grace       time.Duration  // for sends that are under way when Run ends; 7 s if zero
}

// settling is kept of every lease for telling the outbox how the text ended.
const settling = 3 * time.Second

// Worker sends texts.
type Worker struct {
	WorkerOptions
	routes  []lane
	offered chan claim.Text
	found   chan claim.QueuedText
}

// lane is a route and its places for sends at once.
type lane struct {
	Route
	places chan struct{}
}

// NewWorker returns a worker that waits for [Worker.Run].
func NewWorker(options WorkerOptions) *Worker {
	options.Concurrency = cmp.Or(options.Concurrency, 16)
	options.Queue = cmp.Or(options.Queue, 1024)
	options.Poll = cmp.Or(options.Poll, time.Second)
	options.Lease = cmp.Or(options.Lease, 45*time.Second)
	options.Grace = cmp.Or(options.Grace, 7*time.Second)
	if options.Jitter == nil {
		options.Jitter = rand.Float64
	}
	w := &Worker{
		WorkerOptions: options,
		offered:       make(chan claim.Text, options.Queue),
		found:         make(chan claim.QueuedText),
	}
	for _, route := range options.Routes {
		w.routes = append(w.routes, lane{route, make(chan struct{}, options.Concurrency)})
	}
	return w
}

// senders is how many texts are in hand at once. A text holds a place on one
// route at a time, so there is always a free place on some route.
func (w *Worker) senders() int { return w.Concurrency * max(1, len(w.routes)) }

// Offer hands over a text that was queued just now, and is leased to this
// process. It never waits: if the queue is full, polling finds the text when
// its lease is over.
func (w *Worker) Offer(t claim.Text) {
	select {
	case w.offered <- t:
	default:
		w.Log.Warn("text left to polling", "text", t.ID)
	}
}

// Run sends texts until ctx ends. Then it looks for no more, and gives what it
// has in hand the grace to end.
func (w *Worker) Run(ctx context.Context) error {
	sends, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	var senders, all errgroup.Group
	for range w.senders() {
		senders.Go(func() error { w.serve(ctx, sends); return nil })
	}
	drained := make(chan struct{})
	all.Go(func() error {
		defer close(drained)
		return senders.Wait()
	})
	all.Go(func() error { w.poll(ctx); return nil })
	all.Go(func() error {
		<-ctx.Done()
		grace := time.NewTimer(w.Grace)
		defer grace.Stop()
		select {
		case <-drained:
		case <-grace.C:
			cut()
		}
		return nil
	})
	return all.Wait()
}

// serve sends texts one at a time: until ctx ends, then what is still offered.
func (w *Worker) serve(ctx, sends context.Context) {
	for {
		select {
		case t := <-w.offered:
			w.deliver(sends, claim.QueuedText{Text: t}, t.LeaseUntil)
		case t := <-w.found:
			w.rescue(sends, t)
		case <-ctx.Done():
			for sends.Err() == nil {
				select {
				case t := <-w.offered:
					w.deliver(sends, claim.QueuedText{Text: t}, t.LeaseUntil)
				default:
					return
				}
			}
			return
		}
	}
}

// poll looks at the outbox now and at every tick, and at once again while there
// is more than one batch.
func (w *Worker) poll(ctx context.Context) {
	tick := time.NewTicker(w.Poll)
	defer tick.Stop()
	for {
		more, err := w.find(ctx, func(t claim.QueuedText) {
			select {
			case w.found <- t:
			case <-ctx.Done():
			}
		})
		if err != nil && ctx.Err() == nil {
			w.Log.ErrorContext(ctx, "outbox cannot be read", "error", err)
		}
		if more && ctx.Err() == nil {
			continue
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// Once sends one batch of what is due in the outbox, and returns when every
// text is settled.
func (w *Worker) Once(ctx context.Context) error {
	var group errgroup.Group
	group.SetLimit(w.senders())
	_, err := w.find(ctx, func(t claim.QueuedText) {
		group.Go(func() error { w.rescue(ctx, t); return nil })
	})
	return errors.Join(err, group.Wait())
}

// find gives due texts away, and tells whether there may be more.
func (w *Worker) find(ctx context.Context, give func(claim.QueuedText)) (bool, error) {
	batch := w.senders()
	due, err := w.Outbox.DueTexts(ctx, w.Now(), batch)
	for _, t := range due {
		give(t)
	}
	return len(due) == batch, err
}

// rescue takes a due text, unless somebody else did, and sends it.
func (w *Worker) rescue(ctx context.Context, t claim.QueuedText) {
	until := w.Now().Add(w.Lease)
	mine, err := w.Outbox.TakeText(ctx, t, until)
	if err != nil && ctx.Err() == nil {
		w.Log.ErrorContext(ctx, "text cannot be taken", "text", t.ID, "error", err)
	}
	if err != nil || !mine {
		return
	}
	if !t.Current {
		w.end(ctx, t.Text, claim.TextResult{State: claim.TextDropped, Reason: "the claim no longer waits for this code"})
		return
	}
	w.deliver(ctx, t, until)
}
