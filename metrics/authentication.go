package metrics

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// failures count failed authentications by what was wrong of what.
type failures map[string]outcomes

// What package web tells apart. Metrics name it, so that each counts from zero.
var (
	credentials = []string{"password", "session", "token", "hook_key", "console", "receipt"}
	whyRefused  = []string{"wrong", "limit", "second_factor", "other"}
)

func newFailures(with promauto.Factory) failures {
	total := with.NewCounterVec(prometheus.CounterOpts{
		Namespace: namespace, Name: "authentication_failures_total", Help: "Authentications that failed.",
	}, []string{"credential", "reason"})
	f := failures{}
	for _, credential := range credentials {
		f[credential] = newOutcomes(total.MustCurryWith(prometheus.Labels{"credential": credential}), whyRefused...)
	}
	return f
}

// AuthenticationFailed counts a failed authentication.
func (m *Metrics) AuthenticationFailed(credential, reason string) {
	if of, known := m.failures[credential]; known {
		of.count(reason)
	}
}
