package databasetest

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"sync"

	"gorm.io/gorm"

	"github.com/holdline/holdline/persistence/database"
)

// Plans is how a database answers queries.
type Plans struct {
	mu  sync.Mutex
	all []string
}

// Explain notes the plans of all queries and insertions of a database from now on.
func Explain(db *database.DB) *Plans {
	p := new(Plans)
	db.Around(func(pool gorm.ConnPool) gorm.ConnPool { return explainer{pool, db.Dialect().Explain(), p} })
	return p
}

// Take returns the plans and forgets them.
func (p *Plans) Take() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := p.all
	p.all = nil
	return all
}

type explainer struct {
	gorm.ConnPool
	word  string
	plans *Plans
}

func (e explainer) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if err := e.note(ctx, query, args); err != nil {
		return nil, err
	}
	return e.ConnPool.QueryContext(ctx, query, args...)
}

func (e explainer) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	if strings.HasPrefix(query, "INSERT") || strings.HasPrefix(query, "UPDATE") || strings.HasPrefix(query, "DELETE") {
		if err := e.note(ctx, query, args); err != nil {
			return nil, err
		}
	}
	return e.ConnPool.ExecContext(ctx, query, args...)
}

// BeginTx implements gorm.ConnPoolBeginner.
func (e explainer) BeginTx(ctx context.Context, opts *sql.TxOptions) (gorm.ConnPool, error) {
	tx, err := e.ConnPool.(gorm.TxBeginner).BeginTx(ctx, opts)
	if err != nil {
		return nil, err
	}
	return &explainedTx{explainer{tx, e.word, e.plans}, tx}, nil
}

type explainedTx struct {
	explainer
	gorm.TxCommitter
}

func (e explainer) note(ctx context.Context, query string, args []any) error {
	plan, err := e.explain(ctx, query, args)
	e.plans.mu.Lock()
	defer e.plans.mu.Unlock()
	e.plans.all = append(e.plans.all, plan)
	return err
}

// explain returns a query's plan, a step each line.
func (e explainer) explain(ctx context.Context, query string, args []any) (string, error) {
	rows, err := e.ConnPool.QueryContext(ctx, e.word+query, args...)
	if err != nil {
		return "", err
	}
	defer func() { _ = rows.Close() }()
	columns, err := rows.Columns()
	if err != nil {
		return "", err
	}
	var plan strings.Builder
	for rows.Next() {
		values := make([]sql.NullString, len(columns))
		into := make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			return "", err
		}
		for _, value := range values {
			fmt.Fprintf(&plan, "%s | ", value.String)
		}
		plan.WriteByte('\n')
	}
	return plan.String(), rows.Err()
}
