package harness

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/holdline/holdline/internal/kratostest"
)

// Kratos is a running Ory Kratos, on SQLite if nothing else is said.
type Kratos struct {
	PublicURL, AdminURL string
	Output              *Output

	dir, dsn string
	process  *Process
}

// onSQLite is a database in Kratos' own folder.
var onSQLite = kratostest.SQLite("db.sqlite")

// tree is a YAML or JSON document.
type tree = map[string]any

// merge lays one document over another: objects are merged, all else replaced.
func merge(under, over tree) tree {
	out := maps.Clone(under)
	for key, value := range over {
		below, isTree := out[key].(tree)
		if above, ok := value.(tree); ok && isTree {
			value = merge(below, above)
		}
		out[key] = value
	}
	return out
}

// kratosPorts are chosen before the start, because Holdline's configuration
// needs them and is itself needed for Kratos'.
type kratosPorts struct{ public, admin int }

func (p kratosPorts) publicURL() string { return fmt.Sprintf("http://127.0.0.1:%d", p.public) }
func (p kratosPorts) adminURL() string  { return fmt.Sprintf("http://127.0.0.1:%d", p.admin) }

// startKratos starts Kratos with the base configuration and what is to be
// merged over it, in order. Without a server for its database that is SQLite,
// which makes settings flows wait for one another.
func startKratos(t testing.TB, ports kratosPorts, server *Server, overlays ...tree) *Kratos {
	t.Helper()
	k := &Kratos{PublicURL: ports.publicURL(), AdminURL: ports.adminURL(), Output: new(Output), dir: t.TempDir(), dsn: onSQLite}
	config := readYAML(t, "testdata/kratos.yml")
	config = merge(config, tree{"serve": tree{
		"public": tree{"host": "127.0.0.1", "port": ports.public, "base_url": k.PublicURL + "/"},
		"admin":  tree{"host": "127.0.0.1", "port": ports.admin},
	}})
	for _, overlay := range overlays {
		config = merge(config, overlay)
	}
	writeYAML(t, filepath.Join(k.dir, "kratos.yml"), config)
	for _, schema := range []string{"verified.schema.json", "identifier.schema.json", "free.schema.json", "exact.schema.json", "member.schema.json", "raw.schema.json", "suite.schema.json"} {
		copyFile(t, filepath.Join("testdata", schema), filepath.Join(k.dir, schema))
	}
	if server == nil {
		copyFile(t, migratedDatabase(t), filepath.Join(k.dir, "db.sqlite"))
	} else {
		k.migrate(t, server)
	}
	k.Start(t)
	t.Cleanup(k.Kill)
	return k
}

// migrate makes Kratos' database on a server. One of its migrations needs a
// server that is not strict about values that are left out.
func (k *Kratos) migrate(t testing.TB, server *Server) {
	t.Helper()
	d := server.NewDatabase(t)
	k.dsn = d.DSN + "?parseTime=true&max_conns=20&max_idle_conns=20"
	lenient := k.command("migrate", "sql", "-e", "--yes", "-c", "kratos.yml")
	lenient.Env = append(lenient.Env, "DSN="+k.dsn+"&multiStatements=true&sql_mode=%27%27")
	if printed, err := lenient.CombinedOutput(); err != nil {
		t.Fatalf("migrate Kratos' database: %v: %s", err, tail(string(printed), 5))
	}
}

// Start starts Kratos, also once more after [Kratos.Kill], and waits until it
// answers.
func (k *Kratos) Start(t testing.TB) {
	t.Helper()
	process, err := startProcess("kratos", k.Output, k.command("serve", "--dev", "-c", "kratos.yml"))
	if err != nil {
		t.Fatal(err)
	}
	k.process = process
	for _, listener := range []string{k.PublicURL + "/health/ready", k.AdminURL + "/admin/health/ready"} {
		awaitKratos(t, k, listener)
	}
}

// PIDs are Kratos' processes: it evaluates jsonnet in others.
func (k *Kratos) PIDs() []int { return append(k.process.children(), k.process.PID()) }

// Kill ends Kratos as kill -9 does.
func (k *Kratos) Kill() { k.process.Kill() }

// awaitKratos waits until one of Kratos' listeners answers.
func awaitKratos(t testing.TB, k *Kratos, address string) {
	t.Helper()
	Eventually(t, "Kratos is ready", func() error {
		if !k.process.Running() {
			t.Fatalf("Kratos ended: %s", tail(k.Output.String(), 10))
		}
		answer, err := http.Get(address)
		if err != nil {
			return err
		}
		_, _ = io.Copy(io.Discard, answer.Body)
		_ = answer.Body.Close()
		if answer.StatusCode != http.StatusOK {
			return fmt.Errorf("status %d", answer.StatusCode)
		}
		return nil
	})
}

// Courier starts the part of Kratos that sends messages, which the tests do
// without otherwise.
func (k *Kratos) Courier(t testing.TB) {
	t.Helper()
	process, err := startProcess("kratos courier", k.Output, k.command("courier", "watch", "-c", "kratos.yml"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(process.Kill)
}

func (k *Kratos) command(args ...string) *exec.Cmd { return kratosCommand(k.dir, k.dsn, args...) }

func kratosCommand(dir, dsn string, args ...string) *exec.Cmd {
	cmd := exec.Command(Env.KratosBin, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "DSN="+dsn, "SQA_OPT_OUT=true")
	return cmd
}

// migratedDatabase returns an empty database with Kratos' schema, made once: its
// hundreds of migrations take seconds.
func migratedDatabase(t testing.TB) string {
	t.Helper()
	Env.template.Do(func() {
		dir := filepath.Join(Env.Dir, "kratos")
		if Env.templateErr = os.MkdirAll(dir, 0o700); Env.templateErr != nil {
			return
		}
		copyFile(t, "testdata/kratos.yml", filepath.Join(dir, "kratos.yml"))
		printed, err := kratosCommand(dir, onSQLite, "migrate", "sql", "-e", "--yes", "-c", "kratos.yml").CombinedOutput()
		if err != nil {
			Env.templateErr = fmt.Errorf("%w: %s", err, tail(string(printed), 5))
		}
		Env.migrated = filepath.Join(dir, "db.sqlite")
	})
	if Env.templateErr != nil {
		t.Fatalf("migrate Kratos' database: %v", Env.templateErr)
	}
	return Env.migrated
}

func copyFile(t testing.TB, from, to string) {
	t.Helper()
	content, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, content, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func readYAML(t testing.TB, name string) tree {
	t.Helper()
	content, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return parseYAML(t, content)
}

func parseYAML(t testing.TB, content []byte) tree {
	t.Helper()
	var document tree
	if err := yaml.Unmarshal(content, &document); err != nil {
		t.Fatalf("%v in\n%s", err, content)
	}
	return document
}

func writeYAML(t testing.TB, name string, document tree) {
	t.Helper()
	content, err := yaml.Marshal(document)
	if err == nil {
		err = os.WriteFile(name, content, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}
