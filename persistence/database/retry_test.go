package database_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"

	"golang.org/x/sync/errgroup"
	"gorm.io/gorm"

	"github.com/holdline/holdline/internal/problem"
	"github.com/holdline/holdline/persistence/database/databasetest"
)

// An outage is transient. A table that is missing does not, and neither does a
// statement that the database does not understand.
func TestOurOwnFaultsAreNoOutages(t *testing.T) {
	databasetest.OnEach(t, func(k databasetest.Kind) {
		for name, statement := range map[string]string{
			"table": "SELECT 1 FROM no_such_table", "column": "SELECT no_such_column FROM claims", "syntax": "SELEKT 1",
		} {
			err := databasetest.Transaction(k.Context(), k.DB, func(tx *gorm.DB) error { return tx.Exec(statement).Error })
			if err == nil || errors.Is(err, problem.ErrStoreUnavailable) {
				k.Errorf("%s: got %v", name, err)
			}
		}
		if err := k.DB.Close(); err != nil {
			k.Fatal(err)
		}
		if err := databasetest.Transaction(k.Context(), k.DB, func(tx *gorm.DB) error { return tx.Exec("SELECT 1").Error }); !errors.Is(err, problem.ErrStoreUnavailable) {
			k.Errorf("closed: got %v, want %v", err, problem.ErrStoreUnavailable)
		}
	})
}

// What is counted is what was done again: neither the first attempt, nor one that there
// was no time for.
func TestRepeatsAreCountedWhenTheyBegin(t *testing.T) {
	conflict := busyError{}
	refused := errors.New("refused")
	for name, tt := range map[string]struct {
		ends     int // the attempt that the context ends in
		answers  []error
		attempts int
		want     error
	}{
		"at once":             {0, []error{nil}, 1, nil},
		"no second time":      {0, []error{refused}, 1, refused},
		"the third time":      {0, []error{conflict, conflict, nil}, 3, nil},
		"refused the second":  {0, []error{conflict, refused}, 2, refused},
		"never":               {0, []error{conflict}, 8, conflict},
		"ended in the first":  {1, []error{conflict}, 1, context.Canceled},
		"ended in the second": {2, []error{conflict}, 2, context.Canceled},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := databasetest.Open(t, databasetest.SQLite(t))
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			attempts := 0
			err := databasetest.Transaction(ctx, db, func(*gorm.DB) error {
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

func TestADeadlockRunsTheTransactionAgain(t *testing.T) {
	db := databasetest.Migrated(t, databasetest.MariaDB(t))
	if err := databasetest.Exec(t.Context(), db, "INSERT INTO limits (name, tat) VALUES ('a', 0), ('b', 0)"); err != nil {
		t.Fatal(err)
	}
	var runs atomic.Int32
	locked := map[string]chan struct{}{"a": make(chan struct{}), "b": make(chan struct{})}
	cross := func(mine, theirs string) error {
		first := true
		return databasetest.Transaction(t.Context(), db, func(tx *gorm.DB) error {
			runs.Add(1)
			raise := func(name string) error {
				return tx.Exec("UPDATE limits SET tat = tat + 1 WHERE name = ?", name).Error
			}
			if err := raise(mine); err != nil {
				return err
			}
			if first { // now each holds what the other one wants
				first = false
				close(locked[mine])
				<-locked[theirs]
			}
			return raise(theirs)
		})
	}
	var g errgroup.Group
	g.Go(func() error { return cross("a", "b") })
	g.Go(func() error { return cross("b", "a") })
	if err := g.Wait(); err != nil {
		t.Error(err)
	}
	if runs.Load() < 3 {
		t.Errorf("%d runs: there was no deadlock", runs.Load())
	}
	if got, err := databasetest.Count(t.Context(), db, "SELECT SUM(tat) FROM limits"); err != nil || got != 4 {
		t.Errorf("got %d, %v", got, err)
	}
}

func TestABrokenConnectionBeforeCommitRunsTheTransactionAgain(t *testing.T) {
	db := databasetest.Migrated(t, databasetest.MariaDB(t))
	runs := 0
	err := databasetest.Transaction(t.Context(), db, func(tx *gorm.DB) error {
		runs++
		var connection int
		if err := tx.Raw("SELECT CONNECTION_ID()").Scan(&connection).Error; err != nil {
			return err
		}
		if runs == 1 {
			if err := databasetest.Exec(t.Context(), db, "KILL ?", connection); err != nil {
				return err
			}
		}
		return tx.Exec("INSERT INTO identity_leases (identity_id, owner, claim_id, ends_at) VALUES ('i', 'o', '', NOW())").Error
	})
	if err != nil || runs != 2 {
		t.Errorf("got %v after %d runs", err, runs)
	}
	if got, err := databasetest.Count(t.Context(), db, "SELECT COUNT(*) FROM identity_leases"); err != nil || got != 1 {
		t.Errorf("got %d, %v", got, err)
	}
}

func TestALostAnswerToCommitIsLeftToTheCaller(t *testing.T) {
	db := databasetest.Migrated(t, databasetest.MariaDB(t))
	runs := 0
	err := databasetest.Transaction(t.Context(), db, func(tx *gorm.DB) error {
		runs++
		var connection int
		if err := tx.Raw("SELECT CONNECTION_ID()").Scan(&connection).Error; err != nil {
			return err
		}
		return databasetest.Exec(t.Context(), db, "KILL ?", connection)
	})
	if !errors.Is(err, problem.ErrStoreUnavailable) || runs != 1 {
		t.Errorf("got %v after %d runs", err, runs)
	}
}

func TestWhatIsDoneAgainIsCounted(t *testing.T) {
	dsn := databasetest.MariaDB(t)
	databasetest.Migrated(t, dsn)
	through, cuts := databasetest.Cut(t, dsn, "claims")
	db := databasetest.Open(t, through)
	var n int
	err := db.Read(t.Context(), "count", "claims", func(tx *gorm.DB) error { return tx.Raw("SELECT COUNT(*) FROM claims").Scan(&n).Error })
	if err != nil {
		t.Fatal(err)
	}
	conflicts, connections := db.Repeats()
	if conflicts != 0 || connections != 1 || cuts.Load() != 1 {
		t.Errorf("%d conflicts, %d connections, %d cuts", conflicts, connections, cuts.Load())
	}
}

// busyError is what SQLite answers while another process is writing.
type busyError struct{}

func (busyError) Error() string { return "database is locked" }

func (busyError) Code() int { return 5 }
