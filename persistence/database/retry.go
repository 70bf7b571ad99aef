package database

import (
	"context"
	"errors"
	"net"
	"sync/atomic"
	"time"

	"github.com/cenkalti/backoff/v5"
	"gorm.io/gorm"

	"github.com/holdline/holdline/persistence/dialect"
)

const (
	retries      = 8
	firstRetry   = 10 * time.Millisecond
	longestRetry = 500 * time.Millisecond
)

// patience is how long an operation may take with all its repeats, and with the wait
// for a free connection, where its caller has not less time. A database that holds a
// lock or says nothing is given up then.
const patience = 8 * time.Second

// Read runs a query. Reading twice harms nobody. The error is classified.
func (db *DB) Read(ctx context.Context, operation, table string, query func(*gorm.DB) error) error {
	return db.Classify(db.run(ctx, operation, table, func(ctx context.Context) error {
		return db.untilSent(query(db.gorm.WithContext(ctx)))
	}))
}

// Write runs a single statement, which commits by itself. The error is what the
// statement returned: [DB.Classify] what nobody expects.
func (db *DB) Write(ctx context.Context, operation, table string, statement func(*gorm.DB) error) error {
	return db.run(ctx, operation, table, func(ctx context.Context) error {
		err := statement(db.gorm.WithContext(ctx))
		if db.dialect.Classify(err) == dialect.Unsent {
			return notSentError{err}
		}
		return err
	})
}

// Transaction runs several statements: all of them or none, and again from the first
// where the database asks for it. The error is what they returned, as with [DB.Write].
func (db *DB) Transaction(ctx context.Context, operation, table string, statements func(*gorm.DB) error) error {
	return db.run(ctx, operation, table, func(ctx context.Context) error { return db.transact(ctx, statements) })
}

// transact runs a transaction once.
func (db *DB) transact(ctx context.Context, statements func(*gorm.DB) error) error {
	complete := false
	err := db.gorm.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		if err := statements(tx); err != nil {
			return err
		}
		complete = true
		return nil
	})
	if !complete {
		return db.untilSent(err)
	}
	return err
}

// Repeat runs a statement that may as well run twice, however long it takes: a node that
// goes away does not end it.
func (db *DB) Repeat(ctx context.Context, statement func(*gorm.DB) error) error {
	return db.retry(ctx, func() error { return db.untilSent(statement(db.gorm.WithContext(ctx))) })
}

// run runs an operation, and repeats it, for as long as there is patience.
//
// SQLite's driver may skip a statement whose context has just ended, and report
// success. So nothing counts as done that ends after its context: it may have been
// done or not.
func (db *DB) run(ctx context.Context, name, table string, operation func(context.Context) error) error {
	ctx, ended := db.opt.Observe(ctx, name, table)
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	err := db.retry(ctx, func() error {
		if err := operation(ctx); err != nil {
			return err
		}
		return ctx.Err()
	})
	class := db.dialect.Classify(err)
	if class != dialect.Other || isNotSent(err) {
		ended(db.Classify(err))
	} else { // how a caller's statement says no
		ended(err)
	}
	if class.Remedy() != "" {
		db.refused.note(db.Classify(err))
	}
	return err
}

// retry runs an operation again while its error says that nothing has happened
// and that another time it may.
func (db *DB) retry(ctx context.Context, operation func() error) error {
	err := operation()
	if db.counter(err) == nil {
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
		if again = db.counter(err); again == nil && err != nil {
			return struct{}{}, backoff.Permanent(err)
		}
		return struct{}{}, err
	}, backoff.WithBackOff(pace), backoff.WithMaxTries(retries))
	return err
}

// repeats counts what was done again.
type repeats struct{ conflicts, connections atomic.Uint64 }

// counter returns what doing something again after an error counts as, nil if that may
// not be.
func (db *DB) counter(err error) *atomic.Uint64 {
	switch {
	case err == nil:
		return nil
	case db.isRetryable(err):
		return &db.repeats.conflicts
	case isNotSent(err):
		return &db.repeats.connections
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

// isRetryable reports whether the database rolled the operation back for another's
// sake.
func (db *DB) isRetryable(err error) bool { return db.dialect.Classify(err) == dialect.Conflict }

// notSentError marks an error before which nothing can have been committed.
type notSentError struct{ error }

func (e notSentError) Unwrap() error { return e.error }

// untilSent marks a broken connection as harmless.
func (db *DB) untilSent(err error) error {
	if class := db.dialect.Classify(err); class == dialect.Disconnected || class == dialect.Unsent {
		return notSentError{err}
	}
	return err
}

// isNotSent reports whether the database cannot have heard of the operation.
func isNotSent(err error) bool {
	if marked := (notSentError{}); errors.As(err, &marked) {
		return true
	}
	dial := (*net.OpError)(nil)
	return errors.As(err, &dial) && dial.Op == "dial" && !dial.Timeout()
}
