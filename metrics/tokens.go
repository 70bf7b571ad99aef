package metrics

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/holdline/holdline/internal/auth"
)

func newTokens(with promauto.Factory) *prometheus.GaugeVec {
	return with.NewGaugeVec(prometheus.GaugeOpts{
		Namespace: namespace, Name: "token_expires_timestamp_seconds", Help: "When a client's token expires or has expired.",
	}, []string{"token"})
}

// Expiring shows when tokens expire, and of others nothing.
func (m *Metrics) Expiring(tokens []auth.Token) {
	m.tokens.Reset()
	for _, t := range tokens {
		m.tokens.WithLabelValues(t.Name).Set(float64(t.ExpiresAt.Unix()))
	}
}
