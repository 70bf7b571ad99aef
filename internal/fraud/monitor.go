package fraud

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"sync"
	"time"
)

// Mode says what becomes of a calling code whose traffic looks paid for
// by nobody but the operator.
type Mode string

// The modes of the traffic watch.
const (
	Off     Mode = "off"
	Record  Mode = "record"  // it is said in the log
	Enforce Mode = "enforce" // it is stopped as well
)

// Policy is what the operator takes for sound traffic to one calling code
// (ITU-T E.164). Numbers that have none count together, as the blank one.
type Policy struct {
	Mode Mode
	// Budget is how many texts with codes a calling code may have in an hour, and
	// Budgets says it for single ones; 0 for any number.
	Budget  int
	Budgets map[string]int
	// MinShare of the codes that were texted within the Window, but longer than
	// Grace ago, have to be confirmed, once these are MinTexts or more. Grace is
	// how long a code is good: who still has time has not failed.
	MinShare float64
	MinTexts int // 0 for not looking at shares
	Window   time.Duration
	Grace    time.Duration
}

// Hourly returns a calling code's budget.
func (p Policy) Hourly(callingCode string) int {
	if budget, ok := p.Budgets[callingCode]; ok {
		return budget
	}
	return p.Budget
}

// Limit returns what TextLimits.PerCodeHour of the claims has to be for a text to a calling
// code: its budget, if budgets are enforced.
func (p Policy) Limit(callingCode string) int {
	if p.Mode != Enforce {
		return 0
	}
	return p.Hourly(callingCode)
}

// budgeted reports whether there is a budget at all.
func (p Policy) budgeted() bool { return p.Budget > 0 || len(p.Budgets) > 0 }

// Traffic is what happened at one calling code between two moments.
type Traffic struct {
	CallingCode string
	Texts       int // with codes, queued
	Sent        int // of these, taken by a provider
	Confirmed   int // claims that one of these texts was for, and whose code came back
}

// StatsReader reads traffic.
type StatsReader interface {
	// Traffic returns the calling codes that had texts with codes after since, up
	// to until. Claims that are verified, applied or in conflict are confirmed.
	Traffic(ctx context.Context, since, until time.Time) ([]Traffic, error)
}

// Alarm is what is wrong with a calling code's traffic.
type Alarm string

// The alarms. Only a low share stops traffic: a budget is kept text by text, by
// TextLimits.PerCodeHour of the claims, and the alarm says that it is spent.
const (
	AlarmShare  Alarm = "few codes are confirmed"
	AlarmBudget Alarm = "the budget is spent"
)

// Alert is an alarm with its evidence.
type Alert struct {
	Alarm     Alarm
	Texts     int // that were counted
	Confirmed int // of them, for AlarmShare
}

// Evaluate returns the alarms by calling code: from the traffic of the last hour
// for the budgets, and from that between window and grace for the shares. A
// share counts what was sent, so that an outage of the providers raises no alarm.
func Evaluate(p Policy, lastHour, settled []Traffic) map[string]Alert {
	alerts := map[string]Alert{}
	for _, t := range lastHour {
		if budget := p.Hourly(t.CallingCode); budget > 0 && t.Texts >= budget {
			alerts[t.CallingCode] = Alert{Alarm: AlarmBudget, Texts: t.Texts}
		}
	}
	for _, t := range settled {
		if p.MinTexts > 0 && t.Sent >= p.MinTexts && float64(t.Confirmed) < p.MinShare*float64(t.Sent) {
			alerts[t.CallingCode] = Alert{Alarm: AlarmShare, Texts: t.Sent, Confirmed: t.Confirmed}
		}
	}
	return alerts
}

// Monitor holds the present alerts. Every replica has its own and comes to the
// same ones, because all read the same rows.
type Monitor struct {
	stats  StatsReader
	policy func() Policy
	now    func() time.Time
	log    *slog.Logger

	mu      sync.RWMutex
	alerts  map[string]Alert
	settled []Traffic
}

// New returns a monitor without alerts. Call [Monitor.Once] at the start and
// every few seconds; now is the database's time.
func New(stats StatsReader, policy func() Policy, now func() time.Time, log *slog.Logger) *Monitor {
	return &Monitor{stats: stats, policy: policy, now: now, log: log}
}

// Blocked reports whether no text may go to a calling code just now.
func (m *Monitor) Blocked(callingCode string) bool {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.policy().Mode == Enforce && m.alerts[callingCode].Alarm == AlarmShare
}

// Alerts returns the alarms by calling code.
func (m *Monitor) Alerts() map[string]Alert {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return maps.Clone(m.alerts)
}

// Settled returns the traffic that shares were judged by last, by calling code;
// none while shares are not looked at. It is not to be changed.
func (m *Monitor) Settled() []Traffic {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.settled
}

// Once judges anew, and logs what has changed. If the store does not answer the
// alerts stay.
func (m *Monitor) Once(ctx context.Context) error {
	p, now := m.policy(), m.now()
	if p.Mode != Record && p.Mode != Enforce {
		return nil
	}
	var lastHour, settled []Traffic
	var err error
	if p.budgeted() {
		if lastHour, err = m.stats.Traffic(ctx, now.Add(-time.Hour), now); err != nil {
			return fmt.Errorf("read traffic: %w", err)
		}
	}
	if p.MinTexts > 0 {
		if settled, err = m.stats.Traffic(ctx, now.Add(-p.Window), now.Add(-p.Grace)); err != nil {
			return fmt.Errorf("read traffic: %w", err)
		}
	}
	alerts := Evaluate(p, lastHour, settled)
	m.mu.Lock()
	before := m.alerts
	m.alerts, m.settled = alerts, settled
	m.mu.Unlock()
	for code, v := range alerts {
		if before[code].Alarm != v.Alarm {
			m.log.WarnContext(ctx, "text traffic alarm", "calling_code", code, "reason", v.Alarm,
				"texts", v.Texts, "confirmed", v.Confirmed, "stopped", m.Blocked(code))
		}
	}
	for code, v := range before {
		if _, still := alerts[code]; !still {
			m.log.WarnContext(ctx, "text traffic alarm is over", "calling_code", code, "reason", v.Alarm)
		}
	}
	return nil
}
