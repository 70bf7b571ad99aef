package smsgateway

import (
	"context"
	"errors"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/holdline/holdline/claim"
)

// page is how many due texts are read at once. If none of them is for a gateway
// that has room, more are, up to the deepest.
const (
	page    = 500
	deepest = 8 * page
)

// rescue works off what is due in the outbox. A text is leased only when its
// gateway has room for it, so that no more are leased than can be sent. What was
// read is read anew at every tick, so that the newest come first and no dead
// code is sent.
func (w *Worker) rescue(ctx, alive context.Context, sends *errgroup.Group) {
	tick := time.NewTicker(w.Poll)
	defer tick.Stop()
	depth := page
	for ctx.Err() == nil {
		texts, more, err := w.look(ctx, depth)
		if err != nil && ctx.Err() == nil {
			w.Log.ErrorContext(ctx, "outbox cannot be worked off", "error", err)
		}
		texts, pause := w.start(alive, sends, texts)
		if depth = page; more && w.idle() {
			depth = min(2*depth, deepest)
		}
		for more = more && err == nil; !more || len(texts) > 0; {
			select {
			case <-ctx.Done():
				return
			case <-time.After(pause):
				texts, pause = w.start(alive, sends, texts)
				continue
			case <-tick.C:
			}
			break
		}
	}
}

// look reads what is due, newest first, and tells whether there may be more.
// What must not be sent it drops, and what no gateway is to be asked for it
// postpones: both at once for all of them.
func (w *Worker) look(ctx context.Context, n int) (live []claim.QueuedText, more bool, err error) {
	now := w.Now()
	due, err := w.Outbox.DueTexts(ctx, now, n)
	var expired, stale, waiting []string
	var until time.Time
	for _, t := range due {
		switch open := w.shutUntil(t.Text, now); {
		case timeLeft(t.Text, now) <= 0:
			expired = append(expired, t.ID)
		case !t.Current:
			stale = append(stale, t.ID)
		case !open.IsZero():
			if waiting = append(waiting, t.ID); until.IsZero() || open.Before(until) {
				until = open
			}
		default:
			live = append(live, t)
		}
	}
	err = errors.Join(err, w.drop(ctx, expired, now, reasonExpired), w.drop(ctx, stale, now, reasonStale))
	if len(waiting) > 0 {
		w.Log.InfoContext(ctx, "texts postponed", "texts", len(waiting), "until", until)
		err = errors.Join(err, w.Outbox.PostponeTexts(ctx, waiting, now, until))
	}
	return live, len(due) == n, err
}

func (w *Worker) drop(ctx context.Context, ids []string, now time.Time, reason string) error {
	if len(ids) == 0 {
		return nil
	}
	w.Log.InfoContext(ctx, "texts dropped", "texts", len(ids), "reason", reason)
	return w.Outbox.DropTexts(ctx, ids, now, reason)
}

// shutUntil tells when a text may find a gateway that is to be asked; zero for now.
func (w *Worker) shutUntil(t claim.Text, now time.Time) time.Time {
	var soonest time.Time
	for _, l := range w.table.lanes(t) {
		until := l.report(now).RestingUntil
		if until.IsZero() {
			return until
		}
		if soonest.IsZero() || until.Before(soonest) {
			soonest = until
		}
	}
	return soonest
}

// start sends those texts whose gateways have room now. It returns the others,
// in their order, and when to try again.
func (w *Worker) start(ctx context.Context, sends *errgroup.Group, texts []claim.QueuedText) (rest []claim.QueuedText, pause time.Duration) {
	pause = w.Poll
	for _, t := range texts {
		turn, wait := w.turnFor(t.Text)
		if wait > 0 {
			rest, pause = append(rest, t), min(pause, wait)
			continue
		}
		sends.Go(func() error { w.take(ctx, t, turn); return nil })
	}
	return rest, pause
}

// turnFor takes a turn on the first lane that has one to spare, or tells when to
// look again. A text that no lane is for needs none.
func (w *Worker) turnFor(t claim.Text) (*turn, time.Duration) {
	now, wait := w.Now(), time.Duration(0)
	for _, l := range w.table.lanes(t) {
		spare := l.spare(now)
		if spare == 0 {
			if turn, err := l.enter(); err == nil {
				return turn, 0
			}
			spare = glance
		}
		if wait == 0 || spare < wait {
			wait = spare
		}
	}
	return nil, wait
}

// take sends a due text, unless somebody else does.
func (w *Worker) take(ctx context.Context, t claim.QueuedText, held *turn) {
	defer held.giveBack()
	until := w.Now().Add(w.Lease)
	mine, err := w.Outbox.TakeText(ctx, t, until)
	if err != nil && ctx.Err() == nil {
		w.Log.ErrorContext(ctx, "text cannot be taken", "text", t.ID, "error", err)
	}
	if err == nil && mine {
		w.deliver(ctx, t, until, held)
	}
}

// idle tells whether there is room that no text asked for.
func (w *Worker) idle() bool {
	now := w.Now()
	return slices.ContainsFunc(w.lanes, func(l *lane) bool { return l.spare(now) == 0 })
}
