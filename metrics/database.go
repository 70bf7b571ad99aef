package metrics

import (
	"context"
	"database/sql"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/holdline/holdline/internal/admin"
	"github.com/holdline/holdline/internal/claim"
)

// Database is what is asked of the database's pool.
type Database interface {
	// Pool returns the pool, to be looked at and no more.
	Pool() *sql.DB
	// Repeats counts the statements and transactions that were done again: because
	// the database rolled them back for another's sake, or because a connection
	// broke before they were sent.
	Repeats() (conflicts, connections uint64)
}

// Database shows the pool of connections, and what had to be done again.
func (m *Metrics) Database(db Database) {
	repeats := func(reason string, of func() uint64) prometheus.Collector {
		return prometheus.NewCounterFunc(prometheus.CounterOpts{
			Namespace: namespace, Subsystem: "database", Name: "retries_total",
			Help:        "Statements and transactions that were done again.",
			ConstLabels: prometheus.Labels{"reason": reason},
		}, func() float64 { return float64(of()) })
	}
	m.registry.MustRegister(
		collectors.NewDBStatsCollector(db.Pool(), namespace),
		repeats("conflict", func() uint64 { n, _ := db.Repeats(); return n }),
		repeats("connection", func() uint64 { _, n := db.Repeats(); return n }),
	)
}

var (
	pendingClaims = prometheus.NewDesc(prometheus.BuildFQName(namespace, "", "claims_pending"),
		"Claims that wait: open ones for their code, verified ones for Kratos. Of the whole database.", []string{"state"}, nil)
	queuedTexts = prometheus.NewDesc(prometheus.BuildFQName(namespace, "", "texts_queued"),
		"Texts that no gateway has taken yet. Of the whole database.", nil, nil)
	oldestText = prometheus.NewDesc(prometheus.BuildFQName(namespace, "", "text_oldest_queued_seconds"),
		"Since when the oldest of the queued texts might have gone out; 0 for none. Of the whole database.", nil, nil)
)

const (
	// waitingFresh is how long what was counted in the database is good for: however
	// many scrape, it is counted no more often.
	waitingFresh = 15 * time.Second
	waitingTime  = 3 * time.Second
)

// waiting shows what waits in the database.
type waiting struct {
	count func(context.Context) (admin.Waiting, error)
	now   func() time.Time

	mu    sync.Mutex
	last  admin.Waiting
	known bool
	at    time.Time // when it was counted, or tried to
}

// Waiting shows what waits. While the database does not answer, there are no such
// metrics. The clock is the database's.
func (m *Metrics) Waiting(count func(context.Context) (admin.Waiting, error), now func() time.Time) {
	m.registry.MustRegister(&waiting{count: count, now: now})
}

// Describe implements prometheus.Collector.
func (*waiting) Describe(to chan<- *prometheus.Desc) {
	to <- pendingClaims
	to <- queuedTexts
	to <- oldestText
}

// Collect implements prometheus.Collector.
func (w *waiting) Collect(to chan<- prometheus.Metric) {
	counted, known := w.read()
	if !known {
		return
	}
	gauge := func(desc *prometheus.Desc, value float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, labels...)
	}
	gauge(pendingClaims, float64(counted.Open), string(claim.Open))
	gauge(pendingClaims, float64(counted.Verified), string(claim.Verified))
	gauge(queuedTexts, float64(counted.Queued))
	age := time.Duration(0)
	if !counted.OldestText.IsZero() {
		age = max(0, w.now().Sub(counted.OldestText))
	}
	gauge(oldestText, age.Seconds())
}

func (w *waiting) read() (admin.Waiting, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if now := w.now(); w.at.IsZero() || now.Sub(w.at) >= waitingFresh {
		ctx, cancel := context.WithTimeout(context.Background(), waitingTime)
		defer cancel()
		counted, err := w.count(ctx)
		w.last, w.known, w.at = counted, err == nil, now
	}
	return w.last, w.known
}
