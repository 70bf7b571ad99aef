package harness

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Galera is a cluster of MariaDB servers, each in a network of its own that hangs
// on a bridge of the test's: so the way between two of them can be cut while the
// test reaches both.
type Galera struct {
	Nodes []*Node
	dir   string
}

// Node is one server of a cluster. Root reaches it by its socket, which no cut
// touches.
type Node struct {
	*Server
	// Address is where clients reach it.
	Address string

	n       int
	host    string
	peers   []string
	network *Process // holds the node's network
}

const galeraLibrary = "/usr/lib/galera/libgalera_smm.so"

// NewGalera starts a cluster. It needs root and a network namespace, see
// [InNamespace].
func NewGalera(t testing.TB, size int) *Galera {
	t.Helper()
	for _, needed := range []string{galeraLibrary, "/usr/bin/rsync"} {
		if _, err := os.Stat(needed); err != nil {
			t.Fatalf("%v: e2e/debian.sh galera installs it", err)
		}
	}
	// A test's own folder is closed to the user that the servers run as.
	dir, err := os.MkdirTemp("", "holdline-galera-") //nolint:usetesting // see above
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	g := &Galera{dir: dir}
	template := filepath.Join(dir, "template")
	run(t, "chown", "mysql:", dir)
	run(t, "mariadb-install-db", "--no-defaults", "--user=mysql", "--datadir="+template,
		"--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve")
	run(t, "ip", "link", "add", "nodes", "type", "bridge")
	run(t, "ip", "addr", "add", "10.77.0.1/24", "dev", "nodes")
	run(t, "ip", "link", "set", "nodes", "up")
	for n := 1; n <= size; n++ {
		g.Nodes = append(g.Nodes, g.prepare(t, n, size))
	}
	for i, node := range g.Nodes {
		var first []string
		if i == 0 {
			first = []string{"--wsrep-new-cluster"}
		}
		if err := node.start(first...); err != nil {
			t.Fatal(err)
		}
		node.AwaitSynced(t)
	}
	return g
}

func run(t testing.TB, name string, args ...string) {
	t.Helper()
	if printed, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %s: %v: %s", name, strings.Join(args, " "), err, tail(string(printed), 5))
	}
}

// prepare makes a node's network and its folder.
func (g *Galera) prepare(t testing.TB, n, size int) *Node {
	t.Helper()
	dir := filepath.Join(g.dir, fmt.Sprint("node", n))
	node := &Node{n: n, host: nodeHost(n), Address: nodeHost(n) + ":3306", Server: &Server{Port: 3306, dir: dir, output: new(Output)}}
	for other := 1; other <= size; other++ {
		if other != n {
			node.peers = append(node.peers, nodeHost(other))
		}
	}
	run(t, "cp", "-a", filepath.Join(g.dir, "template"), dir)
	network, err := startProcess("a node's network", new(Output), exec.Command("unshare", "--net", "sleep", "infinity"))
	if err != nil {
		t.Fatal(err)
	}
	node.network = network
	t.Cleanup(network.Kill)
	outside, inside := fmt.Sprint("to", n), fmt.Sprint("node", n)
	run(t, "ip", "link", "add", outside, "type", "veth", "peer", "name", inside)
	Eventually(t, "the node has a network", func() error {
		return exec.Command("ip", "link", "set", inside, "netns", fmt.Sprint(network.cmd.Process.Pid)).Run()
	})
	// Before unshare has done its work, that moved the link to where it was.
	Eventually(t, "the node has a link", func() error {
		_ = exec.Command("ip", "link", "set", inside, "netns", fmt.Sprint(network.cmd.Process.Pid)).Run()
		return node.within("ip", "link", "set", inside, "up").Run()
	})
	run(t, "ip", "link", "set", outside, "master", "nodes", "up")
	for _, args := range [][]string{{"addr", "add", node.host + "/24", "dev", inside}, {"link", "set", "lo", "up"}} {
		if printed, err := node.within("ip", args...).CombinedOutput(); err != nil {
			t.Fatalf("network of node %d: %v: %s", n, err, printed)
		}
	}
	node.Root, err = sql.Open("mysql", fmt.Sprintf("root@unix(%s)/mysql?parseTime=true&interpolateParams=true&timeout=2s&readTimeout=60s", node.socket()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = node.Root.Close() })
	return node
}

func nodeHost(n int) string { return fmt.Sprintf("10.77.0.%d", 10+n) }

func (n *Node) socket() string { return filepath.Join(n.dir, "s") }

// within prepares a command in the node's network. It takes the place of nsenter,
// so its process id is the server's.
func (n *Node) within(name string, args ...string) *exec.Cmd {
	return exec.Command("nsenter", append([]string{"--net", "--target", fmt.Sprint(n.network.cmd.Process.Pid), name}, args...)...)
}

// start starts the server, which joins by itself. It runs as mysql: a transfer
// from a root's rsync fails, because that drops its rights. And a server that
// drops rights itself forgets whom to die with.
func (n *Node) start(more ...string) error {
	args := append([]string{
		"--reuid=mysql", "--regid=mysql", "--init-groups", "--pdeathsig=KILL", "mariadbd", "--no-defaults",
		"--datadir=" + n.dir, "--socket=" + n.socket(), "--bind-address=0.0.0.0", "--port=3306",
		"--skip-name-resolve", "--max-connections=500", "--character-set-server=utf8mb4",
		"--collation-server=utf8mb4_unicode_ci", "--default-time-zone=+00:00", "--binlog-format=ROW",
		"--default-storage-engine=InnoDB", "--innodb-autoinc-lock-mode=2", "--innodb-buffer-pool-size=64M",
		"--innodb-log-file-size=16M", "--innodb-flush-log-at-trx-commit=2",
		"--wsrep-on=ON", "--wsrep-provider=" + galeraLibrary, "--wsrep-cluster-name=e2e",
		fmt.Sprint("--wsrep-node-name=node", n.n), "--wsrep-node-address=" + n.host,
		"--wsrep-cluster-address=gcomm://" + strings.Join(append([]string{n.host}, n.peers...), ","),
		"--wsrep-sst-method=rsync", "--wsrep-slave-threads=2",
		"--wsrep-provider-options=evs.keepalive_period=PT0.5S;evs.suspect_timeout=PT3S;evs.inactive_timeout=PT6S;" +
			"evs.inactive_check_period=PT0.5S;gcache.size=64M",
	}, more...)
	process, err := startProcess(fmt.Sprint("node ", n.n), n.output, n.within("setpriv", args...))
	if err == nil {
		n.process = process
	}
	return err
}

// Start starts the server again and does not wait until it has joined.
func (n *Node) Start(t testing.TB) {
	t.Helper()
	if err := n.start(); err != nil {
		t.Fatal(err)
	}
}

// Kill ends the server as kill -9 does.
func (n *Node) Kill() { n.process.Kill() }

// Stop ends the server as an operator would.
func (n *Node) Stop(t testing.TB) {
	t.Helper()
	if err := n.process.Stop(Patience); err != nil {
		t.Errorf("node %d did not stop cleanly: %v\n%s", n.n, err, tail(n.output.String(), 10))
	}
}

// Cut cuts the node off from the others, not from its clients, until the returned
// function is called.
func (g *Galera) Cut(t testing.TB, n int) (heal func()) {
	t.Helper()
	route := func(what string) {
		for i, node := range g.Nodes {
			hosts := []string{nodeHost(n + 1)}
			if i == n {
				hosts = node.peers
			}
			for _, host := range hosts {
				if printed, err := node.within("ip", "route", what, "blackhole", host+"/32").CombinedOutput(); err != nil {
					t.Errorf("%s the route to %s: %v: %s", what, host, err, printed)
				}
			}
		}
	}
	route("add")
	return func() { route("del") }
}

// Synced returns nil when the node serves as a full member of the cluster.
func (n *Node) Synced(ctx context.Context) error {
	var name, state, ready, size string
	status := func(variable string, value *string) error {
		return n.Root.QueryRowContext(ctx, "SHOW STATUS LIKE '"+variable+"'").Scan(&name, value)
	}
	err := errors.Join(status("wsrep_local_state_comment", &state), status("wsrep_ready", &ready), status("wsrep_cluster_size", &size))
	if err == nil && (state != "Synced" || ready != "ON") {
		err = fmt.Errorf("%s, ready %s, %s nodes", state, ready, size)
	}
	return err
}

// AwaitSynced waits until the node serves.
func (n *Node) AwaitSynced(t testing.TB) {
	t.Helper()
	Eventually(t, fmt.Sprintf("node %d is synced", n.n), func() error {
		if !n.process.Running() {
			t.Fatalf("node %d ended: %v\n%s", n.n, n.process.err, tail(n.output.String(), 30))
		}
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		return n.Synced(ctx)
	})
}

// NewDatabase makes an empty database that is reached through a relay.
func (g *Galera) NewDatabase(t testing.TB, relay *Relay, parameters string) Database {
	t.Helper()
	first := g.Nodes[0].Server
	first.Exec(t, "CREATE DATABASE e2e")
	first.Exec(t, "CREATE USER e2e@'%' IDENTIFIED BY 'app'")
	first.Exec(t, "GRANT ALL ON e2e.* TO e2e@'%'")
	return Database{Server: first, Name: "e2e", User: "e2e", DSN: GaleraDSN(relay, parameters)}
}

// GaleraDSN is the DSN of a replica that has a relay of its own.
func GaleraDSN(relay *Relay, parameters string) string {
	return fmt.Sprintf("mysql://e2e:app@tcp(%s)/e2e%s", relay.Address, parameters)
}

// Checksums returns what each table holds, in one line each.
func (n *Node) Checksums(t testing.TB, database string) map[string]string {
	t.Helper()
	rows, err := n.Root.QueryContext(t.Context(), "SELECT table_name FROM information_schema.tables WHERE table_schema = ? ORDER BY 1", database)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	var tables []string
	for rows.Next() {
		var table string
		if err := rows.Scan(&table); err != nil {
			t.Fatal(err)
		}
		tables = append(tables, table)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	sums := map[string]string{}
	for _, table := range tables {
		var count, sum, name string
		if err := n.Root.QueryRowContext(t.Context(), "CHECKSUM TABLE "+database+"."+table).Scan(&name, &sum); err != nil {
			t.Fatal(err)
		}
		if err := n.Root.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM "+database+"."+table).Scan(&count); err != nil {
			t.Fatal(err)
		}
		sums[table] = count + " rows, checksum " + sum
	}
	return sums
}
