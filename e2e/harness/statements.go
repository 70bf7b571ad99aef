package harness

import (
	"fmt"
	"regexp"
	"slices"
	"testing"
	"time"
)

// Statement is one that the server under test sent to its database.
type Statement struct {
	At         time.Time
	Connection int64
	Text       string
	Joined     bool // to the command of the one before
}

// StatementLog reads what a server writes down of the user of one database.
type StatementLog struct {
	database Database
}

// NewStatementLog turns the server's log of statements on.
func NewStatementLog(t testing.TB, d Database) *StatementLog {
	t.Helper()
	d.execAll(t, d.Server.kind.logStatements())
	return &StatementLog{d}
}

// Mark returns the database's present time.
func (l *StatementLog) Mark(t testing.TB) time.Time {
	t.Helper()
	var now time.Time
	if err := l.database.Server.Root.QueryRowContext(t.Context(), "SELECT CURRENT_TIMESTAMP(6)").Scan(&now); err != nil {
		t.Fatal(err)
	}
	return now.UTC()
}

// Between returns the statements of a time, in order. A prepared one counts when
// it is executed.
func (l *StatementLog) Between(t testing.TB, from, to time.Time) []Statement {
	t.Helper()
	var all []Statement
	for _, s := range l.database.Server.kind.statements(t, l.database, from, to) {
		for i, text := range commandParts(s.Text) {
			all = append(all, Statement{s.At, s.Connection, text, i > 0})
		}
	}
	return all
}

var nextPart = regexp.MustCompile(`; (?:INSERT INTO|UPDATE|DELETE FROM) [a-z_]+ `)

// commandParts are the statements of a command, which the log may show as one.
func commandParts(command string) []string {
	var parts []string
	for _, at := range slices.Backward(nextPart.FindAllStringIndex(command, -1)) {
		parts, command = append(parts, command[at[0]+len("; "):]), command[:at[0]]
	}
	slices.Reverse(parts)
	return append([]string{command}, parts...)
}

// Settle waits until every transaction that the server under test has begun has
// ended and the outbox has recorded what became of its texts. The database has
// transactions of its own besides.
func (l *StatementLog) Settle(t testing.TB) {
	t.Helper()
	Eventually(t, "the database settles", func() error {
		var queued int
		err := l.database.Server.Root.QueryRowContext(t.Context(),
			"SELECT COUNT(*) FROM "+l.database.Name+".texts WHERE state = 'queued'").Scan(&queued)
		if err != nil {
			return err
		}
		open, err := l.database.Server.kind.openTransactions(t, l.database)
		if err == nil && queued+len(open) > 0 {
			err = fmt.Errorf("%d texts queued, transactions open: %q", queued, open)
		}
		return err
	})
}
