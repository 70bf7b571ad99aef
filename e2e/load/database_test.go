package main

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/holdline/holdline/e2e/harness"
	"github.com/holdline/holdline/persistence/dialect"
)

// site is where databases are made: a server, or a folder for SQLite's files.
type site struct {
	name   string
	server *harness.Server // nil for SQLite
	files  int
}

func openSite(b *testing.B, name string) *site {
	b.Helper()
	s := &site{name: name}
	switch name {
	case "mariadb":
		s.server = harness.DurableMariaDB(b)
		s.server.Exec(b, "SET GLOBAL innodb_monitor_enable = 'trx_%'")
		// It holds the large history, too.
		s.server.Exec(b, fmt.Sprintf("SET GLOBAL innodb_buffer_pool_size = %d", 512<<20+*earlier*bytesPerClaim))
		s.server.Exec(b, fmt.Sprintf("SET GLOBAL innodb_log_file_size = %d", 256<<20+*earlier*bytesPerClaim/2))
	case "postgres":
		s.server = harness.DurablePostgres(b)
	}
	return s
}

// bytesPerClaim is more than a claim with its texts and events takes.
const bytesPerClaim = 4 << 10

// database is an empty one.
type database struct {
	*site
	dsn  string
	pool *sql.DB // with connections that are set as Holdline's
}

func (s *site) fresh(b *testing.B) database {
	b.Helper()
	if s.server != nil {
		return s.at(b, s.server.NewDatabase(b).DSN)
	}
	s.files++
	return s.at(b, "sqlite://"+filepath.Join(b.TempDir(), fmt.Sprint(s.files, ".db")))
}

func (s *site) at(b *testing.B, dsn string) database {
	b.Helper()
	d, err := dialect.Parse(dsn)
	must(b, err)
	pool, err := d.Pool()
	must(b, err)
	b.Cleanup(func() { must(b, pool.Close()) })
	must(b, d.Prepare(b.Context(), pool))
	return database{s, dsn, pool}
}

// version is the server's own, or SQLite's.
func (s *site) version(b *testing.B) (version string) {
	b.Helper()
	query := "SELECT VERSION()"
	if s.name == "sqlite" {
		query = "SELECT SQLITE_VERSION()"
	}
	must(b, s.fresh(b).pool.QueryRowContext(b.Context(), query).Scan(&version))
	version = strings.TrimPrefix(version, "PostgreSQL ")
	return strings.FieldsFunc(version, func(r rune) bool { return r == ' ' || r == '-' })[0] // the rest is the packager's
}

// The servers' own counts. A transaction of PostgreSQL's that changes rows, or locks
// them, takes a number, and keeps it when it is rolled back; its statistics of commits
// come late.
var counts = map[string]map[string]string{
	"mariadb": {
		"commits/op": "SELECT count FROM information_schema.innodb_metrics WHERE name = 'trx_commits_insert_update'",
		"statements/op": `SELECT SUM(variable_value) FROM information_schema.global_status WHERE variable_name IN
			('COM_SELECT', 'COM_INSERT', 'COM_INSERT_SELECT', 'COM_UPDATE', 'COM_UPDATE_MULTI', 'COM_DELETE', 'COM_DELETE_MULTI', 'COM_REPLACE')`,
		"round-trips/op": "SELECT variable_value FROM information_schema.global_status WHERE variable_name = 'QUESTIONS'",
	},
	"postgres": {"commits/op": "SELECT PG_SNAPSHOT_XMAX(PG_CURRENT_SNAPSHOT())::text"},
}

// counters are what the server has done so far.
func (s *site) counters() (map[string]float64, error) {
	found := map[string]float64{}
	for unit, query := range counts[s.name] {
		var n float64
		if err := s.server.Root.QueryRow(query).Scan(&n); err != nil {
			return nil, err
		}
		found[unit] = n
	}
	if s.server != nil {
		found["database-cpu-ms/op"] = cpuOf(s.pids()...) * 1000
	}
	return found, nil
}

func (s *site) pids() []int {
	if s.server == nil {
		return nil
	}
	return s.server.PIDs()
}

// hastily has commits not wait for the disk during a set-up, and returns what ends that,
// and waits until all is written.
func (s *site) hastily(b *testing.B) (done func()) {
	b.Helper()
	if s.name != "mariadb" {
		return func() {}
	}
	s.server.Exec(b, "SET GLOBAL innodb_flush_log_at_trx_commit = 0")
	return func() {
		s.server.Exec(b, "SET GLOBAL innodb_flush_log_at_trx_commit = 1")
		s.server.Exec(b, "SET GLOBAL innodb_max_dirty_pages_pct_lwm = 0, GLOBAL innodb_max_dirty_pages_pct = 0, GLOBAL innodb_io_capacity = 10000")
		err := until("what was set up is on disk", func() (bool, error) {
			const few = 500 // pages
			var pages int
			err := s.server.Root.QueryRow(`SELECT variable_value FROM information_schema.global_status
				WHERE variable_name = 'INNODB_BUFFER_POOL_PAGES_DIRTY'`).Scan(&pages)
			return pages < few, err
		})
		if err != nil {
			b.Log(err) // what is measured next pays for it
		}
		s.server.Exec(b, "SET GLOBAL innodb_max_dirty_pages_pct = DEFAULT, GLOBAL innodb_io_capacity = DEFAULT")
	}
}

// floor is what a database does without Holdline: transactions of two inserts, each
// client on a connection of its own.
type floor struct {
	database
	values string // how three are written in a statement
}

func startFloor(b *testing.B, s *site) *floor {
	b.Helper()
	f := &floor{s.fresh(b), "(?, ?, ?)"}
	if s.name == "postgres" {
		f.values = "($1, $2, $3)"
	}
	if s.server != nil { // SQLite has one writer
		f.pool.SetMaxOpenConns(mostUsers)
		f.pool.SetMaxIdleConns(mostUsers)
	}
	for _, table := range []string{"one", "other"} {
		for _, statement := range []string{
			"CREATE TABLE " + table + " (id CHAR(36) NOT NULL PRIMARY KEY, owner CHAR(36) NOT NULL, said VARCHAR(255) NOT NULL)",
			"CREATE INDEX " + table + "_owner ON " + table + " (owner)",
		} {
			_, err := f.pool.ExecContext(b.Context(), statement)
			must(b, err)
		}
	}
	return f
}

func (f *floor) once(ctx context.Context, _ int) error {
	tx, err := f.pool.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	owner := uuid.NewString()
	const said = "a hundred letters or so, as a claim has them: +4915200000001, +4915100000001, settings, open"
	for _, table := range []string{"one", "other"} {
		if _, err := tx.ExecContext(ctx, "INSERT INTO "+table+" VALUES "+f.values, uuid.NewString(), owner, said); err != nil {
			return err
		}
	}
	return tx.Commit()
}

func (*floor) arrive(int) error { return nil }
func (*floor) holdline() []int  { return nil }
func (f *floor) others() []int  { return f.pids() }
func (*floor) settle() error    { return nil }
