package harness

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// PostgresPair is a PostgreSQL that takes writes with a standby that streams them: a commit
// is answered when both have it. Somebody has to say when the standby takes over; in these
// tests it is the test.
type PostgresPair struct {
	// DSN names both, as database.dsn takes it.
	DSN string
	// Root asks whichever takes writes.
	Root *sql.DB

	programs, dir string
	nodes         [2]*postgresNode
	primary       int
}

type postgresNode struct {
	port    int
	dir     string
	output  *Output
	process *Process
}

// NewPostgresPair starts both.
func NewPostgresPair(t testing.TB) *PostgresPair {
	t.Helper()
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin")
	if err != nil || len(found) == 0 {
		t.Fatal("PostgreSQL is not installed: e2e/debian.sh postgres")
	}
	// A test's own folder is closed to the user that the servers run as.
	dir, err := os.MkdirTemp("", "holdline-pair-") //nolint:usetesting // see above
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	p := &PostgresPair{programs: found[len(found)-1], dir: dir}
	if os.Geteuid() == 0 {
		run(t, "chown", "postgres:", dir)
	}
	var hosts []string
	for i := range p.nodes {
		p.nodes[i] = &postgresNode{port: freePort(), dir: filepath.Join(dir, fmt.Sprint("node", i+1)), output: new(Output)}
		hosts = append(hosts, fmt.Sprintf("127.0.0.1:%d", p.nodes[i].port))
		t.Cleanup(func() { p.kill(i) })
	}
	p.DSN = "postgres://app@" + strings.Join(hosts, ",") + "/app?sslmode=disable&target_session_attrs=read-write"
	p.command(t, "initdb", "--pgdata="+p.nodes[0].dir, "--username=app", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-instructions", "--no-sync")
	p.start(t, 0)
	p.sql(t, 0, "postgres", "CREATE DATABASE app")
	p.Rebuild(t)
	cfg, err := pgx.ParseConfig(p.DSN)
	if err != nil {
		t.Fatal(err)
	}
	cfg.DefaultQueryExecMode, cfg.ConnectTimeout = pgx.QueryExecModeExec, 2*time.Second
	p.Root = sql.OpenDB(askingConnector{stdlib.GetConnector(*cfg)})
	p.Root.SetMaxIdleConns(0) // one that is there may lead to the other server
	t.Cleanup(func() { _ = p.Root.Close() })
	return p
}

// Database is the database of the pair.
func (p *PostgresPair) Database() Database {
	return Database{Server: &Server{kind: postgresKind{}, Root: p.Root, process: p.nodes[0].process, output: p.nodes[0].output}, Name: "public", User: "app", DSN: p.DSN}
}

// as is a command of the user that the servers run as, which is not root.
func (p *PostgresPair) as(program string, args ...string) *exec.Cmd {
	program = filepath.Join(p.programs, program)
	var cmd *exec.Cmd
	if os.Geteuid() == 0 {
		// Killed with the test program, as all that it starts.
		cmd = exec.Command("setpriv", append([]string{"--reuid=postgres", "--regid=postgres", "--clear-groups", "--pdeathsig=KILL", program}, args...)...)
	} else {
		cmd = exec.Command(program, args...)
	}
	cmd.Dir = p.dir
	return cmd
}

func (p *PostgresPair) command(t testing.TB, program string, args ...string) {
	t.Helper()
	if printed, err := p.as(program, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v: %s", program, err, tail(string(printed), 5))
	}
}

// sql runs a statement at one of the servers, and returns what it shows.
func (p *PostgresPair) sql(t testing.TB, node int, database, statement string) string {
	t.Helper()
	printed, err := p.psql(node, database, statement)
	if err != nil {
		t.Fatalf("%s: %v: %s", statement, err, printed)
	}
	return printed
}

func (p *PostgresPair) psql(node int, database, statement string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	printed, err := exec.CommandContext(ctx, "psql", "--no-psqlrc", "--quiet", "--no-align", "--tuples-only", "--host=127.0.0.1",
		"--port="+strconv.Itoa(p.nodes[node].port), "--username=app", "--dbname="+database, "--command="+statement).CombinedOutput()
	return strings.TrimSpace(string(printed)), err
}

func (p *PostgresPair) start(t testing.TB, node int) {
	t.Helper()
	n := p.nodes[node]
	process, err := startProcess("postgres", n.output, p.as("postgres", "-D", n.dir, "-p", strconv.Itoa(n.port),
		"-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c", "max_connections=300", "-c", "shared_buffers=64MB",
		"-c", "wal_level=replica", "-c", "hot_standby=on", "-c", "max_wal_senders=5", "-c", "wal_keep_size=128MB",
		"-c", "wal_sender_timeout=5s", "-c", "wal_receiver_timeout=5s", "-c", "wal_retrieve_retry_interval=200ms",
		// What is committed outlives a killed server, and need not outlive the machine.
		"-c", "fsync=off", "-c", "full_page_writes=off"))
	if err != nil {
		t.Fatal(err)
	}
	n.process = process
	Eventually(t, "PostgreSQL answers", func() error {
		if !process.Running() {
			t.Fatalf("PostgreSQL ended:\n%s", tail(n.output.String(), 20))
		}
		_, err := p.psql(node, "postgres", "SELECT 1")
		return err
	})
}

// KillPrimary ends every process of the server that takes writes, as the end of its machine
// does.
func (p *PostgresPair) KillPrimary() { p.kill(p.primary) }

// FreezePrimary has the server that takes writes accept connections and answer nothing.
func (p *PostgresPair) FreezePrimary() { p.signal(p.primary, syscall.SIGSTOP) }

// StopPrimary shuts the server that takes writes down, after its standby has everything.
func (p *PostgresPair) StopPrimary(t testing.TB) {
	t.Helper()
	p.command(t, "pg_ctl", "--pgdata="+p.nodes[p.primary].dir, "--mode=fast", "--wait", "stop")
}

func (p *PostgresPair) kill(node int) {
	if p.nodes[node].process != nil {
		p.signal(node, syscall.SIGKILL)
		p.nodes[node].process.Kill()
	}
}

// signal goes to a server's first process, and to all that it has started.
func (p *PostgresPair) signal(node int, signal syscall.Signal) {
	if process := p.nodes[node].process; process.Running() {
		first := process.cmd.Process.Pid
		children, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", first, first))
		_ = syscall.Kill(first, signal)
		for _, child := range strings.Fields(string(children)) {
			if pid, err := strconv.Atoi(child); err == nil {
				_ = syscall.Kill(pid, signal)
			}
		}
	}
}

// Promote has the standby take writes, alone.
func (p *PostgresPair) Promote(t testing.TB) {
	t.Helper()
	p.primary = 1 - p.primary
	p.command(t, "pg_ctl", "--pgdata="+p.nodes[p.primary].dir, "--wait", "promote")
	p.answerAfter(t, "")
}

// answerAfter says which standbys must have a commit before it is answered.
func (p *PostgresPair) answerAfter(t testing.TB, standbys string) {
	t.Helper()
	p.sql(t, p.primary, "postgres", "ALTER SYSTEM SET synchronous_standby_names = '"+standbys+"'")
	p.sql(t, p.primary, "postgres", "SELECT pg_reload_conf()")
}

// Rebuild makes the other server anew, as a standby without which nothing is committed.
func (p *PostgresPair) Rebuild(t testing.TB) {
	t.Helper()
	other := 1 - p.primary
	p.kill(other)
	if err := os.RemoveAll(p.nodes[other].dir); err != nil {
		t.Fatal(err)
	}
	p.command(t, "pg_basebackup", "--pgdata="+p.nodes[other].dir, "--write-recovery-conf", "--checkpoint=fast", "--no-sync",
		fmt.Sprintf("--dbname=host=127.0.0.1 port=%d user=app", p.nodes[p.primary].port))
	p.start(t, other)
	p.answerAfter(t, "*")
	p.AwaitSynchronous(t)
}

// AwaitSynchronous waits until the standby has all that was committed.
func (p *PostgresPair) AwaitSynchronous(t testing.TB) {
	t.Helper()
	Eventually(t, "the standby follows", func() error {
		state, err := p.psql(p.primary, "postgres", "SELECT sync_state FROM pg_stat_replication WHERE state = 'streaming' AND replay_lsn IS NOT NULL")
		if err != nil || state != "sync" && state != "quorum" {
			return fmt.Errorf("%q, %v", state, err)
		}
		return nil
	})
}

// Checksums are a digest of each table, as one of the servers has it.
func (p *PostgresPair) Checksums(t testing.TB, node int) map[string]string {
	t.Helper()
	sums := map[string]string{}
	for table := range strings.SplitSeq(p.sql(t, node, "app", "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"), "\n") {
		sums[table] = p.sql(t, node, "app", "SELECT COUNT(*) || ' ' || COALESCE(MD5(STRING_AGG(r::text, '|' ORDER BY r::text)), '') FROM "+table+" AS r")
	}
	return sums
}
