package transfer

import (
	"context"
	"database/sql"
	"fmt"
	"slices"

	"gorm.io/gorm"

	"github.com/holdline/holdline/persistence/database"
)

// TableNames are the tables that are copied.
func TableNames() []string {
	var names []string
	for _, t := range tables {
		names = append(names, t.name)
	}
	return names
}

// Lines are a table's rows in words, as databases of all kinds have them.
func Lines(ctx context.Context, db *database.DB, name string) ([]string, error) {
	t := tables[slices.IndexFunc(tables, func(t table) bool { return t.name == name })]
	page, err := t.page(ctx, db, nil, 1<<20, 1<<30)
	lines := make([]string, len(page))
	for i, r := range page {
		lines[i] = fmt.Sprintf("%#v", []value(r))
	}
	return lines, err
}

// CopyAround is [Copy], and calls a function before each commit.
func CopyAround(ctx context.Context, from, to string, o Options, beforeCommit func()) error {
	c, err := prepare(ctx, from, to, o)
	if err != nil {
		return err
	}
	defer c.close()
	c.to.Around(func(pool gorm.ConnPool) gorm.ConnPool { return watched{pool, beforeCommit} })
	_, err = c.run(ctx)
	return err
}

type watched struct {
	gorm.ConnPool
	beforeCommit func()
}

// BeginTx implements gorm.ConnPoolBeginner.
func (w watched) BeginTx(ctx context.Context, opts *sql.TxOptions) (gorm.ConnPool, error) {
	tx, err := w.ConnPool.(gorm.TxBeginner).BeginTx(ctx, opts)
	if err != nil {
		return nil, err
	}
	return &watchedTx{tx, tx, w.beforeCommit}, nil
}

type watchedTx struct {
	gorm.ConnPool
	gorm.TxCommitter
	beforeCommit func()
}

// Commit implements gorm.TxCommitter.
func (w *watchedTx) Commit() error {
	w.beforeCommit()
	return w.TxCommitter.Commit()
}
