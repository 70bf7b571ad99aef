package delivery_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/smsgateway"
	"github.com/holdline/holdline/smsgateway/delivery"
	"github.com/holdline/holdline/smsgateway/smstest"
)

// diary is a gateway that takes its time, and notes which texts it took when.
type diary struct {
	takes time.Duration
	mu    sync.Mutex
	ids   []string
	times []time.Time
}

func (d *diary) Send(ctx context.Context, m smsgateway.Message) (string, error) {
	select {
	case <-time.After(d.takes):
	case <-ctx.Done():
		return "", ctx.Err()
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ids, d.times = append(d.ids, m.ID), append(d.times, time.Now())
	return "id", nil
}

func (d *diary) sent() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.ids)
}

// mostWithin is the greatest number of texts in any such window.
func (d *diary) mostWithin(window time.Duration) int {
	most, from := 0, 0
	for i, at := range d.times {
		for at.Sub(d.times[from]) >= window {
			from++
		}
		most = max(most, i-from+1)
	}
	return most
}

// backlog is n texts that were queued a second apart, the last one just now, and
// that nobody has a lease of.
func backlog(prefix string, n int, validity time.Duration) []message.Text {
	texts := make([]message.Text, n)
	for i := range texts {
		texts[i] = living(fmt.Sprintf("%s-%05d", prefix, i))
		texts[i].CreatedAt = time.Now().Add(time.Duration(i-n) * time.Second)
		texts[i].Expires, texts[i].LeaseUntil = texts[i].CreatedAt.Add(validity), time.Now()
	}
	return texts
}

func limited(rate float64) func(*delivery.Options) {
	return func(w *delivery.Options) { realTime(w); w.Routes[0].Rate = rate }
}

func TestABacklogDrainsWithinTheRateNewestFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const all, rate = 10_000, 100
		validity := all / 2 * time.Second // half of them are dead, and more die meanwhile
		g := &diary{takes: 300 * time.Millisecond}
		o := newOutbox(backlog("text", all, validity)...)
		b := newBench(t, o, limited(rate), g)
		stop := run(t, b.Worker)
		time.Sleep(time.Minute)
		stop()
		sent, takes := o.count(message.TextSent, "take")
		dropped, drops := o.count(message.TextDropped, "drop")
		t.Logf("%d sent in %v, %d in the busiest second, %d dropped by %d statements",
			sent, g.times[len(g.times)-1].Sub(g.times[0]), g.mostWithin(time.Second), dropped, drops)
		if sent+dropped != all || len(g.ids) != sent || takes > sent*101/100 {
			t.Errorf("%d sent, %d times, %d taken; %d dropped", sent, len(g.ids), takes, dropped)
		}
		usual := float64(sent) / g.times[len(g.times)-1].Sub(g.times[0]).Seconds()
		if most := g.mostWithin(time.Second); most > rate || usual < 0.95*rate {
			t.Errorf("%.1f texts a second and once %d, want at most %d and hardly less", usual, most, rate)
		}
		if o.deepest > 500 {
			t.Errorf("%d texts are read at once", o.deepest)
		}
		if drops > all/2/500+60 {
			t.Errorf("%d statements to drop %d", drops, dropped)
		}
		for i := 1; i < len(g.ids); i++ {
			if g.ids[i] > g.ids[i-1] && g.times[i].After(g.times[i-1]) {
				t.Fatalf("%s is sent after %s", g.ids[i], g.ids[i-1])
			}
		}
		if strings.Contains(b.log.String(), smstest.Number) {
			t.Error("the log holds a number")
		}
	})
}

func TestDeadTextsAreNotSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &diary{}
		o := newOutbox(backlog("text", 40, 10*time.Second)...)
		for i := range 40 {
			o.rows[fmt.Sprintf("text-%05d", i)].Current = i%2 == 0
		}
		stop := run(t, newBench(t, o, limited(1), g).Worker)
		time.Sleep(20 * time.Second)
		stop()
		// Ten live on, half of them for nobody; at one a second, the fourth is too old.
		if got, want := fmt.Sprint(g.ids), "[text-00038 text-00036 text-00034]"; got != want {
			t.Errorf("sent %s, want %s", got, want)
		}
		for id, r := range o.rows {
			switch reason := r.result.Reason; {
			case r.result.State == message.TextSent:
			case r.result.State != message.TextDropped, reason != "the code expired" && r.Current, reason == "":
				t.Errorf("%s: %+v", id, r.result)
			}
		}
	})
}

func TestFreshTextsGoBeforeTheBacklog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &diary{}
		o := newOutbox(backlog("old", 200, time.Hour)...)
		b := newBench(t, o, limited(10), g)
		stop := run(t, b.Worker)
		time.Sleep(2050 * time.Millisecond)
		before := len(g.sent())
		for i := range 15 {
			text := living(fmt.Sprintf("fresh-%02d", i))
			o.add(text)
			b.Enqueue(text)
		}
		time.Sleep(1600 * time.Millisecond)
		got := g.sent()[before:]
		stop()
		if len(got) < 15 {
			t.Fatalf("only %v were sent", got)
		}
		for _, id := range got[:15] {
			if !strings.HasPrefix(id, "fresh") {
				t.Errorf("%s goes before a fresh text: %v", id, got)
			}
		}
		if _, puts := o.count("", "put off"); puts != 0 {
			t.Errorf("%d texts were put off", puts)
		}
	})
}

func TestTheBacklogLeavesPlacesToFreshTexts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &diary{takes: 10 * time.Second}
		o := newOutbox(backlog("old", 100, time.Hour)...)
		b := newBench(t, o, func(w *delivery.Options) { realTime(w); w.Routes[0].Concurrency = 10 }, g)
		stop := run(t, b.Worker)
		time.Sleep(5 * time.Second)
		b.offered("fresh", 5)
		if n := b.Health()[0].InFlight; n != 10 {
			t.Errorf("%d texts under way, want 10", n)
		}
		time.Sleep(11 * time.Second)
		synctest.Wait()
		for i := range 5 {
			if got := o.row(fmt.Sprintf("fresh-%d", i)).result.State; got != message.TextSent {
				t.Errorf("fresh text %d is %s", i, got)
			}
		}
		stop()
	})
}

func TestASlowProviderTakesManyAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &diary{takes: time.Second}
		o := newOutbox()
		b := newBench(t, o, realTime, g)
		stop := run(t, b.Worker)
		const perSecond, seconds = 200, 10
		for range seconds * perSecond {
			time.Sleep(time.Second / perSecond)
			b.offered(fmt.Sprint(time.Now().UnixNano()), 1)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		stop()
		if sent, _ := o.count(message.TextSent, ""); sent != seconds*perSecond {
			t.Errorf("%d of %d texts sent a second after the last one came", sent, seconds*perSecond)
		}
		for _, call := range []string{"take", "put off"} {
			if _, n := o.count("", call); n != 0 {
				t.Errorf("%d times %s", n, call)
			}
		}
	})
}

func TestTwoWorkersShareABacklog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const all = 600
		g := &diary{takes: 100 * time.Millisecond}
		o := newOutbox(backlog("text", all, time.Hour)...)
		stopOne := run(t, newBench(t, o, limited(50), g).Worker)
		stopOther := run(t, newBench(t, o, limited(50), g).Worker)
		time.Sleep(15 * time.Second)
		stopOne()
		stopOther()
		seen := map[string]bool{}
		for _, id := range g.ids {
			seen[id] = true
		}
		if len(seen) != all || len(g.ids) != all {
			t.Errorf("%d texts sent %d times", len(seen), len(g.ids))
		}
	})
}

func TestASlowRoutesBacklogHidesNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow, quick := &diary{}, &diary{}
		texts := backlog("slow", 1200, time.Hour)
		for _, text := range backlog("quick", 50, time.Hour) {
			text.To, text.CreatedAt = phone.FromStore("+94771234567"), text.CreatedAt.Add(-time.Hour)
			texts = append(texts, text)
		}
		o := newOutbox(texts...)
		b := newBench(t, o, func(w *delivery.Options) {
			limited(1)(w)
			w.Routing.ByCode = map[string][]string{"44": {"gateway-1"}, "94": {"gateway-2"}}
			w.Poll = time.Second
		}, slow, quick)
		stop := run(t, b.Worker)
		time.Sleep(5 * time.Second)
		stop()
		if len(quick.ids) != 50 || len(slow.ids) > 6 {
			t.Errorf("%d of 50 sent, and %d by the slow route", len(quick.ids), len(slow.ids))
		}
	})
}

// However many newer texts wait for a slow route, a text that is for another one
// is found. The slow route loses nothing by that.
func TestADeepBacklogHidesNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow, quick := &diary{}, &diary{}
		old := backlog("old", 1, time.Hour)[0]
		old.To, old.CreatedAt = phone.FromStore("+94771234567"), old.CreatedAt.Add(-5*time.Hour)
		old.Expires = time.Now().Add(time.Minute)
		o := newOutbox(append(backlog("slow", 12_000, 5*time.Hour), old)...)
		b := newBench(t, o, func(w *delivery.Options) {
			limited(5)(w)
			w.Routing.ByCode = map[string][]string{"44": {"gateway-1"}, "94": {"gateway-2"}}
		}, slow, quick)
		stop := run(t, b.Worker)
		time.Sleep(time.Minute)
		stop()
		if len(quick.ids) != 1 {
			t.Errorf("the text behind the heap: %+v", o.row(old.ID).result)
		}
		if n := len(slow.ids); n < 285 || n > 301 {
			t.Errorf("%d sent by the slow route in a minute, want five a second", n)
		}
		if _, n := o.count("", "postpone"); n > 30 {
			t.Errorf("%d statements to postpone", n)
		}
		for i := 1; i < len(slow.ids); i++ {
			if slow.ids[i] > slow.ids[i-1] {
				t.Fatalf("%s is sent after %s", slow.ids[i], slow.ids[i-1])
			}
		}
	})
}

func TestABacklogForAShutGatewayCostsLittle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const all = 5000
		begin := time.Now()
		g := &moody{answer: func(int) error {
			if time.Since(begin) < time.Minute {
				return &smsgateway.RetryError{Reason: "slowly", After: time.Minute}
			}
			return nil
		}}
		texts := backlog("text", all, 3*time.Hour)
		for _, text := range backlog("other", 50, 3*time.Hour) {
			text.To, text.CreatedAt = phone.FromStore("+94771234567"), text.CreatedAt.Add(-2*time.Hour)
			texts = append(texts, text)
		}
		o, other := newOutbox(texts...), &moody{}
		b := newBench(t, o, func(w *delivery.Options) {
			realTime(w)
			w.Routing.ByCode = map[string][]string{"44": {"gateway-1"}, "94": {"gateway-2"}}
		}, g, other)
		b.offered("first", 1)
		stop := run(t, b.Worker)
		time.Sleep(50 * time.Second)
		if n := other.asked.Load(); n != 50 {
			t.Errorf("%d of 50 texts sent to where nothing is shut", n)
		}
		_, takes := o.count("", "take")
		_, postponed := o.count("", "postpone")
		if n := g.asked.Load(); takes > int(n)+50 || n > 200 || postponed > all/500+2 {
			t.Errorf("asked %d times, %d taken, %d statements to postpone", n, takes, postponed)
		}
		time.Sleep(time.Minute)
		stop()
		if sent, _ := o.count(message.TextSent, ""); sent != all+51 {
			t.Errorf("%d texts sent in the end", sent)
		}
	})
}

func TestNoticesWaitForNoCode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		notice := living("notice")
		notice.Kind, notice.Expires, notice.LeaseUntil = message.TextChanged, time.Time{}, time.Now()
		g := &moody{answer: func(n int) error {
			return map[bool]error{true: &smsgateway.RetryError{Reason: "slowly"}}[n == 1]
		}}
		b := newBench(t, newOutbox(notice), realTime, g)
		stop := run(t, b.Worker)
		time.Sleep(5 * time.Second)
		stop()
		if got := b.outbox.row("notice"); got.result.State != message.TextSent || got.Tries != 1 {
			t.Errorf("got %+v", got)
		}
	})
}
