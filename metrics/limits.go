package metrics

import (
	"context"
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/problem"
	"github.com/holdline/holdline/internal/ratelimit"
)

// The limits of [Metrics.Limiter], which the domain does not name. All limits go
// by their keys in the configuration.
const (
	LimitPasswords          = "login_failures_per_user"
	LimitPasswordsOfAddress = "login_failures_per_address"
	LimitTokens             = "token_failures_per_address"
)

func newLimits(with promauto.Factory) outcomes {
	hits := with.NewCounterVec(prometheus.CounterOpts{
		Namespace: namespace, Subsystem: "limit", Name: "hits_total", Help: "Requests that a limit refused.",
	}, []string{"limit"})
	return newOutcomes(hits, claim.LimitCooldown, claim.LimitClaimTexts, claim.LimitIdentityTexts, claim.LimitNumberHour, claim.LimitNumberTexts,
		claim.LimitNumberNotices, claim.LimitAddressTexts, claim.LimitIdentityTries, claim.LimitCodeTexts, claim.LimitCodeShare,
		LimitPasswords, LimitPasswordsOfAddress, LimitTokens, "other")
}

// limited counts the limit that an error tells of, if it does, and returns the
// error.
func (m *Metrics) limited(err error) error {
	if err == nil {
		return nil
	}
	if limit := (*problem.LimitError)(nil); errors.As(err, &limit) {
		m.limits.count(limit.Name)
	}
	return err
}

// limiter counts what another one refuses.
type limiter struct {
	ratelimit.Limiter
	hits prometheus.Counter
}

// Limiter returns a limiter that counts its refusals, under the name of one limit; an
// unknown name counts as "other".
func (m *Metrics) Limiter(limit string, of ratelimit.Limiter) ratelimit.Limiter {
	return limiter{of, m.limits.of(limit)}
}

// Take implements [ratelimit.Limiter].
func (l limiter) Take(ctx context.Context, name string, a ratelimit.Limit, now time.Time) error {
	err := l.Limiter.Take(ctx, name, a, now)
	if full := (*problem.LimitError)(nil); errors.As(err, &full) {
		l.hits.Inc()
	}
	return err
}
