package delivery

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/smsgateway"
)

const (
	firstPause   = time.Second
	longestPause = 30 * time.Second
	// longestNoticePause is that of notices, which are tried for a day.
	longestNoticePause = time.Hour
	longestReason      = 200
	// mostUnsureTries bounds how often a text is tried whose gateways give answers
	// that are not understood: each may have accepted it.
	mostUnsureTries = 3
	// shortestSend is the least time that a gateway is given: one that is cut off
	// sooner would be blamed for it.
	shortestSend = time.Second
)

const (
	reasonExpired = "the code expired"
	reasonStale   = "the claim no longer waits for this code"
)

// deliver brings a text that is leased to this process to its end, or puts it
// off. No statement happens before the send. The permit is for its first gateway;
// without one, the text waits for it.
func (w *Worker) deliver(ctx context.Context, t message.QueuedText, lease time.Time, held *permit) {
	now := w.Now()
	if isExpired(t.Text, now) {
		w.end(ctx, t.Text, message.TextResult{State: message.TextDropped, Reason: reasonExpired})
		return
	}
	room := lease.Sub(now) - settleTime
	if room < shortestSend {
		return // soon it is due
	}
	if !t.Expires.IsZero() {
		room = min(room, t.Expires.Sub(now))
	}
	msg, err := w.Compose(t.Text)
	if err != nil {
		w.end(ctx, t.Text, message.TextResult{State: message.TextFailed, Reason: err.Error()})
		return
	}
	sending, cancel := context.WithTimeout(ctx, room)
	defer cancel()
	o := w.attempt(sending, t, msg, held)
	switch {
	case o.sent:
		w.end(ctx, t.Text, message.TextResult{State: message.TextSent, Gateway: o.gateway, ProviderID: o.providerID})
	case o.unclear > 1:
		w.end(ctx, t.Text, message.TextResult{State: message.TextSent, Gateway: o.gateway, Reason: o.reason()})
	case o.transient && (!o.unsure || t.Tries+1 < mostUnsureTries):
		w.putOff(ctx, t, o)
	default:
		w.end(ctx, t.Text, message.TextResult{State: message.TextFailed, Gateway: o.gateway, Reason: o.reason()})
	}
}

// isExpired reports whether a text is not to be sent any more: its code has no time
// left. One without an end, as a notice may be, lives on.
func isExpired(t message.Text, now time.Time) bool {
	return !t.Expires.IsZero() && t.Expires.Sub(now) < shortestSend
}

// outcome is how an attempt on all senders ended.
type outcome struct {
	gateway, providerID string // of the last one that was asked
	sent                bool
	unclear             int           // how often it may have been taken, in earlier tries too
	unsure              bool          // a gateway's answer is not understood
	transient           bool          // some gateway may take it later
	after               time.Duration // not before any of them is willing
	reasons             []string
}

func (o *outcome) reason() string {
	if len(o.reasons) == 0 {
		return "no gateway is for it"
	}
	reason := strings.Join(o.reasons, "; ")
	return strings.ToValidUTF8(reason[:min(len(reason), longestReason)], "")
}

// fail notes why a gateway did not take the message.
func (o *outcome) fail(s *sender, reason string, transient bool, after time.Duration) {
	o.reasons = append(o.reasons, s.ID+": "+reason)
	if transient && (!o.transient || after < o.after) {
		o.after = after
	}
	o.transient = o.transient || transient
}

// passOver notes a gateway that was not asked.
func (o *outcome) passOver(s *sender, now time.Time) {
	if h := s.report(now); h.RestingUntil.IsZero() {
		o.fail(s, "busy", true, 0)
	} else {
		o.fail(s, string(h.State), true, h.RestingUntil.Sub(now))
	}
}

// attempt asks the senders in order until one takes the message. One that is busy
// or shut is passed over, so that one that hangs keeps no text from the next. A
// text that may have been taken is sent once more, not again and again: here or
// in a later try.
func (w *Worker) attempt(ctx context.Context, t message.QueuedText, m smsgateway.Message, held *permit) outcome {
	senders := w.table.senders(t.Text)
	if held == nil {
		held = await(ctx, senders)
	}
	defer held.release()
	var o outcome
	if t.Unclear {
		o.unclear = 1
	}
	for i, s := range senders {
		share := shareOf(ctx, len(senders)-i)
		if share == 0 {
			o.fail(s, "no time is left", true, 0)
			break
		}
		permit := held
		if held == nil {
			permit = s.enter()
		}
		if permit == nil || permit.sender != s {
			o.passOver(s, w.Now())
			continue
		}
		held, o.gateway = nil, s.ID
		id, err := permit.ask(ctx, m, share)
		if err == nil {
			o.sent, o.providerID = true, id
			return o
		}
		o.fail(s, err.Error(), isTransient(err, t.Text), restAfter(err))
		o.unsure = o.unsure || errors.Is(err, smsgateway.ErrUnsure)
		if errors.Is(err, smsgateway.ErrUnclear) {
			if o.unclear++; o.unclear > 1 {
				break
			}
		}
	}
	return o
}

// isTransient reports whether the gateway may take the text later. An account may be put
// in order within the hours that a notice has, though not while a person waits.
func isTransient(err error, t message.Text) bool {
	return !errors.Is(err, smsgateway.ErrRefused) || isNotice(t) && errors.Is(err, smsgateway.ErrAccount)
}

// isNotice reports whether a text is worth hours of trying: nobody waits for it.
func isNotice(t message.Text) bool { return t.Kind != "" && t.Kind != message.TextCode }

// await takes a permit on the first sender that has room, or else waits for the
// first that will have some. It returns nil if that takes too long.
func await(ctx context.Context, senders []*sender) *permit {
	var busy *sender
	for _, s := range senders {
		if permit := s.enter(); permit != nil {
			return permit
		}
		if busy == nil && !s.shut(s.now()) {
			busy = s
		}
	}
	if busy == nil {
		return nil
	}
	return busy.queue(ctx)
}

// shareOf is what a gateway gets of the time that is left, so that there is some
// for those behind it; zero if there is too little for any.
func shareOf(ctx context.Context, gateways int) time.Duration {
	until, _ := ctx.Deadline()
	left := time.Until(until)
	if left < shortestSend || ctx.Err() != nil {
		return 0
	}
	return max(shortestSend, left/time.Duration(gateways))
}

// putOff makes a text due again, unless its code will be expired by then.
func (w *Worker) putOff(ctx context.Context, t message.QueuedText, o outcome) {
	until := w.Now().Add(max(o.after, w.pause(t, o.unclear > 0 || o.unsure)))
	if isExpired(t.Text, until) {
		o.reasons = append([]string{"the code expires before another try"}, o.reasons...)
		w.end(ctx, t.Text, message.TextResult{State: message.TextFailed, Gateway: o.gateway, Reason: o.reason()})
		return
	}
	reason := o.reason()
	if o.unclear > 0 {
		reason = message.ReasonUnclear + reason
	}
	if w.settle(ctx, t.Text, func(ctx context.Context) error { return w.Outbox.PutOff(ctx, t.ID, until, reason) }) {
		w.Log.InfoContext(ctx, "text put off", "text", t.ID, "identity", t.IdentityID, "number", t.To,
			"tries", t.Tries+1, "until", until, "reason", reason)
	}
}

// pause doubles with every try. A repeat of what may have been taken comes
// late: until then an outage may be over. The jitter takes up to half of it away.
func (w *Worker) pause(t message.QueuedText, unclear bool) time.Duration {
	shortest, longest := firstPause, longestPause
	if unclear {
		shortest = longestPause
	}
	if isNotice(t.Text) {
		longest = longestNoticePause
	}
	pause := min(max(shortest, firstPause<<min(t.Tries, 12)), longest)
	return pause - time.Duration(w.Jitter()*float64(pause)/2)
}

// end records how a text ended.
func (w *Worker) end(ctx context.Context, t message.Text, r message.TextResult) {
	r.TextID = t.ID
	if w.settle(ctx, t, func(ctx context.Context) (err error) {
		r.At, err = w.recorder.record(ctx, r)
		return err
	}) {
		w.OnDone(t, r)
		w.Log.InfoContext(ctx, "text "+string(r.State), "text", t.ID, "identity", t.IdentityID, "number", t.To,
			"gateway", r.Gateway, "provider_id", r.ProviderID, "reason", r.Reason)
	}
}

// settle writes to the outbox, if need be several times, also when ctx ended.
// In the end the lease runs out instead: then a text that was sent is sent once
// more, with the same code and id.
func (w *Worker) settle(ctx context.Context, t message.Text, write func(context.Context) error) bool {
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTime)
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
