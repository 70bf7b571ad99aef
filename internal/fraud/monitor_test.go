package fraud_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/holdline/holdline/internal/fraud"
	"github.com/holdline/holdline/internal/problem"
)

func watchful() fraud.Policy {
	return fraud.Policy{
		Mode: fraud.Enforce, Budget: 100, Budgets: map[string]int{"882": 20, "44": 0},
		MinShare: 0.25, MinTexts: 50, Window: time.Hour, Grace: 5 * time.Minute,
	}
}

func TestJudge(t *testing.T) {
	at := func(code string, texts, sent, confirmed int) []fraud.Traffic {
		return []fraud.Traffic{{CallingCode: code, Texts: texts, Sent: sent, Confirmed: confirmed}}
	}
	share := func(code string, texts, confirmed int) map[string]fraud.Alert {
		return map[string]fraud.Alert{code: {Alarm: fraud.AlarmShare, Texts: texts, Confirmed: confirmed}}
	}
	budget := func(code string, texts int) map[string]fraud.Alert {
		return map[string]fraud.Alert{code: {Alarm: fraud.AlarmBudget, Texts: texts}}
	}
	for name, tt := range map[string]struct {
		hour, settled []fraud.Traffic
		change        func(*fraud.Policy)
		want          map[string]fraud.Alert
	}{
		"nothing":                           {},
		"half are confirmed":                {settled: at("49", 50, 50, 25)},
		"just enough are confirmed":         {settled: at("49", 100, 100, 25)},
		"one too few is confirmed":          {settled: at("49", 100, 100, 24), want: share("49", 100, 24)},
		"none is confirmed":                 {settled: at("49", 50, 50, 0), want: share("49", 50, 0)},
		"too few to tell":                   {settled: at("49", 49, 49, 0)},
		"too few were sent to tell":         {settled: at("49", 500, 49, 0)},
		"texts that were not sent are left": {settled: at("49", 500, 60, 15)},
		"without a calling code":            {settled: at("", 50, 50, 0), want: share("", 50, 0)},
		"shares are not looked at": {
			settled: at("49", 50, 50, 0), change: func(p *fraud.Policy) { p.MinTexts = 0 },
		},
		"within the budget":            {hour: at("49", 99, 0, 0)},
		"the budget is spent":          {hour: at("49", 100, 0, 0), want: budget("49", 100)},
		"a code's own budget is spent": {hour: at("882", 20, 20, 20), want: budget("882", 20)},
		"within a code's own budget":   {hour: at("882", 19, 0, 0)},
		"a code without a budget":      {hour: at("44", 1000, 0, 0)},
		"no budgets": {
			hour: at("49", 1000, 0, 0), change: func(p *fraud.Policy) { p.Budget = 0 },
		},
		"the share outweighs the budget": {
			hour: at("49", 100, 100, 0), settled: at("49", 90, 90, 1), want: share("49", 90, 1),
		},
		"the last hour tells no share": {hour: at("49", 60, 60, 0)},
		"each code by itself": {
			hour:    append(at("882", 30, 0, 0), at("49", 80, 0, 0)...),
			settled: append(at("49", 70, 70, 50), at("252", 60, 60, 2)...),
			want: map[string]fraud.Alert{
				"882": {Alarm: fraud.AlarmBudget, Texts: 30},
				"252": {Alarm: fraud.AlarmShare, Texts: 60, Confirmed: 2},
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			policy := watchful()
			if tt.change != nil {
				tt.change(&policy)
			}
			want := tt.want
			if want == nil {
				want = map[string]fraud.Alert{}
			}
			if diff := cmp.Diff(want, fraud.Evaluate(policy, tt.hour, tt.settled)); diff != "" {
				t.Errorf("differs (-want +got):\n%s", diff)
			}
		})
	}
}

func TestBudgetsLimitTextsOnlyWhenTheyAreEnforced(t *testing.T) {
	policy := watchful()
	for mode, want := range map[fraud.Mode][3]int{
		fraud.Off: {}, fraud.Record: {}, fraud.Enforce: {100, 20, 0},
	} {
		policy.Mode = mode
		got := [3]int{policy.Limit("49"), policy.Limit("882"), policy.Limit("44")}
		if got != want {
			t.Errorf("%s: got %v, want %v", mode, got, want)
		}
	}
}

// meter is traffic that a test makes up, and the windows that it was asked for.
type meter struct {
	traffic []fraud.Traffic
	asked   [][2]time.Time
	err     error
}

func (m *meter) Traffic(_ context.Context, since, until time.Time) ([]fraud.Traffic, error) {
	m.asked = append(m.asked, [2]time.Time{since, until})
	return m.traffic, m.err
}

// watching is a watch with the meter and the log that it works on.
type watching struct {
	*testing.T
	*fraud.Monitor
	meter *meter
	log   *bytes.Buffer
}

var watchTime = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

func newWatching(t *testing.T, policy fraud.Policy) watching {
	t.Helper()
	w := watching{T: t, meter: &meter{}, log: new(bytes.Buffer)}
	w.Monitor = fraud.New(w.meter, func() fraud.Policy { return policy }, func() time.Time { return watchTime },
		slog.New(slog.NewTextHandler(w.log, nil)))
	return w
}

// look judges some traffic to +49 twice, and wants lines in the log for the first
// time only.
func (w watching) look(texts, confirmed int, stopped bool, lines ...string) {
	w.Helper()
	w.meter.traffic = []fraud.Traffic{{CallingCode: "49", Texts: texts, Sent: texts, Confirmed: confirmed}}
	for _, want := range [][]string{lines, nil} {
		w.log.Reset()
		if err := w.Once(w.Context()); err != nil {
			w.Fatal(err)
		}
		if got := strings.Count(w.log.String(), "\n"); got != len(want) {
			w.Errorf("got %d lines, want %d:\n%s", got, len(want), w.log)
		}
		for _, line := range want {
			if !strings.Contains(w.log.String(), line) {
				w.Errorf("got %s, want %s", w.log, line)
			}
		}
		if got := w.Blocked("49"); got != stopped {
			w.Errorf("stopped: got %t, want %t", got, stopped)
		}
	}
}

func TestTheWatchSaysEachChangeOnce(t *testing.T) {
	w := newWatching(t, watchful())
	w.look(60, 30, false)
	w.look(60, 10, true, `level=WARN msg="text traffic alarm" calling_code=49 reason="few codes are confirmed" texts=60 confirmed=10 stopped=true`)
	w.look(70, 12, true)
	w.look(100, 90, false, `msg="text traffic alarm" calling_code=49 reason="the budget is spent" texts=100 confirmed=0 stopped=false`)
	w.look(100, 10, true, `reason="few codes are confirmed"`)
	w.look(60, 50, false, `level=WARN msg="text traffic alarm is over" calling_code=49 reason="few codes are confirmed"`)
	if diff := cmp.Diff(w.meter.traffic, w.Settled()); diff != "" {
		t.Errorf("settled (-want +got):\n%s", diff)
	}
	if w.Blocked("44") {
		t.Error("another country is stopped")
	}
}

func TestTheWatchOnlyRecordsUnlessItEnforces(t *testing.T) {
	policy := watchful()
	policy.Mode = fraud.Record
	w := newWatching(t, policy)
	w.look(60, 0, false, "stopped=false")
	policy.Mode = fraud.Off
	w = newWatching(t, policy)
	w.look(60, 0, false)
	if len(w.meter.asked) != 0 {
		t.Errorf("a watch that is off asked for %v", w.meter.asked)
	}
}

func TestTheWatchLooksAtWhatHadItsTime(t *testing.T) {
	hour := [2]time.Time{watchTime.Add(-time.Hour), watchTime}
	settled := [2]time.Time{watchTime.Add(-2 * time.Hour), watchTime.Add(-5 * time.Minute)}
	for name, tt := range map[string]struct {
		change func(*fraud.Policy)
		want   [][2]time.Time
	}{
		"all":     {func(*fraud.Policy) {}, [][2]time.Time{hour, settled}},
		"shares":  {func(p *fraud.Policy) { p.Budget, p.Budgets = 0, nil }, [][2]time.Time{settled}},
		"budgets": {func(p *fraud.Policy) { p.MinTexts = 0 }, [][2]time.Time{hour}},
		"one budget": {
			func(p *fraud.Policy) { p.MinTexts, p.Budget = 0, 0 }, [][2]time.Time{hour},
		},
	} {
		t.Run(name, func(t *testing.T) {
			policy := watchful()
			policy.Window = 2 * time.Hour
			tt.change(&policy)
			w := newWatching(t, policy)
			if err := w.Once(t.Context()); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, w.meter.asked); diff != "" {
				t.Errorf("differs (-want +got):\n%s", diff)
			}
		})
	}
}

func TestVerdictsStayWhileTheStoreIsAway(t *testing.T) {
	w := newWatching(t, watchful())
	w.look(60, 0, true, "text traffic alarm")
	w.meter.err = problem.ErrStoreUnavailable
	if err := w.Once(t.Context()); !errors.Is(err, problem.ErrStoreUnavailable) {
		t.Errorf("got %v", err)
	}
	if !w.Blocked("49") {
		t.Error("the traffic goes on")
	}
}
