package persistence_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/persistence"
)

func TestSQLiteIsSetUp(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a name with spaces?.db")
	if _, err := persistence.Open(t.Context(), "sqlite://"+path); !errors.Is(err, persistence.ErrBadDSN) {
		t.Errorf("got %v", err)
	}
	path = filepath.Join(t.TempDir(), "100% of #1.db")
	db := opened(t, "sqlite://"+path)
	for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "busy_timeout": "1000"} {
		if got, err := db.Text(t.Context(), "PRAGMA "+pragma); err != nil || got != want {
			t.Errorf("%s is %s, %v, want %s", pragma, got, err, want)
		}
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("others may read the file: %v", info.Mode())
	}
}

func TestSQLiteProcessesShareAFile(t *testing.T) {
	dsn := databases["sqlite"](t)
	migrated(t, dsn)
	var g errgroup.Group
	for replica := range 4 {
		store := persistence.NewStore(opened(t, dsn))
		g.Go(func() error { return fill(t.Context(), store, replica) })
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	n, err := opened(t, dsn).Count(t.Context(), "SELECT COUNT(*) FROM claims WHERE state = 'verified'")
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
		if err := store.Commit(ctx, claim.Change{Moves: []claim.Move{{From: claim.Open, Claim: verified}}, At: noon}); err != nil {
			return err
		}
	}
	return nil
}
