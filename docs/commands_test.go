package docs_test

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/holdline/holdline/internal/kratostest"
)

// A document's commands are its blocks of the languages sh and console. They are
// run after those of getting-started.md, in the same folder and shell, unless the
// block's first line says skip="why"; a test that it names must be there. A block with until="text" is left running
// when it has printed that text. In a console block lines with "$ " in front are
// commands, and the others what they print, in order; … stands for anything.
//
// Ports and example addresses are replaced by those of this run. With -v the test shows
// what was typed and printed.
func TestEveryCommandInTheDocumentsWorks(t *testing.T) {
	requireKratos(t)
	for _, program := range []string{"bash", "curl", "jq", "openssl"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Fatalf("%v: `make debian` installs it", err)
		}
	}
	all := documents(t)
	begin := all[slices.IndexFunc(all, func(d document) bool { return d.name == "docs/getting-started.md" })]
	run, skipped, tests := 0, 0, testNames(t)
	for _, d := range all {
		var mine []block
		for _, b := range d.blocks {
			switch {
			case b.language != "sh" && b.language != "console":
			case b.attributes["skip"] != "":
				if named := testName.FindString(b.attributes["skip"]); named == "" {
					skipped++
				} else if !tests[named] {
					t.Errorf("%s:%d: there is no %s", d.name, b.line, named)
				}
			default:
				run++
				mine = append(mine, b)
			}
		}
		if len(mine) == 0 {
			continue
		}
		t.Run(strings.ReplaceAll(d.name, "/", "_"), func(t *testing.T) {
			t.Parallel()
			p := newPlace(t)
			p.do(t, begin.name, begin.blocks)
			if d.name != begin.name {
				p.do(t, d.name, mine)
			}
		})
	}
	if run < 15 || skipped > 9 {
		t.Errorf("%d blocks of commands are run, %d are run by nobody", run, skipped)
	}
}

var testName = regexp.MustCompile(`\bTest[A-Z]\w+`)

// testNames are the tests of the whole project.
func testNames(t *testing.T) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	for _, pattern := range []string{"../*/*_test.go", "../*/*/*_test.go", "../*/*/*/*_test.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			source, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, found := range testFunction.FindAllStringSubmatch(string(source), -1) {
				names[found[1]] = true
			}
		}
	}
	return names
}

var testFunction = regexp.MustCompile(`(?m)^func (Test\w+)\(`)

// Documents name tests as proofs.
func TestTheDocumentsNameTestsThatExist(t *testing.T) {
	tests, seen := testNames(t), 0
	for _, d := range documents(t) {
		source, err := os.ReadFile("../" + d.name)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range testName.FindAllString(string(source), -1) {
			seen++
			if !tests[name] {
				t.Errorf("%s names %s, which is not there", d.name, name)
			}
		}
	}
	if seen < 50 {
		t.Errorf("only %d names were seen", seen)
	}
}

// What a block says beside its language is understood.
func TestBlocksSayWhatIsKnown(t *testing.T) {
	for _, d := range documents(t) {
		for _, b := range d.blocks {
			where := fmt.Sprintf("%s:%d", d.name, b.line)
			for name, value := range b.attributes {
				if name != "skip" && name != "until" && name != "of" || len(value) < 5 {
					t.Errorf("%s: %s=%q", where, name, value)
				}
			}
			if b.language == "" && regexp.MustCompile(`(?m)^\$ `).MatchString(b.text) {
				t.Errorf("%s: commands want the language sh or console", where)
			}
		}
	}
}

// requireKratos skips a test without a binary, unless its absence is a fault.
func requireKratos(t *testing.T) {
	t.Helper()
	switch {
	case os.Getenv("KRATOS_BIN") != "":
	case os.Getenv("CI") != "" || os.Getenv("HOLDLINE_REQUIRE_KRATOS") != "":
		t.Fatal("KRATOS_BIN does not name a Kratos binary, and is required here")
	default:
		t.Skip("KRATOS_BIN does not name a Kratos binary")
	}
}

// place is a folder with a reader's Kratos: its configuration and its database.
type place struct {
	*shell
	addresses *strings.Replacer
}

func newPlace(t *testing.T) place {
	t.Helper()
	dir := t.TempDir()
	ports := freePorts(t, 4)
	public := "http://127.0.0.1:" + ports[2]
	addresses := strings.NewReplacer(
		"127.0.0.1:4433", "127.0.0.1:"+ports[0], "127.0.0.1:4434", "127.0.0.1:"+ports[1],
		"127.0.0.1:4477", "127.0.0.1:"+ports[2], "127.0.0.1:4478", "127.0.0.1:"+ports[3], "https://id.example.com", public,
	)
	for name, content := range quickstart(t) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(addresses.Replace(content)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	copyFile(t, migrated(t), filepath.Join(dir, "kratos.db"))
	s := newShell(
		t, dir, "PATH="+filepath.Dir(programs(t))+":"+os.Getenv("PATH"), "SQA_OPT_OUT=true", "DSN="+kratosDSN,
		"SERVE_PUBLIC_PORT="+ports[0], "SERVE_ADMIN_PORT="+ports[1], "SERVE_PUBLIC_BASE_URL=http://127.0.0.1:"+ports[0]+"/",
		"HOLDLINE_PUBLIC_PORT="+ports[2], "HOLDLINE_ADMIN_PORT="+ports[3],
	)
	return place{s, addresses}
}

// do runs the commands of blocks.
func (p place) do(t *testing.T, name string, blocks []block) {
	t.Helper()
	for _, b := range blocks {
		text := p.addresses.Replace(b.text)
		until := b.attributes["until"]
		switch {
		case b.attributes["skip"] != "":
		case b.language == "sh" && until != "":
			t.Logf("$ %s  # goes on running", strings.TrimSuffix(text, "\n"))
			p.start(t, text, until)
		case b.language == "sh":
			t.Logf("$ %s\n%s", strings.TrimSuffix(text, "\n"), p.run(t, strings.TrimSuffix(text, "\n")))
		case b.language == "console":
			for _, c := range commands(text) {
				got := p.run(t, c.command)
				t.Logf("$ %s\n%s", c.command, got)
				if !shows(got, c.want) {
					t.Errorf("%s:%d: %s\nprints\n%s\nand should\n%s\n%s", name, b.line, c.command, got, strings.Join(c.want, "\n"), p.background())
				}
			}
		}
	}
}

type command struct {
	command string
	want    []string
}

// commands reads a console block.
func commands(text string) []command {
	var all []command
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		last := len(all) - 1
		switch {
		case strings.HasPrefix(line, "$ "):
			all = append(all, command{command: line[2:]})
		case last >= 0 && strings.HasSuffix(all[last].command, `\`):
			all[last].command += "\n" + line
		case last >= 0 && line != "":
			all[last].want = append(all[last].want, line)
		}
	}
	return all
}

// shows reports whether the wanted lines are among the printed ones, in order.
func shows(got string, want []string) bool {
	lines := strings.Split(got, "\n")
	for _, w := range want {
		pattern := regexp.MustCompile("^" + strings.ReplaceAll(regexp.QuoteMeta(w), "…", ".*") + "$")
		for {
			if len(lines) == 0 {
				return false
			}
			line := lines[0]
			lines = lines[1:]
			if pattern.MatchString(line) {
				break
			}
		}
	}
	return true
}

func freePorts(t *testing.T, n int) []string {
	t.Helper()
	var ports []string
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close() // all at the end, so that none comes twice
		_, port, _ := net.SplitHostPort(l.Addr().String())
		ports = append(ports, port)
	}
	return ports
}

// shared is what the documents' places have in common: a folder of programs, and
// a database with Kratos' schema.
var shared struct {
	sync.Once
	dir string
	err error
}

func TestMain(m *testing.M) {
	code := m.Run()
	if shared.dir != "" {
		_ = os.RemoveAll(shared.dir)
	}
	os.Exit(code)
}

var kratosDSN = kratostest.SQLite("kratos.db")

func prepare() (string, error) {
	shared.Do(func() {
		if shared.dir, shared.err = os.MkdirTemp("", "holdline-docs-"); shared.err != nil {
			return
		}
		kratos, err := filepath.Abs(os.Getenv("KRATOS_BIN"))
		if err == nil {
			err = os.Symlink(kratos, filepath.Join(shared.dir, "kratos"))
		}
		var ory string
		if err == nil {
			ory, err = quickstartDir()
		}
		if err != nil {
			shared.err = err
			return
		}
		build := exec.Command("go", "build", "-o", filepath.Join(shared.dir, "holdline"), "../cmd/holdline")
		migrate := exec.Command(kratos, "migrate", "sql", "-e", "--yes", "-c", filepath.Join(ory, "kratos.yml"))
		migrate.Dir, migrate.Env = shared.dir, append(os.Environ(), "DSN="+kratosDSN)
		for _, cmd := range []*exec.Cmd{build, migrate} {
			if printed, err := cmd.CombinedOutput(); err != nil {
				shared.err = fmt.Errorf("%v: %w: %s", cmd.Args, err, printed[max(0, len(printed)-2000):])
				return
			}
		}
	})
	return shared.dir, shared.err
}

// programs returns the path of holdline, with kratos beside it.
func programs(t *testing.T) string {
	t.Helper()
	dir, err := prepare()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, "holdline")
}

func migrated(t *testing.T) string {
	t.Helper()
	dir, err := prepare()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, "kratos.db")
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	content, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, content, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// quickstart is a reader's Kratos before Holdline, as Ory publishes it: what its module
// has for people who begin, word for word.
func quickstart(t *testing.T) map[string]string {
	t.Helper()
	dir, err := quickstartDir()
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, name := range []string{"kratos.yml", "identity.schema.json"} {
		content, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		files[name] = string(content)
	}
	return files
}

// quickstartDir is in the module that the tests' Kratos is built from.
func quickstartDir() (string, error) {
	cmd := exec.Command("go", "mod", "download", "-json", "github.com/ory/kratos")
	cmd.Dir = "../e2e/kratos"
	printed, err := cmd.Output()
	var module struct{ Dir string }
	if err == nil {
		err = json.Unmarshal(printed, &module)
	}
	if err != nil {
		return "", fmt.Errorf("find Kratos' module: %w", err)
	}
	return filepath.Join(module.Dir, "contrib", "quickstart", "kratos", "email-password"), nil
}
