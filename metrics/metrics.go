// Package metrics counts what Holdline does, for Prometheus; docs/metrics.md says
// what each metric means. It watches from outside: its types stand before a
// surface or a gateway and count what passes, or hear of what was done; they change
// nothing of it. There is a file for each subject.
//
// Names and units follow Prometheus' conventions
// (https://prometheus.io/docs/practices/naming/). Every label has few values, which
// come from the program or its configuration and never from a request: none can
// hold anything of a person.
package metrics

import (
	"net/http"
	"runtime"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

const namespace = "holdline"

// Metrics are what one process counts.
type Metrics struct {
	registry *prometheus.Registry
	now      func() time.Time

	requests requests
	claims   claims
	limits   outcomes
	failures failures
	texts    texts
	kratos   calls
	scim     reconciliation
	tokens   *prometheus.GaugeVec
}

// New returns metrics that count from zero. The release goes into
// holdline_build_info; now measures how long something takes.
func New(release string, now func() time.Time) *Metrics {
	registry := prometheus.NewRegistry()
	registry.MustRegister(
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	with := promauto.With(registry)
	m := &Metrics{
		registry: registry, now: now, requests: newRequests(with), claims: newClaims(with), limits: newLimits(with), failures: newFailures(with),
		texts: newTexts(with), kratos: newCalls(with), scim: newReconciliation(with), tokens: newTokens(with),
	}
	with.NewGaugeVec(prometheus.GaugeOpts{
		Namespace: namespace, Name: "build_info", Help: "1, with the program's release and the Go version that it was built by.",
	}, []string{"release", "goversion"}).WithLabelValues(release, runtime.Version()).Set(1)
	return m
}

// Handler answers Prometheus. It belongs on the admin listener.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{Registry: m.registry})
}

// outcomes count by one label whose values are known. The children are resolved
// once; a value that is not among them counts as the last.
type outcomes struct {
	by    map[string]prometheus.Counter
	other prometheus.Counter
}

func newOutcomes(of *prometheus.CounterVec, values ...string) outcomes {
	o := outcomes{by: make(map[string]prometheus.Counter, len(values))}
	for _, value := range values {
		o.other = of.WithLabelValues(value)
		o.by[value] = o.other
	}
	return o
}

func (o outcomes) count(value string) { o.add(value, 1) }

func (o outcomes) add(value string, n int) { o.of(value).Add(float64(n)) }

func (o outcomes) of(value string) prometheus.Counter {
	if counter, known := o.by[value]; known {
		return counter
	}
	return o.other
}

// quick are the buckets for what usually takes milliseconds, in seconds.
var quick = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}
