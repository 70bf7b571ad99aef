package probe

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/holdline/holdline/config"
	"github.com/holdline/holdline/doctor"
	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/problem"
	"github.com/holdline/holdline/internal/settings"
	"github.com/holdline/holdline/persistence"
	"github.com/holdline/holdline/persistence/database"
	"github.com/holdline/holdline/persistence/migration"
	"github.com/holdline/holdline/wiring"
)

func probeDatabase(ctx context.Context, cfg config.Config) doctor.Database {
	if isMissing(cfg.Database.DSN.Reveal()) {
		seen := databaseWith(wiring.Policy(cfg), 0)
		seen.Outdated = true
		return seen
	}
	seen, err := readDatabase(ctx, cfg)
	if err != nil {
		// The cause alone: that the database is away is what the finding says.
		said := strings.TrimPrefix(err.Error(), problem.ErrStoreUnavailable.Error()+": ")
		return doctor.Database{Err: errors.New(said)}
	}
	return seen
}

func readDatabase(ctx context.Context, cfg config.Config) (doctor.Database, error) {
	db, err := database.Open(ctx, cfg.Database.DSN.Reveal(), database.Options{})
	if err != nil {
		return doctor.Database{}, err
	}
	defer db.Close()
	clock, err := database.NewClock(ctx, db, time.Now)
	if err != nil {
		return doctor.Database{}, err
	}
	server, err := serverOf(ctx, db)
	if err != nil {
		return doctor.Database{}, err
	}
	seen := databaseWith(wiring.Policy(cfg), time.Until(clock.Now()))
	seen.Server = server
	seen.Outdated, err = migration.Outdated(ctx, db)
	if err != nil || seen.Outdated {
		return seen, err // the settings may not be there yet
	}
	kept := settings.New(persistence.NewSettings(db), wiring.Policy(cfg), clock.Now, slog.New(slog.DiscardHandler))
	if err := kept.Once(ctx); err != nil {
		return seen, err
	}
	policy := databaseWith(kept.Policy(), seen.Ahead)
	policy.Server = seen.Server
	return policy, nil
}

// serverOf asks the database's server about itself.
func serverOf(ctx context.Context, db *database.DB) (doctor.Server, error) {
	is, err := db.Dialect().Server(ctx, db.Pool())
	if err != nil {
		return doctor.Server{}, db.Classify(err)
	}
	seen := doctor.Server{
		Name: is.Product + " " + is.Version, Least: is.Least, ReadOnly: is.ReadOnly,
		Connections: is.Connections, Opened: is.Opened, Idle: is.Idle,
	}
	for _, setting := range is.Lossy {
		seen.Lossy = append(seen.Lossy, setting.String())
	}
	return seen, nil
}

// databaseWith is a sound database with the policy in force, and how far its clock is
// ahead.
func databaseWith(policy claim.Policy, ahead time.Duration) doctor.Database {
	return doctor.Database{Ahead: ahead, Off: !policy.Enabled, OnRequest: !policy.VerifyAlways}
}

// isMissing reports whether a database is a file that is not there yet: to open it
// would make it.
func isMissing(dsn string) bool {
	name, ok := strings.CutPrefix(dsn, "sqlite://")
	name, _, _ = strings.Cut(name, "?")
	if !ok || name == ":memory:" {
		return false
	}
	_, err := os.Stat(name)
	return errors.Is(err, os.ErrNotExist)
}
