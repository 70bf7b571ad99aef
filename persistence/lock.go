package persistence

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"
)

const (
	lockBeat  = time.Second
	lockPoll  = 100 * time.Millisecond
	lockStale = 20 * time.Second
	lockWork  = 10 * time.Second
)

// errLockLost says that another process took this one for dead.
var errLockLost = errors.New("another process took over the migrations")

// underMigrationLock works while no other process does. The lock is a row: locks
// of the server's own do not reach the other nodes of a cluster. Its holder
// raises a count every second, and a waiter that sees it stand still takes over;
// so no two clocks need agree.
func (db *DB) underMigrationLock(ctx context.Context, pool *sql.DB, work func(context.Context) error) error {
	lock := migrationLock{db: db, pool: pool, owner: uuid.NewString()}
	if err := lock.acquire(ctx); err != nil {
		return away(fmt.Errorf("lock migrations: %w", err))
	}
	defer lock.release(context.WithoutCancel(ctx))
	done := make(chan struct{})
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return lock.keep(ctx, done) })
	g.Go(func() error { defer close(done); return work(ctx) })
	return g.Wait()
}

type migrationLock struct {
	db    *DB
	pool  *sql.DB
	owner string
}

// acquire waits for its turn.
func (l migrationLock) acquire(ctx context.Context) error {
	if _, err := l.exec(ctx, `CREATE TABLE IF NOT EXISTS schema_lock
		(id INTEGER NOT NULL PRIMARY KEY, owner VARCHAR(64) NOT NULL, beats BIGINT NOT NULL)`); err != nil {
		return err
	}
	poll := time.NewTicker(lockPoll)
	defer poll.Stop()
	stale := time.NewTimer(l.db.stale)
	defer stale.Stop()
	var seen beat
	for {
		_, err := l.exec(ctx, "INSERT INTO schema_lock (id, owner, beats) VALUES (1, ?, 0)", l.owner)
		if err == nil {
			return nil
		}
		now, readErr := l.read(ctx)
		switch {
		case errors.Is(readErr, sql.ErrNoRows): // released just now
		case readErr != nil:
			return errors.Join(err, readErr)
		case now.owner == l.owner: // an insert whose answer was lost
			return nil
		case now != seen:
			seen = now
			stale.Reset(l.db.stale)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-poll.C:
		case <-stale.C:
			stale.Reset(l.db.stale)
			if taken, err := l.take(ctx, seen); err != nil || taken {
				return err
			}
		}
	}
}

// beat is a sign of life of the lock's holder.
type beat struct {
	owner string
	count int64
}

func (l migrationLock) read(ctx context.Context) (beat, error) {
	var b beat
	err := l.pool.QueryRowContext(ctx, "SELECT owner, beats FROM schema_lock WHERE id = 1").Scan(&b.owner, &b.count)
	return b, err
}

// take makes a dead process's lock this one's.
func (l migrationLock) take(ctx context.Context, from beat) (bool, error) {
	n, err := l.exec(ctx, "UPDATE schema_lock SET owner = ?, beats = 0 WHERE id = 1 AND owner = ? AND beats = ?",
		l.owner, from.owner, from.count)
	return n == 1, err
}

// keep shows signs of life until the work is done.
func (l migrationLock) keep(ctx context.Context, done <-chan struct{}) error {
	ticker := time.NewTicker(lockBeat)
	defer ticker.Stop()
	for {
		select {
		case <-done:
			return nil
		case <-ctx.Done():
			return nil
		case <-ticker.C:
			n, err := l.exec(ctx, "UPDATE schema_lock SET beats = beats + 1 WHERE id = 1 AND owner = ?", l.owner)
			if err == nil && n == 0 {
				return errLockLost
			}
		}
	}
}

// release is best effort: a lock that stays is taken over when it is stale.
func (l migrationLock) release(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, lockWork)
	defer cancel()
	_, _ = l.exec(ctx, "DELETE FROM schema_lock WHERE id = 1 AND owner = ?", l.owner)
}

// exec runs a statement that may as well run twice, as all of the lock's may: a
// node that goes away must not end a start.
func (l migrationLock) exec(ctx context.Context, statement string, args ...any) (int64, error) {
	var affected int64
	err := l.db.retry(ctx, func() error {
		result, err := l.pool.ExecContext(ctx, statement, args...)
		if err != nil {
			return untilSent(err)
		}
		affected, err = result.RowsAffected()
		return err
	})
	return affected, err
}
