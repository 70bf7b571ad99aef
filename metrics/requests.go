package metrics

import (
	"maps"
	"sync"
	"sync/atomic"

	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/holdline/holdline/internal/web"
)

// unmatched is the route of requests that no route is for: what a client makes up
// is no label.
const unmatched = "unmatched"

// statusClasses are those of final answers.
var statusClasses = [...]string{"2xx", "3xx", "4xx", "5xx"}

// requests count what the listeners answered.
type requests struct {
	total *prometheus.CounterVec
	took  *prometheus.HistogramVec
}

func newRequests(with promauto.Factory) requests {
	return requests{
		total: with.NewCounterVec(prometheus.CounterOpts{
			Namespace: namespace, Subsystem: "http", Name: "requests_total",
			Help: "Requests that were answered, by route and class of status.",
		}, []string{"listener", "method", "route", "status"}),
		took: with.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: namespace, Subsystem: "http", Name: "request_duration_seconds",
			Help: "How long answers took.", Buckets: quick,
		}, []string{"listener", "method", "route"}),
	}
}

// route is one line of a listener's routes with its children.
type route struct {
	took  prometheus.Observer
	total [len(statusClasses)]prometheus.Counter
}

type routeKey struct{ method, path string }

// routes are those that were asked for. They are few and soon all known, so that
// finding one takes no lock and no memory.
type routes struct {
	requests
	listener string
	mu       sync.Mutex
	known    atomic.Pointer[map[routeKey]*route]
}

// Requests counts the requests of a listener, by the templates of their routes.
func (m *Metrics) Requests(listener string) gin.HandlerFunc {
	r := &routes{requests: m.requests, listener: listener}
	r.known.Store(&map[routeKey]*route{})
	return func(c *gin.Context) {
		began := m.now()
		c.Next()
		key := routeKey{web.Method(c.Request.Method), c.FullPath()}
		if key.path == "" {
			key.path = unmatched
		}
		served := r.find(key)
		served.took.Observe(m.now().Sub(began).Seconds())
		served.total[min(max(c.Writer.Status()/100-2, 0), len(statusClasses)-1)].Inc()
	}
}

func (r *routes) find(key routeKey) *route {
	if known := (*r.known.Load())[key]; known != nil {
		return known
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	known := maps.Clone(*r.known.Load())
	if known[key] == nil {
		made := &route{took: r.took.WithLabelValues(r.listener, key.method, key.path)}
		for i, class := range statusClasses {
			made.total[i] = r.total.WithLabelValues(r.listener, key.method, key.path, class)
		}
		known[key] = made
		r.known.Store(&known)
	}
	return known[key]
}
