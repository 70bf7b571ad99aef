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
