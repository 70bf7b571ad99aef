package harness

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Server is a private database server.
type Server struct {
	Port int
	// Root may do everything, and is not counted as the server under test. Statements
	// have question marks for values.
	Root *sql.DB

	kind    serverKind
	dir     string
	output  *Output
	process *Process
	made    atomic.Int32

	// schema is what [Server.NewMigrated] copies.
	schema struct {
		once    sync.Once
		from    string
		tables  []string
		failure error
	}
}

// serverKind is what differs between the kinds of servers.
type serverKind interface {
	name() string
	// install makes the server's folder.
	install(dir string) error
	// command runs the server until it is told to end; nil where it runs already.
	command(s *Server) (*Process, error)
	open(s *Server) (*sql.DB, error)
	// make makes a database and its owner, both of one name.
	make(name string) []string
	// copyTable makes an empty table like that of another database; blank where that
	// would be no quicker than to migrate.
	copyTable(from, to, table string) string
	dsn(port int, name string) string

	connections() string
	rename(d Database, table, name string) string
	forbid(d Database) []string
	allow(d Database) []string
	readOnly(on bool) []string
	lockRows(d Database, tables []string) (lock []string, release string)
	lockTables(d Database, tables []string) (lock []string, release string)
	// logStatements turns the log of statements on; statements reads it; openTransactions
	// lists those of a user.
	logStatements() []string
	statements(t testing.TB, d Database, from, to time.Time) []Statement
	openTransactions(t testing.TB, d Database) ([]string, error)
}

// Database is a fresh database with a user of its own; in PostgreSQL, a schema.
type Database struct {
	Server *Server
	Name   string
	// User owns the database and appears in the log of statements.
	User string
	// DSN is as holdline's database.dsn takes it.
	DSN string
}

// kindOfRun is what HOLDLINE_E2E_DATABASE asks for.
func kindOfRun() (serverKind, error) {
	switch name := os.Getenv("HOLDLINE_E2E_DATABASE"); name {
	case "", "mariadb":
		return mariadbKind{}, nil
	case "postgres":
		return postgresKind{}, nil
	case "mysql":
		return mysqlOfRun()
	default:
		return nil, errors.New("HOLDLINE_E2E_DATABASE: must be mariadb, mysql or postgres")
	}
}

// SharedServer returns the run's server of the kind that HOLDLINE_E2E_DATABASE names
// (MariaDB unless it does), and starts it at first.
func SharedServer(t testing.TB) *Server { t.Helper(); return shared(t, Env.Kind) }

// SharedMariaDB returns the run's MariaDB.
func SharedMariaDB(t testing.TB) *Server { t.Helper(); return shared(t, mariadbKind{}) }

// SharedPostgres returns the run's PostgreSQL.
func SharedPostgres(t testing.TB) *Server { t.Helper(); return shared(t, postgresKind{}) }

func shared(t testing.TB, kind serverKind) *Server {
	t.Helper()
	Env.serving.Lock()
	defer Env.serving.Unlock()
	if Env.servers[kind.name()] == nil {
		s, err := newServer(kind, filepath.Join(Env.Dir, kind.name()))
		if err != nil {
			t.Fatalf("%s: %v", kind.name(), err)
		}
		Env.servers[kind.name()] = s
	}
	return Env.servers[kind.name()]
}

// OwnServer starts a server that the test may stop, of the kind that
// HOLDLINE_E2E_DATABASE names.
func OwnServer(t testing.TB) *Server { t.Helper(); return own(t, Env.Kind) }

// OwnMariaDB starts a MariaDB that the test may stop.
func OwnMariaDB(t testing.TB) *Server { t.Helper(); return own(t, mariadbKind{}) }

// OwnPostgres starts a PostgreSQL that the test may stop.
func OwnPostgres(t testing.TB) *Server { t.Helper(); return own(t, postgresKind{}) }

// DurableMariaDB starts a MariaDB that waits for its disk, as one in production does.
func DurableMariaDB(t testing.TB) *Server { t.Helper(); return own(t, mariadbKind{durable: true}) }

// DurablePostgres is [DurableMariaDB] with PostgreSQL.
func DurablePostgres(t testing.TB) *Server { t.Helper(); return own(t, postgresKind{durable: true}) }

func own(t testing.TB, kind serverKind) *Server {
	t.Helper()
	s, err := newServer(kind, filepath.Join(t.TempDir(), kind.name()))
	if err != nil {
		t.Fatalf("%s: %v", kind.name(), err)
	}
	t.Cleanup(s.stop)
	return s
}

func newServer(kind serverKind, dir string) (*Server, error) {
	if err := kind.install(dir); err != nil {
		return nil, fmt.Errorf("install: %w", err)
	}
	s := &Server{Port: freePort(), kind: kind, dir: dir, output: new(Output)}
	return s, s.start()
}

func (s *Server) start() error {
	process, err := s.kind.command(s)
	if err != nil {
		return err
	}
	s.process = process
	if s.Root == nil {
		if s.Root, err = s.kind.open(s); err != nil {
			return err
		}
	}
	if err := poll(Patience, s.ping); err != nil {
		return fmt.Errorf("not ready: %w: %s", err, tail(s.output.String(), 10))
	}
	return nil
}

func (s *Server) ping() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	return s.Root.PingContext(ctx)
}

func (s *Server) stop() {
	_ = s.Root.Close()
	if s.process != nil {
		_ = s.process.Stop(Patience)
	}
}

// PIDs are the server's processes.
func (s *Server) PIDs() []int { return append(s.process.children(), s.process.PID()) }

// Stop stops the server; [Server.Start] starts it again on the same data.
func (s *Server) Stop(t testing.TB) {
	t.Helper()
	if err := s.process.Stop(Patience); err != nil {
		t.Fatalf("stop %s: %v", s.kind.name(), err)
	}
}

// Kill ends the server as kill -9 does; [Server.Start] starts it again.
func (s *Server) Kill() { s.process.Kill() }

// Freeze makes the server accept and not answer, until the returned function is
// called, or the test ends.
func (s *Server) Freeze(t testing.TB) (thaw func()) {
	t.Helper()
	s.process.FreezeAll()
	t.Cleanup(s.process.ThawAll)
	return s.process.ThawAll
}

// Start starts a stopped server again.
func (s *Server) Start(t testing.TB) {
	t.Helper()
	if err := s.start(); err != nil {
		t.Fatalf("start %s: %v", s.kind.name(), err)
	}
}

// Exec runs a statement as root.
func (s *Server) Exec(t testing.TB, statement string, args ...any) {
	t.Helper()
	if _, err := s.Root.ExecContext(t.Context(), statement, args...); err != nil {
		t.Fatalf("%s: %v\n%s", statement, err, s.health())
	}
}

// ReadOnly has the server take no writes, or take them again.
func (s *Server) ReadOnly(t testing.TB, on bool) {
	t.Helper()
	for _, statement := range s.kind.readOnly(on) {
		s.Exec(t, statement)
	}
}

// health says what became of a server that does not answer.
func (s *Server) health() string {
	if s.process == nil || s.process.Running() {
		return ""
	}
	return fmt.Sprintf("%s ended: %v\n%s", s.kind.name(), s.process.err, tail(s.output.String(), 100))
}

// NewDatabase makes an empty database.
func (s *Server) NewDatabase(t testing.TB) Database {
	t.Helper()
	name := fmt.Sprintf("e2e_%d", s.made.Add(1))
	for _, statement := range s.kind.make(name) {
		s.Exec(t, statement)
	}
	return Database{Server: s, Name: name, User: name, DSN: s.kind.dsn(s.Port, name)}
}

// NewMigrated makes a database of today's schema, or one that has it as soon as Holdline
// has started. To copy what Holdline's migrations made once costs a fifth of running them.
func (s *Server) NewMigrated(t testing.TB) Database {
	t.Helper()
	if s.kind.copyTable("", "", "") == "" {
		return s.NewDatabase(t)
	}
	s.schema.once.Do(func() {
		d := s.NewDatabase(t)
		s.schema.from = d.Name
		printed, err := exec.Command(Env.HoldlineBin, "migrate", "up", "--database-dsn", d.DSN).CombinedOutput()
		if err != nil {
			s.schema.failure = fmt.Errorf("holdline migrate up: %w: %s", err, printed)
			return
		}
		s.schema.tables = d.Tables(t)
	})
	if s.schema.failure != nil {
		t.Fatal(s.schema.failure)
	}
	d := s.NewDatabase(t)
	for _, table := range s.schema.tables {
		s.Exec(t, s.kind.copyTable(s.schema.from, d.Name, table))
	}
	s.Exec(t, "INSERT INTO "+d.Name+".schema_migrations SELECT * FROM "+s.schema.from+".schema_migrations")
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
	if err := d.Server.Root.QueryRowContext(t.Context(), d.Server.kind.connections(), d.User).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// Rename gives a table another name.
func (d Database) Rename(t testing.TB, table, name string) {
	t.Helper()
	d.Server.Exec(t, d.Server.kind.rename(d, table, name))
}

// Forbid takes the right to read away from the database's user, whose connections end;
// Allow gives it back.
func (d Database) Forbid(t testing.TB) { t.Helper(); d.execAll(t, d.Server.kind.forbid(d)) }

// Allow gives the database's user every right to it.
func (d Database) Allow(t testing.TB) { t.Helper(); d.execAll(t, d.Server.kind.allow(d)) }

func (d Database) execAll(t testing.TB, statements []string) {
	t.Helper()
	for _, statement := range statements {
		d.Server.Exec(t, statement)
	}
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

// LockRows holds the rows of tables against writers, and new ones too, until the returned
// function is called, or the test ends.
func (d Database) LockRows(t testing.TB, tables ...string) (unlock func()) {
	t.Helper()
	lock, release := d.Server.kind.lockRows(d, tables)
	return d.hold(t, lock, release)
}

// LockTables holds whole tables, against readers too.
func (d Database) LockTables(t testing.TB, tables ...string) (unlock func()) {
	t.Helper()
	lock, release := d.Server.kind.lockTables(d, tables)
	return d.hold(t, lock, release)
}

func (d Database) hold(t testing.TB, lock []string, release string) (unlock func()) {
	t.Helper()
	conn, err := d.Server.Root.Conn(t.Context())
	for i := 0; err == nil && i < len(lock); i++ {
		_, err = conn.ExecContext(t.Context(), lock[i])
	}
	if err != nil {
		t.Fatal(err)
	}
	unlock = sync.OnceFunc(func() {
		_, _ = conn.ExecContext(context.Background(), release)
		_ = conn.Close()
	})
	t.Cleanup(unlock)
	return unlock
}

// Tables lists the tables of the database.
func (d Database) Tables(t testing.TB) []string {
	t.Helper()
	var tables []string
	d.each(t, "SELECT table_name FROM information_schema.tables WHERE table_schema = ?", func(rows *sql.Rows) error {
		var name string
		err := rows.Scan(&name)
		tables = append(tables, name)
		return err
	}, d.Name)
	return tables
}
