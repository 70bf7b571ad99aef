package transfer

import (
	"context"
	"database/sql"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"gorm.io/gorm"

	"github.com/holdline/holdline/persistence/database"
)

// value is what a column of a row holds: nil, a string, an int64, a bool, a time.Time or
// a []byte.
type value any

// row has the values of a table's columns, those of the key first.
type row []value

// scanner returns where a column is read to, and what has been read.
func (k kind) scanner() (into any, read func() value) {
	switch k {
	case number:
		return scanner[int64]()
	case boolean:
		return scanner[bool]()
	case blob:
		into, read := scanner[[]byte]()
		return into, func() value {
			if v := read(); v == nil || len(v.([]byte)) > 0 {
				return v
			}
			return []byte{} // SQLite's driver gives nil for none
		}
	case moment:
		into := new(database.Time)
		return into, func() value {
			if at := time.Time(*into); !at.IsZero() {
				return at
			}
			return nil
		}
	default:
		return scanner[string]()
	}
}

func scanner[T any]() (into any, read func() value) {
	column := new(sql.Null[T])
	return column, func() value {
		if column.Valid {
			return column.V
		}
		return nil
	}
}

// argument is a value as databases take it.
func argument(v value) any {
	if at, ok := v.(time.Time); ok {
		return database.Time(at)
	}
	return v
}

// repaired returns a row whose texts every database takes, and reports whether that is
// another one.
func (r row) repaired() (row, bool) {
	changed := false
	for i, v := range r {
		if s, ok := v.(string); ok && (!utf8.ValidString(s) || strings.ContainsRune(s, 0)) {
			if !changed {
				r, changed = slices.Clone(r), true // its key is still needed as it is
			}
			r[i] = database.Clip(s, len(s))
		}
	}
	return r, changed
}

// size is about how many bytes a row has.
func (r row) size() int {
	size := 8 * len(r)
	for _, v := range r {
		switch v := v.(type) {
		case string:
			size += len(v)
		case []byte:
			size += len(v)
		}
	}
	return size
}

// page reads the rows behind a key, or the first ones, in the order of their keys: at most
// so many, and no more once they have so many bytes. It asks for those that begin as the
// key does first, and then for the rest of the same index: no database has to sort, or to
// pass over rows.
func (t table) page(ctx context.Context, db *database.DB, after row, rows, bytes int) ([]row, error) {
	if after == nil {
		page, err := t.read(ctx, db, "", nil, rows)
		return cut(page, bytes), err
	}
	var page []row
	for same := len(t.key) - 1; same >= 0 && len(page) < rows; same-- {
		where, values := t.behind(after, same)
		more, err := t.read(ctx, db, where, values, rows-len(page))
		if err != nil {
			return nil, err
		}
		page = append(page, more...)
	}
	return cut(page, bytes), nil
}

// behind is a condition: the first columns of the key are as given, and the next is behind.
func (t table) behind(key row, same int) (where string, values []any) {
	for i, c := range t.key[:same+1] {
		operator := " = ? AND "
		if i == same {
			operator = " > ?"
		}
		where += c.name + operator
		values = append(values, argument(key[i]))
	}
	return where, values
}

// cut ends a page with the row that fills it.
func cut(page []row, bytes int) []row {
	size := 0
	for i, r := range page {
		if size += r.size(); size >= bytes {
			return page[:i+1]
		}
	}
	return page
}

// read reads the first rows that meet a condition, by their keys.
func (t table) read(ctx context.Context, db *database.DB, where string, values []any, most int) ([]row, error) {
	columns := t.columns()
	query := "SELECT " + names(columns) + " FROM " + t.name
	if where != "" {
		query += " WHERE " + where
	}
	query += " ORDER BY " + names(t.key) + " LIMIT " + strconv.Itoa(most)
	var read []row
	err := db.Repeat(ctx, func(tx *gorm.DB) error {
		read = nil
		rows, err := tx.Raw(query, values...).Rows()
		if err != nil {
			return err
		}
		defer func() { _ = rows.Close() }()
		into, values := make([]any, len(columns)), make([]func() value, len(columns))
		for rows.Next() {
			for i, c := range columns {
				into[i], values[i] = c.kind.scanner()
			}
			if err := rows.Scan(into...); err != nil {
				return err
			}
			r := make(row, len(columns))
			for i := range r {
				r[i] = values[i]()
			}
			read = append(read, r)
		}
		return rows.Err()
	})
	return read, db.Classify(err)
}

// count asks the database how many rows there are.
func (t table) count(ctx context.Context, db *database.DB) (rows int64, err error) {
	err = db.Repeat(ctx, func(tx *gorm.DB) error { return tx.Raw("SELECT COUNT(*) FROM " + t.name).Scan(&rows).Error })
	return rows, db.Classify(err)
}

// mostValues is how many one statement may have: SQLite takes 32,766.
const mostValues = 8000

// insert adds rows within a transaction.
func (t table) insert(tx *gorm.DB, rows []row) error {
	columns := t.columns()
	places := "(?" + strings.Repeat(", ?", len(columns)-1) + ")"
	for len(rows) > 0 {
		n := min(len(rows), mostValues/len(columns))
		var values []any
		for _, r := range rows[:n] {
			for _, v := range r {
				values = append(values, argument(v))
			}
		}
		_, err := database.Exec(tx, "INSERT INTO "+t.name+" ("+names(columns)+") VALUES "+
			places+strings.Repeat(", "+places, n-1), values...)
		if err != nil {
			return err
		}
		rows = rows[n:]
	}
	return nil
}

// names lists columns as SQL does.
func names(columns []column) string {
	all := make([]string, len(columns))
	for i, c := range columns {
		all[i] = c.name
	}
	return strings.Join(all, ", ")
}
