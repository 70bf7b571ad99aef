package smsgateway

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/holdline/holdline/claim"
)

const (
	firstPause    = time.Second
	longestPause  = 30 * time.Second
	longestReason = 200
)

// deliver brings a text that is leased to this process to its end, or puts it
// off. No statement happens before the send.
func (w *Worker) deliver(ctx context.Context, t claim.QueuedText, lease time.Time) {
	now := w.Now()
	if !now.Before(t.Expires) {
		w.end(ctx, t.Text, claim.TextResult{State: claim.TextDropped, Reason: "the code expired"})
		return
	}
	room := min(lease.Sub(now)-settling, t.Expires.Sub(now))
	if room <= 0 {
		return // somebody else may have it soon
	}
	message, err := w.Compose(t.Text)
	if err != nil {
		w.end(ctx, t.Text, claim.TextResult{State: claim.TextFailed, Reason: err.Error()})
		return
	}
	sending, cancel := context.WithTimeout(ctx, room)
	defer cancel()
	o := w.attempt(sending, message)
	switch {
	case o.sent:
		w.end(ctx, t.Text, claim.TextResult{State: claim.TextSent, Gateway: o.gateway, ProviderID: o.providerID})
	case o.passing:
		w.putOff(ctx, t, o)
	default:
		w.end(ctx, t.Text, claim.TextResult{State: claim.TextFailed, Gateway: o.gateway, Reason: o.reason()})
	}
}

// outcome is how an attempt on all routes ended.
type outcome struct {
	gateway, providerID string // of the last one that was asked
	sent                bool
	passing             bool          // some route may take it later
	after               time.Duration // not before any of them is willing
	reasons             []string
}

func (o *outcome) reason() string {
	reason := strings.Join(o.reasons, "; ")
	return strings.ToValidUTF8(reason[:min(len(reason), longestReason)], "")
}

// pass notes a failure that passes.
func (o *outcome) pass(after time.Duration) {
	if !o.passing || after < o.after {
		o.after = after
	}
	o.passing = true
}

// attempt asks the routes in order until one takes the message. A route whose
// places are all taken is passed over, so that one that hangs keeps no text
// from the next.
func (w *Worker) attempt(ctx context.Context, m Message) outcome {
	var o outcome
	for i, route := range w.routes {
		select {
		case route.places <- struct{}{}:
		default:
			o.pass(0)
			o.reasons = append(o.reasons, route.ID+": busy")
			continue
		}
		id, err := ask(ctx, route.Gateway, m, len(w.routes)-i)
		<-route.places
		o.gateway = route.ID
		if err == nil {
			o.sent, o.providerID = true, id
			return o
		}
		o.reasons = append(o.reasons, route.ID+": "+err.Error())
		if !errors.Is(err, ErrRefused) {
			later := &RetryError{}
			errors.As(err, &later)
			o.pass(later.After)
		}
	}
	return o
}

// ask gives a gateway its share of the time that is left, so that there is some
// for those behind it.
func ask(ctx context.Context, g Gateway, m Message, left int) (string, error) {
	if until, ok := ctx.Deadline(); ok {
		share, cancel := context.WithTimeout(ctx, time.Until(until)/time.Duration(left))
		defer cancel()
		ctx = share
	}
	return g.Send(ctx, m)
}

// putOff makes a text due again, unless its code will be dead by then.
func (w *Worker) putOff(ctx context.Context, t claim.QueuedText, o outcome) {
	until := w.Now().Add(max(o.after, w.pause(t.Tries)))
	if !until.Before(t.Expires) {
		o.reasons = append([]string{"the code expires before another try"}, o.reasons...)
		w.end(ctx, t.Text, claim.TextResult{State: claim.TextFailed, Gateway: o.gateway, Reason: o.reason()})
		return
	}
	if w.settle(ctx, t.Text, func(ctx context.Context) error { return w.Outbox.PutOff(ctx, t.ID, until, o.reason()) }) {
		w.Log.InfoContext(ctx, "text put off", "text", t.ID, "identity", t.IdentityID, "number", t.To,
			"tries", t.Tries+1, "until", until, "reason", o.reason())
	}
}

// pause doubles with every try. The jitter takes up to half of it away.
func (w *Worker) pause(tries int) time.Duration {
	pause := longestPause
	if tries < 5 {
		pause = min(pause, firstPause<<max(0, tries))
	}
	return pause - time.Duration(w.Jitter()*float64(pause)/2)
}

// end records how a text ended.
func (w *Worker) end(ctx context.Context, t claim.Text, r claim.TextResult) {
	r.TextID, r.At = t.ID, w.Now()
	if w.settle(ctx, t, func(ctx context.Context) error { return w.Outbox.Done(ctx, r) }) {
		w.Log.InfoContext(ctx, "text "+string(r.State), "text", t.ID, "identity", t.IdentityID, "number", t.To,
			"gateway", r.Gateway, "provider_id", r.ProviderID, "reason", r.Reason)
	}
}

// settle writes to the outbox, if need be several times, also when ctx ended.
// In the end the lease runs out instead: then a text that was sent is sent once
// more, with the same code and id.
func (w *Worker) settle(ctx context.Context, t claim.Text, write func(context.Context) error) bool {
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), settling)
	defer cancel()
	pauses := &backoff.ExponentialBackOff{
		InitialInterval: 50 * time.Millisecond, RandomizationFactor: 0.5, Multiplier: 2, MaxInterval: time.Second,
	}
	_, err := backoff.Retry(limited,
		func() (struct{}, error) { return struct{}{}, write(limited) },
		backoff.WithBackOff(pauses), backoff.WithMaxTries(6), backoff.WithMaxElapsedTime(0))
	if err != nil {
		w.Log.ErrorContext(ctx, "text cannot be settled", "text", t.ID, "error", err)
	}
	return err == nil
}
