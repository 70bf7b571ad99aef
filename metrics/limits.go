package metrics

import (
	"context"
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/holdline/holdline/claim"
)

// The limits as labels. Docs/limits.md explains them.
const (
	limitCooldown    = "resend_cooldown"
	limitTexts       = "texts"
	limitTries       = "tries"
	limitCallingCode = "calling_code"
	// LimitPasswords and LimitTokens are those of [Metrics.Limiter].
	LimitPasswords = "passwords"
	LimitTokens    = "tokens"
)

func newLimits(with promauto.Factory) outcomes {
	hits := with.NewCounterVec(prometheus.CounterOpts{
		Namespace: namespace, Subsystem: "limit", Name: "hits_total", Help: "Requests that a limit refused.",
	}, []string{"limit"})
	return newOutcomes(hits, limitCooldown, limitTexts, limitTries, limitCallingCode, LimitPasswords, LimitTokens)
}

// limited counts the limit that an error tells of, if it does, and returns the
// error.
func (m *Metrics) limited(err error) error {
	if err == nil {
		return nil
	}
	switch {
	case errors.Is(err, claim.ErrTooSoon):
		m.limits.count(limitCooldown)
	case errors.Is(err, claim.ErrTooManyTexts):
		m.limits.count(limitTexts)
	case errors.Is(err, claim.ErrTooManyTries):
		m.limits.count(limitTries)
	case errors.Is(err, claim.ErrCallingCodeFull):
		m.limits.count(limitCallingCode)
	}
	return err
}

// limiter counts what another one refuses.
type limiter struct {
	claim.Limiter
	hits prometheus.Counter
}

// Limiter returns a limiter that counts its refusals, under the name of one limit.
func (m *Metrics) Limiter(limit string, of claim.Limiter) claim.Limiter {
	return limiter{of, m.limits.by[limit]}
}

// Take implements [claim.Limiter].
func (l limiter) Take(ctx context.Context, name string, a claim.Allowance, now time.Time) error {
	err := l.Limiter.Take(ctx, name, a, now)
	if full := (*claim.LimitError)(nil); errors.As(err, &full) {
		l.hits.Inc()
	}
	return err
}
