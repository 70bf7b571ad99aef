package harness

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// postgresKind is a PostgreSQL with one database. What is a database elsewhere is a schema
// in it, which only its owner uses. It waits for its disk if it is durable.
type postgresKind struct{ durable bool }

func (postgresKind) name() string { return "postgres" }

// postgresProgram finds a program of Debian's newest PostgreSQL.
func postgresProgram(name string) (string, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/" + name)
	if err != nil || len(found) == 0 {
		return "", errors.New("PostgreSQL is not installed: e2e/debian.sh postgres")
	}
	slices.Sort(found)
	return found[len(found)-1], nil
}

// asPostgres runs a program that refuses to be root, as the user that Debian's package
// made. It is killed with the test program at the latest.
func asPostgres(program string, args ...string) *exec.Cmd {
	if os.Getuid() != 0 {
		return exec.Command(program, args...)
	}
	return exec.Command("setpriv", append([]string{
		"--reuid=postgres", "--regid=postgres", "--clear-groups", "--pdeathsig=KILL", program,
	}, args...)...)
}

func (postgresKind) install(dir string) error {
	initdb, err := postgresProgram("initdb")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if os.Getuid() == 0 {
		if printed, err := exec.Command("chown", "postgres:", dir).CombinedOutput(); err != nil {
			return fmt.Errorf("%w: %s", err, printed)
		}
		for above := filepath.Dir(dir); strings.HasPrefix(above, os.TempDir()+"/"); above = filepath.Dir(above) {
			if err := os.Chmod(above, 0o711); err != nil {
				return err
			}
		}
	}
	install := asPostgres(initdb, "--pgdata="+dir, "--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions")
	install.Dir = "/"
	if printed, err := install.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, tail(string(printed), 5))
	}
	return nil
}

func (k postgresKind) command(s *Server) (*Process, error) {
	server, err := postgresProgram("postgres")
	if err != nil {
		return nil, err
	}
	cmd := asPostgres(server, "-D", s.dir, "-p", strconv.Itoa(s.Port), "-c", "listen_addresses=127.0.0.1",
		"-c", "unix_socket_directories=", "-c", "max_connections=500", "-c", "shared_buffers=64MB", "-c", "timezone=UTC",
		"-c", "log_line_prefix=%n %u %p ")
	if !k.durable { // what is committed outlives a killed server, and need not outlive the machine
		cmd.Args = append(cmd.Args, "-c", "fsync=off", "-c", "full_page_writes=off")
	}
	cmd.Dir = "/"
	process, err := startProcess("postgres", s.output, cmd)
	if err == nil {
		process.ending = syscall.SIGINT // on SIGTERM it waits for its clients to go
	}
	return process, err
}

func (postgresKind) open(s *Server) (*sql.DB, error) {
	cfg, err := pgx.ParseConfig(fmt.Sprintf("postgres://postgres@127.0.0.1:%d/postgres?sslmode=disable&default_query_exec_mode=exec", s.Port))
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(askingConnector{stdlib.GetConnector(*cfg)}), nil
}

// askingConnector makes connections whose statements have question marks for values.
type askingConnector struct{ driver.Connector }

func (c askingConnector) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return askingConn{conn.(*stdlib.Conn)}, nil
}

type askingConn struct{ *stdlib.Conn }

func (c askingConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	return c.Conn.ExecContext(ctx, places(query), args)
}

func (c askingConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	return c.Conn.QueryContext(ctx, places(query), args)
}

// places numbers question marks.
func places(query string) string {
	var numbered strings.Builder
	for i, part := range strings.Split(query, "?") {
		if i > 0 {
			fmt.Fprintf(&numbered, "$%d", i)
		}
		numbered.WriteString(part)
	}
	return numbered.String()
}

func (postgresKind) make(name string) []string {
	return []string{"CREATE ROLE " + name + " LOGIN PASSWORD 'app'", "CREATE SCHEMA " + name + " AUTHORIZATION " + name}
}

// copyTable is blank: to migrate is as quick.
func (postgresKind) copyTable(_, _, _ string) string { return "" }

func (postgresKind) dsn(port int, name string) string {
	return fmt.Sprintf("postgres://%s:app@127.0.0.1:%d/postgres?sslmode=disable&search_path=%s", name, port, name)
}

func (postgresKind) connections() string {
	return "SELECT COUNT(*) FROM pg_stat_activity WHERE usename = ?"
}

func (postgresKind) rename(d Database, table, name string) string {
	return "ALTER TABLE " + d.Name + "." + table + " RENAME TO " + name
}

// The owner of a table may do everything with it.
func (postgresKind) forbid(d Database) []string {
	return []string{fmt.Sprintf(`DO $$ DECLARE of RECORD; BEGIN FOR of IN SELECT tablename FROM pg_tables WHERE schemaname = '%[1]s' LOOP
		EXECUTE 'ALTER TABLE %[1]s.' || of.tablename || ' OWNER TO postgres';
		EXECUTE 'GRANT INSERT, UPDATE, DELETE ON %[1]s.' || of.tablename || ' TO %[1]s'; END LOOP; END $$`, d.Name)}
}

func (postgresKind) allow(d Database) []string {
	return []string{fmt.Sprintf(`DO $$ DECLARE of RECORD; BEGIN FOR of IN SELECT tablename FROM pg_tables WHERE schemaname = '%[1]s' LOOP
		EXECUTE 'ALTER TABLE %[1]s.' || of.tablename || ' OWNER TO %[1]s'; END LOOP; END $$`, d.Name)}
}

// Connections begin their transactions as the server says from then on, as those of a
// standby do.
func (postgresKind) readOnly(on bool) []string {
	return []string{fmt.Sprintf("ALTER SYSTEM SET default_transaction_read_only = %t", on), "SELECT PG_RELOAD_CONF()"}
}

func (postgresKind) lockRows(d Database, tables []string) (lock []string, release string) {
	return lockPostgres(d, tables, "EXCLUSIVE"), "ROLLBACK"
}

func (postgresKind) lockTables(d Database, tables []string) (lock []string, release string) {
	return lockPostgres(d, tables, "ACCESS EXCLUSIVE"), "ROLLBACK"
}

func lockPostgres(d Database, tables []string, mode string) []string {
	lock := []string{"BEGIN"}
	for _, table := range tables {
		lock = append(lock, "LOCK TABLE "+d.Name+"."+table+" IN "+mode+" MODE")
	}
	return lock
}

func (postgresKind) logStatements() []string {
	return []string{"ALTER SYSTEM SET log_statement = 'all'", "SELECT PG_RELOAD_CONF()"}
}

var (
	// loggedLine begins a message: seconds since 1970, the user, the connection.
	loggedLine  = regexp.MustCompile(`^(\d+\.\d{3}) (\S+) (\d+) (LOG|DETAIL):  (?s)(.*)$`)
	loggedWords = regexp.MustCompile(`^(?:statement|execute [^:]*): (?s)(.*)$`)
	loggedValue = regexp.MustCompile(`\$(\d+) = ('(?:[^']|'')*'|NULL)`)
)

// statements reads the server's log, which has milliseconds, and writes values where they
// belong.
func (postgresKind) statements(t testing.TB, d Database, from, to time.Time) []Statement {
	t.Helper()
	var all []Statement
	from = from.Truncate(time.Millisecond)
	messages := strings.Split(strings.ReplaceAll(d.Server.output.String(), "\n\t", " "), "\n")
	for _, message := range messages {
		line := loggedLine.FindStringSubmatch(message)
		if line == nil || line[2] != d.User {
			continue
		}
		seconds, err := strconv.ParseFloat(line[1], 64)
		if err != nil {
			t.Fatal(err)
		}
		at := time.UnixMilli(int64(seconds*1000 + 0.5)).UTC()
		if at.Before(from) || at.After(to) {
			continue
		}
		connection, err := strconv.ParseInt(line[3], 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		if words := loggedWords.FindStringSubmatch(line[5]); line[4] == "LOG" && words != nil {
			all = append(all, Statement{At: at, Connection: connection, Text: words[1]})
			continue
		}
		for i := len(all) - 1; line[4] == "DETAIL" && i >= 0; i-- {
			if all[i].Connection == connection {
				all[i].Text = withValues(all[i].Text, line[5])
				break
			}
		}
	}
	return all
}

// withValues writes a statement's values in their places.
func withValues(statement, detail string) string {
	values := map[string]string{}
	for _, value := range loggedValue.FindAllStringSubmatch(detail, -1) {
		values["$"+value[1]] = value[2]
	}
	return regexp.MustCompile(`\$\d+`).ReplaceAllStringFunc(statement, func(place string) string {
		if value, ok := values[place]; ok {
			return value
		}
		return place
	})
}

func (postgresKind) openTransactions(t testing.TB, d Database) ([]string, error) {
	t.Helper()
	rows, err := d.Server.Root.QueryContext(t.Context(),
		"SELECT state || ' ' || query FROM pg_stat_activity WHERE usename = ? AND state <> 'idle'", d.User)
	if err != nil {
		return nil, err
	}
	return textsOf(rows)
}
