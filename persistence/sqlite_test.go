package persistence_test

import (
	"context"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/persistence"
	"github.com/holdline/holdline/persistence/database/databasetest"
)

func TestSQLiteProcessesShareAFile(t *testing.T) {
	dsn := databasetest.SQLite(t)
	databasetest.Migrated(t, dsn)
	var g errgroup.Group
	for replica := range 4 {
		store := persistence.NewStore(databasetest.Open(t, dsn))
		g.Go(func() error { return fill(t.Context(), store, replica) })
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	n, err := databasetest.Count(t.Context(), databasetest.Open(t, dsn), "SELECT COUNT(*) FROM claims WHERE state = 'verified'")
	if err != nil || n != 4*25 {
		t.Errorf("got %d, %v", n, err)
	}
}

func fill(ctx context.Context, store *persistence.Store, replica int) error {
	for i := range 25 {
		c := openClaim(string(rune('a'+replica)) + "-" + string(rune('a'+i)))
		if err := store.Commit(ctx, claim.Change{Create: &c, Text: textOf(c), At: noon}); err != nil {
			return err
		}
		verified := c
		verified.State = claim.Verified
		if err := store.Commit(ctx, claim.Change{Transitions: []claim.Transition{{From: claim.Open, Claim: verified}}, At: noon}); err != nil {
			return err
		}
	}
	return nil
}
