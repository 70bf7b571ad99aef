// Package app puts Holdline together from its configuration and runs it: the
// only package that sees the whole configuration, and the only one that asks
// the machine for time and chance.
package app

import (
	"context"
	"crypto/hkdf"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"github.com/holdline/holdline/config"
	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/web"
	"github.com/holdline/holdline/kratos"
	"github.com/holdline/holdline/metrics"
	"github.com/holdline/holdline/persistence"
	"github.com/holdline/holdline/smsgateway"
	"github.com/holdline/holdline/tracing"
)

// Options are what Run needs beside the configuration.
type Options struct {
	Release string
	Log     *slog.Logger
	// Out receives the line that says where the listeners are.
	Out io.Writer
	// FramedBy is the origin whose pages may show Holdline's own in frames: the
	// demo's. Blank for none.
	FramedBy string
}

// ErrOutdated says that the schema must be migrated first.
var ErrOutdated = errors.New("the database schema is outdated: run `holdline migrate up`, or serve with --database-auto-migrate")

// Run serves until ctx ends, then drains. It returns nil after a clean stop.
func Run(ctx context.Context, cfg config.Config, o Options) error {
	db, err := persistence.Open(ctx, cfg.Database.DSN.Reveal())
	if err != nil {
		return fmt.Errorf("open database: %w", err)
	}
	defer db.Close()
	if err := Prepare(ctx, db, cfg.AutoMigrate()); err != nil {
		return err
	}
	clock, err := persistence.NewClock(ctx, db, time.Now)
	if err != nil {
		return fmt.Errorf("read the database's clock: %w", err)
	}
	public, admin, err := listen(ctx, cfg)
	if err != nil {
		return err
	}
	defer public.Close()
	defer admin.Close()
	if cfg.Public.BaseURL == "" {
		cfg.Public.BaseURL = "http://" + public.Addr().String()
		o.Log.WarnContext(ctx, "public.base_url is not set: texts and notices name this machine", "base_url", cfg.Public.BaseURL)
	}
	watched, err := observe(ctx, cfg, o)
	if err != nil {
		return err
	}
	defer func() {
		if err := watched.close(ctx); err != nil {
			o.Log.WarnContext(ctx, "spans are lost", "error", err)
		}
	}()
	p, err := assemble(cfg, db, clock, watched, o)
	if err != nil {
		return err
	}
	defer p.realms.Close()
	return p.run(ctx, public, admin, o.Out)
}

// Prepare brings the schema up to date, or refuses one that is not.
func Prepare(ctx context.Context, db *persistence.DB, migrate bool) error {
	if migrate {
		if err := db.Migrate(ctx); err != nil {
			return fmt.Errorf("migrate database: %w", err)
		}
		return nil
	}
	outdated, err := db.Outdated(ctx)
	if err != nil {
		return fmt.Errorf("look at the database schema: %w", err)
	}
	if outdated {
		return ErrOutdated
	}
	return nil
}

func listen(ctx context.Context, cfg config.Config) (public, admin net.Listener, err error) {
	var l net.ListenConfig
	public, err = l.Listen(ctx, "tcp", net.JoinHostPort(cfg.Public.Host, fmt.Sprint(cfg.Public.Port)))
	if err != nil {
		return nil, nil, fmt.Errorf("public listener: %w", err)
	}
	admin, err = l.Listen(ctx, "tcp", net.JoinHostPort(cfg.Admin.Host, fmt.Sprint(cfg.Admin.Port)))
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("admin listener: %w", err), public.Close())
	}
	return public, admin, nil
}

// program is Holdline put together.
type program struct {
	cfg       config.Config
	log       *slog.Logger
	release   string
	db        *persistence.DB
	clock     *persistence.Clock
	directory *kratos.Directory // the primary realm, which SCIM is about
	realms    kratos.Realms
	switches  *claim.Switchboard
	claims    *claim.Service
	asked     metrics.Claims // the same, for who asks them something
	watch     *claim.Watch
	worker    *smsgateway.Worker
	receipts  *smsgateway.Receipts
	phone     *smsgateway.Simulator // nil without a simulator gateway
	clients   *claim.Clients
	failures  *web.Failures // of authentication
	passwords *claim.Attempts
	scim      provisioning
	observers
	framedBy string   // see [Options]
	formKeys [][]byte // prove the forms of pages; the first makes new proofs
	toIndex  chan seenRecord
}

func assemble(cfg config.Config, db *persistence.DB, clock *persistence.Clock, watched observers, o Options) (*program, error) {
	p := &program{
		cfg: cfg, log: o.Log, release: o.Release, db: db, clock: clock, observers: watched, framedBy: o.FramedBy,
		toIndex: make(chan seenRecord, mostToIndex),
	}
	plan := planOf(cfg)
	secrets := make([]string, len(cfg.Secrets.OTP))
	for i, secret := range cfg.Secrets.OTP {
		secrets[i] = secret.Reveal()
	}
	codes, err := claim.NewCodes(secrets, cfg.OTP.Length, claim.Alphabet(cfg.OTP.Alphabet))
	if err != nil {
		return nil, err
	}
	hashKey, err := hkdf.Key(sha256.New, []byte(secrets[0]), nil, "names of limits", sha256.Size)
	if err != nil {
		return nil, fmt.Errorf("derive a key: %w", err)
	}
	for _, secret := range secrets {
		key, err := hkdf.Key(sha256.New, []byte(secret), nil, "forms of pages", sha256.Size)
		if err != nil {
			return nil, fmt.Errorf("derive a key: %w", err)
		}
		p.formKeys = append(p.formKeys, key)
	}
	if err := p.connect(hashKey); err != nil {
		return nil, err
	}
	store := persistence.NewStore(db)
	if err := p.sender(store, codes); err != nil {
		return nil, err
	}
	p.switches = claim.NewSwitchboard(persistence.NewSettings(db), policyOf(cfg), clock.Now, o.Log)
	p.watch = claim.NewWatch(store, p.traffic, clock.Now, o.Log)
	p.claims = claim.NewService(claim.Options{
		Store: p.store(store), Directory: p.realms, Holders: holders{p.realms, p}, Codes: codes, Plan: plan,
		Policy: p.switches.Policy, Now: clock.Now, NewID: uuid.NewString,
		Jitter: jitter, Send: p.worker.Offer, Stopped: p.watch.Stopped, Log: o.Log,
	})
	if p.receipts, err = receipts(cfg, p.metrics.Receipts(store), clock.Now); err != nil {
		return nil, err
	}
	if p.clients, err = clients(cfg, db, hashKey, p); err != nil {
		return nil, err
	}
	p.failures = &web.Failures{Log: o.Log, Now: clock.Now, Count: func(credential web.Credential, refusal web.Refusal) {
		p.metrics.AuthenticationFailed(string(credential), string(refusal))
	}}
	p.passwords = &claim.Attempts{
		Limiter:  p.metrics.Limiter(metrics.LimitPasswordsOfAddress, persistence.NewLimiter(db)),
		Failures: claim.Allowance{Most: cfg.Limits.AddressFailures, Window: cfg.Limits.LoginWindow},
		HashKey:  hashKey, Now: clock.Now, Log: o.Log,
	}
	p.asked = p.metrics.Claims(p.claims)
	p.provision()
	p.show(store)
	return p, nil
}

// jitter spreads a wait over its second half.
func jitter(d time.Duration) time.Duration {
	if d <= 1 {
		return d
	}
	return d/2 + rand.N(d/2) //nolint:gosec // spreads load, guards nothing
}

const (
	choreInterval = time.Second
	// switchInterval is how long a replica may not know what was set at another.
	switchInterval = 2 * time.Second
	watchInterval  = 10 * time.Second
	clockInterval  = 30 * time.Second
	pruneInterval  = time.Hour
	// schemaInterval keeps identity schemas known, so that no hook waits for one.
	schemaInterval = 4 * time.Minute
	drainTime      = 10 * time.Second
)

// run serves and works until ctx ends.
func (p *program) run(ctx context.Context, public, admin net.Listener, out io.Writer) error {
	publicHandler, err := p.publicRoutes()
	if err != nil {
		return err
	}
	adminHandler, err := p.adminRoutes()
	if err != nil {
		return err
	}
	if p.cfg.SCIM.Enabled {
		if err := p.checkSchemas(ctx); err != nil {
			return err
		}
	}
	// What administrators have set is in force from the first request on.
	if err := p.switches.Once(ctx); err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	sending, stopSending := context.WithCancel(context.WithoutCancel(ctx))
	g.Go(func() error {
		defer stopSending() // not sooner: what is still being answered may queue a text
		servers, ctx := errgroup.WithContext(ctx)
		servers.Go(func() error { return serve(ctx, public, publicHandler) })
		servers.Go(func() error { return serve(ctx, admin, adminHandler) })
		return servers.Wait()
	})
	g.Go(func() error { return p.worker.Run(sending) })
	g.Go(func() error { return every(ctx, choreInterval, p.soft("chores", p.chores)) })
	g.Go(func() error {
		schemas := p.soft("schemas", p.realms.Prefetch)
		schemas(ctx)
		return every(ctx, schemaInterval, schemas)
	})
	g.Go(func() error {
		watch := p.soft("traffic watch", p.watch.Once)
		watch(ctx)
		return every(ctx, watchInterval, watch)
	})
	g.Go(func() error { return p.examine(ctx) })
	g.Go(func() error { return every(ctx, switchInterval, p.soft("settings", p.switches.Once)) })
	g.Go(func() error { return every(ctx, clockInterval, p.soft("clock", p.clock.Sync)) })
	g.Go(func() error { return every(ctx, time.Minute, p.failures.Flush) })
	g.Go(func() error { return every(ctx, pruneInterval, p.soft("prune", p.claims.Prune)) })
	g.Go(func() error {
		expiries := claim.Expiries{
			Tokens: persistence.NewTokens(p.db), Configured: p.clients.Configured(), Report: p.metrics.Expiring, Now: p.clock.Now, Log: p.log,
		}
		look := p.soft("expiry of tokens", expiries.Once)
		look(ctx)
		return every(ctx, pruneInterval, look)
	})
	g.Go(func() error { return every(ctx, pruneInterval, p.soft("prune limits", p.pruneLimits)) })
	g.Go(func() error { return every(ctx, pruneInterval, p.soft("prune sessions", p.pruneSessions)) })
	if p.cfg.SCIM.Enabled {
		g.Go(func() error { return p.keepIndex(ctx) })
		g.Go(func() error { return p.index(ctx) })
	}
	if _, err := fmt.Fprintf(out, "listening public=%s admin=%s\n", public.Addr(), admin.Addr()); err != nil {
		return err
	}
	p.log.InfoContext(ctx, "listening", "public", public.Addr().String(), "admin", admin.Addr().String(), "release", p.release)
	err = g.Wait()
	if ctx.Err() != nil && (err == nil || errors.Is(err, context.Canceled)) {
		return nil
	}
	return err
}

func (p *program) chores(ctx context.Context) error {
	_, err := p.claims.Chores(ctx)
	return err
}

func (p *program) pruneLimits(ctx context.Context) error {
	return persistence.NewLimiter(p.db).Prune(ctx, p.clock.Now())
}

func (p *program) pruneSessions(ctx context.Context) error {
	return persistence.NewAdminSessions(p.db).PruneSessions(ctx, p.clock.Now().Add(-p.cfg.Admin.SessionIdle))
}

// soft logs a loop's failure instead of stopping the program for it.
func (p *program) soft(name string, once func(context.Context) error) func(context.Context) {
	return func(ctx context.Context) {
		if err := once(ctx); err != nil && ctx.Err() == nil {
			p.log.WarnContext(ctx, "background work failed", "work", name, "error", err)
		}
	}
}

// every does something again and again until ctx ends.
func every(ctx context.Context, interval time.Duration, once func(context.Context)) error {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
			once(ctx)
		}
	}
}

// Logger writes lines in the configured form, each with its request id.
func Logger(cfg config.Config, out io.Writer) *slog.Logger {
	var level slog.Level
	if err := level.UnmarshalText([]byte(cfg.Log.Level)); err != nil {
		level = slog.LevelInfo
	}
	options := &slog.HandlerOptions{Level: level}
	var handler slog.Handler = slog.NewJSONHandler(out, options)
	if cfg.Log.Format == "text" {
		handler = slog.NewTextHandler(out, options)
	}
	if tracingOf(cfg).On() {
		handler = tracing.LogHandler{Handler: handler}
	}
	return slog.New(web.LogHandler{Handler: handler})
}
