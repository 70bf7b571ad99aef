package database

import (
	"strings"

	"gorm.io/gorm"
)

// Exec runs a statement in GORM's transaction or on its pool, past GORM's builder but
// in its dialect and with its errors. Values take the places of the query's question
// marks; none may be a list. It returns how many rows were changed.
func Exec(tx *gorm.DB, query string, values ...any) (int64, error) {
	done, err := tx.Statement.ConnPool.ExecContext(tx.Statement.Context, bind(tx, query, values), values...)
	if translator, ok := tx.Dialector.(gorm.ErrorTranslator); ok && err != nil {
		return 0, translator.Translate(err)
	}
	if err != nil {
		return 0, err
	}
	return done.RowsAffected()
}

// bind writes a query's question marks as the dialect does.
func bind(tx *gorm.DB, query string, values []any) string {
	var bound strings.Builder
	bound.Grow(len(query))
	statement := &gorm.Statement{DB: tx}
	for _, value := range values {
		before, after, found := strings.Cut(query, "?")
		if !found {
			break
		}
		bound.WriteString(before)
		statement.Vars = append(statement.Vars, value)
		tx.BindVarTo(&bound, statement, value)
		query = after
	}
	bound.WriteString(query)
	return bound.String()
}
