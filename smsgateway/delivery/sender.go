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
	// recheckEvery is how soon the backlog looks again whether a sender has room. A rate
	// allows bursts of twice as long, so that looking late costs nothing of it.
	recheckEvery = 20 * time.Millisecond
	// longestQueueing is how long a fresh text waits for a busy sender.
	longestQueueing = 2 * time.Second
)

// errUnused says to a breaker that a permit ended without an answer.
var errUnused = errors.New("unused")

// sender is a route at work: its places for sends at once, its rate, and what is
// known of its health. A sender is shut while its gateway is not to be asked:
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
	s := &sender{
		Route: r, places: make(chan struct{}, r.Concurrency), limiter: rate.NewLimiter(rate.Inf, 1),
		now: now, log: log, health: smsgateway.GatewayHealth{ID: r.ID},
	}
	if r.Rate > 0 {
		burst := math.Ceil(r.Rate * 2 * recheckEvery.Seconds())
		// What a burst may be ahead is taken off, so that no second has more.
		s.limiter = rate.NewLimiter(rate.Limit(r.Rate-burst+1), int(burst))
	}
	s.breaker = s.newBreaker()
	return s
}

// permit is the right to ask a sender's gateway once. Whoever takes a permit uses it
// or gives it back.
type permit struct {
	sender *sender
	report func(error)
	over   bool
}

// enter takes a permit at once; nil for none.
func (s *sender) enter() *permit {
	if s.shut(s.now()) {
		return nil
	}
	select {
	case s.places <- struct{}{}:
	default:
		return nil
	}
	if !s.limiter.AllowN(s.now(), 1) {
		<-s.places
		return nil
	}
	return s.begin()
}

// queue waits for a permit; nil for none in time. Those who wait are served in
// order, and before those who do not. The place comes before the slot: whoever
// has a slot sends at once, or many places that become free together would
// exceed the rate.
func (s *sender) queue(ctx context.Context) *permit {
	ctx, cancel := context.WithTimeout(ctx, longestQueueing)
	defer cancel()
	select {
	case s.places <- struct{}{}:
	case <-ctx.Done():
		return nil
	}
	if !s.awaitSlot(ctx) {
		<-s.places
		return nil
	}
	return s.begin()
}

// awaitSlot waits until the rate allows one more, and reports whether it does
// before ctx, which has a deadline, ends.
func (s *sender) awaitSlot(ctx context.Context) bool {
	now := s.now()
	slot := s.limiter.ReserveN(now, 1)
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
		slot.CancelAt(s.now())
		return false
	}
}

// begin asks the breaker last, when there is a place.
func (s *sender) begin() *permit {
	report, err := s.breaker.Allow()
	if err != nil {
		<-s.places
		return nil
	}
	return &permit{sender: s, report: report}
}

// hasCapacity reports whether one of the backlog may enter now: half of the places are
// kept for fresh texts, and so is a rate that those already wait for.
func (s *sender) hasCapacity(now time.Time) bool {
	return 2*len(s.places) < cap(s.places) && s.limiter.TokensAt(now) >= 1 && !s.shut(now)
}

// ask uses the permit to send a message, in at most this time.
func (p *permit) ask(ctx context.Context, m smsgateway.Message, within time.Duration) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	id, err := p.sender.Gateway.Send(ctx, m)
	p.over = true
	<-p.sender.places
	p.sender.note(err)
	p.report(err)
	return id, err
}

// release ends a permit that was not used. A nil permit, or one that ended, is left
// alone.
func (p *permit) release() {
	if p != nil && !p.over {
		p.over = true
		<-p.sender.places
		p.report(errUnused)
	}
}
