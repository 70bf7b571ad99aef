package database_test

import (
	"context"
	"database/sql"
	"errors"
	"strconv"
	"testing"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/holdline/holdline/persistence/database"
	"github.com/holdline/holdline/persistence/database/databasetest"
)

// numbered is a dialect whose values have numbers instead of question marks.
type numbered struct{ gorm.Dialector }

func (numbered) BindVarTo(w clause.Writer, statement *gorm.Statement, _ any) {
	_, _ = w.WriteString("$" + strconv.Itoa(len(statement.Vars)))
}

// heard is the last statement that reached a pool, and fails it.
type heard struct {
	gorm.ConnPool
	query string
}

var errHeard = errors.New("heard")

func (h *heard) ExecContext(_ context.Context, query string, _ ...any) (sql.Result, error) {
	h.query = query
	return nil, errHeard
}

func TestStatementsAreWrittenInTheDialect(t *testing.T) {
	db := databasetest.Open(t, databasetest.SQLite(t))
	err := db.Write(t.Context(), "write", "users", func(tx *gorm.DB) error {
		pool := &heard{ConnPool: tx.Statement.ConnPool}
		config := *tx.Config
		config.Dialector = numbered{tx.Dialector}
		other := &gorm.DB{Config: &config, Statement: &gorm.Statement{Context: t.Context(), ConnPool: pool}}
		other.Statement.DB = other
		_, err := database.Exec(other, "UPDATE users SET name = ?, seen = ? WHERE id = ? AND name <> 'x'", "a", 1, "b")
		if want := "UPDATE users SET name = $1, seen = $2 WHERE id = $3 AND name <> 'x'"; pool.query != want {
			t.Errorf("got %q, want %q", pool.query, want)
		}
		return err
	})
	if !errors.Is(err, errHeard) {
		t.Errorf("got %v, want %v", err, errHeard)
	}
}
