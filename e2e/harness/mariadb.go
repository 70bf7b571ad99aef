package harness

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
)

// mariadbKind is a MariaDB, which waits for its disk if it is durable.
type mariadbKind struct{ durable bool }

func (mariadbKind) name() string { return "mariadb" }

func (mariadbKind) install(dir string) error {
	me, err := user.Current()
	if err != nil {
		return err
	}
	// Servers that are made at the same time, in other test runs too, would meet each
	// other's temporary tables in a folder that they share.
	if err := os.MkdirAll(dir+".tmp", 0o700); err != nil {
		return err
	}
	install := exec.Command("mariadb-install-db", append([]string{
		"--no-defaults", "--user=" + me.Username, "--datadir=" + dir,
		"--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve", "--tmpdir=" + dir + ".tmp",
	}, withoutDisk...)...)
	if printed, err := install.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, tail(string(printed), 5))
	}
	return nil
}

func (k mariadbKind) command(s *Server) (*Process, error) {
	disk := withoutDisk
	if k.durable {
		disk = nil
	}
	me, err := user.Current()
	if err != nil {
		return nil, err
	}
	return startProcess("mariadbd", s.output, exec.Command("mariadbd", append([]string{
		"--no-defaults",
		"--user=" + me.Username, "--datadir=" + s.dir, "--tmpdir=" + s.dir + ".tmp", "--socket=" + filepath.Join(s.dir, "s"), "--bind-address=127.0.0.1",
		fmt.Sprintf("--port=%d", s.Port), "--skip-name-resolve", "--max-connections=500",
		"--character-set-server=utf8mb4", "--collation-server=utf8mb4_unicode_ci", "--default-time-zone=+00:00",
		"--innodb-buffer-pool-size=64M",
	}, disk...)...))
}

// withoutDisk lets a server not wait for its disk: what is committed outlives a killed
// server, and need not outlive the machine.
var withoutDisk = []string{
	"--innodb-flush-log-at-trx-commit=2", "--innodb-flush-method=nosync", "--skip-sync-frm", "--debug-no-sync",
	"--skip-innodb-doublewrite", "--innodb-log-file-size=32M",
}

func (mariadbKind) open(s *Server) (*sql.DB, error) {
	return sql.Open("mysql", fmt.Sprintf("root@tcp(127.0.0.1:%d)/mysql?parseTime=true&interpolateParams=true", s.Port))
}

func (mariadbKind) make(name string) []string {
	return []string{
		"CREATE DATABASE " + name,
		"CREATE USER " + name + "@'127.0.0.1' IDENTIFIED BY 'app'",
		"GRANT ALL ON " + name + ".* TO " + name + "@'127.0.0.1'",
	}
}

func (mariadbKind) copyTable(from, to, table string) string {
	return "CREATE TABLE " + to + "." + table + " LIKE " + from + "." + table
}

func (mariadbKind) dsn(port int, name string) string {
	return fmt.Sprintf("mysql://%s:app@tcp(127.0.0.1:%d)/%s", name, port, name)
}

func (mariadbKind) connections() string {
	return "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE USER = ?"
}

func (mariadbKind) rename(d Database, table, name string) string {
	return "RENAME TABLE " + d.Name + "." + table + " TO " + d.Name + "." + name
}

// Connections keep the rights that they began with.
func (mariadbKind) forbid(d Database) []string {
	return []string{"REVOKE SELECT ON " + d.Name + ".* FROM " + d.User + "@'127.0.0.1'", "KILL USER " + d.User}
}

func (mariadbKind) allow(d Database) []string {
	return []string{"GRANT ALL ON " + d.Name + ".* TO " + d.User + "@'127.0.0.1'", "KILL USER " + d.User}
}

func (mariadbKind) readOnly(on bool) []string {
	return []string{fmt.Sprintf("SET GLOBAL read_only = %t", on)}
}

func (mariadbKind) lockRows(d Database, tables []string) (lock []string, release string) {
	lock = []string{"BEGIN"}
	for _, table := range tables {
		lock = append(lock, "SELECT COUNT(*) FROM (SELECT 1 FROM "+d.Name+"."+table+" FOR UPDATE) AS held")
	}
	return lock, "ROLLBACK"
}

func (mariadbKind) lockTables(d Database, tables []string) (lock []string, release string) {
	var all []string
	for _, table := range tables {
		all = append(all, d.Name+"."+table+" WRITE")
	}
	return []string{"LOCK TABLES " + strings.Join(all, ", ")}, "UNLOCK TABLES"
}

func (mariadbKind) logStatements() []string {
	return []string{"SET GLOBAL log_output='TABLE'", "SET GLOBAL general_log=ON"}
}

func (mariadbKind) statements(t testing.TB, d Database, from, to time.Time) []Statement {
	t.Helper()
	var all []Statement
	d.each(t, `SELECT event_time, thread_id, CONVERT(argument USING utf8mb4) FROM mysql.general_log
		WHERE user_host LIKE ? AND command_type IN ('Query', 'Execute') AND event_time >= ? AND event_time <= ?
		ORDER BY event_time`, func(rows *sql.Rows) error {
		var s Statement
		err := rows.Scan(&s.At, &s.Connection, &s.Text)
		all = append(all, s)
		return err
	}, d.User+"[%", from, to)
	return all
}

func (mariadbKind) openTransactions(t testing.TB, d Database) ([]string, error) {
	t.Helper()
	// InnoDB shows its transactions as they were when somebody last looked, unless
	// nobody has for a tenth of a second: who asks more often sees the past for ever.
	if _, err := d.Server.Root.ExecContext(t.Context(), "DO SLEEP(0.2)"); err != nil {
		return nil, err
	}
	rows, err := d.Server.Root.QueryContext(t.Context(),
		`SELECT CONCAT_WS(' ', p.USER, p.COMMAND, p.TIME, trx_state, trx_started, trx_query)
		FROM information_schema.INNODB_TRX JOIN information_schema.PROCESSLIST AS p ON p.ID = trx_mysql_thread_id
		WHERE p.USER = ?`, d.User)
	if err != nil {
		return nil, err
	}
	return textsOf(rows)
}

// textsOf reads a column of texts.
func textsOf(rows *sql.Rows) (texts []string, err error) {
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return nil, err
		}
		texts = append(texts, text)
	}
	return texts, rows.Err()
}

// mysqlKind is a MySQL that somebody else has started, and that no test stops.
type mysqlKind struct {
	mariadbKind
	at *mysql.Config
}

// mysqlOfRun finds the server of TEST_DSN, whose user may do everything.
func mysqlOfRun() (serverKind, error) {
	at, err := mysql.ParseDSN(strings.TrimPrefix(os.Getenv("TEST_DSN"), "mysql://"))
	if err != nil || at.Addr == "" {
		return nil, errors.New("TEST_DSN must name the MySQL: run e2e/databases.sh mysql")
	}
	at.ParseTime, at.InterpolateParams = true, true
	return mysqlKind{at: at}, nil
}

func (mysqlKind) name() string { return "mysql" }

func (mysqlKind) install(string) error { return nil }

func (mysqlKind) command(*Server) (*Process, error) { return nil, nil } //nolint:nilnil // it runs

func (k mysqlKind) open(*Server) (*sql.DB, error) { return sql.Open("mysql", k.at.FormatDSN()) }

func (k mysqlKind) dsn(_ int, name string) string {
	return fmt.Sprintf("mysql://%s:app@tcp(%s)/%s", name, k.at.Addr, name)
}
