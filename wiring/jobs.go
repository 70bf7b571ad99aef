package wiring

import (
	"context"
	"errors"
	"time"

	"github.com/holdline/holdline/internal/auth"
	"github.com/holdline/holdline/internal/statistics"
	"github.com/holdline/holdline/persistence"
	"github.com/holdline/holdline/persistence/scimstore"
)

// Job is work in the background that is done again and again.
type Job struct {
	Name     string // as the log has it when Once fails
	Interval time.Duration
	AtStart  bool // done at once too, and not after an interval only
	Once     func(context.Context) error
}

// switchInterval is how long a replica may not know what was set at another.
const switchInterval = 2 * time.Second

// schemaInterval keeps identity schemas known, so that no hook waits for one.
const schemaInterval = 4 * time.Minute

// peopleInterval is how often claims are looked for whose people are not indexed yet.
const peopleInterval = 5 * time.Second

// statisticsInterval is how late the charts are.
const statisticsInterval = 20 * time.Second

// counter keeps the counts that charts are drawn from.
func (p *program) counter() *statistics.Counter {
	return &statistics.Counter{
		Store: persistence.NewStatistics(p.db), Leases: p.store, Owner: p.id, Now: p.clock.Now,
		Retention: func() time.Duration { return p.settings.Policy().Retention },
	}
}

// jobs are the work in the background.
func (p *program) jobs() []Job {
	expiries := auth.Expiries{
		Tokens: persistence.NewTokens(p.db), Configured: p.clients.Configured(), Report: p.metrics.Expiring, Now: p.clock.Now, Log: p.log,
	}
	jobs := []Job{
		{Name: "chores", Interval: time.Second, Once: p.chores},
		{Name: "settings", Interval: switchInterval, Once: p.settings.Once},
		{Name: "traffic watch", Interval: 10 * time.Second, AtStart: true, Once: p.monitor.Once},
		{Name: "clock", Interval: 30 * time.Second, Once: p.clock.Sync},
		{Name: "failures of authentication", Interval: time.Minute, Once: p.flushFailures},
		{Name: "schemas", Interval: schemaInterval, AtStart: true, Once: p.realms.Prefetch},
		{Name: "people index", Interval: peopleInterval, Once: p.indexer().Once},
		{Name: "statistics", Interval: statisticsInterval, AtStart: true, Once: p.counter().Once},
		{Name: "expiry of tokens", Interval: time.Hour, AtStart: true, Once: expiries.Once},
		{Name: "prune", Interval: time.Hour, Once: p.claims.Prune},
		{Name: "prune limits", Interval: time.Hour, Once: p.pruneLimits},
		{Name: "prune sessions", Interval: time.Hour, Once: p.pruneSessions},
	}
	if p.cfg.SCIM.Enabled {
		jobs = append(jobs,
			Job{Name: "groups", Interval: time.Second, Once: p.showGroups},
			Job{Name: "prune lists", Interval: time.Minute, Once: p.pruneLists})
	}
	return jobs
}

func (p *program) chores(ctx context.Context) error {
	_, err := p.claims.RunDue(ctx)
	return errors.Join(err, p.claims.RunAlarms(ctx))
}

func (p *program) flushFailures(ctx context.Context) error {
	p.failures.Flush(ctx)
	return nil
}

func (p *program) pruneLimits(ctx context.Context) error {
	return persistence.NewLimiter(p.db).Prune(ctx, p.clock.Now())
}

func (p *program) pruneLists(ctx context.Context) error {
	return scimstore.New(p.db).PruneWalks(ctx, p.clock.Now())
}

func (p *program) pruneSessions(ctx context.Context) error {
	return persistence.NewAdminSessions(p.db).PruneSessions(ctx, p.clock.Now().Add(-p.cfg.Admin.SessionIdle))
}
