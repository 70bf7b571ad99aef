package scimstore

import (
	"fmt"
	"slices"
	"strings"

	"github.com/holdline/holdline/internal/scim"
	"github.com/holdline/holdline/persistence/dialect"
)

// conditions are written as queries of places.
type conditions struct {
	dialect dialect.Dialect
	client  string // whose external ids are meant
}

// sql writes a condition as a query of places, which may repeat. MySQL and MariaDB
// merge the nested ones into one join.
func (w conditions) sql(c scim.Condition) (query string, args []any) {
	switch c := c.(type) {
	case scim.Within:
		return w.within(c)
	case scim.Contains:
		return `SELECT place FROM scim_values WHERE path = ? AND (` + w.dialect.Contains("value_key") + ` OR LENGTH(value_key) > ?)`,
			[]any{w.path(c.Path), []byte(c.Part), scim.KeyLength}
	case scim.And:
		return w.all(c)
	case scim.Or:
		parts := []string{}
		for i, part := range c {
			query, partArgs := w.sql(part)
			parts = append(parts, fmt.Sprintf(`SELECT place FROM (%s) AS o%d`, query, i))
			args = append(args, partArgs...)
		}
		if len(parts) == 0 {
			return `SELECT place FROM scim_users WHERE 1 = 0`, nil
		}
		return strings.Join(parts, ` UNION `), args
	default:
		return `SELECT place FROM scim_users`, nil
	}
}

// keeping writes a query of the places that a condition keeps, each once.
func (w conditions) keeping(c scim.Condition) (query string, args []any) {
	query, args = w.sql(c)
	if inOrder(c) {
		return `SELECT place FROM (` + query + `) AS c`, args
	}
	return `SELECT DISTINCT place FROM (` + query + `) AS c`, args
}

// counting writes a query of how many places a condition keeps.
func (w conditions) counting(c scim.Condition) (query string, args []any) {
	query, args = w.keeping(c)
	return `SELECT COUNT(*) FROM (` + query + `) AS k`, args
}

// inOrder reports whether the index finds what a condition keeps in the order of places,
// each once: a page of it needs no more than is on it. Ranges of keys are found in the
// order of keys.
func inOrder(c scim.Condition) bool {
	switch c := c.(type) {
	case scim.All:
		return true
	case scim.Within:
		return c.Single()
	case scim.And:
		return !slices.ContainsFunc(c, func(part scim.Condition) bool { return !inOrder(part) })
	default:
		return false
	}
}

func (w conditions) within(c scim.Within) (string, []any) {
	path := w.path(c.Path)
	if c.Single() {
		return `SELECT place FROM scim_values WHERE path = ? AND value_key = ?`, []any{path, []byte(c.Low)}
	}
	return `SELECT place FROM scim_values WHERE path = ? AND value_key >= ? AND value_key < ?`,
		[]any{path, []byte(c.Low), []byte(c.High)}
}

// path is a path in the table; every client has an externalId of its own.
func (w conditions) path(path string) []byte {
	if path == "externalId" {
		path = externalPath(w.client)
	}
	return []byte(path)
}

func (w conditions) all(and scim.And) (query string, args []any) {
	for i, part := range and {
		partQuery, partArgs := w.sql(part)
		if i == 0 {
			query = fmt.Sprintf(`SELECT c0.place FROM (%s) AS c0`, partQuery)
		} else {
			query += fmt.Sprintf(` JOIN (%s) AS c%d ON c%d.place = c0.place`, partQuery, i, i)
		}
		args = append(args, partArgs...)
	}
	return query, args
}
