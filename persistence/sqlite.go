package persistence

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"strings"

	"github.com/glebarez/sqlite"
	"gorm.io/gorm"
)

const (
	sqliteMemory = ":memory:"
	// SQLite has one writer at a time. Further connections would wait by polling,
	// where callers that queue for the only one are served in turn; other
	// processes, such as another replica, still wait for the file.
	sqliteConnections = 1
	// SQLite itself waits a second for another process, in which no context is heard;
	// operations are repeated for as long as there is patience.
	sqliteOptions = "?_pragma=busy_timeout(1000)&_pragma=synchronous(FULL)&_txlock=immediate"
)

// openSQLite opens or creates the file that follows sqlite://.
func openSQLite(ctx context.Context, path string) (*DB, gorm.Dialector, error) {
	if path == "" || strings.Contains(path, "?") {
		return nil, nil, fmt.Errorf("%w; SQLite takes no parameters", ErrBadDSN)
	}
	name := sqliteMemory
	if path != sqliteMemory {
		// Numbers are in it: nobody else's to read.
		file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600) //nolint:gosec // the operator names it
		if err != nil {
			return nil, nil, away(err)
		}
		if err := file.Close(); err != nil {
			return nil, nil, away(err)
		}
		name = "file:" + (&url.URL{Path: path}).EscapedPath()
	}
	pool, err := sql.Open(sqlite.DriverName, name+sqliteOptions)
	if err != nil {
		return nil, nil, away(err)
	}
	pool.SetMaxOpenConns(sqliteConnections)
	pool.SetMaxIdleConns(sqliteConnections)
	db := &DB{pool: pool, dialect: sqliteDialect, slow: func() (*sql.DB, error) { return pool, nil }}
	// The file remembers this mode. Changing it does not wait for its turn.
	err = db.retry(ctx, func() error {
		_, err := pool.ExecContext(ctx, "PRAGMA journal_mode = WAL")
		return err
	})
	if err != nil {
		_ = pool.Close()
		return nil, nil, away(err)
	}
	return db, sqlite.Dialector{Conn: pool}, nil
}
