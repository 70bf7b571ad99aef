package transfer_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"gorm.io/gorm"

	"github.com/holdline/holdline/persistence/database"
	"github.com/holdline/holdline/persistence/database/databasetest"
	"github.com/holdline/holdline/persistence/migration"
	"github.com/holdline/holdline/persistence/transfer"
)

// batch is small, so that tables have several.
const batch = 2

// filled makes a database with rows in every table, and returns its DSN. Nobody has it open.
func filled(t *testing.T, newDSN func(*testing.T) string) string {
	t.Helper()
	dsn := newDSN(t)
	db := open(t, dsn)
	defer db.Close()
	if err := migration.Up(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	for _, table := range transfer.TableNames() {
		rows := rowsOf[table]
		if len(rows) == 0 {
			t.Fatalf("%s has no rows: give it some", table)
		}
		for _, row := range rows {
			put(t, db, table, row)
		}
	}
	return dsn
}

// put adds a row.
func put(t *testing.T, db *database.DB, table string, row map[string]any) {
	t.Helper()
	columns := slices.Sorted(maps.Keys(row))
	values := make([]any, len(columns))
	for i, column := range columns {
		values[i] = row[column]
	}
	err := databasetest.Transaction(t.Context(), db, func(tx *gorm.DB) error {
		_, err := database.Exec(tx, "INSERT INTO "+table+" ("+strings.Join(columns, ", ")+") VALUES (?"+strings.Repeat(", ?", len(columns)-1)+")", values...)
		return err
	})
	if err != nil {
		t.Fatalf("%s: %v", table, err)
	}
}

func open(t *testing.T, dsn string) *database.DB {
	t.Helper()
	db, err := database.Open(t.Context(), dsn, database.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return db
}

// content is what a database's tables have, as this program's own code reads it.
func content(t *testing.T, dsn string) map[string][]string {
	t.Helper()
	db := open(t, dsn)
	defer db.Close()
	all := map[string][]string{}
	for _, name := range transfer.TableNames() {
		rows, err := transfer.Lines(t.Context(), db, name)
		if err != nil {
			t.Fatal(err)
		}
		slices.Sort(rows)
		all[name] = rows
	}
	return all
}

// pairs runs a test from each kind of database to each.
func pairs(t *testing.T, test func(t *testing.T, from, to func(*testing.T) string)) {
	t.Helper()
	for from, newFrom := range databasetest.Alone {
		for to, newTo := range databasetest.Alone {
			t.Run(from+" to "+to, func(t *testing.T) {
				t.Parallel()
				test(t, newFrom, newTo)
			})
		}
	}
}

func TestACopyHasAllThatTheDatabaseHad(t *testing.T) {
	pairs(t, func(t *testing.T, newFrom, newTo func(*testing.T) string) {
		t.Helper()
		from, to := filled(t, newFrom), newTo(t)
		before := content(t, from)
		done, err := transfer.Copy(t.Context(), from, to, transfer.Options{Batch: batch})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(before, content(t, to)); diff != "" {
			t.Errorf("the copy differs:\n%s", diff)
		}
		if diff := cmp.Diff(before, content(t, from)); diff != "" {
			t.Errorf("the copy changed what it was made of:\n%s", diff)
		}
		for _, table := range done.Tables {
			if int(table.Rows) != len(before[table.Name]) {
				t.Errorf("%s: got %d rows, want %d", table.Name, table.Rows, len(before[table.Name]))
			}
		}
		if done.Already || done.Resumed != 0 {
			t.Errorf("got %+v", done)
		}

		// The database goes on: it numbers rows behind those that came with a number.
		db := open(t, to)
		for _, table := range []string{"audit_events", "receipts"} {
			insertNext(t, db, table)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
}

func insertNext(t *testing.T, db *database.DB, table string) {
	t.Helper()
	statement := map[string]string{
		"audit_events": `INSERT INTO audit_events (claim_id, identity_id, kind, actor_kind, actor_id, actor_address, number, reason, happened_at)
			VALUES ('c', 'i', 'open', 'owner', 'i', '', '', '', '2026-03-01 10:00:00.000000')`,
		"receipts": `INSERT INTO receipts (gateway, message, state, detail, received_at) VALUES ('next', 'one', 'sent', '', '2026-03-01 10:00:00.000000')`,
	}[table]
	largest, err := databasetest.Count(t.Context(), db, "SELECT MAX(id) FROM "+table)
	if err != nil {
		t.Fatal(err)
	}
	if err := databasetest.Exec(t.Context(), db, statement); err != nil {
		t.Fatalf("%s cannot be added to: %v", table, err)
	}
	if next, err := databasetest.Count(t.Context(), db, "SELECT MAX(id) FROM "+table); err != nil || next <= largest {
		t.Errorf("%s: after %d comes %d, %v", table, largest, next, err)
	}
}

func TestACopyThatIsRunAgainFindsNothingToDo(t *testing.T) {
	from, to := filled(t, databasetest.SQLite), databasetest.SQLite(t)
	for _, already := range []bool{false, true} {
		done, err := transfer.Copy(t.Context(), from, to, transfer.Options{})
		if err != nil || done.Already != already {
			t.Errorf("got %+v, %v, want %t", done, err, already)
		}
	}
}

// The variables of the process that kills itself.
const (
	killedFrom = "HOLDLINE_TEST_COPY_FROM"
	killedTo   = "HOLDLINE_TEST_COPY_TO"
	killedAt   = "HOLDLINE_TEST_COPY_KILLED" // committed, or before
	killedRows = "HOLDLINE_TEST_COPY_ROWS"   // of a batch
)

// TestCopyThatKillsItself is the process that [TestACopyThatIsKilledGoesOnWhereItWas] kills:
// once its first batch is committed, or when it is about to be.
func TestCopyThatKillsItself(t *testing.T) {
	from := os.Getenv(killedFrom)
	if from == "" {
		t.Skip("another test runs it")
	}
	die := func() { _ = syscall.Kill(os.Getpid(), syscall.SIGKILL); select {} }
	rows, err := strconv.Atoi(os.Getenv(killedRows))
	if err != nil {
		t.Fatal(err)
	}
	o, beforeCommit := transfer.Options{Batch: rows}, func() {}
	if os.Getenv(killedAt) == "committed" {
		o.Report = func(transfer.Table) { die() }
	} else {
		beforeCommit = die
	}
	err = transfer.CopyAround(t.Context(), from, os.Getenv(killedTo), o, beforeCommit)
	fmt.Println("finished:", err)
}

// A copy is killed at each batch, now after its commit and now before.
func TestACopyThatIsKilledGoesOnWhereItWas(t *testing.T) {
	for name, newTo := range databasetest.Alone {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			from, to, rows := filled(t, databasetest.SQLite), newTo(t), batch
			if name != "sqlite" {
				rows = 100 // a batch for each table is enough
			}
			kills, moments := 0, []string{"committed", "before"}
			for ; ; kills++ {
				if kills > 200 {
					t.Fatal("it does not go on")
				}
				child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestCopyThatKillsItself$", "-test.count=1")
				// Every third dies before its commit, with nothing gained.
				child.Env = append(os.Environ(), killedFrom+"="+from, killedTo+"="+to, killedAt+"="+moments[map[bool]int{true: 1}[kills%3 == 2]],
					killedRows+"="+strconv.Itoa(rows))
				printed, err := child.CombinedOutput()
				exit := (*exec.ExitError)(nil)
				if errors.As(err, &exit) && exit.Sys().(syscall.WaitStatus).Signal() == syscall.SIGKILL {
					continue
				}
				if err != nil || !strings.Contains(string(printed), "finished: <nil>") {
					t.Fatalf("after %d kills: %v\n%s", kills, err, printed)
				}
				break
			}
			if diff := cmp.Diff(content(t, from), content(t, to)); diff != "" {
				t.Errorf("after %d kills the copy differs:\n%s", kills, diff)
			}
			if kills < len(transfer.TableNames()) {
				t.Errorf("only %d kills", kills)
			}
		})
	}
}

// What is unfinished is not served, and does not become another database's copy.
func TestAnUnfinishedCopyIsNothingElse(t *testing.T) {
	from, to := filled(t, databasetest.SQLite), databasetest.SQLite(t)
	broken, breakOff := context.WithCancel(t.Context())
	defer breakOff()
	_, err := transfer.Copy(broken, from, to, transfer.Options{Batch: batch, Report: func(transfer.Table) { breakOff() }})
	if err == nil {
		t.Fatal("it was not broken off")
	}
	db := open(t, to)
	if err := transfer.Unfinished(t.Context(), db); !errors.Is(err, transfer.ErrUnfinished) {
		t.Errorf("got %v", err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	another := filled(t, databasetest.SQLite)
	reapply(t, another)
	wantRefused(t, another, to, "unfinished copy of another database")
	wantRefused(t, to, databasetest.SQLite(t), "unfinished copy")
	done, err := transfer.Copy(t.Context(), another, to, transfer.Options{Restart: true})
	if err != nil || done.Resumed != 0 {
		t.Fatalf("got %+v, %v", done, err)
	}
	if diff := cmp.Diff(content(t, another), content(t, to)); diff != "" {
		t.Errorf("the copy differs:\n%s", diff)
	}
	db = open(t, to)
	defer db.Close()
	if err := transfer.Unfinished(t.Context(), db); err != nil {
		t.Error(err)
	}
}

// reapply gives a database another history: tests make theirs in the same second.
func reapply(t *testing.T, dsn string) {
	t.Helper()
	db := open(t, dsn)
	defer db.Close()
	if err := databasetest.Exec(t.Context(), db, "UPDATE schema_migrations SET tstamp = '2026-01-01 00:00:00'"); err != nil {
		t.Fatal(err)
	}
}

func wantRefused(t *testing.T, from, to, why string) {
	t.Helper()
	if _, err := transfer.Copy(t.Context(), from, to, transfer.Options{}); err == nil || !strings.Contains(err.Error(), why) {
		t.Errorf("got %v, want %q", err, why)
	}
}

func TestADatabaseThatIsOpenIsNotCopied(t *testing.T) {
	for name, newDSN := range databasetest.Alone {
		for _, side := range []string{"--from", "--to"} {
			t.Run(name+" "+side, func(t *testing.T) {
				t.Parallel()
				from, to := filled(t, databasetest.SQLite), newDSN(t)
				if side == "--from" {
					from, to = filled(t, newDSN), databasetest.SQLite(t)
				}
				served := open(t, map[string]string{"--from": from, "--to": to}[side])
				if _, err := migration.Outdated(t.Context(), served); err != nil { // as serve begins
					t.Fatal(err)
				}
				wantRefused(t, from, to, side+": others have the database open")
				if err := served.Close(); err != nil {
					t.Error(err)
				}
				if _, err := transfer.Copy(t.Context(), from, to, transfer.Options{}); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

// A server that is started while rows are copied is not seen at first, but what it wrote is.
func TestWhatIsWrittenMeanwhileIsFound(t *testing.T) {
	for name, newDSN := range databasetest.Alone {
		if name == "sqlite" {
			continue // the file is the copy's
		}
		t.Run(name, func(t *testing.T) {
			from, to := filled(t, newDSN), databasetest.SQLite(t)
			write := func(statement string) func(transfer.Table) {
				done := false
				return func(at transfer.Table) {
					if at.Name != "scim_passes" || done {
						return
					}
					done = true
					db := open(t, from)
					defer db.Close()
					if err := databasetest.Exec(t.Context(), db, statement); err != nil {
						t.Error(err)
					}
				}
			}
			for _, statement := range []string{
				"UPDATE claims SET attempts = attempts + 1 WHERE state = 'open'",
				"DELETE FROM limits",
				"INSERT INTO settings (name, value, set_by, set_at) VALUES ('meanwhile', 'b', 'c', '2026-03-01 10:00:00.000000')",
			} {
				_, err := transfer.Copy(t.Context(), from, to, transfer.Options{Restart: true, Report: write(statement)})
				if err == nil || !strings.Contains(err.Error(), "was written to meanwhile") {
					t.Errorf("%s: got %v", statement, err)
				}
			}
			if _, err := transfer.Copy(t.Context(), from, to, transfer.Options{Restart: true}); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestADatabaseWithOtherDataIsLeftAlone(t *testing.T) {
	pairs(t, func(t *testing.T, newFrom, newTo func(*testing.T) string) {
		t.Helper()
		from, to := filled(t, newFrom), filled(t, newTo)
		db := open(t, to)
		if err := databasetest.Exec(t.Context(), db, "UPDATE claims SET attempts = 4 WHERE state = 'open'"); err != nil {
			t.Fatal(err)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
		before := content(t, to)
		wantRefused(t, from, to, "other data")
		if diff := cmp.Diff(before, content(t, to)); diff != "" {
			t.Errorf("it was changed:\n%s", diff)
		}
	})
}

func TestDatabasesOfOtherReleasesAreRefused(t *testing.T) {
	from, to := filled(t, databasetest.SQLite), databasetest.SQLite(t)
	change := func(dsn, statement string) {
		t.Helper()
		db := open(t, dsn)
		defer db.Close()
		if err := databasetest.Exec(t.Context(), db, statement); err != nil {
			t.Fatal(err)
		}
	}
	wantRefused(t, from, from, "the same database")
	wantRefused(t, "sqlite://"+filepath.Join(t.TempDir(), "misspelt.db"), to, "no such file")
	wantRefused(t, "redis://", to, "--from: persistence: the DSN must be")
	wantRefused(t, to, from, "no such file") // nothing was made of it
	change(from, "INSERT INTO schema_migrations (version_id, is_applied) VALUES (99999, 1)")
	wantRefused(t, from, to, "a newer release")
	change(from, "DELETE FROM schema_migrations WHERE version_id IN (99999, 26)")
	wantRefused(t, from, to, "holdline migrate up")
}

// Some texts are from before all were cleaned.
func TestTextsThatNotEveryDatabaseTakesAreMended(t *testing.T) {
	for name, newTo := range databasetest.Alone {
		t.Run(name, func(t *testing.T) {
			from, to := filled(t, databasetest.SQLite), newTo(t)
			db := open(t, from)
			put(t, db, "claims", claimRow("z\x00\xff", "lapsed", map[string]any{"reason": "a\x00b\xffc"}))
			put(t, db, "claims", claimRow("zz", "lapsed", nil))
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			done, err := transfer.Copy(t.Context(), from, to, transfer.Options{Batch: 1})
			if err != nil {
				t.Fatal(err)
			}
			if done.Tables[0].Name != "claims" || done.Tables[0].Mended != 1 {
				t.Errorf("got %+v, want a claim that was mended", done.Tables[0])
			}
			db = open(t, to)
			defer db.Close()
			if n, err := databasetest.Count(t.Context(), db, "SELECT COUNT(*) FROM claims WHERE id = 'z\ufffd\ufffd' AND reason = 'a\ufffdb\ufffdc'"); err != nil || n != 1 {
				t.Errorf("%d claims are mended, %v", n, err)
			}
		})
	}
}
