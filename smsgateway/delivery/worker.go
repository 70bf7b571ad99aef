package delivery

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/smsgateway"
)

// Options are what a [Worker] works with. Those without a default are needed.
type Options struct {
	Outbox  message.Outbox
	Compose func(message.Text) (smsgateway.Message, error) // as [template.Composer.Compose]; an error is final
	Routes  []Route                                        // in order of preference
	Routing Routing                                        // who may take which of them
	Now     func() time.Time
	Log     *slog.Logger

	// OnDone hears of texts that have come to their end in this process, of each at most
	// once; nil for nobody. It must not wait.
	OnDone func(message.Text, message.TextResult)

	Jitter func() float64 // from 0 to 1; math/rand if nil
	Queue  int            // enqueued texts that may wait; 1024 if zero
	Poll   time.Duration  // how often the outbox is looked at; 1 s if zero
	Lease  time.Duration  // of a text that was found there; 45 s if zero
	Grace  time.Duration  // for sends that are under way when Run ends; 7 s if zero
}

// settleTime is kept of every lease for telling the outbox how the text ended.
const settleTime = 3 * time.Second

// Worker sends texts.
type Worker struct {
	Options
	senders  []*sender
	table    routeTable
	enqueued chan message.Text
	inHand   int // texts that may be in hand at once
	// inProgress are texts of the outbox in hand: one that is read just then may not
	// show its lease yet.
	inProgress idSet
	recorder   recorder
}

// New returns a worker that waits for [Worker.Run], or every fault of the
// routes and the routing.
func New(options Options) (*Worker, error) {
	options.Queue = cmp.Or(options.Queue, 1024)
	options.Poll = cmp.Or(options.Poll, time.Second)
	options.Lease = cmp.Or(options.Lease, 45*time.Second)
	options.Grace = cmp.Or(options.Grace, 7*time.Second)
	if options.Jitter == nil {
		options.Jitter = rand.Float64
	}
	if options.OnDone == nil {
		options.OnDone = func(message.Text, message.TextResult) {}
	}
	w := &Worker{Options: options, enqueued: make(chan message.Text, options.Queue), inHand: options.Queue}
	w.recorder.outbox, w.recorder.now = options.Outbox, options.Now
	var faults []error
	seen := map[string]bool{}
	for _, route := range options.Routes {
		if route.Rate < 0 || route.Concurrency < 0 {
			faults = append(faults, fmt.Errorf("gateway %q: rate and concurrency must not be negative", route.ID))
			continue
		}
		if seen[route.ID] {
			faults = append(faults, fmt.Errorf("two gateways are called %q", route.ID))
		}
		seen[route.ID] = true
		s := newSender(route, options.Now, options.Log)
		w.senders, w.inHand = append(w.senders, s), w.inHand+s.Concurrency
	}
	routes, err := newRouteTable(options.Routing, w.senders)
	w.table = routes
	return w, errors.Join(append(faults, err)...)
}

// Enqueue hands over a text that was queued just now, and is leased to this
// process. It never waits: if the queue is full, polling finds the text when
// its lease is over.
func (w *Worker) Enqueue(t message.Text) {
	select {
	case w.enqueued <- t:
	default:
		w.Log.Warn("text left to polling", "text", t.ID)
	}
}

// Run sends texts until ctx ends. Then it looks for no more, and gives what it
// has in hand the grace to end.
func (w *Worker) Run(ctx context.Context) error {
	alive, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	var loops, sends, all errgroup.Group
	sends.SetLimit(w.inHand)
	loops.Go(func() error { w.serve(ctx, alive, &sends); return nil })
	loops.Go(func() error { w.pollOutbox(ctx, alive, &sends); return nil })
	drained := make(chan struct{})
	all.Go(func() error {
		defer close(drained)
		return errors.Join(loops.Wait(), sends.Wait())
	})
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

// serve sends what is enqueued: until ctx ends, then what is still there.
func (w *Worker) serve(ctx, alive context.Context, sends *errgroup.Group) {
	send := func(t message.Text) {
		sends.Go(func() error {
			w.deliver(alive, message.QueuedText{Text: t}, t.LeaseUntil, nil)
			return nil
		})
	}
	for ctx.Err() == nil {
		select {
		case t := <-w.enqueued:
			send(t)
		case <-ctx.Done():
		}
	}
	for alive.Err() == nil {
		select {
		case t := <-w.enqueued:
			send(t)
		default:
			return
		}
	}
}

// Once looks at the outbox and sends what the gateways have room for; it returns
// when all of that is settled.
func (w *Worker) Once(ctx context.Context) error {
	var sends errgroup.Group
	texts, _, err := w.readDue(ctx, page)
	w.start(ctx, &sends, texts)
	return errors.Join(err, sends.Wait())
}
