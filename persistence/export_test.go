package persistence

import (
	"context"
	"database/sql"
	"sync"
	"time"

	"gorm.io/gorm"
)

// Transaction lets tests run statements as a store does.
func (db *DB) Transaction(ctx context.Context, statements func(*gorm.DB) error) error {
	return away(db.transaction(ctx, statements))
}

// LockStale sets how long a migration lock holds without a sign of life.
func (db *DB) LockStale(d time.Duration) { db.stale = d }

// Exec runs a statement outside the store.
func (db *DB) Exec(ctx context.Context, statement string, args ...any) error {
	_, err := db.pool.ExecContext(ctx, statement, args...)
	return err
}

// Count reads a number.
func (db *DB) Count(ctx context.Context, query string, args ...any) (n int, err error) {
	return n, db.pool.QueryRowContext(ctx, query, args...).Scan(&n)
}

// Text reads a text.
func (db *DB) Text(ctx context.Context, query string) (s string, err error) {
	return s, db.pool.QueryRowContext(ctx, query).Scan(&s)
}

// Statements is what a database was asked, BEGIN among it.
type Statements struct {
	mu  sync.Mutex
	all []string
}

// Record notes all statements of a database from now on.
func (db *DB) Record() *Statements {
	s := new(Statements)
	db.gorm.Statement.ConnPool = recorder{db.gorm.Statement.ConnPool, s}
	return s
}

// Take returns the statements and forgets them.
func (s *Statements) Take() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := s.all
	s.all = nil
	return all
}

func (s *Statements) add(statement string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = append(s.all, statement)
}

type recorder struct {
	gorm.ConnPool
	statements *Statements
}

func (r recorder) PrepareContext(ctx context.Context, query string) (*sql.Stmt, error) {
	r.statements.add("PREPARE " + query)
	return r.ConnPool.PrepareContext(ctx, query)
}

func (r recorder) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	r.statements.add(query)
	return r.ConnPool.ExecContext(ctx, query, args...)
}

func (r recorder) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	r.statements.add(query)
	return r.ConnPool.QueryContext(ctx, query, args...)
}

func (r recorder) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	r.statements.add(query)
	return r.ConnPool.QueryRowContext(ctx, query, args...)
}

// BeginTx implements gorm.ConnPoolBeginner.
func (r recorder) BeginTx(ctx context.Context, opts *sql.TxOptions) (gorm.ConnPool, error) {
	r.statements.add("BEGIN")
	tx, err := r.ConnPool.(gorm.TxBeginner).BeginTx(ctx, opts)
	if err != nil {
		return nil, err
	}
	return &recordedTx{recorder{tx, r.statements}, tx}, nil
}

type recordedTx struct {
	recorder
	gorm.TxCommitter
}
