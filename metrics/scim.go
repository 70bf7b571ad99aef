package metrics

import (
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/holdline/holdline/internal/scim/reconcile"
)

// reconciliation follows the passes over the index of users.
type reconciliation struct {
	identities, running, success prometheus.Gauge
	// waiting are identities that may not show the names of their groups, and groups of
	// which there is more to follow.
	waiting          *prometheus.GaugeVec
	changed, deleted prometheus.Counter

	mu *sync.Mutex
	// told is what the counters have of the pass that is running.
	told *reconcile.Progress
}

func newReconciliation(with promauto.Factory) reconciliation {
	const subsystem = "scim_reconcile"
	gauge := func(name, help string) prometheus.Gauge {
		return with.NewGauge(prometheus.GaugeOpts{Namespace: namespace, Subsystem: subsystem, Name: name, Help: help})
	}
	counter := func(name, help string) prometheus.Counter {
		return with.NewCounter(prometheus.CounterOpts{Namespace: namespace, Subsystem: subsystem, Name: name, Help: help})
	}
	r := reconciliation{
		identities: gauge("identities", "Identities that the running or the last pass has read from Kratos."),
		running:    gauge("running", "1 while a pass is running."),
		success:    gauge("last_success_timestamp_seconds", "When a pass last came to its end, 0 for never."),
		waiting: with.NewGaugeVec(prometheus.GaugeOpts{
			Namespace: namespace, Name: "scim_groups_waiting",
			Help: "Identities that may not show the names of their groups yet, and renamed or deleted groups whose members have yet to hear of it. Of the whole database.",
		}, []string{"what"}),
		changed: counter("changed_total", "Index entries that passes have made or written anew."),
		deleted: counter("deleted_total", "Index entries that passes have deleted."),
		mu:      &sync.Mutex{}, told: &reconcile.Progress{},
	}
	for _, what := range []string{"identities", "groups"} {
		r.waiting.WithLabelValues(what)
	}
	return r
}

// Reconciled takes up how far a pass is, or that it is done. The counters grow by
// what came since the pass was heard of last.
func (m *Metrics) Reconciled(p reconcile.Progress, done bool, now time.Time) {
	m.scim.mu.Lock()
	defer m.scim.mu.Unlock()
	m.scim.count(p)
	if done {
		m.scim.running.Set(0)
		m.scim.success.Set(float64(now.UnixMicro()) / 1e6)
		return
	}
	m.scim.running.Set(1)
}

// Unreconciled takes up that a pass has failed, and how far it was.
func (m *Metrics) Unreconciled(p reconcile.Progress) {
	m.scim.mu.Lock()
	defer m.scim.mu.Unlock()
	m.scim.count(p)
	m.scim.running.Set(0)
}

// GroupsWaiting takes up what is left to do of changes of groups.
func (m *Metrics) GroupsWaiting(identities, groups int) {
	m.scim.waiting.WithLabelValues("identities").Set(float64(identities))
	m.scim.waiting.WithLabelValues("groups").Set(float64(groups))
}

func (r reconciliation) count(p reconcile.Progress) {
	if !p.Began.Equal(r.told.Began) {
		*r.told = reconcile.Progress{}
	}
	r.identities.Set(float64(p.Identities))
	r.changed.Add(float64(max(0, p.Changed-r.told.Changed)))
	r.deleted.Add(float64(max(0, p.Deleted-r.told.Deleted)))
	*r.told = p
}
