package persistence

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/go-sql-driver/mysql"
	"gorm.io/gorm"
)

const (
	retries      = 8
	firstRetry   = 10 * time.Millisecond
	longestRetry = 500 * time.Millisecond
)

// What MySQL and MariaDB answer when the transaction lost and may start over.
const (
	mysqlLockWait   = 1205
	mysqlDeadlock   = 1213 // also a failed certification in a cluster
	mysqlHasChanged = 1020 // a row is newer than the transaction's snapshot
	mysqlNotInGroup = 1047 // this node of a cluster does not serve now
)

// What MySQL and MariaDB answer when they end a connection.
const (
	mysqlShutdown = 1053
	mysqlKilled   = 1927
)

// What MySQL and MariaDB answer to an ALTER TABLE that was done before.
const (
	mysqlColumnExists = 1060
	mysqlKeyExists    = 1061
)

// mysqlNoTable and sqliteNoTable are how a missing table is reported; SQLite has
// no number for it.
const (
	mysqlNoTable  = 1146
	sqliteNoTable = "no such table"
)

// What SQLite answers, in the low byte, when somebody else is writing.
const (
	sqliteBusy   = 5
	sqliteLocked = 6
)

// retry runs an operation again while its error says that nothing has happened
// and that another time it may.
func (db *DB) retry(ctx context.Context, operation func() error) error {
	err := operation()
	if db.repeats.of(err) == nil {
		return err // as nearly always: nothing is prepared for another time
	}
	pace := backoff.NewExponentialBackOff()
	pace.InitialInterval, pace.MaxInterval, pace.Multiplier = firstRetry, longestRetry, 2
	var again *atomic.Uint64 // what the attempt counts as; nil for the one above
	_, err = backoff.Retry(ctx, func() (struct{}, error) {
		if again != nil {
			again.Add(1)
			err = operation()
		}
		if again = db.repeats.of(err); again == nil && err != nil {
			return struct{}{}, backoff.Permanent(err)
		}
		return struct{}{}, err
	}, backoff.WithBackOff(pace), backoff.WithMaxTries(retries))
	return err
}

// repeats counts what was done again.
type repeats struct{ conflicts, connections atomic.Uint64 }

// of returns what doing something again after an error counts as, nil if that may not
// be.
func (r *repeats) of(err error) *atomic.Uint64 {
	switch {
	case err == nil:
		return nil
	case lost(err):
		return &r.conflicts
	case unsent(err):
		return &r.connections
	default:
		return nil
	}
}

// Repeats counts the statements and transactions that came to nothing and were done
// again: because the database rolled them back for another's sake, or because the
// connection broke before they were sent.
func (db *DB) Repeats() (conflicts, connections uint64) {
	return db.repeats.conflicts.Load(), db.repeats.connections.Load()
}

// patience is how long an operation of the store may take with all its repeats,
// and with the wait for a free connection, where its caller has not less time. A
// database that holds a lock or says nothing is given up then.
const patience = 8 * time.Second

// bounded runs an operation, and repeats it, for as long as there is patience.
//
// SQLite's driver may skip a statement whose context has just ended, and report
// success. So nothing counts as done that ends after its context: it may have been
// done or not.
func (db *DB) bounded(ctx context.Context, operation func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return db.retry(ctx, func() error {
		if err := operation(ctx); err != nil {
			return err
		}
		return ctx.Err()
	})
}

// read runs a query. Reading twice harms nobody.
func (db *DB) read(ctx context.Context, query func(*gorm.DB) error) error {
	return away(db.bounded(ctx, func(ctx context.Context) error { return untilSent(query(db.gorm.WithContext(ctx))) }))
}

// write runs a single statement, which commits by itself.
func (db *DB) write(ctx context.Context, statement func(*gorm.DB) error) error {
	return db.bounded(ctx, func(ctx context.Context) error { return statement(db.gorm.WithContext(ctx)) })
}

// transaction runs several statements: all of them or none.
func (db *DB) transaction(ctx context.Context, statements func(*gorm.DB) error) error {
	return db.bounded(ctx, func(ctx context.Context) error {
		complete := false
		err := db.gorm.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
			if err := statements(tx); err != nil {
				return err
			}
			complete = true
			return nil
		})
		if !complete {
			return untilSent(err)
		}
		return err
	})
}

// unsentError marks an error before which nothing can have been committed.
type unsentError struct{ error }

func (e unsentError) Unwrap() error { return e.error }

// untilSent marks a broken connection as harmless.
func untilSent(err error) error {
	broken := errors.Is(err, driver.ErrBadConn) || errors.Is(err, mysql.ErrInvalidConn) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) ||
		answered(err, mysqlShutdown, mysqlKilled)
	if broken {
		return unsentError{err}
	}
	return err
}

// unsent reports whether the database cannot have heard of the operation.
func unsent(err error) bool {
	if marked := (unsentError{}); errors.As(err, &marked) {
		return true
	}
	dial := (*net.OpError)(nil)
	return errors.As(err, &dial) && dial.Op == "dial" && !dial.Timeout()
}

// lost reports whether the database rolled the operation back for another's sake.
func lost(err error) bool {
	if answered(err, mysqlLockWait, mysqlDeadlock, mysqlHasChanged, mysqlNotInGroup) {
		return true
	}
	if coded := interface{ Code() int }(nil); errors.As(err, &coded) {
		low := coded.Code() & 0xff
		return low == sqliteBusy || low == sqliteLocked
	}
	return false
}

// A database that answers with one of these means our statement or our schema:
// another time it would say the same. MySQL's are classes of SQLSTATE (ISO/IEC 9075-2,
// 24.1): cardinality, data, syntax or access rule. Two of the last class are limits on
// a user's connections, which pass.
var (
	mysqlFaults = []string{"21", "22", "42"}
	mysqlLimits = []uint16{1203, 1226}
	// SQLite's are error, schema, too big, mismatch, misuse and range.
	sqliteFaults = []int{1, 17, 18, 20, 21, 25}
)

// ours reports whether an error is a fault of this program or of its schema, such as
// a missing table, rather than a database that is away.
func ours(err error) bool {
	if server := (*mysql.MySQLError)(nil); errors.As(err, &server) {
		return slices.Contains(mysqlFaults, string(server.SQLState[:2])) && !slices.Contains(mysqlLimits, server.Number)
	}
	if coded := interface{ Code() int }(nil); errors.As(err, &coded) {
		return slices.Contains(sqliteFaults, coded.Code()&0xff)
	}
	return errors.Is(err, gorm.ErrRecordNotFound)
}

// answered reports whether MySQL answered with one of these numbers.
func answered(err error, numbers ...uint16) bool {
	server := (*mysql.MySQLError)(nil)
	return errors.As(err, &server) && slices.Contains(numbers, server.Number)
}

// noTable reports whether the database answered that a table is missing.
func noTable(err error) bool {
	return err != nil && (answered(err, mysqlNoTable) || strings.Contains(err.Error(), sqliteNoTable))
}
