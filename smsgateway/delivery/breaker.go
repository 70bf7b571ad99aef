package delivery

import (
	"context"
	"errors"
	"time"

	"github.com/sony/gobreaker/v2"

	"github.com/holdline/holdline/smsgateway"
)

// When a breaker opens, and for how long. A wrong number is no failure, a wrong
// password is: the next text would fare no better.
const (
	failuresInRow = 5
	failuresFrom  = 20 // answers within the window, for the share to count
	failuresShare = 0.5
	window        = time.Minute
	windowStep    = 10 * time.Second
	openFor       = 15 * time.Second
)

func (s *sender) newBreaker() *gobreaker.TwoStepCircuitBreaker[struct{}] {
	return gobreaker.NewTwoStepCircuitBreaker[struct{}](gobreaker.Settings{
		Name: s.ID, MaxRequests: 1, Interval: window, BucketPeriod: windowStep, Timeout: openFor,
		ReadyToTrip: func(c gobreaker.Counts) bool {
			answers := c.TotalSuccesses + c.TotalFailures
			return c.ConsecutiveFailures >= failuresInRow ||
				answers >= failuresFrom && float64(c.TotalFailures) >= failuresShare*float64(answers)
		},
		IsSuccessful: func(err error) bool { return err == nil || isRefusal(err) },
		// What the gateway is not to blame for, and what it rests for.
		IsExcluded: func(err error) bool {
			return errors.Is(err, errUnused) || errors.Is(err, smsgateway.ErrLocal) || errors.Is(err, context.Canceled) || restAfter(err) > 0
		},
		OnStateChange: func(_ string, _, to gobreaker.State) { s.changed(to) },
	})
}

// isRefusal reports whether the fault is the message's.
func isRefusal(err error) bool {
	return errors.Is(err, smsgateway.ErrRefused) && !errors.Is(err, smsgateway.ErrAccount)
}

// restAfter is how long the gateway asks to be left alone; zero if it does not.
func restAfter(err error) time.Duration {
	later := &smsgateway.RetryError{}
	errors.As(err, &later)
	return later.After
}

// changed is called by the breaker, under its lock.
func (s *sender) changed(to gobreaker.State) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if to != gobreaker.StateOpen {
		s.log.Info("gateway changes state", "gateway", s.ID, "state", to.String())
		return
	}
	s.opened = s.now().Add(openFor)
	s.log.Error("gateway changes state", "gateway", s.ID, "state", string(smsgateway.GatewayOpen), "until", s.opened,
		"reason", s.health.LastReason)
}

// note counts an answer.
func (s *sender) note(err error) {
	if errors.Is(err, smsgateway.ErrLocal) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	s.health.LastAt = now
	if err == nil {
		s.health.Sent++
		return
	}
	s.health.LastReason = err.Error()
	if errors.Is(err, smsgateway.ErrRefused) {
		s.health.Refused++
		return
	}
	s.health.Failed++
	until := now.Add(restAfter(err))
	if until.After(now) && !s.health.RestingUntil.After(now) {
		s.log.Warn("gateway changes state", "gateway", s.ID, "state", string(smsgateway.GatewayResting), "until", until,
			"reason", s.health.LastReason)
	}
	if until.After(s.health.RestingUntil) {
		s.health.RestingUntil = until
	}
}

// shut reports whether the gateway is not to be asked.
func (s *sender) shut(now time.Time) bool { return !s.report(now).RestingUntil.IsZero() }

// report returns the sender's health.
func (s *sender) report(now time.Time) smsgateway.GatewayHealth {
	state := smsgateway.GatewayState(s.breaker.State().String()) // before the lock: it may call changed
	s.mu.Lock()
	defer s.mu.Unlock()
	h := s.health
	h.State, h.InFlight = state, len(s.places)
	if h.RestingUntil.After(now) {
		h.State = smsgateway.GatewayResting
	} else {
		h.RestingUntil = time.Time{}
	}
	if state == smsgateway.GatewayOpen {
		h.State = smsgateway.GatewayOpen
		// The breaker has its own clock: if that is late, it has a moment more.
		h.RestingUntil = latest(h.RestingUntil, s.opened, now.Add(recheckEvery))
	}
	return h
}

func latest(times ...time.Time) time.Time {
	last := times[0]
	for _, t := range times[1:] {
		if t.After(last) {
			last = t
		}
	}
	return last
}

// Health returns how the gateways are, in the order of the configuration.
func (w *Worker) Health() []smsgateway.GatewayHealth {
	now, all := w.Now(), make([]smsgateway.GatewayHealth, len(w.senders))
	for i, s := range w.senders {
		all[i] = s.report(now)
	}
	return all
}
