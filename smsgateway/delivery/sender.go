package delivery

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"math"
	"sync"
	"time"

	"github.com/sony/gobreaker/v2"
	"golang.org/x/time/rate"

	"github.com/holdline/holdline/smsgateway"
)

// Route is one way to send texts: a gateway, and how much is asked of it.
type Route struct {
	ID          string // its name in the configuration
	Gateway     smsgateway.Gateway
	Rate        float64 // texts per second from this process; zero for no limit
	Concurrency int     // sends at once; 1024 if zero
}

const (
	// glance is how soon the backlog looks again whether a lane has room. A rate
	// allows bursts of twice as long, so that looking late costs nothing of it.
	glance = 20 * time.Millisecond
	// patience is how long a fresh text waits for a busy lane.
	patience = 2 * time.Second
)

// errUnused tells a breaker that a turn ended without an answer.
var errUnused = errors.New("unused")

// lane is a route at work: its places for sends at once, its rate, and what is
// known of its health. A lane is shut while its gateway is not to be asked:
// after too many failures, or because the gateway said so.
type sender struct {
	Route
	places  chan struct{}
	limiter *rate.Limiter
	breaker *gobreaker.TwoStepCircuitBreaker[struct{}]
	now     func() time.Time
	log     *slog.Logger

	mu     sync.Mutex
	health smsgateway.GatewayHealth // RestingUntil is what the gateway said
	opened time.Time                // until then the breaker stays open
}

func newSender(r Route, now func() time.Time, log *slog.Logger) *sender {
	r.Concurrency = cmp.Or(r.Concurrency, smsgateway.DefaultConcurrency)
	l := &sender{
		Route: r, places: make(chan struct{}, r.Concurrency), limiter: rate.NewLimiter(rate.Inf, 1),
		now: now, log: log, health: smsgateway.GatewayHealth{ID: r.ID},
	}
	if r.Rate > 0 {
		burst := math.Ceil(r.Rate * 2 * glance.Seconds())
		// What a burst may be ahead is taken off, so that no second has more.
		l.limiter = rate.NewLimiter(rate.Limit(r.Rate-burst+1), int(burst))
	}
	l.breaker = l.newBreaker()
	return l
}

// turn is the right to ask a lane's gateway once. Whoever takes a turn uses it
// or gives it back.
type permit struct {
	sender *sender
	report func(error)
	over   bool
}

// enter takes a turn at once; nil for none.
func (l *sender) enter() *permit {
	if l.shut(l.now()) {
		return nil
	}
	select {
	case l.places <- struct{}{}:
	default:
		return nil
	}
	if !l.limiter.AllowN(l.now(), 1) {
		<-l.places
		return nil
	}
	return l.begin()
}

// queue waits for a turn; nil for none in time. Those who wait are served in
// order, and before those who do not. The place comes before the slot: whoever
// has a slot sends at once, or many places that become free together would
// exceed the rate.
func (l *sender) queue(ctx context.Context) *permit {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	select {
	case l.places <- struct{}{}:
	case <-ctx.Done():
		return nil
	}
	if !l.awaitSlot(ctx) {
		<-l.places
		return nil
	}
	return l.begin()
}

// awaitSlot waits until the rate allows one more, and reports whether it does
// before ctx, which has a deadline, ends.
func (l *sender) awaitSlot(ctx context.Context) bool {
	now := l.now()
	slot := l.limiter.ReserveN(now, 1)
	delay := slot.DelayFrom(now)
	until, _ := ctx.Deadline()
	if delay > time.Until(until) {
		slot.CancelAt(now)
		return false
	}
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		slot.CancelAt(l.now())
		return false
	}
}

// begin asks the breaker last, when there is a place.
func (l *sender) begin() *permit {
	report, err := l.breaker.Allow()
	if err != nil {
		<-l.places
		return nil
	}
	return &permit{sender: l, report: report}
}

// spare reports whether one of the backlog may enter now: half of the places are
// kept for fresh texts, and so is a rate that those already wait for.
func (l *sender) hasCapacity(now time.Time) bool {
	return 2*len(l.places) < cap(l.places) && l.limiter.TokensAt(now) >= 1 && !l.shut(now)
}

// ask uses the turn to send a message.
func (t *permit) ask(ctx context.Context, m smsgateway.Message) (string, error) {
	id, err := t.sender.Gateway.Send(ctx, m)
	t.over = true
	<-t.sender.places
	t.sender.note(err)
	t.report(err)
	return id, err
}

// giveBack ends a turn that was not used. A nil turn, or one that ended, is left
// alone.
func (t *permit) release() {
	if t != nil && !t.over {
		t.over = true
		<-t.sender.places
		t.report(errUnused)
	}
}
