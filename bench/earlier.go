package main

import (
	"context"
	"fmt"
	"strings"

	"golang.org/x/sync/errgroup"
)

// firstClaims is how many changes Holdline makes before anything is measured, and what
// is multiplied where there are to be more.
const firstClaims = 1000

// history are the tables that keep what was.
var history = []string{"claims", "texts", "audit_events"}

// apart is how much older each copy of the first claims is than the one before, in
// seconds: a thousand of them are eighty days, less than claims are kept.
const apart = 80 * 86400 / 1000

// multiply copies what one database remembers into another, so many times, each copy
// of other people and older than the one before. What a line looks like is thus
// what Holdline itself wrote. Each table is filled by one statement while it is
// empty, which lets InnoDB build its indexes by sorting.
func (s *server) multiply(ctx context.Context, from, to string, times int) error {
	group, running := errgroup.WithContext(ctx)
	for _, table := range history {
		group.Go(func() error {
			columns, values, err := s.copied(running, from, table)
			if err != nil {
				return err
			}
			conn, err := s.Conn(running)
			if err != nil {
				return err
			}
			defer func() { _ = conn.Close() }()
			for _, statement := range []string{
				"SET unique_checks = 0, foreign_key_checks = 0",
				fmt.Sprintf("INSERT INTO %s.%s (%s) SELECT %s FROM %s.%[2]s, %[1]s.seq_1_to_%[6]d AS copies",
					to, table, columns, values, from, times),
				"SET unique_checks = 1, foreign_key_checks = 1",
				"ANALYZE TABLE " + to + "." + table,
			} {
				if _, err := conn.ExecContext(running, statement); err != nil {
					return fmt.Errorf("multiply %s: %w", table, err)
				}
			}
			return nil
		})
	}
	return group.Wait()
}

// copied are the columns of a table, and what they are in a copy.
func (s *server) copied(ctx context.Context, database, table string) (columns, values string, err error) {
	rows, err := s.QueryContext(ctx, `SELECT column_name, data_type FROM information_schema.columns
		WHERE table_schema = ? AND table_name = ? AND is_generated = 'NEVER' AND extra NOT LIKE '%auto_increment%'
		ORDER BY ordinal_position`, database, table)
	if err != nil {
		return "", "", err
	}
	defer func() { _ = rows.Close() }()
	var names, made []string
	for rows.Next() {
		var name, kind string
		if err := rows.Scan(&name, &kind); err != nil {
			return "", "", err
		}
		names = append(names, name)
		made = append(made, copyOf(table, name, kind))
	}
	return strings.Join(names, ", "), strings.Join(made, ", "), rows.Err()
}

// copyOf is the SQL of a column in a copy: ids and numbers are others, of the same
// form; times are earlier; all else is the same.
func copyOf(table, name, kind string) string {
	switch {
	case name == "id" || strings.HasSuffix(name, "_id") && name != "provider_id" && name != "actor_id":
		digest := "MD5(CONCAT(" + name + ", copies.seq))"
		uuid := "INSERT(INSERT(INSERT(INSERT(" + digest + ", 21, 0, '-'), 17, 0, '-'), 13, 0, '-'), 9, 0, '-')"
		return fmt.Sprintf("IF(LENGTH(%s) = 36, %s, %s)", name, uuid, digest)
	case table != "audit_events" && (name == "number" || name == "was" || name == "number_key"):
		// Those who change numbers now have numbers of less than 50000000.
		return fmt.Sprintf("IF(%s = '', '', CONCAT(LEFT(%[1]s, 6), 50000000 + copies.seq * 10000 + CAST(RIGHT(%[1]s, 8) AS UNSIGNED)))", name)
	case kind == "datetime":
		return fmt.Sprintf("%s - INTERVAL copies.seq * %d SECOND", name, apart)
	}
	return name
}
