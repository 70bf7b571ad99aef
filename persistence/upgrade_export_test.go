package persistence

import (
	"context"
	"fmt"
	"strings"
)

// MigrateTo brings the schema up to a version and no further.
func (db *DB) MigrateTo(ctx context.Context, version int64) error {
	migrations, err := db.migrations(db.pool)
	if err != nil {
		return err
	}
	_, err = migrations.UpTo(ctx, version)
	return err
}

// Content is what some columns of a table hold.
type Content struct {
	Table   string
	Columns []string
	Rows    []string // as text, in order of the first columns
}

// Read returns a table's content; without columns, that of all that it has.
func (db *DB) Read(ctx context.Context, table string, columns ...string) (Content, error) {
	chosen := "*"
	if len(columns) > 0 {
		chosen = strings.Join(columns, ", ")
	}
	c := Content{Table: table}
	rows, err := db.pool.QueryContext(ctx, "SELECT "+chosen+" FROM "+table+" ORDER BY 1, 2")
	if err != nil {
		return c, err
	}
	defer rows.Close()
	if c.Columns, err = rows.Columns(); err != nil {
		return c, err
	}
	for rows.Next() {
		values, at := make([]any, len(c.Columns)), make([]any, len(c.Columns))
		for i := range values {
			at[i] = &values[i]
		}
		if err := rows.Scan(at...); err != nil {
			return c, err
		}
		c.Rows = append(c.Rows, fmt.Sprintf("%v", values))
	}
	return c, rows.Err()
}
