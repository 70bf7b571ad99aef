package persistence_test

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/problem"
	"github.com/holdline/holdline/persistence"
	"github.com/holdline/holdline/persistence/database/databasetest"
)

// Whatever another process does with the file, an operation ends with its context, and
// has not happened.
func TestAnOperationOnALockedFileEndsInTime(t *testing.T) {
	path := filepath.Join(t.TempDir(), "holdline.db")
	db := databasetest.Migrated(t, "sqlite://"+path)
	store := persistence.NewStore(db)
	c := openClaim("a")
	if err := store.Commit(t.Context(), claim.Change{Create: &c, At: noon}); err != nil {
		t.Fatal(err)
	}
	other, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = other.Close() }()
	holder, err := other.Conn(t.Context())
	if err == nil {
		_, err = holder.ExecContext(t.Context(), "BEGIN IMMEDIATE")
	}
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = holder.Close() }()
	next := openClaim("b")
	for name, operation := range map[string]func(context.Context) error{
		"write": func(ctx context.Context) error { return store.Try(ctx, c.Code(), 5) },
		"transaction": func(ctx context.Context) error {
			return store.Commit(ctx, claim.Change{Create: &next, Text: textOf(next), At: noon})
		},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		if err := operation(ctx); !errors.Is(err, problem.ErrStoreUnavailable) {
			t.Errorf("%s: got %v, want %v", name, err, problem.ErrStoreUnavailable)
		}
		cancel()
	}
	if _, err := holder.ExecContext(t.Context(), "ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	found, err := store.Find(t.Context(), c.ID)
	if err != nil || found.Attempts != 0 {
		t.Errorf("got %+v, %v, want no try counted", found, err)
	}
	if found, err := store.Find(t.Context(), next.ID); err != nil || found != nil {
		t.Errorf("got %+v, %v, want no claim", found, err)
	}
}
