package app

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

	"github.com/holdline/holdline/persistence"
	"github.com/holdline/holdline/persistence/database"
	"github.com/holdline/holdline/persistence/migration"
)

func lookAtDatabase(ctx context.Context, cfg config.Config) doctor.Database {
	if isMissing(cfg.Database.DSN.Reveal()) {
		seen := switched(policyOf(cfg), 0)
		seen.Outdated = true
		return seen
	}
	seen, err := lookInto(ctx, cfg)
	if err != nil {
		// The cause alone: that the database is away is what the finding says.
		said := strings.TrimPrefix(err.Error(), problem.ErrStoreUnavailable.Error()+": ")
		return doctor.Database{Err: errors.New(said)}
	}
	return seen
}

func lookInto(ctx context.Context, cfg config.Config) (doctor.Database, error) {
	db, err := database.Open(ctx, cfg.Database.DSN.Reveal(), database.Options{})
	if err != nil {
		return doctor.Database{}, err
	}
	defer db.Close()
	clock, err := database.NewClock(ctx, db, time.Now)
	if err != nil {
		return doctor.Database{}, err
	}
	seen := switched(policyOf(cfg), time.Until(clock.Now()))
	seen.Outdated, err = migration.Outdated(ctx, db)
	if err != nil || seen.Outdated {
		return seen, err // the switches may not be there yet
	}
	kept := claim.NewSwitchboard(persistence.NewSettings(db), policyOf(cfg), clock.Now, slog.New(slog.DiscardHandler))
	if err := kept.Once(ctx); err != nil {
		return seen, err
	}
	return switched(kept.Policy(), seen.Ahead), nil
}

// switched is a sound database with the policy in force, and how far its clock is
// ahead.
func switched(policy claim.Policy, ahead time.Duration) doctor.Database {
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
