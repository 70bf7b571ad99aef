package metrics

import (
	"context"
	"errors"
	"strings"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/holdline/holdline/internal/claim"
)

// calls count the requests to Kratos.
type calls struct {
	total *prometheus.CounterVec
	took  *prometheus.HistogramVec
	known *sync.Map // operation to *call
}

type call struct {
	took                prometheus.Observer
	done, refused, away prometheus.Counter
}

func newCalls(with promauto.Factory) calls {
	return calls{
		total: with.NewCounterVec(prometheus.CounterOpts{
			Namespace: namespace, Subsystem: "kratos", Name: "requests_total",
			Help: "Requests to Kratos, by what came of them.",
		}, []string{"operation", "outcome"}),
		took: with.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: namespace, Subsystem: "kratos", Name: "request_duration_seconds",
			Help: "How long Kratos took to answer.", Buckets: quick,
		}, []string{"operation"}),
		known: &sync.Map{},
	}
}

// of returns an operation's children. Operations are named by the program.
func (c calls) of(operation string) *call {
	if known, ok := c.known.Load(operation); ok {
		return known.(*call)
	}
	label := strings.ReplaceAll(operation, " ", "_")
	made, _ := c.known.LoadOrStore(operation, &call{
		took: c.took.WithLabelValues(label), done: c.total.WithLabelValues(label, "done"),
		refused: c.total.WithLabelValues(label, "refused"), away: c.total.WithLabelValues(label, "away"),
	})
	return made.(*call)
}

// KratosCall hears of a request to Kratos that begins; the function that it
// returns hears of its end.
func (m *Metrics) KratosCall(ctx context.Context, operation string) (context.Context, func(error)) {
	call, began := m.kratos.of(operation), m.now()
	return ctx, func(err error) {
		call.took.Observe(m.now().Sub(began).Seconds())
		switch {
		case err == nil:
			call.done.Inc()
		case errors.Is(err, claim.ErrIdentitiesUnavailable):
			call.away.Inc()
		default:
			call.refused.Inc()
		}
	}
}
