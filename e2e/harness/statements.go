package harness

import (
	"database/sql"
	"fmt"
	"testing"
	"time"
)

// Statement is one that the server under test sent to its database.
type Statement struct {
	At         time.Time
	Connection int64
	Text       string
}

// StatementLog reads MariaDB's general log for the user of one database.
type StatementLog struct {
	database Database
}

// NewStatementLog turns the general log on.
func NewStatementLog(t testing.TB, d Database) *StatementLog {
	t.Helper()
	d.Server.Exec(t, "SET GLOBAL log_output='TABLE'")
	d.Server.Exec(t, "SET GLOBAL general_log=ON")
	return &StatementLog{d}
}

// Mark returns the database's present time.
func (l *StatementLog) Mark(t testing.TB) time.Time {
	t.Helper()
	var now time.Time
	if err := l.database.Server.Root.QueryRowContext(t.Context(), "SELECT UTC_TIMESTAMP(6)").Scan(&now); err != nil {
		t.Fatal(err)
	}
	return now
}

// Between returns the statements of a time, in order. A prepared one counts when
// it is executed.
func (l *StatementLog) Between(t testing.TB, from, to time.Time) []Statement {
	t.Helper()
	rows, err := l.database.Server.Root.QueryContext(t.Context(),
		`SELECT event_time, thread_id, CONVERT(argument USING utf8mb4) FROM mysql.general_log
		WHERE user_host LIKE ? AND command_type IN ('Query', 'Execute') AND event_time >= ? AND event_time <= ?
		ORDER BY event_time`, l.database.User+"[%", from, to)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	var all []Statement
	for rows.Next() {
		var s Statement
		if err := rows.Scan(&s.At, &s.Connection, &s.Text); err != nil {
			t.Fatal(err)
		}
		all = append(all, s)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
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
		// InnoDB shows its transactions as they were when somebody last looked, unless
		// nobody has for a tenth of a second: who asks more often sees the past for ever.
		if _, err := l.database.Server.Root.ExecContext(t.Context(), "DO SLEEP(0.2)"); err != nil {
			return err
		}
		var open int
		var which sql.NullString
		err = l.database.Server.Root.QueryRowContext(t.Context(),
			`SELECT COUNT(*), GROUP_CONCAT(CONCAT_WS(' ', p.USER, p.COMMAND, p.TIME, trx_state, trx_started, trx_query))
			FROM information_schema.INNODB_TRX JOIN information_schema.PROCESSLIST AS p ON p.ID = trx_mysql_thread_id
			WHERE p.USER = ?`, l.database.User).Scan(&open, &which)
		if err == nil && queued+open > 0 {
			err = fmt.Errorf("%d texts queued, %d transactions open: %s", queued, open, which.String)
		}
		return err
	})
}
