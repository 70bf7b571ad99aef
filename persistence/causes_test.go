package persistence_test

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/holdline/holdline/internal/audit"
	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/problem"
	"github.com/holdline/holdline/persistence"
	"github.com/holdline/holdline/persistence/database"
	"github.com/holdline/holdline/persistence/database/databasetest"
)

// opening makes a change of two statements, which needs BEGIN and COMMIT.
func opening(id string) claim.Change {
	c := openClaim(id)
	return claim.Change{Create: &c, Text: textOf(c), At: noon}
}

// wantMend expects an error that tells an operator what to do, and a database that is
// not ready.
func wantMend(t *testing.T, db *database.DB, err error, mend string) {
	t.Helper()
	if !errors.Is(err, problem.ErrMisconfigured) || errors.Is(err, problem.ErrStoreUnavailable) || !strings.HasSuffix(err.Error(), mend) {
		t.Errorf("got %v, want %v: … %s", err, problem.ErrMisconfigured, mend)
	}
	if err := db.Ready(t.Context()); !errors.Is(err, problem.ErrMisconfigured) {
		t.Errorf("ready: got %v", err)
	}
}

func TestWhatTheSchemaLacksIsForAnOperator(t *testing.T) {
	for name, damage := range map[string]string{
		"table":                      "DROP TABLE texts",
		"column, in an insertion":    "ALTER TABLE texts DROP COLUMN language",
		"column, in a query":         "ALTER TABLE claims DROP COLUMN reason",
		"table, in the last of many": "DROP TABLE audit_events",
	} {
		t.Run(name, func(t *testing.T) {
			databasetest.OnEach(t, func(k databasetest.Kind) {
				if err := k.DB.Ready(k.Context()); err != nil {
					k.Fatal(err)
				}
				if err := databasetest.Exec(k.Context(), k.DB, damage); err != nil {
					k.Fatal(err)
				}
				store := persistence.NewStore(k.DB)
				change := opening("a")
				change.Events = []audit.Event{{ClaimID: "a", IdentityID: "a", Kind: "open", At: noon}}
				err := store.Commit(k.Context(), change)
				if err == nil {
					_, err = store.Find(k.Context(), "a")
				}
				wantMend(k.T, k.DB, err, "run `holdline migrate up`")
				if found, err := store.Find(k.Context(), "a"); err == nil && found != nil && name != "column, in a query" {
					k.Error("half of a change was kept")
				}
			})
		})
	}
}

// A database that is migrated by the process that found it empty is ready.
func TestAMigratedDatabaseIsReady(t *testing.T) {
	databasetest.OnEach(t, func(k databasetest.Kind) {
		if err := k.DB.Ready(k.Context()); err != nil {
			k.Error(err)
		}
	})
}

// as makes a user who may do only what is said, and returns the DSN.
func as(t *testing.T, dsn, rights string) string {
	t.Helper()
	cfg, err := mysql.ParseDSN(strings.TrimPrefix(dsn, "mysql://"))
	if err != nil {
		t.Fatal(err)
	}
	server := databasetest.Open(t, dsn)
	cfg.User = "u" + strings.ReplaceAll(uuid.NewString(), "-", "")[:20]
	cfg.Passwd = "app"
	for _, statement := range []string{
		"CREATE USER " + cfg.User + "@'127.0.0.1' IDENTIFIED BY 'app'",
		"GRANT " + rights + " ON " + cfg.DBName + ".* TO " + cfg.User + "@'127.0.0.1'",
	} {
		if err := databasetest.Exec(t.Context(), server, statement); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := databasetest.Exec(ctx, server, "DROP USER "+cfg.User+"@'127.0.0.1'"); err != nil {
			t.Error(err)
		}
	})
	return "mysql://" + cfg.FormatDSN()
}

func TestAMissingRightIsForAnOperator(t *testing.T) {
	dsn := databasetest.MariaDB(t)
	databasetest.Migrated(t, dsn)
	db := databasetest.Open(t, as(t, dsn, "SELECT, UPDATE, DELETE"))
	if err := db.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	wantMend(t, db, persistence.NewStore(db).Commit(t.Context(), opening("a")),
		"grant the user of database.dsn SELECT, INSERT, UPDATE and DELETE on the database")
}

func TestALoginThatIsRefusedIsForAnOperator(t *testing.T) {
	dsn := databasetest.MariaDB(t)
	for name, wrong := range map[string]string{
		"password": strings.Replace(dsn, ":app@", ":wrong@", 1), "database": dsn + "x",
	} {
		db, err := database.Open(t.Context(), wrong, database.Options{})
		if err == nil {
			_ = db.Close()
		}
		if !errors.Is(err, problem.ErrMisconfigured) || !strings.Contains(err.Error(), "in database.dsn") || strings.Contains(err.Error(), "wrong") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// A server that has become a replica is replaced by another one in a moment, if the
// DSN does not name a replica. Either way it is not ready.
func TestAServerThatTakesNoWritesIsTriedAgain(t *testing.T) {
	dsn := databasetest.MariaDB(t)
	all := databasetest.Migrated(t, dsn)
	db := databasetest.Open(t, as(t, dsn, "SELECT, INSERT, UPDATE, DELETE"))
	if err := databasetest.Exec(t.Context(), all, "SET GLOBAL read_only = 1"); err != nil {
		t.Fatal(err)
	}
	err := persistence.NewStore(db).Commit(t.Context(), opening("a"))
	if err := databasetest.Exec(t.Context(), all, "SET GLOBAL read_only = 0"); err != nil {
		t.Fatal(err)
	}
	if !errors.Is(err, problem.ErrStoreUnavailable) || !strings.HasSuffix(err.Error(), "database.dsn must name one that takes writes") {
		t.Errorf("got %v", err)
	}
	if err := db.Ready(t.Context()); !errors.Is(err, problem.ErrStoreUnavailable) {
		t.Errorf("ready: got %v", err)
	}
}

func TestAFileThatCannotBeWrittenIsForAnOperator(t *testing.T) {
	db := databasetest.Migrated(t, databasetest.SQLite(t))
	// As SQLite finds a file that it may only read; root could write to any.
	if err := databasetest.Exec(t.Context(), db, "PRAGMA query_only = 1"); err != nil {
		t.Fatal(err)
	}
	wantMend(t, db, persistence.NewStore(db).Commit(t.Context(), opening("a")),
		"Holdline's user must be able to write to the file of database.dsn and to its folder")

	for name, path := range map[string]string{
		"no folder": filepath.Join(t.TempDir(), "none", "holdline.db"), "no database": textFile(t),
	} {
		other, err := database.Open(t.Context(), "sqlite://"+path, database.Options{})
		if err == nil {
			_ = other.Close()
		}
		if !errors.Is(err, problem.ErrMisconfigured) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func textFile(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "holdline.db")
	if err := os.WriteFile(path, []byte(strings.Repeat("a text, and no database\n", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// What a statement quotes of a value stays out of the error.
func TestARefusedStatementIsOurFaultAndNotRepeated(t *testing.T) {
	const number = "4915112345678"
	databasetest.OnEach(t, func(k databasetest.Kind) {
		attempts := 0
		err := databasetest.Transaction(k.Context(), k.DB, func(tx *gorm.DB) error {
			attempts++
			return tx.Exec("SELEKT ?", number).Error
		})
		if err == nil || errors.Is(err, problem.ErrStoreUnavailable) || errors.Is(err, problem.ErrMisconfigured) || strings.Contains(err.Error(), number) {
			k.Errorf("got %v", err)
		}
		if attempts != 1 {
			k.Errorf("%d attempts", attempts)
		}
		if err := k.DB.Ready(k.Context()); err != nil {
			k.Errorf("ready: got %v", err)
		}
	})
}

// Two transactions that want each other's rows: the server ends one of them, which
// begins anew.
func TestADeadlockIsRepeated(t *testing.T) {
	wantDeadlockRepeated(t, databasetest.Migrated(t, databasetest.MariaDB(t)))
}

func wantDeadlockRepeated(t *testing.T, db *database.DB) {
	t.Helper()
	for _, id := range []string{"a", "b"} {
		if err := persistence.NewStore(db).Commit(t.Context(), opening(id)); err != nil {
			t.Fatal(err)
		}
	}
	// Each holds its first row before it asks for the other's; only the first time.
	holds := map[string]chan struct{}{"a": make(chan struct{}), "b": make(chan struct{})}
	lock := func(first, second string) error {
		met := false
		return databasetest.Transaction(t.Context(), db, func(tx *gorm.DB) error {
			if err := tx.Exec("UPDATE claims SET attempts = attempts + 1 WHERE id = ?", first).Error; err != nil {
				return err
			}
			if !met {
				met = true
				close(holds[first])
				<-holds[second]
			}
			return tx.Exec("UPDATE claims SET attempts = attempts + 1 WHERE id = ?", second).Error
		})
	}
	ends := make(chan error, 1)
	go func() { ends <- lock("a", "b") }()
	if err := errors.Join(lock("b", "a"), <-ends); err != nil {
		t.Fatal(err)
	}
	if conflicts, _ := db.Repeats(); conflicts == 0 {
		t.Error("nothing was repeated")
	}
	if n, err := databasetest.Count(t.Context(), db, "SELECT SUM(attempts) FROM claims"); err != nil || n != 4 {
		t.Errorf("got %d tries, %v, want 4: each transaction once", n, err)
	}
}

// A row that somebody holds for longer than all the repeats.
func TestALockThatIsHeldIsAnOutage(t *testing.T) {
	db := databasetest.Migrated(t, databasetest.MariaDB(t))
	if err := persistence.NewStore(db).Commit(t.Context(), opening("a")); err != nil {
		t.Fatal(err)
	}
	const touch = "UPDATE claims SET attempts = attempts + 1 WHERE id = 'a'"
	held, err := db.Pool().BeginTx(t.Context(), nil)
	if err == nil {
		_, err = held.ExecContext(t.Context(), touch)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = held.Rollback() }()
	wait := 1 // second, the least in MySQL
	if version, err := databasetest.Text(t.Context(), db, "SELECT VERSION()"); err == nil && strings.Contains(version, "MariaDB") {
		wait = 0
	}
	err = databasetest.Transaction(t.Context(), db, func(tx *gorm.DB) error {
		if err := tx.Exec("SET innodb_lock_wait_timeout = ?", wait).Error; err != nil {
			return err
		}
		return tx.Exec(touch).Error
	})
	// With a second for each try, the time for all of them may end first.
	if server := (*mysql.MySQLError)(nil); !errors.Is(err, problem.ErrStoreUnavailable) ||
		wait == 0 && (!errors.As(err, &server) || server.Number != 1205) {
		t.Errorf("got %v", err)
	}
	if conflicts, _ := db.Repeats(); conflicts == 0 {
		t.Error("nothing was repeated")
	}
	if err := db.Ready(t.Context()); err != nil {
		t.Errorf("ready: got %v", err)
	}
}

// An administrator, or a proxy, ends a connection in the middle of a transaction.
func TestAConnectionThatIsKilledIsReplaced(t *testing.T) {
	db := databasetest.Migrated(t, databasetest.MariaDB(t))
	killed := false
	err := databasetest.Transaction(t.Context(), db, func(tx *gorm.DB) error {
		var id int64
		if err := tx.Raw("SELECT CONNECTION_ID()").Scan(&id).Error; err != nil {
			return err
		}
		if !killed {
			killed = true
			if _, err := db.Pool().ExecContext(t.Context(), "KILL ?", id); err != nil {
				return err
			}
		}
		return tx.Exec("INSERT INTO settings (name, value, set_by, set_at) VALUES ('a', 'b', 'c', UTC_TIMESTAMP(6))").Error
	})
	if err != nil {
		t.Fatal(err)
	}
	if n, err := databasetest.Count(t.Context(), db, "SELECT COUNT(*) FROM settings"); err != nil || n != 1 {
		t.Errorf("got %d rows, %v", n, err)
	}
}

// unansweredCommits are what may become of a COMMIT that is not answered, and of the same
// change once more.
var unansweredCommits = map[string]struct {
	met  func(client, server net.Conn, statement []byte)
	then error
}{
	"done": {func(client, server net.Conn, commit []byte) {
		_ = client.Close()
		_, _ = server.Write(commit)
	}, claim.ErrExists},
	"lost":    {func(client, _ net.Conn, _ []byte) { _ = client.Close() }, nil},
	"stalled": {func(client, _ net.Conn, _ []byte) { _, _ = client.Read(make([]byte, 1)) }, nil},
}

// wantFoundAgain makes a change whose COMMIT is not answered, and then once more.
func wantFoundAgain(t *testing.T, db *database.DB, commit func(*persistence.Store) error, met *atomic.Int32, then error) {
	t.Helper()
	store := persistence.NewStore(db)
	if err := commit(store); !errors.Is(err, problem.ErrStoreUnavailable) {
		t.Errorf("got %v, want %v", err, problem.ErrStoreUnavailable)
	}
	if _, connections := db.Repeats(); connections != 0 || met.Load() != 1 {
		t.Errorf("%d repeats, %d commits met", connections, met.Load())
	}
	if err := store.Commit(t.Context(), opening("a")); !errors.Is(err, then) {
		t.Errorf("the second time: got %v, want %v", err, then)
	}
	if found, err := store.Find(t.Context(), "a"); err != nil || found == nil {
		t.Errorf("found %+v, %v", found, err)
	}
}

// Whether a COMMIT that was not answered has happened nobody knows. It is not repeated
// blindly: whoever does that finds what has happened.
func TestACommitWithoutAnAnswerIsFoundByWhoRepeatsIt(t *testing.T) {
	for name, tt := range unansweredCommits {
		t.Run(name, func(t *testing.T) {
			dsn := databasetest.MariaDB(t)
			databasetest.Migrated(t, dsn)
			through, met := databasetest.Relay(t, dsn, "\x03COMMIT", tt.met)
			db := databasetest.Open(t, through+"?readTimeout=3s")
			commit := func(s *persistence.Store) error { return s.Commit(t.Context(), opening("a")) }
			wantFoundAgain(t, db, commit, met, tt.then)
		})
	}
}

// A caller's time is over, or he has left, before the pool has a connection or the
// server an answer.
func TestWhoeverStopsWaitingLearnsWhy(t *testing.T) {
	dsn := databasetest.MariaDB(t)
	databasetest.Migrated(t, dsn)
	db := databasetest.Open(t, dsn)
	for name, wait := range map[string]func(context.Context) error{
		"pool": func(ctx context.Context) error {
			db.Pool().SetMaxOpenConns(1)
			defer db.Pool().SetMaxOpenConns(32)
			held, err := db.Pool().Conn(context.WithoutCancel(ctx))
			if err != nil {
				return err
			}
			defer func() { _ = held.Close() }()
			_, err = persistence.NewStore(db).Find(ctx, "a")
			return err
		},
		"answer": func(ctx context.Context) error {
			return databasetest.Transaction(ctx, db, func(tx *gorm.DB) error { return tx.Exec("SELECT SLEEP(60)").Error })
		},
	} {
		over, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		if err := wait(over); !errors.Is(err, problem.ErrStoreUnavailable) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s, time over: got %v", name, err)
		}
		cancel()
		left, cancel := context.WithCancel(t.Context())
		stop := time.AfterFunc(100*time.Millisecond, cancel)
		if err := wait(left); !errors.Is(err, problem.ErrStoreUnavailable) || !errors.Is(err, context.Canceled) {
			t.Errorf("%s, caller left: got %v", name, err)
		}
		stop.Stop()
		cancel()
	}
	if err := db.Ready(t.Context()); err != nil {
		t.Errorf("ready: got %v", err)
	}
}

func TestAServerThatIsNotThereIsAnOutage(t *testing.T) {
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err == nil {
		err = listener.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	db, err := database.Open(t.Context(), "mysql://app:app@tcp("+listener.Addr().String()+")/app", database.Options{})
	if err == nil {
		_ = db.Close()
	}
	if !errors.Is(err, problem.ErrStoreUnavailable) {
		t.Errorf("got %v", err)
	}
}
