package persistence

import (
	"fmt"
	"strings"

	"github.com/holdline/holdline/internal/scim"
)

// scimSQL writes a condition as a query of places, which may repeat. MySQL and
// MariaDB merge the nested ones into one join.
func scimSQL(c scim.Condition, client string) (query string, args []any) {
	switch c := c.(type) {
	case scim.Within:
		return withinSQL(c, client)
	case scim.Contains:
		return `SELECT place FROM scim_values WHERE path = ? AND (INSTR(value_key, ?) > 0 OR LENGTH(value_key) > ?)`,
			[]any{scimPath(c.Path, client), []byte(c.Part), scim.KeyLength}
	case scim.And:
		return joinSQL(c, client)
	case scim.Or:
		parts := []string{}
		for i, part := range c {
			query, partArgs := scimSQL(part, client)
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

func withinSQL(w scim.Within, client string) (string, []any) {
	path := scimPath(w.Path, client)
	if w.Single() {
		return `SELECT place FROM scim_values WHERE path = ? AND value_key = ?`, []any{path, []byte(w.Low)}
	}
	return `SELECT place FROM scim_values WHERE path = ? AND value_key >= ? AND value_key < ?`,
		[]any{path, []byte(w.Low), []byte(w.High)}
}

// scimPath is a path in the table; every client has an externalId of its own.
func scimPath(path, client string) []byte {
	if path == "externalId" {
		path = externalPath(client)
	}
	return []byte(path)
}

func joinSQL(and scim.And, client string) (query string, args []any) {
	for i, part := range and {
		partQuery, partArgs := scimSQL(part, client)
		if i == 0 {
			query = fmt.Sprintf(`SELECT c0.place FROM (%s) AS c0`, partQuery)
		} else {
			query += fmt.Sprintf(` JOIN (%s) AS c%d ON c%d.place = c0.place`, partQuery, i, i)
		}
		args = append(args, partArgs...)
	}
	return query, args
}
