package app

import (
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/holdline/holdline/scim/reconcile"
)

// metrics are what Prometheus asks for. docs/operating.md lists them. None has a
// label that an identity or a number could be in.
type metrics struct {
	registry *prometheus.Registry

	identities, running, success prometheus.Gauge
	changed, deleted             prometheus.Counter

	mu sync.Mutex
	// told is what the counters have of the pass that is running.
	told reconcile.Progress
}

func newMetrics() *metrics {
	gauge := func(name, help string) prometheus.Gauge {
		return prometheus.NewGauge(prometheus.GaugeOpts{Namespace: "holdline", Subsystem: "scim_reconcile", Name: name, Help: help})
	}
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Namespace: "holdline", Subsystem: "scim_reconcile", Name: name, Help: help})
	}
	m := &metrics{
		registry:   prometheus.NewRegistry(),
		identities: gauge("identities", "Identities that the running or the last pass has read from Kratos."),
		running:    gauge("running", "1 while a pass is running."),
		success:    gauge("last_success_timestamp_seconds", "When a pass last came to its end, 0 for never."),
		changed:    counter("changed_total", "Index entries that passes have made or written anew."),
		deleted:    counter("deleted_total", "Index entries that passes have deleted."),
	}
	m.registry.MustRegister(
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		m.identities, m.running, m.success, m.changed, m.deleted,
	)
	return m
}

// handler answers Prometheus. It belongs on the admin listener.
func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{Registry: m.registry})
}

// reconciled takes up how far a pass is, or that it is done. The counters grow by
// what came since the pass was heard of last.
func (m *metrics) reconciled(p reconcile.Progress, done bool, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.count(p)
	if done {
		m.running.Set(0)
		m.success.Set(float64(now.UnixMicro()) / 1e6)
		return
	}
	m.running.Set(1)
}

// unreconciled takes up that a pass has failed, and how far it was.
func (m *metrics) unreconciled(p reconcile.Progress) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.count(p)
	m.running.Set(0)
}

func (m *metrics) count(p reconcile.Progress) {
	if !p.Began.Equal(m.told.Began) {
		m.told = reconcile.Progress{}
	}
	m.identities.Set(float64(p.Identities))
	m.changed.Add(float64(max(0, p.Changed-m.told.Changed)))
	m.deleted.Add(float64(max(0, p.Deleted-m.told.Deleted)))
	m.told = p
}
