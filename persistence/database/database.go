// Package database opens a database that several replicas may share, runs statements and
// transactions on it, again where it asks for that, and tells its time.
//
// Deadlocks, certification failures and lock waits run the whole transaction again. So
// does a connection that broke before COMMIT was sent; after that nobody knows, and the
// caller learns so by [problem.ErrStoreUnavailable].
//
// On Galera, wsrep_sync_wait=1 among the DSN's parameters makes every node show
// what another one has committed.
package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/holdline/holdline/internal/problem"
	"github.com/holdline/holdline/persistence/dialect"
)

// Options are what a database is opened with beside its DSN.
type Options struct {
	// Observe hears of each operation, by its name and the table that it is about, and
	// of its end, repeats and all; nil for nobody. What it returns is the context of
	// the operation, and who hears of the end.
	Observe func(ctx context.Context, operation, table string) (context.Context, func(error))
}

// DB is a database that may be shared by several replicas.
type DB struct {
	opt     Options
	dialect dialect.Dialect
	gorm    *gorm.DB
	pool    *sql.DB
	borrows bool // the pool is another DB's
	// batches are connections for [DB.Together]; nil where there is nothing to gain.
	batches *sql.DB
	watched bool // by what would not hear of batches
	repeats repeats
	refused refused
}

// Open connects to the database that a DSN names ([dialect.Parse]). It returns
// [dialect.ErrBadDSN], or what [DB.Classify] does.
func Open(ctx context.Context, dsn string, o Options) (*DB, error) {
	d, err := dialect.Parse(dsn)
	if err != nil {
		return nil, err
	}
	pool, err := d.Pool()
	if err != nil {
		return nil, (&DB{dialect: d}).Classify(err)
	}
	db := &DB{opt: o, dialect: d, pool: pool}
	if db.batches, err = d.BatchPool(pool); err != nil {
		return nil, errors.Join(db.Classify(err), pool.Close())
	}
	db.refused.forget = time.AfterFunc(notReady, func() { db.refused.last.Store(nil) })
	// Before GORM, which may ask the database something already.
	err = db.retry(ctx, func() error { return d.Prepare(ctx, pool) })
	if err == nil {
		err = db.attach()
	}
	if err == nil {
		err = db.Ping(ctx)
	}
	if err != nil {
		return nil, errors.Join(db.Classify(err), db.Close())
	}
	return db, nil
}

// attach puts GORM on the pool.
func (db *DB) attach() (err error) {
	if db.opt.Observe == nil {
		db.opt.Observe = func(ctx context.Context, _, _ string) (context.Context, func(error)) { return ctx, func(error) {} }
	}
	db.gorm, err = gorm.Open(db.dialect.Dialector(db.pool), &gorm.Config{
		SkipDefaultTransaction: true, DisableAutomaticPing: true, TranslateError: true,
		Logger: logger.Discard, // errors go to the caller; statements hold numbers
	})
	return db.Classify(err)
}

// Patient returns the same database by connections that wait for long statements, as
// migrations need. Close it when they are done.
func (db *DB) Patient() (*DB, error) {
	pool, err := db.dialect.PatientPool(db.pool)
	if err != nil {
		return nil, db.Classify(err)
	}
	patient := &DB{opt: db.opt, dialect: db.dialect, pool: pool, borrows: pool == db.pool}
	if err := patient.attach(); err != nil {
		return nil, errors.Join(err, patient.Close())
	}
	return patient, nil
}

// Dialect returns which kind of database it is.
func (db *DB) Dialect() dialect.Dialect { return db.dialect }

// Pool returns the pool of connections, for its statistics and for what brings its own
// SQL.
func (db *DB) Pool() *sql.DB { return db.pool }

// Around puts something between GORM and the pool, which hears every statement. It must
// be put there before the database is used.
func (db *DB) Around(wrap func(gorm.ConnPool) gorm.ConnPool) {
	db.watched = true
	db.gorm.Statement.ConnPool = wrap(db.gorm.Statement.ConnPool)
}

// Ping reports whether the database answers.
func (db *DB) Ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return db.Classify(db.pool.PingContext(ctx))
}

// Ready reports whether the database answers, and has refused nothing lately that it
// refuses until an operator does something.
func (db *DB) Ready(ctx context.Context) error {
	if last := db.refused.last.Load(); last != nil {
		return *last
	}
	return db.Ping(ctx)
}

// notReady is for how long a database that needs an operator is not ready, from the
// last time that it refused something. Only what was refused shows what is missing.
const notReady = time.Minute

// refused is what an operator has to do something about; nothing in a DB of [DB.Patient].
type refused struct {
	last   atomic.Pointer[error]
	forget *time.Timer
}

func (r *refused) note(err error) {
	if r.forget != nil {
		r.last.Store(&err)
		r.forget.Reset(notReady)
	}
}

// Migrated forgets what was refused before: a table was missing.
func (db *DB) Migrated() { db.refused.last.Store(nil) }

// Close closes all connections.
func (db *DB) Close() error {
	if db.borrows {
		return nil
	}
	if db.refused.forget != nil {
		db.refused.forget.Stop()
	}
	if db.batches != nil && db.batches != db.pool {
		if err := db.batches.Close(); err != nil {
			return fmt.Errorf("close database: %w", err)
		}
	}
	if err := db.pool.Close(); err != nil {
		return fmt.Errorf("close database: %w", err)
	}
	return nil
}

// Classify returns what a store passes on for an error of the database: one that wraps
// [problem.ErrStoreUnavailable] where another time it may be otherwise, or
// [problem.ErrMisconfigured] where an operator has to do something. Any other error is a
// fault of ours.
func (db *DB) Classify(err error) error {
	if err == nil || errors.Is(err, problem.ErrStoreUnavailable) || errors.Is(err, problem.ErrMisconfigured) {
		return err
	}
	class := db.dialect.Classify(err)
	remedy := class.Remedy()
	switch {
	case class.IsTransient() && remedy != "":
		return fmt.Errorf("%w: %w: %s", problem.ErrStoreUnavailable, err, remedy)
	case remedy != "":
		return problem.Misconfigured(err, remedy)
	case class.IsTransient(), isUnanswered(err):
		return fmt.Errorf("%w: %w", problem.ErrStoreUnavailable, err)
	}
	return fmt.Errorf("persistence: %w", db.dialect.Redact(err))
}

// isUnanswered reports whether the database could not be asked, or did not answer in
// time.
func isUnanswered(err error) bool {
	network := (*net.OpError)(nil)
	return isNotSent(err) || errors.As(err, &network) || errors.Is(err, os.ErrDeadlineExceeded) ||
		errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) ||
		errors.Is(err, sql.ErrConnDone) || errors.Is(err, sql.ErrTxDone) || strings.HasSuffix(err.Error(), closedPool)
}

// closedPool is how database/sql says that the pool was closed; the error has no name.
const closedPool = "sql: database is closed"
