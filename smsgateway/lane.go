package smsgateway

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
)

// Route is one way to send texts: a gateway, and how much is asked of it.
type Route struct {
	ID          string // its name in the configuration
	Gateway     Gateway
	Rate        float64 // texts per second from this process; zero for no limit
	Concurrency int     // sends at once; 256 if zero
}

const (
	usualConcurrency = 256
	// glance is how soon a lane that is busy is looked at again. A rate allows
	// bursts of twice as long, so that looking late costs nothing of it.
	glance = 20 * time.Millisecond
	// patience is how long a fresh text waits for a busy lane.
	patience = 2 * time.Second
)

// errBusy means that a lane has no room at this moment.
var errBusy = errors.New("busy")

// lane is a route at work: its places for sends at once, its rate, and what is
// known of its health. A lane is shut while its gateway is not to be asked:
// after too many failures, or because the gateway said so.
type lane struct {
	Route
	places  chan struct{}
	limiter *rate.Limiter
	breaker *gobreaker.TwoStepCircuitBreaker[struct{}]
	now     func() time.Time
	log     *slog.Logger

	mu     sync.Mutex
	health GatewayHealth // RestingUntil is what the gateway said
	opened time.Time     // until then the breaker stays open
}

func newLane(r Route, now func() time.Time, log *slog.Logger) *lane {
	r.Concurrency = cmp.Or(r.Concurrency, usualConcurrency)
	l := &lane{
		Route: r, places: make(chan struct{}, r.Concurrency), limiter: rate.NewLimiter(rate.Inf, 1),
		now: now, log: log, health: GatewayHealth{ID: r.ID},
	}
	if r.Rate > 0 {
		burst := math.Ceil(r.Rate * 2 * glance.Seconds())
		l.limiter = rate.NewLimiter(rate.Limit(r.Rate), int(burst))
	}
	l.breaker = l.newBreaker()
	return l
}

// turn is the right to ask a lane's gateway once. Whoever takes a turn uses it
// or gives it back.
type turn struct {
	lane   *lane
	report func(error)
	over   bool
}

// enter takes a turn at once or not at all.
func (l *lane) enter() (*turn, error) {
	if l.shut(l.now()) {
		return nil, errBusy
	}
	select {
	case l.places <- struct{}{}:
	default:
		return nil, errBusy
	}
	if !l.limiter.AllowN(l.now(), 1) {
		<-l.places
		return nil, errBusy
	}
	return l.begin()
}

// queue waits for a turn. Those who wait are served in order, and before those
// who do not.
func (l *lane) queue(ctx context.Context) (*turn, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	now := l.now()
	slot := l.limiter.ReserveN(now, 1)
	delay := slot.DelayFrom(now)
	if delay > patience {
		slot.CancelAt(now)
		return nil, errBusy
	}
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
		slot.CancelAt(l.now())
		return nil, errBusy
	}
	select {
	case l.places <- struct{}{}:
		return l.begin()
	case <-ctx.Done():
		return nil, errBusy
	}
}

// begin asks the breaker last, when there is a place.
func (l *lane) begin() (*turn, error) {
	report, err := l.breaker.Allow()
	if err != nil {
		<-l.places
		return nil, errBusy
	}
	return &turn{lane: l, report: report}, nil
}

// spare tells how long the backlog leaves a lane to fresh texts, which also keep
// half of the places to themselves; zero if one of the backlog may enter now.
func (l *lane) spare(now time.Time) time.Duration {
	if 2*len(l.places) >= cap(l.places) || l.shut(now) {
		return glance
	}
	if missing := 1 - l.limiter.TokensAt(now); missing > 0 {
		return max(glance, time.Duration(missing/l.Rate*float64(time.Second)))
	}
	return 0
}

// ask sends a message within this turn.
func (t *turn) ask(ctx context.Context, m Message) (string, error) {
	id, err := t.lane.Gateway.Send(ctx, m)
	t.end(err)
	return id, err
}

// giveBack ends a turn that was not used. A nil turn, or one that ended, is left
// alone.
func (t *turn) giveBack() {
	if t != nil && !t.over {
		t.over = true
		<-t.lane.places
		t.report(errBusy)
	}
}

func (t *turn) end(err error) {
	t.over = true
	<-t.lane.places
	t.lane.note(err)
	t.report(err)
}
