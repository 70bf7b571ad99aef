package app

import (
	"context"
	"fmt"

	"github.com/holdline/holdline/config"
	"github.com/holdline/holdline/internal/scim/reconcile"
	"github.com/holdline/holdline/persistence/database"
	"github.com/holdline/holdline/wiring"
)

// Reindex compares the index of users with Kratos once, whatever replicas do, and
// says how far it is.
func Reindex(ctx context.Context, cfg config.Config, db *database.DB, o Options) error {
	clock, err := Prepare(ctx, db, cfg.AutoMigrate())
	if err != nil {
		return err
	}
	say := func(word string, done reconcile.Progress) {
		_, _ = fmt.Fprintf(o.Out, "%s: identities %d, entries written %d, deleted %d\n", word, done.Identities, done.Changed, done.Deleted)
	}
	index, err := wiring.AssembleIndex(cfg, wiring.Parts{Database: db, Clock: clock, Release: o.Release, Log: o.Log})
	if err != nil {
		return err
	}
	defer index.Close()
	if err := index.Load(ctx); err != nil {
		return err
	}
	index.Reconciler.Report = func(done reconcile.Progress) {
		if done.Pages%reindexEvery == 0 {
			say("reading", done)
		}
	}
	done, err := index.Reconciler.Pass(ctx)
	if err != nil {
		return fmt.Errorf("reindex: %w", err)
	}
	say("done", done)
	return nil
}

// reindexEvery is after how many pages a line is printed.
const reindexEvery = 40
