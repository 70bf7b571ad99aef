package fraud

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"sync"
	"time"
)

// TrafficMode says what becomes of a calling code whose traffic looks paid for
// by nobody but the operator.
type Mode string

// The modes of the traffic watch.
const (
	Off     Mode = "off"
	Record  Mode = "record"  // it is said in the log
	Enforce Mode = "enforce" // it is stopped as well
)

// TrafficPolicy is what the operator takes for sound traffic to one calling code
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

// Limit returns what [TextLimits.PerCodeHour] has to be for a text to a calling
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

// Meter reads traffic.
type StatsReader interface {
	// Traffic returns the calling codes that had texts with codes after since, up
	// to until. Claims that are verified, applied or in conflict are confirmed.
	Traffic(ctx context.Context, since, until time.Time) ([]Traffic, error)
}

// Alarm is what is wrong with a calling code's traffic.
type Alarm string

// The alarms. Only a low share stops traffic: a budget is kept text by text, by
// [TextLimits.PerCodeHour], and the alarm says that it is spent.
const (
	AlarmShare  Alarm = "few codes are confirmed"
	AlarmBudget Alarm = "the budget is spent"
)

// Verdict is an alarm with its evidence.
type Alert struct {
	Alarm     Alarm
	Texts     int // that were counted
	Confirmed int // of them, for AlarmShare
}

// Judge returns the alarms by calling code: from the traffic of the last hour
// for the budgets, and from that between window and grace for the shares. A
// share counts what was sent, so that an outage of the providers raises no alarm.
func Evaluate(p Policy, lastHour, settled []Traffic) map[string]Alert {
	verdicts := map[string]Alert{}
	for _, t := range lastHour {
		if budget := p.Hourly(t.CallingCode); budget > 0 && t.Texts >= budget {
			verdicts[t.CallingCode] = Alert{Alarm: AlarmBudget, Texts: t.Texts}
		}
	}
	for _, t := range settled {
		if p.MinTexts > 0 && t.Sent >= p.MinTexts && float64(t.Confirmed) < p.MinShare*float64(t.Sent) {
			verdicts[t.CallingCode] = Alert{Alarm: AlarmShare, Texts: t.Sent, Confirmed: t.Confirmed}
		}
	}
	return verdicts
}

// Watch holds the present verdicts. Every replica has its own and comes to the
// same ones, because all read the same rows.
type Monitor struct {
	meter  StatsReader
	policy func() Policy
	now    func() time.Time
	log    *slog.Logger

	mu       sync.RWMutex
	verdicts map[string]Alert
	settled  []Traffic
}

// NewWatch returns a watch without verdicts. Call [Watch.Once] at the start and
// every few seconds; now is the database's time.
func New(meter StatsReader, policy func() Policy, now func() time.Time, log *slog.Logger) *Monitor {
	return &Monitor{meter: meter, policy: policy, now: now, log: log}
}

// Stopped reports whether no text may go to a calling code just now.
func (w *Monitor) Blocked(callingCode string) bool {
	w.mu.RLock()
	defer w.mu.RUnlock()
	return w.policy().Mode == Enforce && w.verdicts[callingCode].Alarm == AlarmShare
}

// Verdicts returns the alarms by calling code.
func (w *Monitor) Alerts() map[string]Alert {
	w.mu.RLock()
	defer w.mu.RUnlock()
	return maps.Clone(w.verdicts)
}

// Settled returns the traffic that shares were judged by last, by calling code;
// none while shares are not looked at. It is not to be changed.
func (w *Monitor) Settled() []Traffic {
	w.mu.RLock()
	defer w.mu.RUnlock()
	return w.settled
}

// Once judges anew, and logs what has changed. If the store does not answer the
// verdicts stay.
func (w *Monitor) Once(ctx context.Context) error {
	p, now := w.policy(), w.now()
	if p.Mode != Record && p.Mode != Enforce {
		return nil
	}
	var lastHour, settled []Traffic
	var err error
	if p.budgeted() {
		if lastHour, err = w.meter.Traffic(ctx, now.Add(-time.Hour), now); err != nil {
			return fmt.Errorf("read traffic: %w", err)
		}
	}
	if p.MinTexts > 0 {
		if settled, err = w.meter.Traffic(ctx, now.Add(-p.Window), now.Add(-p.Grace)); err != nil {
			return fmt.Errorf("read traffic: %w", err)
		}
	}
	verdicts := Evaluate(p, lastHour, settled)
	w.mu.Lock()
	before := w.verdicts
	w.verdicts, w.settled = verdicts, settled
	w.mu.Unlock()
	for code, v := range verdicts {
		if before[code].Alarm != v.Alarm {
			w.log.WarnContext(ctx, "text traffic alarm", "calling_code", code, "reason", v.Alarm,
				"texts", v.Texts, "confirmed", v.Confirmed, "stopped", w.Blocked(code))
		}
	}
	for code, v := range before {
		if _, still := verdicts[code]; !still {
			w.log.WarnContext(ctx, "text traffic alarm is over", "calling_code", code, "reason", v.Alarm)
		}
	}
	return nil
}
