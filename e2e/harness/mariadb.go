package harness

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// MariaDB is a private instance.
type MariaDB struct {
	Port int
	// Root may do everything, and is not counted as the server under test.
	Root *sql.DB

	dir     string
	output  *Output
	process *Process
	made    atomic.Int32

	// schema is what [MariaDB.NewMigrated] copies.
	schema struct {
		once    sync.Once
		from    string
		tables  []string
		failure error
	}
}

// Database is a fresh database with a user of its own.
type Database struct {
	Server *MariaDB
	Name   string
	// User owns the database and appears in the general log.
	User string
	// DSN is as holdline's database.dsn takes it.
	DSN string
}

// SharedMariaDB returns the instance of the test run, and starts it at first.
func SharedMariaDB(t testing.TB) *MariaDB {
	t.Helper()
	Env.shared.Do(func() {
		Env.mariadb, Env.sharedErr = newMariaDB(filepath.Join(Env.Dir, "mariadb"))
	})
	if Env.sharedErr != nil {
		t.Fatalf("MariaDB: %v", Env.sharedErr)
	}
	return Env.mariadb
}

// OwnMariaDB starts an instance that the test may stop.
func OwnMariaDB(t testing.TB) *MariaDB {
	t.Helper()
	m, err := newMariaDB(filepath.Join(t.TempDir(), "mariadb"))
	if err != nil {
		t.Fatalf("MariaDB: %v", err)
	}
	t.Cleanup(m.stop)
	return m
}

func newMariaDB(dir string) (*MariaDB, error) {
	me, err := user.Current()
	if err != nil {
		return nil, err
	}
	// Servers that are made at the same time, in other test runs too, would meet each
	// other's temporary tables in a folder that they share.
	if err := os.MkdirAll(dir+".tmp", 0o700); err != nil {
		return nil, err
	}
	install := exec.Command("mariadb-install-db", append([]string{
		"--no-defaults", "--user=" + me.Username, "--datadir=" + dir,
		"--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve", "--tmpdir=" + dir + ".tmp",
	}, withoutDisk...)...)
	if printed, err := install.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("install: %w: %s", err, tail(string(printed), 5))
	}
	m := &MariaDB{Port: freePort(), dir: dir, output: new(Output)}
	if err := m.start(me.Username); err != nil {
		return nil, err
	}
	return m, nil
}

// withoutDisk lets a server not wait for its disk: what is committed outlives a killed
// server, and need not outlive the machine.
var withoutDisk = []string{
	"--innodb-flush-log-at-trx-commit=2", "--innodb-flush-method=nosync", "--skip-sync-frm", "--debug-no-sync",
	"--skip-innodb-doublewrite", "--innodb-log-file-size=32M",
}

func (m *MariaDB) start(username string) error {
	process, err := startProcess("mariadbd", m.output, exec.Command("mariadbd", append([]string{
		"--no-defaults",
		"--user=" + username, "--datadir=" + m.dir, "--tmpdir=" + m.dir + ".tmp", "--socket=" + filepath.Join(m.dir, "s"), "--bind-address=127.0.0.1",
		fmt.Sprintf("--port=%d", m.Port), "--skip-name-resolve", "--max-connections=500",
		"--character-set-server=utf8mb4", "--collation-server=utf8mb4_unicode_ci", "--default-time-zone=+00:00",
		"--innodb-buffer-pool-size=64M",
	}, withoutDisk...)...))
	if err != nil {
		return err
	}
	m.process = process
	if m.Root == nil {
		m.Root, err = sql.Open("mysql", fmt.Sprintf("root@tcp(127.0.0.1:%d)/mysql?parseTime=true&interpolateParams=true", m.Port))
		if err != nil {
			return err
		}
	}
	if err := poll(Patience, m.ping); err != nil {
		return fmt.Errorf("not ready: %w: %s", err, tail(m.output.String(), 10))
	}
	return nil
}

func (m *MariaDB) ping() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	return m.Root.PingContext(ctx)
}

func (m *MariaDB) stop() {
	_ = m.Root.Close()
	_ = m.process.Stop(Patience)
}

// Stop stops the server; [MariaDB.Start] starts it again on the same data.
func (m *MariaDB) Stop(t testing.TB) {
	t.Helper()
	if err := m.process.Stop(Patience); err != nil {
		t.Fatalf("stop MariaDB: %v", err)
	}
}

// Kill ends the server as kill -9 does; [MariaDB.Start] starts it again.
func (m *MariaDB) Kill() { m.process.Kill() }

// Freeze makes the server accept and not answer, until the returned function is
// called, or the test ends.
func (m *MariaDB) Freeze(t testing.TB) (thaw func()) {
	t.Helper()
	m.process.Freeze()
	t.Cleanup(m.process.Thaw)
	return m.process.Thaw
}

// Start starts a stopped server again.
func (m *MariaDB) Start(t testing.TB) {
	t.Helper()
	me, err := user.Current()
	if err == nil {
		err = m.start(me.Username)
	}
	if err != nil {
		t.Fatalf("start MariaDB: %v", err)
	}
}

// Exec runs a statement as root.
func (m *MariaDB) Exec(t testing.TB, statement string, args ...any) {
	t.Helper()
	if _, err := m.Root.ExecContext(t.Context(), statement, args...); err != nil {
		t.Fatalf("%s: %v\n%s", statement, err, m.health())
	}
}

// health says what became of a server that does not answer.
func (m *MariaDB) health() string {
	if m.process.Running() {
		return ""
	}
	return fmt.Sprintf("MariaDB ended: %v\n%s", m.process.err, tail(m.output.String(), 100))
}

// NewDatabase makes an empty database.
func (m *MariaDB) NewDatabase(t testing.TB) Database {
	t.Helper()
	name := fmt.Sprintf("e2e_%d", m.made.Add(1))
	m.Exec(t, "CREATE DATABASE "+name)
	m.Exec(t, "CREATE USER "+name+"@'127.0.0.1' IDENTIFIED BY 'app'")
	m.Exec(t, "GRANT ALL ON "+name+".* TO "+name+"@'127.0.0.1'")
	return Database{
		Server: m, Name: name, User: name,
		DSN: fmt.Sprintf("mysql://%s:app@tcp(127.0.0.1:%d)/%s", name, m.Port, name),
	}
}

// NewMigrated makes a database of today's schema. To copy what Holdline's migrations made
// once costs a fifth of running them.
func (m *MariaDB) NewMigrated(t testing.TB) Database {
	t.Helper()
	m.schema.once.Do(func() {
		d := m.NewDatabase(t)
		m.schema.from = d.Name
		printed, err := exec.Command(Env.HoldlineBin, "migrate", "up", "--database-dsn", d.DSN).CombinedOutput()
		if err != nil {
			m.schema.failure = fmt.Errorf("holdline migrate up: %w: %s", err, printed)
			return
		}
		m.schema.tables = d.Tables(t)
	})
	if m.schema.failure != nil {
		t.Fatal(m.schema.failure)
	}
	d := m.NewDatabase(t)
	for _, table := range m.schema.tables {
		m.Exec(t, "CREATE TABLE "+d.Name+"."+table+" LIKE "+m.schema.from+"."+table)
	}
	m.Exec(t, "INSERT INTO "+d.Name+".schema_migrations SELECT * FROM "+m.schema.from+".schema_migrations")
	return d
}

// each runs a query as root and hands every row over.
func (d Database) each(t testing.TB, query string, row func(*sql.Rows) error, args ...any) {
	t.Helper()
	rows, err := d.Server.Root.QueryContext(t.Context(), query, args...)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		if err := row(rows); err != nil {
			t.Fatal(err)
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
}

// LeftOut counts the numbers that were left out of clients' changes of an identity.
func (d Database) LeftOut(identityID string) (n int, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	err = d.Server.Root.QueryRowContext(ctx, "SELECT COUNT(*) FROM "+d.Name+".audit_events WHERE identity_id = ? AND kind = 'number_left_out'",
		identityID).Scan(&n)
	return n, err
}

// SkipLooks makes the workers look no more at identities whose number has been
// written. They do so 5 and 100 seconds after a write, and a test that counts
// statements has no use for that.
func (d Database) SkipLooks(t testing.TB) {
	t.Helper()
	if _, err := d.Server.Root.ExecContext(t.Context(), "UPDATE "+d.Name+".claims SET due_at = NULL WHERE state = 'applied'"); err != nil {
		t.Fatal(err)
	}
}

// NumbersOfTexts returns the number that each text's claim is for, by the text's id.
func (d Database) NumbersOfTexts(t testing.TB) map[string]string {
	t.Helper()
	numbers := map[string]string{}
	d.each(t, "SELECT texts.id, claims.number FROM "+d.Name+".texts JOIN "+d.Name+".claims ON claims.id = texts.claim_id",
		func(rows *sql.Rows) error {
			var id, number string
			err := rows.Scan(&id, &number)
			numbers[id] = number
			return err
		})
	return numbers
}

// Claims returns the states of an identity's claims to a number, by the claims' ids.
// The database may be away.
func (d Database) Claims(identityID, number string) (map[string]string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	rows, err := d.Server.Root.QueryContext(ctx, "SELECT id, state FROM "+d.Name+".claims WHERE identity_id = ? AND number = ?", identityID, number)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	states := map[string]string{}
	for rows.Next() {
		var id, state string
		if err := rows.Scan(&id, &state); err != nil {
			return nil, err
		}
		states[id] = state
	}
	return states, rows.Err()
}

// Connections counts the connections that the database's user has.
func (d Database) Connections(t testing.TB) int {
	t.Helper()
	n := 0
	row := d.Server.Root.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE USER = ?", d.User)
	if err := row.Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// Audit returns the identity's audit trail, each line as "what by whom". A line
// must not have the whole number; one about no number has none.
func (d Database) Audit(t testing.TB, identityID string) []string {
	t.Helper()
	var trail []string
	d.each(t, "SELECT kind, actor_kind, number FROM "+d.Name+".audit_events WHERE identity_id = ? ORDER BY id",
		func(rows *sql.Rows) error {
			var kind, who, number string
			err := rows.Scan(&kind, &who, &number)
			if err == nil && number != "" && !strings.Contains(number, "**") {
				t.Errorf("the audit trail shows the number %q", number)
			}
			trail = append(trail, kind+" by "+who)
			return err
		}, identityID)
	return trail
}

// Numbers returns the numbers that the database keeps of an identity, in claims
// and texts.
func (d Database) Numbers(t testing.TB, identityID string) []string {
	t.Helper()
	claims, texts := d.Name+".claims", d.Name+".texts"
	var all []string
	d.each(t, "SELECT kept FROM ("+
		"SELECT identity_id, number AS kept FROM "+claims+" UNION ALL SELECT identity_id, was FROM "+claims+
		" UNION ALL SELECT identity_id, number FROM "+texts+" UNION ALL SELECT identity_id, number_key FROM "+texts+
		") AS numbers WHERE identity_id = ? AND kept <> ''", func(rows *sql.Rows) error {
		var number string
		err := rows.Scan(&number)
		all = append(all, number)
		return err
	}, identityID)
	return all
}
