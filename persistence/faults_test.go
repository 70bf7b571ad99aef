package persistence_test

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"gorm.io/gorm"

	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/problem"
	"github.com/holdline/holdline/persistence"
)

// An outage is transient. A table that is missing does not, and neither does a
// statement that the database does not understand.
func TestOurOwnFaultsAreNoOutages(t *testing.T) {
	onEach(t, func(k kind) {
		for name, statement := range map[string]string{
			"table": "SELECT 1 FROM no_such_table", "column": "SELECT no_such_column FROM claims", "syntax": "SELEKT 1",
		} {
			err := k.db.Transaction(k.Context(), func(tx *gorm.DB) error { return tx.Exec(statement).Error })
			if err == nil || errors.Is(err, problem.ErrStoreUnavailable) {
				k.Errorf("%s: got %v", name, err)
			}
		}
		if err := k.db.Close(); err != nil {
			k.Fatal(err)
		}
		if err := k.db.Transaction(k.Context(), func(tx *gorm.DB) error { return tx.Exec("SELECT 1").Error }); !errors.Is(err, problem.ErrStoreUnavailable) {
			k.Errorf("closed: got %v, want %v", err, problem.ErrStoreUnavailable)
		}
	})
}

// Whatever another process does with the file, an operation ends with its context, and
// has not happened.
func TestAnOperationOnALockedFileEndsInTime(t *testing.T) {
	path := filepath.Join(t.TempDir(), "holdline.db")
	db := migrated(t, "sqlite://"+path)
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

// What is counted is what was done again: neither the first attempt, nor one that there
// was no time for.
func TestRepeatsAreCountedWhenTheyBegin(t *testing.T) {
	deadlock := &mysql.MySQLError{Number: 1213, Message: "Deadlock found"}
	refused := errors.New("refused")
	for name, tt := range map[string]struct {
		ends     int // the attempt that the context ends in
		answers  []error
		attempts int
		want     error
	}{
		"at once":             {0, []error{nil}, 1, nil},
		"no second time":      {0, []error{refused}, 1, refused},
		"the third time":      {0, []error{deadlock, deadlock, nil}, 3, nil},
		"refused the second":  {0, []error{deadlock, refused}, 2, refused},
		"never":               {0, []error{deadlock}, 8, deadlock},
		"ended in the first":  {1, []error{deadlock}, 1, context.Canceled},
		"ended in the second": {2, []error{deadlock}, 2, context.Canceled},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := opened(t, databases["sqlite"](t))
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			attempts := 0
			err := db.Transaction(ctx, func(*gorm.DB) error {
				attempts++
				if attempts == tt.ends {
					cancel()
				}
				return tt.answers[min(attempts, len(tt.answers))-1]
			})
			if attempts != tt.attempts || !errors.Is(err, tt.want) {
				t.Errorf("%d attempts, and %v, want %d and %v", attempts, err, tt.attempts, tt.want)
			}
			if conflicts, connections := db.Repeats(); conflicts != uint64(attempts-1) || connections != 0 {
				t.Errorf("%d conflicts and %d connections of %d attempts", conflicts, connections, attempts)
			}
		})
	}
}
