package harness

import (
	"context"
	"database/sql"
	"net/url"
	"sync"
	"testing"

	_ "github.com/glebarez/go-sqlite" // the driver "sqlite"
)

// LockSQLite holds the write lock of a database file, as another process that has a
// transaction open does, until the returned function is called, or the test ends.
func LockSQLite(t testing.TB, path string) (unlock func()) {
	t.Helper()
	pool, err := sql.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath()+"?_pragma=busy_timeout(20000)")
	if err != nil {
		t.Fatal(err)
	}
	conn, err := pool.Conn(t.Context())
	if err == nil {
		_, err = conn.ExecContext(t.Context(), "BEGIN EXCLUSIVE")
	}
	if err != nil {
		t.Fatal(err)
	}
	unlock = sync.OnceFunc(func() {
		_, _ = conn.ExecContext(context.Background(), "ROLLBACK")
		_ = conn.Close()
		_ = pool.Close()
	})
	t.Cleanup(unlock)
	return unlock
}

// LockRows holds the rows of tables against writers, and the gaps between them
// against new ones, until the returned function is called, or the test ends.
func (d Database) LockRows(t testing.TB, tables ...string) (unlock func()) {
	t.Helper()
	return d.hold(t, func(conn *sql.Conn) error {
		if _, err := conn.ExecContext(t.Context(), "BEGIN"); err != nil {
			return err
		}
		for _, table := range tables {
			var n int
			if err := conn.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM (SELECT 1 FROM "+d.Name+"."+table+" FOR UPDATE) AS held").Scan(&n); err != nil {
				return err
			}
		}
		return nil
	}, "ROLLBACK")
}

// LockTables holds whole tables, against readers too.
func (d Database) LockTables(t testing.TB, tables ...string) (unlock func()) {
	t.Helper()
	statement := "LOCK TABLES "
	for i, table := range tables {
		if i > 0 {
			statement += ", "
		}
		statement += d.Name + "." + table + " WRITE"
	}
	return d.hold(t, func(conn *sql.Conn) error {
		_, err := conn.ExecContext(t.Context(), statement)
		return err
	}, "UNLOCK TABLES")
}

func (d Database) hold(t testing.TB, lock func(*sql.Conn) error, release string) (unlock func()) {
	t.Helper()
	conn, err := d.Server.Root.Conn(t.Context())
	if err == nil {
		err = lock(conn)
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
