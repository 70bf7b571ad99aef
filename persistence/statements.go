package persistence

import (
	"fmt"
	"reflect"
	"strings"

	"gorm.io/gorm"

	"github.com/holdline/holdline/persistence/database"
)

// The statements of a change of number are written here rather than by gorm's
// builder, which would take as long over each of them as the driver does.

// assignment gives a column a value, or an [expression].
type assignment struct {
	column string
	value  any
}

// expression is SQL of our own, such as "tries + 1".
type expression string

// update changes the rows of a table that meet a condition, none of whose values
// is a list, and returns how many it changed.
func update(tx *gorm.DB, table string, set []assignment, where string, values ...any) (int64, error) {
	var query strings.Builder
	query.WriteString("UPDATE " + table + " SET ")
	all := make([]any, 0, len(set)+len(values))
	for i, a := range set {
		if i > 0 {
			query.WriteString(", ")
		}
		query.WriteString(a.column)
		if fixed, ok := a.value.(expression); ok {
			query.WriteString(" = " + string(fixed))
			continue
		}
		query.WriteString(" = ?")
		all = append(all, a.value)
	}
	query.WriteString(" WHERE " + where)
	return database.Exec(tx, query.String(), append(all, values...)...)
}

// insert adds rows, of which there is at least one, in one statement.
func insert[R any](tx *gorm.DB, rows ...R) error {
	var table string
	var columns []string
	var values []any
	for i := range rows {
		var row []any
		var err error
		if table, columns, row, err = dissect(tx, &rows[i]); err != nil {
			return err
		}
		values = append(values, row...)
	}
	places := "(?" + strings.Repeat(", ?", len(columns)-1) + ")"
	_, err := database.Exec(tx, "INSERT INTO "+table+" ("+strings.Join(columns, ", ")+") VALUES "+
		places+strings.Repeat(", "+places, len(rows)-1), values...)
	return err
}

// dissect takes a row, by its address, apart, as gorm understands its type.
func dissect(tx *gorm.DB, row any) (table string, columns []string, values []any, err error) {
	parsed := &gorm.Statement{DB: tx}
	if err := parsed.Parse(row); err != nil {
		return "", nil, nil, fmt.Errorf("read row: %w", err)
	}
	columns = parsed.Schema.DBNames
	values = make([]any, len(columns))
	for i, column := range columns {
		values[i], _ = parsed.Schema.FieldsByDBName[column].ValueOf(tx.Statement.Context, reflect.ValueOf(row))
	}
	return parsed.Table, columns, values, nil
}
