package databasetest

import (
	"context"
	"database/sql"
	"sync"

	"gorm.io/gorm"

	"github.com/holdline/holdline/persistence/database"
)

// Statements is what a database was asked, BEGIN among it.
type Statements struct {
	mu      sync.Mutex
	all     []string
	commits int
}

// Record notes all statements of a database from now on.
func Record(db *database.DB) *Statements {
	s := new(Statements)
	db.Around(func(pool gorm.ConnPool) gorm.ConnPool { return recorder{pool, s} })
	return s
}

// Take returns the statements and forgets them.
func (s *Statements) Take() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := s.all
	s.all, s.commits = nil, 0
	return all
}

// Commits counts what was committed since [Statements.Take]: transactions, and
// statements outside of one that may have changed something.
func (s *Statements) Commits() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.commits
}

func (s *Statements) committed() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.commits++
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
	if _, within := r.ConnPool.(gorm.TxCommitter); !within {
		r.statements.committed()
	}
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

// Commit implements gorm.TxCommitter.
func (t *recordedTx) Commit() error {
	t.statements.committed()
	return t.TxCommitter.Commit()
}
