// Package dialect knows PostgreSQL, MySQL with MariaDB, and SQLite apart: how each is opened, what its
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
var ErrBadDSN = errors.New("persistence: the DSN must be postgres://USER:PASSWORD@HOST:PORT/NAME, mysql://USER:PASSWORD@tcp(HOST:PORT)/NAME or sqlite://FILE")

// Dialect is one kind of database, and where one of that kind is.
type Dialect interface {
	// Name is the scheme of its DSNs, and the directory of its migrations.
	Name() string
	// Pool returns connections, none of which is made yet.
	Pool() (*sql.DB, error)
	// PatientPool returns connections that wait for long statements: the pool itself,
	// or another one, which is the caller's to close.
	PatientPool(pool *sql.DB) (*sql.DB, error)
	// BatchPool returns connections that take several statements in one command: the pool
	// itself, or another one, which is the caller's to close; nil if there are none.
	BatchPool(pool *sql.DB) (*sql.DB, error)
	// Batch begins a transaction on such a connection, runs statements in it, all in one
	// command, and returns how many rows each has changed.
	Batch(ctx context.Context, conn *sql.Conn, statements []Statement) ([]int64, error)
	// Prepare sets up what the database itself remembers. It may run again.
	Prepare(ctx context.Context, pool *sql.DB) error
	// IsMissing reports whether there is no such database yet, and to open it would make
	// one.
	IsMissing() bool
	// Others lists who else has the database open, as far as its server tells this user.
	// What cannot be shared is kept for this connection, where the dialect can do that.
	Others(ctx context.Context, conn *sql.Conn) ([]string, error)
	// Server asks the server about itself.
	Server(ctx context.Context, pool *sql.DB) (Server, error)
	// Dialector returns GORM's dialect on a pool.
	Dialector(pool *sql.DB) gorm.Dialector
	// Migrations returns goose's name of the dialect.
	Migrations() goose.Dialect
	// Classify says what an error of the driver means.
	Classify(err error) Class
	// Redact returns an error whose text quotes nothing of a statement.
	Redact(err error) error

	// Now is the query for the database's time, in UTC; blank if its clock is this
	// machine's.
	Now() string
	// Index follows the name of a table and has its rows read along an index, which may
	// be [PrimaryKey]. It is blank where the planner cannot be told, or need not be.
	Index(name string) string
	// Contains is a condition: the bytes in a column have those of its one parameter
	// somewhere in them.
	Contains(column string) string
	// Renumber has a table number its next row behind all that it has, once rows came
	// with numbers of their own; blank where that goes without saying.
	Renumber(table, column string) string
	// Explain precedes a statement to ask for its plan.
	Explain() string
}

// Statement is one in the dialect's words, with its values.
type Statement struct {
	Query  string
	Values []any
}

// PrimaryKey is the index that the table itself is.
const PrimaryKey = "PRIMARY"

// Class is what an error of a database means to whoever has asked it something.
type Class int

const (
	// Other is an error that the dialect has no word for: a fault of ours.
	Other Class = iota
	// AlreadyThere is what a migration adds to a table, and finds there, or drops and misses.
	AlreadyThere

	// Conflict means that the transaction was rolled back for another's sake, and may
	// start over.
	Conflict
	// Unsent means that there was no connection, or that it had ended before the
	// database did anything with what was sent.
	Unsent
	// Disconnected means that the connection has ended. Unless COMMIT was on its way,
	// nothing has happened.
	Disconnected
	// Busy is a database that cannot serve for now, such as for too many connections.
	Busy
	// ReadOnly is a server that takes no writes: one that another has taken over from,
	// which is transient, or the wrong one.
	ReadOnly

	// NoTable and all that follow stay until an operator does what Remedy says.
	NoTable
	// NoColumn is a table that lacks a column.
	NoColumn
	// NoSchema is a schema that is not there, in which tables were to be made.
	NoSchema
	// NoRight is a right to do something with a table that is missing.
	NoRight
	// NoLogin is a wrong user or password, or no such database.
	NoLogin
	// BadParameter is a parameter of the DSN that the server, or a pooler before it, does
	// not take.
	BadParameter
	// Untrusted is the server's certificate.
	Untrusted
	// FileRefused is a file that cannot be opened, or not be written to.
	FileRefused
	// NoSuchFormat is a file that is no database.
	NoSuchFormat
)

// IsTransient reports whether the database may answer otherwise another time, without
// anybody's doing.
func (c Class) IsTransient() bool { return c >= Conflict && c <= ReadOnly }

// Remedy is what an operator has to do; blank where nothing helps but time.
func (c Class) Remedy() string {
	switch c {
	case ReadOnly:
		return "the server is read-only: database.dsn must name one that takes writes"
	case NoTable, NoColumn:
		return "run `holdline migrate up`"
	case NoSchema:
		return "create the schema that search_path in database.dsn names, for the user of database.dsn"
	case NoRight:
		return "grant the user of database.dsn SELECT, INSERT, UPDATE and DELETE on the database"
	case NoLogin:
		return "check user, password and name of the database in database.dsn"
	case BadParameter:
		return "leave the parameter out of database.dsn; behind a pooler give it to the user, by ALTER ROLE … SET"
	case Untrusted:
		return "database.dsn must name a server whose certificate is trusted here"
	case FileRefused:
		return "Holdline's user must be able to write to the file of database.dsn and to its folder"
	case NoSuchFormat:
		return "database.dsn must name an SQLite database, or a file that is not there yet"
	case Other, AlreadyThere, Conflict, Unsent, Disconnected, Busy:
	}
	return ""
}

// Parse reads postgres://USER:PASSWORD@HOST:PORT/NAME?PARAMETERS, as libpq does,
// mysql://USER:PASSWORD@tcp(HOST:PORT)/NAME?PARAMETERS, whose parameters are set as
// system variables where the driver does not know them, sqlite://FILE or
// sqlite://:memory:. The error wraps [ErrBadDSN].
func Parse(dsn string) (Dialect, error) {
	scheme, rest, _ := strings.Cut(dsn, "://")
	switch scheme {
	case postgresScheme, postgresLongScheme:
		return parsePostgres(dsn)
	case mysqlScheme:
		return parseMySQL(rest)
	case sqliteScheme:
		return parseSQLite(rest)
	default:
		return nil, ErrBadDSN
	}
}

// lines reads a query's rows, each of one text.
func lines(ctx context.Context, conn *sql.Conn, query string) ([]string, error) {
	rows, err := conn.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var all []string
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			return nil, err
		}
		all = append(all, line)
	}
	return all, rows.Err()
}

// disconnected reports whether an error is how Go says that a connection has ended.
func disconnected(err error) bool {
	return slices.ContainsFunc([]error{driver.ErrBadConn, io.EOF, io.ErrUnexpectedEOF, syscall.ECONNRESET, syscall.EPIPE},
		func(end error) bool { return errors.Is(err, end) })
}
