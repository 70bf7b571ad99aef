package dialect

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/glebarez/sqlite"
	"github.com/pressly/goose/v3"
	"gorm.io/gorm"
)

const (
	sqliteScheme = "sqlite"
	sqliteMemory = ":memory:"
	// SQLite has one writer at a time. Further connections would wait by polling,
	// where callers that queue for the only one are served in turn; other
	// processes, such as another replica, still wait for the file.
	sqliteConnections = 1
	// SQLite itself waits a second for another process, in which no context is heard;
	// operations are repeated.
	sqliteOptions = "?_pragma=busy_timeout(1000)&_pragma=synchronous(FULL)&_txlock=immediate"
)

// sqliteDialect is SQLite with one file, or one database in memory.
type sqliteDialect struct{ path string }

func parseSQLite(path string) (Dialect, error) {
	if path == "" || strings.Contains(path, "?") {
		return nil, fmt.Errorf("%w; SQLite takes no parameters", ErrBadDSN)
	}
	return sqliteDialect{path}, nil
}

func (sqliteDialect) Name() string { return sqliteScheme }

// Pool creates the file if there is none.
func (d sqliteDialect) Pool() (*sql.DB, error) {
	name := d.path
	if d.path != sqliteMemory {
		// Numbers are in it: nobody else's to read.
		file, err := os.OpenFile(d.path, os.O_CREATE|os.O_RDWR, 0o600) //nolint:gosec // the operator names it
		if err != nil {
			return nil, fmt.Errorf("open database file: %w", err)
		}
		if err := file.Close(); err != nil {
			return nil, fmt.Errorf("open database file: %w", err)
		}
		name = "file:" + (&url.URL{Path: d.path}).EscapedPath()
	}
	pool, err := sql.Open(sqlite.DriverName, name+sqliteOptions)
	if err != nil {
		return nil, fmt.Errorf("open database file: %w", err)
	}
	pool.SetMaxOpenConns(sqliteConnections)
	pool.SetMaxIdleConns(sqliteConnections)
	return pool, nil
}

func (sqliteDialect) PatientPool(pool *sql.DB) (*sql.DB, error) { return pool, nil }

// Prepare sets the journal's mode, which the file remembers. The statement does not wait
// for its turn.
func (sqliteDialect) Prepare(ctx context.Context, pool *sql.DB) error {
	_, err := pool.ExecContext(ctx, "PRAGMA journal_mode = WAL")
	return err
}

func (sqliteDialect) Dialector(pool *sql.DB) gorm.Dialector { return sqlite.Dialector{Conn: pool} }

func (sqliteDialect) Migrations() goose.Dialect { return goose.DialectSQLite3 }

// Now is blank: SQLite has no clock but the machine's.
func (sqliteDialect) Now() string { return "" }

func (sqliteDialect) Index(name string) string {
	if name == PrimaryKey { // has no name here
		return ""
	}
	return " INDEXED BY " + name
}

func (sqliteDialect) Contains(column string) string { return "INSTR(" + column + ", ?) > 0" }

func (sqliteDialect) Explain() string { return "EXPLAIN QUERY PLAN " }

// What SQLite answers, in the low byte, when somebody else is writing.
const (
	sqliteBusy   = 5
	sqliteLocked = 6
)

// sqliteFaults are about our statement or our schema: error, schema, too big, mismatch,
// misuse and range.
var sqliteFaults = []int{1, 17, 18, 20, 21, 25}

// sqliteNoTable is how a missing table is reported, for which SQLite has no number.
const sqliteNoTable = "no such table"

func (sqliteDialect) Classify(err error) Class {
	coded := interface{ Code() int }(nil)
	if !errors.As(err, &coded) {
		if disconnected(err) {
			return Disconnected
		}
		return Other
	}
	switch low := coded.Code() & 0xff; {
	case low == sqliteBusy, low == sqliteLocked:
		return Conflict
	case slices.Contains(sqliteFaults, low) && strings.Contains(err.Error(), sqliteNoTable):
		return NoTable
	case slices.Contains(sqliteFaults, low):
		return Fault
	}
	return Other
}
