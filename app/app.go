// Package app runs Holdline: it opens the database and the listeners, has package
// wiring assemble the rest, serves and works until it is told to stop, and drains.
package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/holdline/holdline/config"
	"github.com/holdline/holdline/doctor/probe"
	"github.com/holdline/holdline/persistence/database"
	"github.com/holdline/holdline/persistence/migration"
	"github.com/holdline/holdline/persistence/transfer"
	"github.com/holdline/holdline/portal/console"
	"github.com/holdline/holdline/wiring"
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
	// Invitation is the key of a link that signs in at the console once, by a token: the
	// demo's. Blank for none.
	Invitation, InvitationToken string
}

// ErrOutdated says that the schema must be migrated first.
var ErrOutdated = errors.New("the database schema is outdated: run `holdline migrate up`, or serve with --database-auto-migrate")

// Run serves until ctx ends, then drains. It returns nil after a clean stop.
func Run(ctx context.Context, cfg config.Config, o Options) error {
	observers, err := wiring.Observe(ctx, cfg, o.Release, o.Log)
	if err != nil {
		return err
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTime)
		defer cancel()
		if err := observers.Close(ctx); err != nil {
			o.Log.WarnContext(ctx, "spans are lost", "error", err)
		}
	}()
	db, err := database.Open(ctx, cfg.Database.DSN.Reveal(), database.Options{Observe: observers.DatabaseCall()})
	if err != nil {
		return fmt.Errorf("open database: %w", err)
	}
	defer db.Close()
	clock, err := Prepare(ctx, db, cfg.AutoMigrate())
	if err != nil {
		return err
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
	h, err := wiring.Assemble(cfg, wiring.Parts{
		Database: db, Clock: clock, Observers: observers, Release: o.Release, Log: o.Log, FramedBy: o.FramedBy,
		Invitation: console.Invitation{Key: o.Invitation, Token: o.InvitationToken},
	})
	if err != nil {
		return err
	}
	defer h.Close()
	check := probe.StartCheck{Config: cfg, Policy: h.Policy, Now: clock.Now, Log: o.Log}
	return run(ctx, h, public, admin, check, o)
}

// Prepare brings the schema up to date, or refuses one that is not, and returns the
// database's clock.
func Prepare(ctx context.Context, db *database.DB, migrate bool) (*database.Clock, error) {
	if migrate {
		if err := migration.Up(ctx, db); err != nil {
			return nil, fmt.Errorf("migrate database: %w", err)
		}
	} else if outdated, err := migration.Outdated(ctx, db); err != nil {
		return nil, fmt.Errorf("look at the database schema: %w", err)
	} else if outdated {
		return nil, ErrOutdated
	}
	if err := transfer.Unfinished(ctx, db); err != nil {
		return nil, err
	}
	clock, err := database.NewClock(ctx, db, time.Now)
	if err != nil {
		return nil, fmt.Errorf("read the database's clock: %w", err)
	}
	return clock, nil
}

// drainTime is how long what is under way may take once the program is to stop.
const drainTime = 10 * time.Second

// run serves and works until ctx ends.
func run(ctx context.Context, h *wiring.Holdline, public, admin net.Listener, check probe.StartCheck, o Options) error {
	if err := h.Load(ctx); err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	sending, stopSending := context.WithCancel(context.WithoutCancel(ctx))
	g.Go(func() error {
		defer stopSending()
		servers, ctx := errgroup.WithContext(ctx)
		servers.Go(func() error { return serve(ctx, public, h.Public) })
		servers.Go(func() error { return serve(ctx, admin, h.Admin) })
		return servers.Wait()
	})
	g.Go(func() error { return h.Send(sending) })
	for _, job := range h.Jobs {
		g.Go(func() error { return repeat(ctx, job, o.Log) })
	}
	for _, loop := range h.Loops {
		g.Go(func() error { return loop(ctx) })
	}
	g.Go(func() error { return check.Run(ctx) })
	if _, err := fmt.Fprintf(o.Out, "listening public=%s admin=%s\n", public.Addr(), admin.Addr()); err != nil {
		return err
	}
	o.Log.InfoContext(ctx, "listening", "public", public.Addr().String(), "admin", admin.Addr().String(), "release", o.Release)
	err := g.Wait()
	if ctx.Err() != nil && (err == nil || errors.Is(err, context.Canceled)) {
		return nil
	}
	return err
}

// repeat does a job again and again until ctx ends. A failure is logged, and does not
// stop the program.
func repeat(ctx context.Context, job wiring.Job, log *slog.Logger) error {
	once := func() {
		if err := job.Once(ctx); err != nil && ctx.Err() == nil {
			log.WarnContext(ctx, "background work failed", "work", job.Name, "error", err)
		}
	}
	if job.AtStart {
		once()
	}
	ticker := time.NewTicker(job.Interval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
			once()
		}
	}
}
