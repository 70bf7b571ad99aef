package dialect

import (
	"context"
	"database/sql"
	"fmt"
	"regexp"
	"strconv"
)

// Server is what a database's server says of itself, as far as it bears on what is kept
// there. Durations and sizes are as its settings have them.
type Server struct {
	// Product and Version are as an operator knows them, such as "MariaDB" and "10.11.6".
	Product, Version string
	// Least is the oldest version that Holdline is made for; blank if the server is not
	// older.
	Least string
	// Lossy are the settings by which what was committed may be gone when the machine
	// fails, each with what it should be.
	Lossy []Setting
	// ReadOnly tells that it takes no writes, as a replica does.
	ReadOnly bool
	// Connections is how many there may be at the same time, and Opened how many one
	// process of Holdline opens at most.
	Connections, Opened int
	// Idle is after how many seconds the server ends a connection that nobody uses, if
	// that is before Holdline does; else 0.
	Idle int
}

// Setting is a setting of a server: its name, its value, and what it should be.
type Setting struct{ Name, Value, Want string }

// String writes a setting as servers do.
func (s Setting) String() string {
	return fmt.Sprintf("%s is %s and should be %s", s.Name, s.Value, s.Want)
}

// demand notes a setting that is not as it should be.
func (s *Server) demand(name, value, want string) {
	if value != want {
		s.Lossy = append(s.Lossy, Setting{name, value, want})
	}
}

// release is how a version begins.
var release = regexp.MustCompile(`^(\d+)(?:\.(\d+))?`)

// wantVersion notes a version that is older than the least one.
func (s *Server) wantVersion(least string) {
	if number(s.Version) < number(least) {
		s.Least = least
	}
}

// number makes versions comparable by their first two parts.
func number(version string) int {
	parts := release.FindStringSubmatch(version)
	if parts == nil {
		return 0
	}
	major, _ := strconv.Atoi(parts[1])
	minor, _ := strconv.Atoi(parts[2])
	return major*1000 + minor
}

// settings reads the settings of a server by their names: a query's rows of two texts.
func settings(ctx context.Context, pool *sql.DB, query string) (map[string]string, error) {
	rows, err := pool.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	all := map[string]string{}
	for rows.Next() {
		var name, value string
		if err := rows.Scan(&name, &value); err != nil {
			return nil, err
		}
		all[name] = value
	}
	return all, rows.Err()
}
