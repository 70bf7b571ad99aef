package persistence_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
	"gorm.io/gorm"

	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/problem"
	"github.com/holdline/holdline/internal/ratelimit"
	"github.com/holdline/holdline/internal/storetest"
	"github.com/holdline/holdline/persistence"
	"github.com/holdline/holdline/persistence/database"
	"github.com/holdline/holdline/persistence/database/databasetest"
	"github.com/holdline/holdline/persistence/migration"
)

// pooled puts a PgBouncer in transaction mode before an empty database, with fewer
// connections to the server than clients have to it, and returns the DSN. More are settings of
// the pooler.
func pooled(t *testing.T, more ...string) string {
	t.Helper()
	at, err := url.Parse(databasetest.PostgresDatabase(t))
	if err != nil {
		t.Fatal("the DSN is no URL")
	}
	program, err := exec.LookPath("pgbouncer")
	if err != nil {
		program = "/usr/sbin/pgbouncer" // where only root looks
	}
	// A test's own folder is closed to the user that it runs as, which is not root.
	dir, err := os.MkdirTemp("", "holdline-pooler-") //nolint:usetesting // see above
	if err == nil {
		err = os.Chmod(dir, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err = errors.Join(err, listener.Close()); err != nil {
		t.Fatal(err)
	}
	password, _ := at.User.Password()
	settings := fmt.Sprintf(`[databases]
* = host=%s port=%s password=%s
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = %s
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 4
max_client_conn = 200
`, at.Hostname(), at.Port(), password, port)
	settings += strings.Join(more, "\n")
	settings = strings.Replace(settings, "password=", "user="+at.User.Username()+" password=", 1)
	file := filepath.Join(dir, "pgbouncer.ini")
	if err := os.WriteFile(file, []byte(settings), 0o644); err != nil {
		t.Fatal(err)
	}
	pooler := exec.Command(program, "-q", file)
	pooler.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if os.Getuid() == 0 {
		pooler = exec.Command("setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", "--pdeathsig=KILL", program, "-q", file)
	}
	printed := new(strings.Builder)
	pooler.Stdout, pooler.Stderr = printed, printed
	if err := pooler.Start(); err != nil {
		t.Fatalf("%v: e2e/debian.sh postgres installs PgBouncer", err)
	}
	t.Cleanup(func() {
		_ = pooler.Process.Kill()
		_ = pooler.Wait()
		if t.Failed() {
			t.Log(printed)
		}
	})
	at.Host = "127.0.0.1:" + port
	for {
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", at.Host)
		if err == nil {
			_ = conn.Close()
			return at.String()
		}
		if t.Context().Err() != nil || pooler.ProcessState != nil {
			t.Fatalf("PgBouncer does not answer: %v", err)
		}
	}
}

// Behind a pooler each transaction may have another connection to the server: nothing that
// a connection remembers may matter.
func TestAPoolerInTransactionModeIsAsGoodAsTheServer(t *testing.T) {
	for name, settings := range map[string]string{
		"that refuses limits of time": "",
		// Nothing that it says shows what it is.
		"that ignores them": "ignore_startup_parameters = lock_timeout,statement_timeout,idle_in_transaction_session_timeout\n",
	} {
		t.Run(name, func(t *testing.T) { behindAPooler(t, pooled(t, settings)) })
	}
}

func behindAPooler(t *testing.T, dsn string) {
	t.Helper()
	db := databasetest.Migrated(t, dsn)
	var g errgroup.Group
	for replica := range 4 {
		store := persistence.NewStore(databasetest.Open(t, dsn))
		g.Go(func() error { return fill(t.Context(), store, replica) })
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	n, err := databasetest.Count(t.Context(), db, "SELECT COUNT(*) FROM claims WHERE state = 'verified'")
	if err != nil || n != 4*25 {
		t.Errorf("got %d, %v", n, err)
	}
	if outdated, err := migration.Outdated(t.Context(), db); err != nil || outdated {
		t.Errorf("outdated: %t, %v", outdated, err)
	}
	if remembered, err := databasetest.Count(t.Context(), db, "SELECT COUNT(*) FROM pg_prepared_statements"); err != nil || remembered != 0 {
		t.Errorf("%d statements are remembered, %v", remembered, err)
	}
	within, err := databasetest.Text(t.Context(), db, "SELECT CURRENT_SETTING('lock_timeout')")
	if err != nil || within != "0" {
		t.Errorf("the next one on its connection waits for %q, %v", within, err)
	}
}

// A server itself need not read and plan a statement each time, but what it remembers may
// be out of date when another release has changed a table.
func TestAServerRemembersStatementsUntilTheirTableChanges(t *testing.T) {
	db := databasetest.Migrated(t, databasetest.Postgres(t))
	db.Pool().SetMaxOpenConns(1)
	store := persistence.NewStore(db)
	find := func() (*claim.Claim, error) { return store.Find(t.Context(), "a") }
	if err := store.Commit(t.Context(), opening("a")); err != nil {
		t.Fatal(err)
	}
	if found, err := find(); err != nil || found == nil {
		t.Fatal(found, err)
	}
	remembered, err := databasetest.Count(t.Context(), db, "SELECT COUNT(*) FROM pg_prepared_statements WHERE statement LIKE 'INSERT INTO %' OR statement LIKE 'SELECT * FROM \"claims\"%'")
	if err != nil || remembered < 3 {
		t.Errorf("%d statements are remembered, %v", remembered, err)
	}
	if err := databasetest.Exec(t.Context(), db, "ALTER TABLE claims ADD COLUMN later INT NOT NULL DEFAULT 0"); err != nil {
		t.Fatal(err)
	}
	if found, err := find(); err != nil || found == nil {
		t.Errorf("after the table has changed: %v, %v", found, err)
	}
}

func TestTheStoreKeepsItsPromisesBehindAPooler(t *testing.T) {
	dsn := pooled(t)
	storetest.TestLimiter(t, func(t *testing.T) ratelimit.Limiter {
		t.Helper()
		db := databasetest.Migrated(t, dsn)
		if err := databasetest.Exec(t.Context(), db, "DELETE FROM limits"); err != nil {
			t.Fatal(err)
		}
		return persistence.NewLimiter(db)
	})
}

// The pooler takes no limits of time at the beginning of a connection: a transaction has
// them all the same, and leaves none behind.
func TestATransactionBehindAPoolerDoesNotWaitForALockForEver(t *testing.T) {
	dsn := pooled(t)
	db := databasetest.Migrated(t, dsn)
	if err := persistence.NewStore(db).Commit(t.Context(), opening("a")); err != nil {
		t.Fatal(err)
	}
	within := ""
	err := databasetest.Transaction(t.Context(), db, func(tx *gorm.DB) error {
		return tx.Raw("SELECT CURRENT_SETTING('lock_timeout') || ' ' || CURRENT_SETTING('statement_timeout') || ' ' || CURRENT_SETTING('transaction_isolation')").Scan(&within).Error
	})
	if err != nil || within != "3s 10s read committed" {
		t.Errorf("got %q, %v", within, err)
	}
	after, err := databasetest.Text(t.Context(), db, "SELECT CURRENT_SETTING('lock_timeout')")
	if err != nil || after != "0" {
		t.Errorf("left behind: %q, %v", after, err)
	}
}

// A parameter that the pooler refuses and that nothing can replace.
func TestAParameterThatAPoolerRefusesIsForAnOperator(t *testing.T) {
	_, err := database.Open(t.Context(), databasetest.With(pooled(t), "search_path", "holdline"), database.Options{})
	if !errors.Is(err, problem.ErrMisconfigured) || !strings.Contains(err.Error(), "ALTER ROLE … SET") {
		t.Errorf("got %v", err)
	}
}

// A pooler whose server is away.
func TestAPoolerWithoutItsServerIsAnOutage(t *testing.T) {
	dsn := pooled(t)
	db := databasetest.Migrated(t, dsn)
	at, err := url.Parse(dsn)
	if err != nil {
		t.Fatal("the DSN is no URL")
	}
	elsewhere := databasetest.Open(t, os.Getenv("TEST_POSTGRES_DSN"))
	if err := databasetest.Exec(t.Context(), elsewhere, "ALTER DATABASE "+strings.TrimPrefix(at.Path, "/")+" CONNECTION LIMIT 0"); err != nil {
		t.Fatal(err)
	}
	over, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	for range 8 { // as many as the pooler has
		if err := databasetest.Exec(t.Context(), elsewhere, "SELECT PG_TERMINATE_BACKEND(pid) FROM pg_stat_activity WHERE datname = ?", strings.TrimPrefix(at.Path, "/")); err != nil {
			t.Fatal(err)
		}
	}
	c := openClaim("a")
	if err := persistence.NewStore(db).Commit(over, claim.Change{Create: &c, At: noon}); !errors.Is(err, problem.ErrStoreUnavailable) {
		t.Errorf("got %v", err)
	}
}
