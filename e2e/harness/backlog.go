package harness

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Backlog describes open claims with queued texts that are put into a database
// as copies of a real one.
type Backlog struct {
	// Of is whose claim and text are copied.
	Of *Person
	// Number is the one that the copied claim wants. Of that, every copy has the
	// last seven digits replaced.
	Number string
	Count  int
	// ExpiredEvery makes the code of one in so many expired; 0 for none.
	ExpiredEvery int
	// Age is how long ago the oldest was queued; the first copy is the oldest.
	Age time.Duration
}

// To is the number of the n-th copy, counted from 1.
func (b Backlog) To(n int) string { return fmt.Sprintf("%s%07d", b.Number[:len(b.Number)-7], n) }

// Index is the n of a number that [Backlog.To] made; false for any other.
func (b Backlog) Index(to string) (int, bool) {
	n, err := strconv.Atoi(to[len(to)-7:])
	return n, err == nil && n >= 1 && n <= b.Count && to == b.To(n)
}

// Expired reports whether the n-th copy's code is.
func (b Backlog) Expired(n int) bool { return b.ExpiredEvery > 0 && n%b.ExpiredEvery == 0 }

// Due makes all queued texts due now, as time does.
func (d Database) Due(t testing.TB) {
	t.Helper()
	d.Server.Exec(t, "UPDATE "+d.Name+".texts SET due_at = CURRENT_TIMESTAMP(6) WHERE state = 'queued'")
}

// Add puts a backlog into the database. The texts are due at once.
func (d Database) Add(t testing.TB, b Backlog) {
	t.Helper()
	Eventually(t, "the text to copy is queued", func() error {
		if d.Count(t, "texts", "identity_id = ? AND number = ?", b.Of.ID, b.Number) == 0 {
			return errNotYet
		}
		return nil
	})
	digits := strings.TrimPrefix(b.Number, "+")
	number := func(column string) string {
		return fmt.Sprintf("REPLACE(%s, '%s', CONCAT('%s', LPAD(seq, 7, '0')))", column, digits, digits[:len(digits)-7])
	}
	queued := fmt.Sprintf("CURRENT_TIMESTAMP(6) - INTERVAL (%d * (%d - seq)) MICROSECOND",
		b.Age.Microseconds()/int64(b.Count), b.Count)
	expires := "code_expires"
	if b.ExpiredEvery > 0 {
		expires = fmt.Sprintf("IF(seq %% %d = 0, CURRENT_TIMESTAMP(6) - INTERVAL '1' SECOND, code_expires)", b.ExpiredEvery)
	}
	person := "CONCAT('backlog-', seq)"
	common := map[string]string{
		"identity_id": person, "number": number("number"), "code_expires": expires, "created_at": queued,
	}
	d.multiply(t, "claims", b, common, map[string]string{
		"id": person, "held_identity": person, "flow_id": person,
	})
	d.multiply(t, "texts", b, common, map[string]string{
		"id": person, "claim_id": person, "number_key": number("number_key"),
		"address": "CONCAT('198.51.', seq DIV 250, '.', seq % 250)", "due_at": queued, "tries": "0", "state": "'queued'",
	})
}

// multiply copies the person's row, but for the columns that are given.
func (d Database) multiply(t testing.TB, table string, b Backlog, given ...map[string]string) {
	t.Helper()
	other := map[string]string{}
	for _, columns := range given {
		maps.Copy(other, columns)
	}
	var names, values []string
	for _, name := range d.Columns(t, table) {
		names = append(names, name)
		value, ok := other[name]
		if !ok {
			value = name
		}
		values = append(values, value)
		delete(other, name)
	}
	if len(other) > 0 {
		t.Fatalf("table %s has no %q", table, slices.Sorted(maps.Keys(other)))
	}
	d.Server.Exec(t, fmt.Sprintf("INSERT INTO %[1]s.%[2]s (%[3]s) SELECT %[4]s FROM %[1]s.%[2]s JOIN %[1]s.seq_1_to_%[5]d WHERE identity_id = ? AND number = ?",
		d.Name, table, strings.Join(names, ", "), strings.Join(values, ", "), b.Count), b.Of.ID, b.Number)
}

// Columns are those that can be written: the others are made of them.
func (d Database) Columns(t testing.TB, table string) []string {
	t.Helper()
	rows, err := d.Server.Root.QueryContext(t.Context(),
		"SELECT column_name FROM information_schema.columns WHERE table_schema = ? AND table_name = ? AND extra NOT LIKE '%GENERATED%'", d.Name, table)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	var names []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return names
}

// Count counts rows of a table; the condition may have arguments.
func (d Database) Count(t testing.TB, table, condition string, args ...any) int {
	t.Helper()
	n := 0
	row := d.Server.Root.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM "+d.Name+"."+table+" WHERE "+condition, args...)
	if err := row.Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// Text returns the id of the identity's only text to a number.
func (d Database) Text(t testing.TB, identityID, number string) string {
	t.Helper()
	var id string
	row := d.Server.Root.QueryRowContext(t.Context(), "SELECT id FROM "+d.Name+".texts WHERE identity_id = ? AND number = ?", identityID, number)
	if err := row.Scan(&id); err != nil {
		t.Fatal(err)
	}
	return id
}

// Reconfigure stops the program, lays more over its configuration, and starts it
// again, as an operator does.
func (h *Holdline) Reconfigure(t testing.TB, over Overlay) {
	t.Helper()
	h.Stop(t)
	writeYAML(t, h.config, merge(readYAML(t, h.config), over))
	h.Start(t)
}
