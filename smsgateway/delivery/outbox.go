package delivery

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/holdline/holdline/internal/message"
)

// page is how many due texts are read at once. If none of them is for a gateway
// that has room, more are read, up to deepestPage. If that is not enough either, those
// that hide the others are set aside for some ticks.
const (
	page        = 500
	deepestPage = 8 * page
	asideTicks  = 10
)

// pollOutbox works off what is due in the outbox. A text is leased only when its
// gateway has room for it, so that no more are leased than can be sent. What was
// read is read anew at every tick, so that the newest come first and no expired
// code is sent.
func (w *Worker) pollOutbox(ctx, alive context.Context, sends *errgroup.Group) {
	tick := time.NewTicker(w.Poll)
	defer tick.Stop()
	start := func(texts []message.QueuedText) []message.QueuedText { return w.start(alive, sends, texts) }
	depth := page
	for ctx.Err() == nil {
		texts, more, err := w.readDue(ctx, depth)
		if err != nil && ctx.Err() == nil {
			w.Log.ErrorContext(ctx, "outbox cannot be worked off", "error", err)
		}
		rest := start(texts)
		hidden := more && len(rest) > 0 && w.hasIdleSender(rest)
		rest = w.startAsRoomComes(ctx, tick.C, more && err == nil, rest, start)
		switch {
		case !hidden:
			depth = page
		case depth < deepestPage:
			depth *= 2
		default:
			w.setAside(ctx, rest, len(texts)-len(rest))
		}
	}
}

// setAside postpones texts whose gateways have no room, so that the next read
// shows those behind them. The newest stay, and enough for their gateways not to
// run dry if they go on as in the last tick.
func (w *Worker) setAside(ctx context.Context, texts []message.QueuedText, wentOut int) {
	var ids []string
	for _, t := range texts[min(len(texts), page+asideTicks*wentOut):] {
		ids = append(ids, t.ID)
	}
	now := w.Now()
	if err := w.postpone(ctx, ids, now, now.Add(asideTicks*w.Poll)); err != nil && ctx.Err() == nil {
		w.Log.ErrorContext(ctx, "texts cannot be postponed", "error", err)
	}
}

// startAsRoomComes starts texts as room for them comes: until the tick, or until none is
// left if there are more to read. It returns those that are left.
func (w *Worker) startAsRoomComes(
	ctx context.Context, tick <-chan time.Time, more bool, texts []message.QueuedText,
	start func([]message.QueuedText) []message.QueuedText,
) []message.QueuedText {
	for len(texts) > 0 || !more {
		pause := w.Poll
		if len(texts) > 0 {
			pause = recheckEvery
		}
		select {
		case <-ctx.Done():
			return texts
		case <-tick:
			return texts
		case <-time.After(pause):
			texts = start(texts)
		}
	}
	return texts
}

// readDue reads what is due, newest first, and reports whether there may be more.
// What must not be sent it drops, and what no gateway is to be asked for it
// postpones: both at once for all of them.
func (w *Worker) readDue(ctx context.Context, n int) (live []message.QueuedText, more bool, err error) {
	now, inProgress := w.Now(), w.inProgress.all()
	due, err := w.Outbox.DueTexts(ctx, now, n)
	full := len(due) == n
	// To begin it once more would only cost its gateway a slot.
	due = slices.DeleteFunc(due, func(t message.QueuedText) bool { return inProgress[t.ID] })
	more = full && len(due) > 0 // with all of them in hand there is time until the tick
	var expired, stale []message.Text
	var waiting []string
	var until time.Time
	for _, t := range due {
		switch open := w.shutUntil(t.Text, now); {
		case isExpired(t.Text, now):
			expired = append(expired, t.Text)
		case !t.Current:
			stale = append(stale, t.Text)
		case !open.IsZero():
			if waiting = append(waiting, t.ID); until.IsZero() || open.Before(until) {
				until = open
			}
		default:
			live = append(live, t)
		}
	}
	err = errors.Join(err, w.drop(ctx, expired, now, reasonExpired), w.drop(ctx, stale, now, reasonStale),
		w.postpone(ctx, waiting, now, until))
	return live, more, err
}

func (w *Worker) postpone(ctx context.Context, ids []string, now, until time.Time) error {
	if len(ids) == 0 {
		return nil
	}
	w.Log.InfoContext(ctx, "texts postponed", "texts", len(ids), "until", until)
	return w.Outbox.PostponeTexts(ctx, ids, now, until)
}

func (w *Worker) drop(ctx context.Context, texts []message.Text, now time.Time, reason string) error {
	if len(texts) == 0 {
		return nil
	}
	ids := make([]string, len(texts))
	for i, t := range texts {
		ids[i] = t.ID
	}
	w.Log.InfoContext(ctx, "texts dropped", "texts", len(ids), "reason", reason)
	if err := w.Outbox.DropTexts(ctx, ids, now, reason); err != nil {
		return err
	}
	for _, t := range texts {
		w.OnDone(t, message.TextResult{TextID: t.ID, State: message.TextDropped, Reason: reason, At: now})
	}
	return nil
}

// shutUntil returns when a text may find a gateway that is to be asked; zero for now.
func (w *Worker) shutUntil(t message.Text, now time.Time) time.Time {
	var soonest time.Time
	for _, s := range w.table.senders(t) {
		until := s.report(now).RestingUntil
		if until.IsZero() {
			return until
		}
		if soonest.IsZero() || until.Before(soonest) {
			soonest = until
		}
	}
	return soonest
}

// start sends those texts whose gateways have room now, and returns the others.
func (w *Worker) start(ctx context.Context, sends *errgroup.Group, texts []message.QueuedText) []message.QueuedText {
	now := w.Now()
	var rest []message.QueuedText
	full := map[*sender]bool{}
	for _, t := range texts {
		if isExpired(t.Text, now) {
			continue // the next poll drops it
		}
		senders := w.table.senders(t.Text)
		permit := firstPermit(senders, now, full)
		if permit == nil && len(senders) > 0 {
			rest = append(rest, t)
			continue
		}
		w.inProgress.add(t.ID)
		sends.Go(func() error { w.take(ctx, t, permit); return nil })
	}
	return rest
}

// firstPermit takes a permit on the first sender that has one to spare; nil for none.
// A sender that had none for a text is full for all that come after it, or an
// older text would get what has become free just now.
func firstPermit(senders []*sender, now time.Time, full map[*sender]bool) *permit {
	for _, s := range senders {
		if full[s] {
			continue
		}
		if s.hasCapacity(now) {
			if permit := s.enter(); permit != nil {
				return permit
			}
		}
		full[s] = true
	}
	return nil
}

// take sends a due text, unless somebody else does.
func (w *Worker) take(ctx context.Context, t message.QueuedText, held *permit) {
	defer w.inProgress.remove(t.ID)
	defer held.release()
	until := w.Now().Add(w.Lease)
	mine, err := w.Outbox.TakeText(ctx, t, until)
	if err != nil && ctx.Err() == nil {
		w.Log.ErrorContext(ctx, "text cannot be taken", "text", t.ID, "error", err)
	}
	if err == nil && mine {
		w.deliver(ctx, t, until, held)
	}
}

// idSet is a set of ids for several goroutines.
type idSet struct {
	mu  sync.Mutex
	ids map[string]bool
}

func (s *idSet) add(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ids == nil {
		s.ids = map[string]bool{}
	}
	s.ids[id] = true
}

func (s *idSet) remove(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.ids, id)
}

func (s *idSet) all() map[string]bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.ids)
}

// hasIdleSender reports whether there is room that none of these texts asks for.
func (w *Worker) hasIdleSender(texts []message.QueuedText) bool {
	asked := map[*sender]bool{}
	for _, t := range texts {
		for _, s := range w.table.senders(t.Text) {
			asked[s] = true
		}
	}
	now := w.Now()
	return slices.ContainsFunc(w.senders, func(s *sender) bool { return !asked[s] && s.hasCapacity(now) })
}
