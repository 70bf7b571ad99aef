package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// floor is what the database alone does on connections of its own, with nothing of
// Holdline's before it: the bound of whatever commits as often.
type floor struct {
	bench    *bench
	database string
	pool     *sql.DB
	once     func(ctx context.Context, conn *sql.Conn) error
	ended    func(ctx context.Context) error // checks what a block left
}

// openFloor makes a database, and connections to it that are set as Holdline's, of whose
// commands some have several statements.
func openFloor(ctx context.Context, b *bench, c contender) (*floor, string, error) {
	f := &floor{bench: b, database: "bench_" + c.name}
	dsn, err := b.server.fresh(ctx, f.database)
	if err != nil {
		return nil, "", err
	}
	f.pool, err = sql.Open("mysql", withParameters(dsn[len("mysql://"):],
		"interpolateParams=true&multiStatements=true&collation=utf8mb4_bin&tx_isolation=%27READ-COMMITTED%27&innodb_lock_wait_timeout=3"))
	return f, dsn, err
}

// startInserts is the floor of two inserts in a transaction.
func startInserts(ctx context.Context, b *bench, c contender, _ *variant) (contestant, error) {
	f, _, err := openFloor(ctx, b, c)
	if err != nil {
		return nil, err
	}
	f.once = func(ctx context.Context, conn *sql.Conn) error { return insertTwo(ctx, conn, "(?, ?, ?)") }
	const columns = " (id CHAR(36) NOT NULL PRIMARY KEY, owner CHAR(36) NOT NULL, said VARCHAR(255) NOT NULL, KEY (owner)) ENGINE = InnoDB"
	return f, b.server.exec(ctx, "CREATE TABLE "+f.database+".one"+columns, "CREATE TABLE "+f.database+".other"+columns)
}

// insertTwo makes the transaction, with the values as the server wants them written.
func insertTwo(ctx context.Context, on interface {
	BeginTx(ctx context.Context, options *sql.TxOptions) (*sql.Tx, error)
}, values string,
) error {
	tx, err := on.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	owner := uuid.NewString()
	const said = "a hundred letters or so, as a claim has them: +4915200000001, +4915100000001, settings, open"
	for _, insert := range []string{"INSERT INTO one VALUES ", "INSERT INTO other VALUES "} {
		_, err := tx.ExecContext(ctx, insert+values, uuid.NewString(), owner, said)
		if err != nil {
			return errors.Join(err, tx.Rollback())
		}
	}
	return tx.Commit()
}

// block lets each user work on a connection of its own.
func (f *floor) block(ctx context.Context, users int) (s sample, err error) {
	conns := make([]*sql.Conn, users)
	for i := range conns {
		if conns[i], err = f.pool.Conn(ctx); err != nil {
			return s, err
		}
	}
	s, err = block{
		users: users, ramp: f.bench.ramp, measured: f.bench.measured,
		once: func(ctx context.Context, user int) (time.Duration, error) {
			began := time.Now()
			err := f.once(ctx, conns[user])
			return time.Since(began), err
		},
		used: func(ctx context.Context) (m mark, err error) {
			m.work, err = f.bench.server.work(ctx)
			return m, err
		},
	}.run(ctx)
	for _, conn := range conns {
		err = errors.Join(err, conn.Close())
	}
	if err == nil && f.ended != nil {
		err = f.ended(ctx)
	}
	if err != nil {
		err = fmt.Errorf("%s: %w", f.database, err)
	}
	return s, err
}

func (*floor) programs() []*program { return nil }
func (f *floor) stop() error        { return f.pool.Close() }
