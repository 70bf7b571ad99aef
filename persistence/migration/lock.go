package migration

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"
	"gorm.io/gorm"

	"github.com/holdline/holdline/persistence/database"
)

const (
	lockBeat  = time.Second
	lockPoll  = 100 * time.Millisecond
	lockStale = 20 * time.Second
	lockWork  = 10 * time.Second
)

// errLockLost says that another process took this one for dead.
var errLockLost = errors.New("another process took over the migrations")

// underLock works while no other process does. The lock is a row: locks
// of the server's own do not reach the other nodes of a cluster. Its holder
// raises a count every second, and a waiter that sees it stand still takes over;
// so no two clocks need agree.
func underLock(ctx context.Context, db *database.DB, stale time.Duration, work func(context.Context) error) error {
	lock := lock{db: db, owner: uuid.NewString()}
	if err := lock.acquire(ctx, stale); err != nil {
		return db.Classify(fmt.Errorf("lock migrations: %w", err))
	}
	defer lock.release(context.WithoutCancel(ctx))
	done := make(chan struct{})
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return lock.keep(ctx, done) })
	g.Go(func() error { defer close(done); return work(ctx) })
	return g.Wait()
}

type lock struct {
	db    *database.DB
	owner string
}

// acquire waits for its turn, or for a holder to be stale.
func (l lock) acquire(ctx context.Context, staleAfter time.Duration) error {
	if _, err := l.exec(ctx, `CREATE TABLE IF NOT EXISTS schema_lock
		(id INTEGER NOT NULL PRIMARY KEY, owner VARCHAR(64) NOT NULL, beats BIGINT NOT NULL)`); err != nil {
		return err
	}
	poll := time.NewTicker(lockPoll)
	defer poll.Stop()
	stale := time.NewTimer(staleAfter)
	defer stale.Stop()
	var seen beat
	for {
		_, err := l.exec(ctx, "INSERT INTO schema_lock (id, owner, beats) VALUES (1, ?, 0)", l.owner)
		if err == nil {
			return nil
		}
		now, readErr := l.read(ctx)
		switch {
		case readErr != nil:
			return errors.Join(err, readErr)
		case now.owner == "": // released just now
		case now.owner == l.owner: // an insert whose answer was lost
			return nil
		case now != seen:
			seen = now
			stale.Reset(staleAfter)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-poll.C:
		case <-stale.C:
			stale.Reset(staleAfter)
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

// read returns the last sign of life; zero while nobody holds the lock.
func (l lock) read(ctx context.Context) (beat, error) {
	var rows []struct {
		Owner string
		Beats int64
	}
	err := l.db.Repeat(ctx, func(tx *gorm.DB) error {
		rows = nil
		return tx.Raw("SELECT owner, beats FROM schema_lock WHERE id = 1").Scan(&rows).Error
	})
	if err != nil || len(rows) == 0 {
		return beat{}, err
	}
	return beat{rows[0].Owner, rows[0].Beats}, nil
}

// take makes a dead process's lock this one's.
func (l lock) take(ctx context.Context, from beat) (bool, error) {
	n, err := l.exec(ctx, "UPDATE schema_lock SET owner = ?, beats = 0 WHERE id = 1 AND owner = ? AND beats = ?",
		l.owner, from.owner, from.count)
	return n == 1, err
}

// keep shows signs of life until the work is done.
func (l lock) keep(ctx context.Context, done <-chan struct{}) error {
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
func (l lock) release(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, lockWork)
	defer cancel()
	_, _ = l.exec(ctx, "DELETE FROM schema_lock WHERE id = 1 AND owner = ?", l.owner)
}

// exec runs a statement that may as well run twice, as all of the lock's may.
func (l lock) exec(ctx context.Context, statement string, args ...any) (affected int64, err error) {
	err = l.db.Repeat(ctx, func(tx *gorm.DB) (err error) {
		affected, err = database.Exec(tx, statement, args...)
		return err
	})
	return affected, err
}
