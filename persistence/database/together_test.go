package database_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"gorm.io/gorm"

	"github.com/holdline/holdline/internal/problem"
	"github.com/holdline/holdline/persistence/database"
	"github.com/holdline/holdline/persistence/database/databasetest"
)

var until = database.Time(time.Date(2030, 1, 2, 3, 4, 5, 678901000, time.UTC))

// lend adds a lease, with a text of anybody's as its owner.
func lend(tx *gorm.DB, identity, owner string) (int64, error) {
	return database.Exec(tx, "INSERT INTO identity_leases (identity_id, owner, claim_id, ends_at) VALUES (?, ?, ?, ?)", identity, owner, "", until)
}

// borrow changes the owner of a lease.
func borrow(tx *gorm.DB, identity, owner string) (int64, error) {
	return database.Exec(tx, "UPDATE identity_leases SET owner = ? WHERE identity_id = ?", owner, identity)
}

func together(ctx context.Context, db *database.DB, statements func(*gorm.DB) error) error {
	return db.Together(ctx, "test", "identity_leases", statements)
}

var errNobody = errors.New("there is no such lease")

func TestStatementsTogetherAreOneTransaction(t *testing.T) {
	databasetest.OnEach(t, func(t databasetest.Kind) {
		db := t.DB
		leases := func(want int) {
			t.Helper()
			if got, err := databasetest.Count(t.Context(), db, "SELECT COUNT(*) FROM identity_leases"); err != nil || got != want {
				t.Errorf("%d leases, %v; want %d", got, err, want)
			}
		}
		// More often than there are connections: none may be left in a transaction.
		for i := range 40 {
			id := fmt.Sprint("first ", i)
			runs := 0
			err := together(t.Context(), db, func(tx *gorm.DB) error {
				runs++
				if _, err := lend(tx, id, "one"); err != nil {
					return err
				}
				_, err := borrow(tx, id, "two")
				return err
			})
			if err != nil || runs != 1 {
				t.Fatalf("got %v after %d runs", err, runs)
			}
			err = together(t.Context(), db, func(tx *gorm.DB) error {
				if _, err := lend(tx, id+" again", "one"); err != nil {
					return err
				}
				_, err := lend(tx, id, "taken")
				return err
			})
			if !errors.Is(err, gorm.ErrDuplicatedKey) {
				t.Fatalf("a taken key: got %v", err)
			}
			err = together(t.Context(), db, func(tx *gorm.DB) error {
				if _, err := lend(tx, id+" again", "one"); err != nil {
					return err
				}
				changed, err := borrow(tx, "nobody", "two")
				if err == nil && changed == 0 {
					return errNobody
				}
				return err
			})
			if !errors.Is(err, errNobody) {
				t.Fatalf("a statement that changes nothing: got %v", err)
			}
		}
		leases(40)
		// What depends on an answer is run statement by statement.
		err := together(t.Context(), db, func(tx *gorm.DB) error {
			var n int64
			if err := tx.Table("identity_leases").Count(&n).Error; err != nil {
				return err
			}
			_, err := lend(tx, fmt.Sprint("after ", n), "one")
			return err
		})
		if err != nil {
			t.Error(err)
		}
		leases(41)
	})
}

func TestTextsOfAnybodyStayTexts(t *testing.T) {
	databasetest.OnEach(t, func(t databasetest.Kind) {
		for i, owner := range []string{
			"'); DROP TABLE identity_leases; --", `\'; DELETE FROM identity_leases; --`, "?", "$1", "/* ", "\\", "'", "''", "\"", "`", "; COMMIT; ", "ü€😀",
		} {
			id := fmt.Sprint(i)
			err := together(t.Context(), t.DB, func(tx *gorm.DB) error {
				if _, err := lend(tx, id, owner); err != nil {
					return err
				}
				_, err := borrow(tx, id, owner+"!")
				return err
			})
			var got string
			read := t.DB.Read(t.Context(), "test", "identity_leases", func(tx *gorm.DB) error {
				return tx.Raw("SELECT owner FROM identity_leases WHERE identity_id = ?", id).Scan(&got).Error
			})
			if err != nil || read != nil || got != owner+"!" {
				t.Errorf("%q: got %q, %v, %v", owner, got, err, read)
			}
		}
	})
}

func TestALostConnectionAndStatementsTogether(t *testing.T) {
	for name, tt := range map[string]struct {
		word string // that a command begins with
		done bool
	}{
		"before anything was committed": {"\x03START TRANSACTION; ", true},
		"as COMMIT was sent":            {"\x03COMMIT", false},
	} {
		t.Run(name, func(t *testing.T) {
			dsn := databasetest.MariaDB(t)
			behind := databasetest.Migrated(t, dsn)
			through, cuts := databasetest.Cut(t, dsn, tt.word)
			db := databasetest.Open(t, through)
			err := together(t.Context(), db, func(tx *gorm.DB) error {
				if _, err := lend(tx, "one", "o"); err != nil {
					return err
				}
				_, err := lend(tx, "two", "o")
				return err
			})
			want := 0
			if tt.done {
				want = 2
			}
			got, counted := databasetest.Count(t.Context(), behind, "SELECT COUNT(*) FROM identity_leases")
			if (err == nil) != tt.done || !tt.done && !errors.Is(db.Classify(err), problem.ErrStoreUnavailable) || counted != nil || got != want || cuts.Load() != 1 {
				t.Errorf("got %v, %d leases, %v, %d cuts", err, got, counted, cuts.Load())
			}
		})
	}
}

// Who gives up while a lock is waited for leaves nothing behind, and no connection that
// still holds one.
func TestGivingUpOnALockLeavesNothingBehind(t *testing.T) {
	for kind, dsn := range map[string]func(*testing.T) string{"mariadb": databasetest.MariaDB, "postgres": databasetest.Postgres} {
		t.Run(kind, func(t *testing.T) {
			db := databasetest.Migrated(t, dsn(t))
			if err := db.Write(t.Context(), "test", "identity_leases", func(tx *gorm.DB) error { _, err := lend(tx, "one", "o"); return err }); err != nil {
				t.Fatal(err)
			}
			err := databasetest.Transaction(t.Context(), db, func(tx *gorm.DB) error {
				if _, err := borrow(tx, "one", "holder"); err != nil {
					return err
				}
				ctx, cancel := context.WithCancel(t.Context())
				waiting := time.AfterFunc(300*time.Millisecond, cancel)
				defer waiting.Stop()
				err := together(ctx, db, func(tx *gorm.DB) error {
					if _, err := lend(tx, "two", "o"); err != nil {
						return err
					}
					_, err := borrow(tx, "one", "late")
					return err
				})
				if !errors.Is(err, context.Canceled) {
					t.Errorf("got %v", err)
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			// The lease is free again, and the other was not added.
			err = together(t.Context(), db, func(tx *gorm.DB) error {
				if _, err := borrow(tx, "one", "next"); err != nil {
					return err
				}
				_, err := lend(tx, "two", "o")
				return err
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
}
