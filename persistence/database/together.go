package database

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"slices"
	"time"

	"gorm.io/gorm"

	"github.com/holdline/holdline/persistence/dialect"
)

// rollbackTime bounds the wait for a ROLLBACK, whose connection is closed otherwise.
const rollbackTime = 2 * time.Second

// Together is [DB.Transaction] for statements that usually change something each: where
// the database can, all but COMMIT go to it in one command. If one of them fails or
// changes nothing, all are rolled back, and run one after another, so that statements
// can decide by what those before them did. They may run several times.
func (db *DB) Together(ctx context.Context, operation, table string, statements func(*gorm.DB) error) error {
	if db.batches == nil || db.watched {
		return db.Transaction(ctx, operation, table, statements)
	}
	return db.run(ctx, operation, table, func(ctx context.Context) error {
		batch, ok := db.collect(ctx, statements)
		if ok {
			done, err := db.commitBatch(ctx, batch)
			if done || err != nil {
				return err
			}
		}
		return db.transact(ctx, statements)
	})
}

// collect returns what statements would ask if each of them changed a row; false if that
// cannot be known.
func (db *DB) collect(ctx context.Context, statements func(*gorm.DB) error) ([]dialect.Statement, bool) {
	var c collector
	tx := db.gorm.Session(&gorm.Session{NewDB: true, Context: ctx})
	tx.Statement.ConnPool = &c
	err := statements(tx)
	return c.statements, err == nil && !c.asked && len(c.statements) > 0
}

// collector stands in for a connection.
type collector struct {
	statements []dialect.Statement
	asked      bool // for what only the database knows
}

var errAsked = errors.New("persistence: a statement asks the database something")

func (c *collector) ExecContext(_ context.Context, query string, values ...any) (sql.Result, error) {
	c.statements = append(c.statements, dialect.Statement{Query: query, Values: values})
	return driver.RowsAffected(1), nil
}

func (c *collector) PrepareContext(context.Context, string) (*sql.Stmt, error) {
	c.asked = true
	return nil, errAsked
}

func (c *collector) QueryContext(context.Context, string, ...any) (*sql.Rows, error) {
	c.asked = true
	return nil, errAsked
}

func (c *collector) QueryRowContext(context.Context, string, ...any) *sql.Row {
	c.asked = true
	return nil
}

// commitBatch commits statements, and reports whether it did. Neither that nor an error
// means that they are to be run one after another.
func (db *DB) commitBatch(ctx context.Context, batch []dialect.Statement) (done bool, err error) {
	conn, err := db.batches.Conn(ctx)
	if err != nil {
		return false, db.untilSent(err)
	}
	defer func() { _ = conn.Close() }()
	counts, err := db.dialect.Batch(ctx, conn, batch)
	if err == nil && len(counts) == len(batch) && !slices.Contains(counts, 0) {
		if _, err = conn.ExecContext(ctx, "COMMIT"); err == nil {
			return true, nil
		}
		// A driver may not have sent it because the context has just ended. Left as it is, the
		// connection would keep its locks, and the next transaction on it would commit this one.
		rollBack(ctx, conn)
		return false, err
	}
	rollBack(ctx, conn)
	if err != nil && (db.dialect.Classify(err).IsTransient() || ctx.Err() != nil) {
		return false, db.untilSent(err)
	}
	return false, nil
}

// rollBack ends a connection's transaction, or the connection.
func rollBack(ctx context.Context, conn *sql.Conn) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollbackTime)
	defer cancel()
	if _, err := conn.ExecContext(ctx, "ROLLBACK"); err != nil {
		_ = conn.Raw(func(any) error { return driver.ErrBadConn })
	}
}
