package persistence_test

import (
	"context"
	"errors"
	"net"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgconn"
	"gorm.io/gorm"

	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/problem"
	"github.com/holdline/holdline/persistence"
	"github.com/holdline/holdline/persistence/database"
	"github.com/holdline/holdline/persistence/database/databasetest"
)

// asRole makes a role that may do only what is said with the tables of a schema, and
// returns its DSN.
func asRole(t *testing.T, dsn, rights string) string {
	t.Helper()
	at, err := url.Parse(dsn)
	if err != nil {
		t.Fatal("the DSN is no URL")
	}
	schema, role := at.Query().Get("search_path"), "u"+strings.ReplaceAll(uuid.NewString(), "-", "")[:20]
	server := databasetest.Open(t, dsn)
	for _, statement := range []string{
		"CREATE ROLE " + role + " LOGIN PASSWORD 'app'", "GRANT USAGE ON SCHEMA " + schema + " TO " + role,
		"GRANT " + rights + " ON ALL TABLES IN SCHEMA " + schema + " TO " + role,
	} {
		if err := databasetest.Exec(t.Context(), server, statement); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		for _, statement := range []string{
			"REVOKE ALL ON ALL TABLES IN SCHEMA " + schema + " FROM " + role, "REVOKE ALL ON SCHEMA " + schema + " FROM " + role, "DROP ROLE " + role,
		} {
			if err := databasetest.Exec(ctx, server, statement); err != nil {
				t.Error(err)
			}
		}
	})
	at.User = url.UserPassword(role, "app")
	return at.String()
}

func TestAMissingRightInPostgresIsForAnOperator(t *testing.T) {
	dsn := databasetest.Postgres(t)
	databasetest.Migrated(t, dsn)
	db := databasetest.Open(t, asRole(t, dsn, "SELECT, UPDATE, DELETE"))
	if err := db.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	wantMend(t, db, persistence.NewStore(db).Commit(t.Context(), opening("a")),
		"grant the user of database.dsn SELECT, INSERT, UPDATE and DELETE on the database")
}

func TestALoginThatPostgresRefusesIsForAnOperator(t *testing.T) {
	dsn := databasetest.Postgres(t)
	for name, wrong := range map[string]string{
		"password": strings.Replace(dsn, ":app@", ":wrong@", 1), "role": strings.Replace(dsn, "//app:", "//nobody:", 1),
		"database": databasetest.InPostgres(t, dsn, "nowhere"),
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

func TestAParameterThatPostgresDoesNotKnowIsForAnOperator(t *testing.T) {
	_, err := database.Open(t.Context(), databasetest.With(databasetest.Postgres(t), "no_such_parameter", "1"), database.Options{})
	if !errors.Is(err, problem.ErrMisconfigured) || !strings.Contains(err.Error(), "leave the parameter out of database.dsn") {
		t.Errorf("got %v", err)
	}
}

// A server without TLS, where the DSN asks for it.
func TestAServerWithoutTLSIsForAnOperator(t *testing.T) {
	dsn := strings.Replace(databasetest.Postgres(t), "sslmode=disable", "sslmode=verify-full", 1)
	_, err := database.Open(t.Context(), dsn, database.Options{})
	if !errors.Is(err, problem.ErrMisconfigured) || !strings.Contains(err.Error(), "whose certificate is trusted here") {
		t.Errorf("got %v", err)
	}
}

// As a standby is, or a server that another has taken over from. Its connections are not
// kept: where the DSN names several hosts, the next may be a primary's.
func TestAPostgresThatTakesNoWritesIsTriedAgain(t *testing.T) {
	dsn := databasetest.Postgres(t)
	databasetest.Migrated(t, dsn)
	db := databasetest.Open(t, databasetest.With(dsn, "default_transaction_read_only", "on"))
	store := persistence.NewStore(db)
	first, err := databasetest.Count(t.Context(), db, "SELECT PG_BACKEND_PID()")
	if err != nil {
		t.Fatal(err)
	}
	err = store.Commit(t.Context(), opening("a"))
	if !errors.Is(err, problem.ErrStoreUnavailable) || !strings.HasSuffix(err.Error(), "database.dsn must name one that takes writes") {
		t.Errorf("got %v", err)
	}
	if err := db.Ready(t.Context()); !errors.Is(err, problem.ErrStoreUnavailable) {
		t.Errorf("ready: got %v", err)
	}
	if next, err := databasetest.Count(t.Context(), db, "SELECT PG_BACKEND_PID()"); err != nil || next == first {
		t.Errorf("the connection was kept: %v", err)
	}
}

// target_session_attrs asks for a server that takes writes, and none does.
func TestHostsOfWhichNoneIsThePrimaryAreTriedAgain(t *testing.T) {
	dsn := databasetest.With(databasetest.Postgres(t), "default_transaction_read_only", "on")
	_, err := database.Open(t.Context(), databasetest.With(dsn, "target_session_attrs", "read-write"), database.Options{})
	if !errors.Is(err, problem.ErrStoreUnavailable) || !strings.Contains(err.Error(), "read-only") {
		t.Errorf("got %v", err)
	}
}

// Of several hosts those that are away are passed over.
func TestTheFirstHostThatAnswersIsTaken(t *testing.T) {
	dsn := databasetest.Postgres(t)
	at, err := url.Parse(dsn)
	if err != nil {
		t.Fatal("the DSN is no URL")
	}
	several := strings.Replace(databasetest.With(dsn, "target_session_attrs", "read-write"), at.Host, "127.0.0.1:1,"+at.Host, 1)
	if err := databasetest.Open(t, several).Ping(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestADeadlockInPostgresIsRepeated(t *testing.T) {
	db := databasetest.Migrated(t, databasetest.Postgres(t))
	wantDeadlockRepeated(t, db)
}

func TestALockThatIsHeldInPostgresIsAnOutage(t *testing.T) {
	dsn := databasetest.Postgres(t)
	databasetest.Migrated(t, dsn)
	db := databasetest.Open(t, databasetest.With(dsn, "lock_timeout", "1ms"))
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
	for name, operation := range map[string]func() error{
		"a transaction": func() error {
			return databasetest.Transaction(t.Context(), db, func(tx *gorm.DB) error { return tx.Exec(touch).Error })
		},
		"a statement": func() error {
			return db.Classify(db.Write(t.Context(), "test", "", func(tx *gorm.DB) error { return tx.Exec(touch).Error }))
		},
	} {
		err := operation()
		if server := (*pgconn.PgError)(nil); !errors.Is(err, problem.ErrStoreUnavailable) || !errors.As(err, &server) || server.Code != "55P03" {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if conflicts, _ := db.Repeats(); conflicts == 0 {
		t.Error("nothing was repeated")
	}
	if err := db.Ready(t.Context()); err != nil {
		t.Errorf("ready: got %v", err)
	}
}

// An administrator, or the server's own limit, ends a connection in the middle of a
// transaction, or while it is idle.
func TestAConnectionThatPostgresEndsIsReplaced(t *testing.T) {
	db := databasetest.Migrated(t, databasetest.Postgres(t))
	end := func(pid int) {
		t.Helper()
		if _, err := databasetest.Count(t.Context(), db, "SELECT COUNT(*) FROM (SELECT PG_TERMINATE_BACKEND(?)) AS ended", pid); err != nil {
			t.Fatal(err)
		}
	}
	ended := false
	insert := func(name string) func(*gorm.DB) error {
		return func(tx *gorm.DB) error {
			var pid int
			if err := tx.Raw("SELECT PG_BACKEND_PID()").Scan(&pid).Error; err != nil {
				return err
			}
			if !ended {
				ended = true
				end(pid)
			}
			return tx.Exec("INSERT INTO settings (name, value, set_by, set_at) VALUES (?, 'b', 'c', CLOCK_TIMESTAMP())", name).Error
		}
	}
	if err := databasetest.Transaction(t.Context(), db, insert("in a transaction")); err != nil {
		t.Fatal(err)
	}
	db.Pool().SetMaxIdleConns(1) // the one that is ended
	pid, err := databasetest.Count(t.Context(), db, "SELECT PG_BACKEND_PID()")
	if err != nil {
		t.Fatal(err)
	}
	other := databasetest.Open(t, databasetest.Postgres(t))
	if _, err := databasetest.Count(t.Context(), other, "SELECT COUNT(*) FROM (SELECT PG_TERMINATE_BACKEND(?)) AS ended", pid); err != nil {
		t.Fatal(err)
	}
	err = db.Write(t.Context(), "test", "", func(tx *gorm.DB) error {
		return tx.Exec("INSERT INTO settings (name, value, set_by, set_at) VALUES ('idle', 'b', 'c', CLOCK_TIMESTAMP())").Error
	})
	if err != nil {
		t.Errorf("a statement on a connection that had ended: %v", err)
	}
	if n, err := databasetest.Count(t.Context(), db, "SELECT COUNT(*) FROM settings"); err != nil || n != 2 {
		t.Errorf("got %d rows, %v", n, err)
	}
}

func TestACommitThatPostgresDoesNotAnswerIsFoundByWhoRepeatsIt(t *testing.T) {
	for name, tt := range unansweredCommits {
		t.Run(name, func(t *testing.T) {
			dsn := databasetest.Postgres(t)
			databasetest.Migrated(t, dsn)
			through, met := databasetest.Relay(t, dsn, "COMMIT\x00", tt.met)
			db := databasetest.Open(t, through)
			over, cancel := context.WithTimeout(t.Context(), 3*time.Second)
			defer cancel()
			commit := func(s *persistence.Store) error { return s.Commit(over, opening("a")) }
			wantFoundAgain(t, db, commit, met, tt.then)
		})
	}
}

func TestAStandbyThatIsNotThereIsAnOutage(t *testing.T) {
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err == nil {
		err = listener.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	db, err := database.Open(t.Context(), "postgres://app:app@"+listener.Addr().String()+"/app", database.Options{})
	if err == nil {
		_ = db.Close()
	}
	if !errors.Is(err, problem.ErrStoreUnavailable) {
		t.Errorf("got %v", err)
	}
}

// Everything is in the schema that search_path names; one that is not there is for an
// operator.
func TestPostgresTablesAreInTheSchemaOfTheDSN(t *testing.T) {
	dsn := databasetest.Postgres(t)
	db := databasetest.Migrated(t, dsn)
	at, err := url.Parse(dsn)
	if err != nil {
		t.Fatal("the DSN is no URL")
	}
	schema := at.Query().Get("search_path")
	n, err := databasetest.Count(t.Context(), db, "SELECT COUNT(*) FROM pg_tables WHERE schemaname = ? AND tablename IN ('claims', 'schema_migrations', 'schema_lock')", schema)
	if err != nil || n != 3 {
		t.Errorf("%d of the tables are in the schema, %v", n, err)
	}
	if n, err := databasetest.Count(t.Context(), db, "SELECT COUNT(*) FROM pg_tables WHERE schemaname = 'public'"); err != nil || n != 0 {
		t.Errorf("%d tables are in public, %v", n, err)
	}
}

// No text ends in a statement that fails, whether it is looked for or kept.
func TestTextsThatNoDatabaseShouldTakeAreCleanedOrNotFound(t *testing.T) {
	databasetest.OnEach(t, func(t databasetest.Kind) {
		store := persistence.NewStore(t.DB)
		for _, id := range []string{"nul\x00", "no UTF-8 \xff"} {
			if found, err := store.Find(t.Context(), id); err != nil || found != nil {
				t.Errorf("%q: got %+v, %v", id, found, err)
			}
			if last, err := store.Last(t.Context(), id); err != nil || last != nil {
				t.Errorf("%q: got %+v, %v", id, last, err)
			}
		}
		c := openClaim("nul\x00")
		if err := store.Commit(t.Context(), claim.Change{Create: &c, Text: textOf(c), At: noon}); err != nil {
			t.Error(err)
		}
	})
}
