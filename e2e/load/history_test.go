package main

import (
	"fmt"
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"
)

// history is what Holdline wrote of some changes, to be copied where there are to be
// more: what a line looks like is thus what Holdline itself wrote.
type history struct {
	of     *changer
	claims int // that a copy has
}

// The tables that keep what was.
var remembering = []string{"claims", "texts", "audit_events"}

// copied makes a database with copies of the changes, each of other people and older
// than the one before. Each table is filled by one statement while it is empty, which
// lets InnoDB build its indexes by sorting.
func (h *history) copied(b *testing.B, s *site) (dsn string) {
	b.Helper()
	d := s.server.NewMigrated(b)
	changes := int(h.of.changes.Load())
	times := max(1, h.claims/changes)
	h.claims = times * changes
	from := databaseOf(h.of.dsn)
	group, ctx := errgroup.WithContext(b.Context())
	for _, table := range remembering {
		group.Go(func() error {
			columns, values, err := columnsOf(h.of.database, from, table)
			if err != nil {
				return err
			}
			conn, err := s.server.Root.Conn(ctx)
			if err != nil {
				return err
			}
			defer func() { _ = conn.Close() }()
			for _, statement := range []string{
				"SET unique_checks = 0, foreign_key_checks = 0",
				fmt.Sprintf("INSERT INTO %s.%s (%s) SELECT %s FROM %s.%[2]s, %[1]s.seq_1_to_%[6]d AS copies", d.Name, table, columns, values, from, times),
				"SET unique_checks = 1, foreign_key_checks = 1",
				"ANALYZE TABLE " + d.Name + "." + table,
			} {
				if _, err := conn.ExecContext(ctx, statement); err != nil {
					return fmt.Errorf("copy %s: %w", table, err)
				}
			}
			return nil
		})
	}
	must(b, group.Wait())
	// A site that grew to it has long counted and indexed it.
	for _, work := range []string{"people", "statistics_codes"} {
		s.server.Exec(b, "REPLACE INTO "+d.Name+".progress (name, moment, row_id) VALUES (?, UTC_TIMESTAMP(6) - INTERVAL 1 HOUR, '')", work)
	}
	return d.DSN
}

// databaseOf is the name of the database of a MariaDB's DSN.
func databaseOf(dsn string) string {
	name, _, _ := strings.Cut(dsn[strings.LastIndexByte(dsn, '/')+1:], "?")
	return name
}

// size is what the database takes, in MiB.
func (d database) size(b *testing.B) (mib float64) {
	b.Helper()
	must(b, d.pool.QueryRow("SELECT SUM(data_length + index_length) / 1048576 FROM information_schema.tables WHERE table_schema = DATABASE()").Scan(&mib))
	return mib
}

// columnsOf are the columns of a table, and what they are in a copy.
func columnsOf(d database, name, table string) (columns, values string, err error) {
	rows, err := d.pool.Query(`SELECT column_name, data_type FROM information_schema.columns
		WHERE table_schema = ? AND table_name = ? AND is_generated = 'NEVER' AND extra NOT LIKE '%auto_increment%'
		ORDER BY ordinal_position`, name, table)
	if err != nil {
		return "", "", err
	}
	defer func() { _ = rows.Close() }()
	var names, made []string
	for rows.Next() {
		var column, kind string
		if err := rows.Scan(&column, &kind); err != nil {
			return "", "", err
		}
		names, made = append(names, column), append(made, copyOf(table, column, kind))
	}
	return strings.Join(names, ", "), strings.Join(made, ", "), rows.Err()
}

// copyOf is the SQL of a column in a copy: ids and numbers are others, of the same
// form; times are earlier, by less than claims are kept, those in ids too; all else is
// the same.
func copyOf(table, name, kind string) string {
	const apart = 80 * 86400 / 1000 // seconds: a thousand copies are eighty days
	switch {
	case table == "claims" && name == "due_at":
		return "NULL" // nothing is left to be done
	case name == "id" || strings.HasSuffix(name, "_id") && name != "provider_id" && name != "actor_id":
		digest := "MD5(CONCAT(" + name + ", copies.seq))"
		// Ids that begin with a time are those of versions 7 and, in hexadecimal seconds,
		// claims.
		seconds := fmt.Sprintf("CONV(LEFT(%s, 8), 16, 10)", name)
		claim := fmt.Sprintf("IF(ABS(%s - UNIX_TIMESTAMP()) < 1000000, CONCAT(LPAD(LOWER(HEX(%[1]s - copies.seq * %d)), 8, '0'), SUBSTR(%s, 9)), %[3]s)",
			seconds, apart, digest)
		millis := fmt.Sprintf("CONV(CONCAT(LEFT(%s, 8), SUBSTR(%[1]s, 10, 4)), 16, 10)", name)
		ordered := fmt.Sprintf("IF(SUBSTR(%s, 15, 1) = '7', CONCAT(LPAD(LOWER(HEX(%s - copies.seq * %d)), 12, '0'), '7', SUBSTR(%s, 14)), %[4]s)",
			name, millis, apart*1000, digest)
		uuid := "INSERT(INSERT(INSERT(INSERT(" + ordered + ", 21, 0, '-'), 17, 0, '-'), 13, 0, '-'), 9, 0, '-')"
		return fmt.Sprintf("IF(LENGTH(%s) = 36, %s, %s)", name, uuid, claim)
	case table != "audit_events" && (name == "number" || name == "was" || name == "number_key"):
		// Those who change numbers now have numbers of less than 50000000.
		return fmt.Sprintf("IF(%s = '', '', CONCAT(LEFT(%[1]s, 6), 50000000 + copies.seq * 10000 + CAST(RIGHT(%[1]s, 8) AS UNSIGNED)))", name)
	case kind == "datetime":
		return fmt.Sprintf("%s - INTERVAL copies.seq * %d SECOND", name, apart)
	}
	return name
}
