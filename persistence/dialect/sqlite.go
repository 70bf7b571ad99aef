package dialect

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
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
		file, err := os.OpenFile(d.path, os.O_CREATE|os.O_RDWR, 0o600)
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

// BatchPool returns none: a file has no round trips.
func (sqliteDialect) BatchPool(*sql.DB) (*sql.DB, error) { return nil, nil } //nolint:nilnil // as the interface has it

func (sqliteDialect) Batch(context.Context, *sql.Conn, []Statement) ([]int64, error) {
	return nil, errors.ErrUnsupported
}

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

func (d sqliteDialect) IsMissing() bool {
	if d.path == sqliteMemory {
		return false
	}
	_, err := os.Stat(d.path)
	return errors.Is(err, fs.ErrNotExist)
}

// Others is somebody if another process has the file open, since only a connection that is
// alone can change the journal's mode. From then on the file is this connection's.
func (d sqliteDialect) Others(ctx context.Context, conn *sql.Conn) ([]string, error) {
	for _, pragma := range []string{"journal_mode = DELETE", "locking_mode = EXCLUSIVE", "journal_mode = WAL"} {
		if _, err := conn.ExecContext(ctx, "PRAGMA "+pragma); d.Classify(err) == Conflict {
			return []string{"another process"}, nil
		} else if err != nil {
			return nil, err
		}
	}
	return nil, nil
}

// Server has nothing to say: a file has no settings that Holdline does not set itself.
func (sqliteDialect) Server(context.Context, *sql.DB) (Server, error) { return Server{}, nil }

func (sqliteDialect) Renumber(string, string) string { return "" }

func (sqliteDialect) Explain() string { return "EXPLAIN QUERY PLAN " }

// sqliteClasses are what the low bytes of SQLite's answers mean
// (https://www.sqlite.org/rescode.html).
var sqliteClasses = map[int]Class{
	5:  Conflict, // busy: another process is writing
	6:  Conflict, // locked
	9:  Busy,     // interrupted: its context ended
	15: Busy,     // the file's locks are taken too often
	3:  FileRefused,
	8:  FileRefused, // read-only
	14: FileRefused, // cannot be opened
	23: FileRefused,
	26: NoSuchFormat,
}

// sqliteError is a statement that does not fit the schema, or makes no sense.
const sqliteError = 1

func (sqliteDialect) Classify(err error) Class {
	coded := interface{ Code() int }(nil)
	switch {
	case errors.As(err, &coded):
		if low := coded.Code() & 0xff; low != sqliteError {
			return sqliteClasses[low]
		}
		return schemaClass(err.Error())
	case errors.Is(err, fs.ErrPermission), errors.Is(err, fs.ErrNotExist):
		return FileRefused
	case disconnected(err):
		return Disconnected
	default:
		return Other
	}
}

// schemaClass goes by what SQLite says of an error, for it has no numbers for these.
func schemaClass(said string) Class {
	switch {
	case strings.Contains(said, "no such table"):
		return NoTable
	case strings.Contains(said, "no such column"), strings.Contains(said, "has no column named"):
		return NoColumn
	default:
		return Other
	}
}

// Redact has nothing to do: values are not part of statements here.
func (sqliteDialect) Redact(err error) error { return err }
