package persistence

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/holdline/holdline/internal/problem"
)

// ErrBadDSN says that a data source name cannot be used. Its text never repeats
// the name, which has a password in it.
var ErrBadDSN = errors.New("persistence: the DSN must be sqlite://FILE or mysql://USER:PASSWORD@tcp(HOST:PORT)/NAME")

// DB is a database that may be shared by several replicas.
type DB struct {
	gorm *gorm.DB
	pool *sql.DB
	// slow opens connections that wait for long statements. They are closed after
	// use, unless they are the pool itself.
	slow    func() (*sql.DB, error)
	dialect dialect
	repeats repeats
	// stale is how long a migration lock holds without a sign of life.
	stale time.Duration
}

type dialect string

const (
	mysqlDialect  dialect = "mysql"
	sqliteDialect dialect = "sqlite"
)

// Open connects to sqlite://FILE, sqlite://:memory: or
// mysql://USER:PASSWORD@tcp(HOST:PORT)/NAME?PARAMETERS. Parameters that the
// driver does not know are set as system variables. It returns [ErrBadDSN], or
// wraps [problem.ErrStoreUnavailable] if the database does not answer.
func Open(ctx context.Context, dsn string) (*DB, error) {
	scheme, rest, _ := strings.Cut(dsn, "://")
	var db *DB
	var dialector gorm.Dialector
	var err error
	switch dialect(scheme) {
	case mysqlDialect:
		db, dialector, err = openMySQL(rest)
	case sqliteDialect:
		db, dialector, err = openSQLite(ctx, rest)
	default:
		return nil, ErrBadDSN
	}
	if err != nil {
		return nil, err
	}
	db.stale = lockStale
	db.gorm, err = gorm.Open(dialector, &gorm.Config{
		SkipDefaultTransaction: true, DisableAutomaticPing: true, TranslateError: true,
		Logger: logger.Discard, // errors go to the caller; statements hold numbers
	})
	if err != nil {
		return nil, errors.Join(away(err), db.pool.Close())
	}
	if err := db.Ping(ctx); err != nil {
		return nil, errors.Join(err, db.pool.Close())
	}
	return db, nil
}

// Pool returns the pool of connections, for its statistics.
func (db *DB) Pool() *sql.DB { return db.pool }

// Ping reports whether the database answers.
func (db *DB) Ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return away(db.pool.PingContext(ctx))
}

// Close closes all connections.
func (db *DB) Close() error {
	if err := db.pool.Close(); err != nil {
		return fmt.Errorf("close database: %w", err)
	}
	return nil
}

// away wraps what a store must not pass on as it is: in [problem.ErrStoreUnavailable], unless
// the fault is our own.
func away(err error) error {
	switch {
	case err == nil, errors.Is(err, problem.ErrStoreUnavailable):
		return err
	case ours(err):
		return fmt.Errorf("persistence: %w", err)
	}
	return fmt.Errorf("%w: %w", problem.ErrStoreUnavailable, err)
}
