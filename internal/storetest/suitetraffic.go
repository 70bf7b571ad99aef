package storetest

import (
	"cmp"
	"slices"
	"testing"
	"time"

	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/fraud"
	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/internal/phone"
)

// MeteredStore is a store that can tell its traffic.
type MeteredStore interface {
	claim.Store
	fraud.StatsReader
}

// TestTraffic holds a store to what the comments of fraud.StatsReader promise. Each
// call of newStore returns an empty one.
func TestTraffic(t *testing.T, newStore func(*testing.T) MeteredStore) {
	t.Helper()
	for name, test := range map[string]func(*metered){
		"calling codes are counted apart":        trafficByCode,
		"the window is counted to its edges":     trafficWindow,
		"only what was sent counts as sent":      trafficSent,
		"a claim whose code came back counts":    trafficConfirmed,
		"a claim counts once for all its texts":  trafficResent,
		"a text that outlives its claim is none": trafficPruned,
	} {
		t.Run(name, func(t *testing.T) {
			store := newStore(t)
			test(&metered{fixture{T: t, store: store}, store})
		})
	}
}

// metered is a test's empty store that can tell its traffic.
type metered struct {
	fixture
	meter fraud.StatsReader
}

// text queues a text for a claim to a number, and sends it.
func (m *metered) text(id string, c claim.Claim, number string, at time.Time) {
	m.Helper()
	text := *textFor(id, c)
	text.To, text.CreatedAt = phone.FromStore(number), at
	m.commit(claim.Change{Text: &text, At: at})
	m.end(id, message.TextSent)
}

func (m *metered) end(id string, state message.TextState) {
	m.Helper()
	m.want(m.store.Done(m.Context(), message.TextResult{TextID: id, State: state, At: noon}), nil)
}

func (m *metered) wantTraffic(since, until time.Time, want ...fraud.Traffic) {
	m.Helper()
	got, err := m.meter.Traffic(m.Context(), since, until)
	m.want(err, nil)
	slices.SortFunc(got, func(a, b fraud.Traffic) int { return cmp.Compare(a.CallingCode, b.CallingCode) })
	m.same(append([]fraud.Traffic{}, got...), append([]fraud.Traffic{}, want...))
}

func (m *metered) wantHour(want ...fraud.Traffic) {
	m.Helper()
	m.wantTraffic(noon.Add(-time.Hour), noon, want...)
}

func trafficByCode(m *metered) {
	m.wantHour()
	c := m.create(open("c", bob))
	for i, number := range []string{first, other, "+44 7911 123456", "+88213000001", "12345"} {
		m.text(name("t", i), c, number, noon)
	}
	notice := textFor("notice", c)
	notice.Kind = message.TextChanged
	m.commit(claim.Change{Text: notice, At: noon})
	m.wantHour(
		fraud.Traffic{CallingCode: "", Texts: 1, Sent: 1},
		fraud.Traffic{CallingCode: "44", Texts: 1, Sent: 1},
		fraud.Traffic{CallingCode: "49", Texts: 2, Sent: 2},
		fraud.Traffic{CallingCode: "882", Texts: 1, Sent: 1},
	)
}

func trafficWindow(m *metered) {
	c := m.create(open("c", bob))
	start := noon.Add(-time.Hour)
	for i, at := range []time.Time{
		start, start.Add(time.Microsecond), noon, noon.Add(time.Microsecond),
	} {
		m.text(name("t", i), c, first, at)
	}
	m.wantHour(fraud.Traffic{CallingCode: "49", Texts: 2, Sent: 2})
	m.wantTraffic(start, start)
}

func trafficSent(m *metered) {
	c := m.create(open("c", bob))
	for _, state := range []message.TextState{message.TextQueued, message.TextSent, message.TextFailed, message.TextDropped} {
		m.commit(claim.Change{Text: textFor(string(state), c), At: noon})
		if state != message.TextQueued {
			m.end(string(state), state)
		}
	}
	m.wantHour(fraud.Traffic{CallingCode: "49", Texts: 4, Sent: 1})
}

func trafficConfirmed(m *metered) {
	want := fraud.Traffic{CallingCode: "49"}
	for state, confirmed := range map[claim.State]bool{
		claim.Open: false, claim.Superseded: false, claim.Cancelled: false, claim.Locked: false,
		claim.Lapsed: false, claim.Verified: true, claim.Applied: true, claim.Conflict: true,
	} {
		c := open(string(state), "of "+string(state))
		c.State = state
		m.text(string(state), m.create(c), first, noon)
		want.Texts++
		want.Sent++
		if confirmed {
			want.Confirmed++
		}
	}
	m.wantHour(want)
}

func trafficResent(m *metered) {
	c := open("c", bob)
	c.State = claim.Verified
	m.create(c)
	m.text("too old to count", c, first, noon.Add(-time.Hour))
	for i := range 3 {
		m.text(name("t", i), c, first, noon)
	}
	m.wantHour(fraud.Traffic{CallingCode: "49", Texts: 3, Sent: 3, Confirmed: 1})
}

func trafficPruned(m *metered) {
	m.text("t", m.create(ended("c", bob, noon)), first, noon)
	m.wantHour(fraud.Traffic{CallingCode: "49", Texts: 1, Sent: 1, Confirmed: 1})
	_, err := m.store.Prune(m.Context(), noon.Add(time.Hour), 9)
	m.want(err, nil)
	m.wantHour()
}
