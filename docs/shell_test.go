package docs_test

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// shell is a bash that a document's commands are typed into, one after another.
type shell struct {
	dir    string
	stdin  io.WriteCloser
	output printed
	asked  int
}

// printed collects what programs print.
type printed struct {
	mu   sync.Mutex
	text strings.Builder
}

func (p *printed) Write(more []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.Write(more)
}

func (p *printed) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.String()
}

// newShell starts a shell in a folder. Everything that it started ends with the test.
func newShell(t *testing.T, dir string, environment ...string) *shell {
	t.Helper()
	s := &shell{dir: dir}
	cmd := exec.Command("bash", "--noprofile", "--norc", "-o", "pipefail")
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &s.output, &s.output
	cmd.Env = append(os.Environ(), environment...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s.stdin = stdin
	t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		_ = cmd.Wait()
	})
	return s
}

// patience is how long a command may take. It is spent only where something is wrong.
const patience = 3 * time.Minute

// await polls until done is true, or fails the test.
func await(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !done(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s takes too long", what)
		}
	}
}

// run types a command and returns what it printed. It fails the test if the
// command fails.
func (s *shell) run(t *testing.T, command string) string {
	t.Helper()
	s.asked++
	from, mark := len(s.output.String()), fmt.Sprintf("--- command %d ended: ", s.asked)
	if _, err := fmt.Fprintf(s.stdin, "%s\necho \"%s$?.\"\n", command, mark); err != nil {
		t.Fatal(err)
	}
	var got, status string
	await(t, command, func() bool {
		var found bool
		got, status, found = strings.Cut(s.output.String()[from:], mark)
		return found && strings.HasSuffix(strings.TrimSpace(status), ".")
	})
	if strings.TrimSpace(status) != "0." {
		t.Fatalf("%s\nended with %s\n%s%s", command, strings.TrimSpace(status), got, s.background())
	}
	return got
}

// start leaves a command running and waits until it has printed a text.
func (s *shell) start(t *testing.T, command, until string) {
	t.Helper()
	s.asked++
	log := filepath.Join(s.dir, fmt.Sprintf("background-%d.log", s.asked))
	s.run(t, fmt.Sprintf("{\n%s\n} > %q 2>&1 < /dev/null &", command, log))
	await(t, command+" "+s.background(), func() bool {
		content, err := os.ReadFile(log)
		return err == nil && strings.Contains(string(content), until)
	})
}

// background is the end of what started programs have printed, for failures.
func (s *shell) background() string {
	logs, _ := filepath.Glob(filepath.Join(s.dir, "background-*.log"))
	var out strings.Builder
	for _, name := range logs {
		content, _ := os.ReadFile(name)
		fmt.Fprintf(&out, "--- %s\n%s\n", filepath.Base(name), content[max(0, len(content)-3000):])
	}
	return out.String()
}
