package database_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"slices"
	"testing"

	"gorm.io/gorm"

	"github.com/holdline/holdline/persistence/database"
	"github.com/holdline/holdline/persistence/database/databasetest"
	"github.com/holdline/holdline/persistence/dialect"
)

// scribe is a connection that notes what it is sent. Like MySQL's driver it sends nothing
// for a context that has ended, and stays open.
type scribe struct{ sent []string }

func (s *scribe) Connect(context.Context) (driver.Conn, error) { return s, nil }
func (s *scribe) Driver() driver.Driver                        { return nil }
func (s *scribe) Prepare(string) (driver.Stmt, error)          { return nil, errors.ErrUnsupported }
func (s *scribe) Close() error                                 { return nil }
func (s *scribe) Begin() (driver.Tx, error)                    { return nil, errors.ErrUnsupported }

func (s *scribe) ExecContext(ctx context.Context, query string, _ []driver.NamedValue) (driver.Result, error) {
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	s.sent = append(s.sent, query)
	return driver.RowsAffected(1), nil
}

// batching is SQLite with a batch after which somebody gives up.
type batching struct {
	dialect.Dialect
	giveUp func()
}

func (b batching) Batch(ctx context.Context, conn *sql.Conn, statements []dialect.Statement) ([]int64, error) {
	_, err := conn.ExecContext(ctx, "BEGIN")
	b.giveUp()
	return slices.Repeat([]int64{1}, len(statements)), err
}

// Who gives up between the statements and COMMIT leaves no transaction open.
func TestGivingUpBeforeCommitLeavesNoTransactionOpen(t *testing.T) {
	ctx, giveUp := context.WithCancel(t.Context())
	defer giveUp()
	db := databasetest.Migrated(t, databasetest.SQLite(t))
	var conn scribe
	database.BatchBy(t, db, batching{db.Dialect(), giveUp}, sql.OpenDB(&conn))
	err := together(ctx, db, func(tx *gorm.DB) error { _, err := lend(tx, "one", "o"); return err })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if want := []string{"BEGIN", "ROLLBACK"}; !slices.Equal(conn.sent, want) {
		t.Errorf("sent %v, want %v", conn.sent, want)
	}
}
