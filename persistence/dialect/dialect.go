// Package dialect knows MySQL, MariaDB and SQLite apart: how each is opened, what its
// errors mean, and the little SQL in which they differ. Nothing else in Holdline asks
// which database it speaks to.
package dialect

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"slices"
	"strings"
	"syscall"

	"github.com/pressly/goose/v3"
	"gorm.io/gorm"
)

// ErrBadDSN says that a data source name cannot be used. Its text never repeats
// the name, which has a password in it.
var ErrBadDSN = errors.New("persistence: the DSN must be sqlite://FILE or mysql://USER:PASSWORD@tcp(HOST:PORT)/NAME")

// Dialect is one kind of database, and where one of that kind is.
type Dialect interface {
	// Name is the scheme of its DSNs, and the directory of its migrations.
	Name() string
	// Pool returns connections, none of which is made yet.
	Pool() (*sql.DB, error)
	// PatientPool returns connections that wait for long statements: the pool itself,
	// or another one, which is the caller's to close.
	PatientPool(pool *sql.DB) (*sql.DB, error)
	// Prepare sets up what the database itself remembers. It may run again.
	Prepare(ctx context.Context, pool *sql.DB) error
	// Dialector returns GORM's dialect on a pool.
	Dialector(pool *sql.DB) gorm.Dialector
	// Migrations returns goose's name of the dialect.
	Migrations() goose.Dialect
	// Classify says what an error of the driver means.
	Classify(err error) Class

	// Now is the query for the database's time, in UTC; blank if its clock is this
	// machine's.
	Now() string
	// Index follows the name of a table and has its rows read along an index, which may
	// be [PrimaryKey]. It is blank where the planner cannot be told, or need not be.
	Index(name string) string
	// Contains is a condition: the bytes in a column have those of its one parameter
	// somewhere in them.
	Contains(column string) string
	// Explain precedes a statement to ask for its plan.
	Explain() string
}

// PrimaryKey is the index that the table itself is.
const PrimaryKey = "PRIMARY"

// Class is what an error of a database means to whoever has asked it something.
type Class int

const (
	// Other is an error that the dialect has no word for.
	Other Class = iota
	// Conflict: the transaction was rolled back for another's sake, and may start over.
	Conflict
	// Disconnected: the connection has ended. Unless COMMIT was on its way, nothing
	// has happened.
	Disconnected
	// Fault: our statement or our schema is wrong, and would be another time.
	Fault
	// NoTable is a fault: a table is missing.
	NoTable
	// AlreadyThere is a fault: what a migration adds to a table is there.
	AlreadyThere
)

// IsFault reports whether the fault is this program's or its schema's.
func (c Class) IsFault() bool { return c >= Fault }

// Parse reads sqlite://FILE, sqlite://:memory: or
// mysql://USER:PASSWORD@tcp(HOST:PORT)/NAME?PARAMETERS. Parameters that the driver
// does not know are set as system variables. The error wraps [ErrBadDSN].
func Parse(dsn string) (Dialect, error) {
	scheme, rest, _ := strings.Cut(dsn, "://")
	switch scheme {
	case mysqlScheme:
		return parseMySQL(rest)
	case sqliteScheme:
		return parseSQLite(rest)
	default:
		return nil, ErrBadDSN
	}
}

// disconnected reports whether an error is how Go says that a connection has ended.
func disconnected(err error) bool {
	return slices.ContainsFunc([]error{driver.ErrBadConn, io.EOF, io.ErrUnexpectedEOF, syscall.ECONNRESET, syscall.EPIPE},
		func(end error) bool { return errors.Is(err, end) })
}
