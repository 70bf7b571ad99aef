package persistence

import (
	"strings"

	"github.com/holdline/holdline/internal/admin"
	"github.com/holdline/holdline/persistence/database"
	"github.com/holdline/holdline/persistence/dialect"
)

// page asks for rows of one table along one of its indexes, newest first. The
// index is named to the database: it gives the order, so that no row is read in
// vain and none is sorted, and no guess of an optimizer's decides what a page
// costs. MariaDB 10.11 has been seen to die when a connection broke off while
// rows with TEXT columns were sorted on disk.
type page struct {
	table, index string
	where        []string
	args         []any
}

// is adds a condition; a blank value is none.
func (p *page) is(column, value string) {
	if value != "" {
		p.and(column+" = ?", value)
	}
}

func (p *page) and(condition string, args ...any) {
	p.where, p.args = append(p.where, condition), append(p.args, args...)
}

// after begins the page behind a row. MySQL finds no range in (a, b) < (?, ?);
// the first comparison is there for SQLite, which finds none in what follows.
func (p *page) after(c admin.Cursor) {
	if c == (admin.Cursor{}) {
		return
	}
	at := database.Time(c.At)
	p.and("created_at <= ? AND (created_at < ? OR created_at = ? AND id < ?)", at, at, at, c.ID)
}

// sql writes the query for at most limit rows.
func (p *page) sql(d dialect.Dialect, order string, limit int) (query string, args []any) {
	query = "SELECT * FROM " + p.table + d.Index(p.index)
	if len(p.where) > 0 {
		query += " WHERE " + strings.Join(p.where, " AND ")
	}
	return query + " ORDER BY " + order + " LIMIT ?", append(p.args, max(0, limit))
}

const (
	newestMade = "created_at DESC, id DESC"
	newestLine = "id DESC"
)
