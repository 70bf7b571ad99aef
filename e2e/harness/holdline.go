package harness

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"os/exec"
	"path/filepath"
	"regexp"
	"sync"
	"syscall"
	"testing"
)

// HookKey is what the tests' Kratos sends, and must never be seen in a log.
const HookKey = "e2e-hook-key-6f1d0c52a9"

// Holdline is the program under test.
type Holdline struct {
	PublicURL, AdminURL string
	// Output is all that it printed, in all its lives.
	Output *Output

	config  string
	written tree
	program string // blank for the one under test
	mu      sync.Mutex
	process *Process
}

var listening = regexp.MustCompile(`(?m)^listening public=\S+ admin=\S+$`)

// newHoldline writes the configuration of a Holdline, which is not started yet.
func newHoldline(t testing.TB, publicPort, adminPort int, config tree) *Holdline {
	t.Helper()
	h := &Holdline{
		PublicURL: fmt.Sprintf("http://127.0.0.1:%d", publicPort),
		AdminURL:  fmt.Sprintf("http://127.0.0.1:%d", adminPort),
		Output:    new(Output),
		config:    filepath.Join(t.TempDir(), "holdline.yml"),
		written:   config,
	}
	writeYAML(t, h.config, merge(tree{
		"public": tree{"host": "127.0.0.1", "port": publicPort, "base_url": h.PublicURL},
		"admin":  tree{"host": "127.0.0.1", "port": adminPort},
	}, config))
	t.Cleanup(h.Kill)
	return h
}

// NewHoldline starts a Holdline with this configuration, beside nothing else. A blank
// program is the one under test.
func NewHoldline(t testing.TB, program string, config Overlay) *Holdline {
	t.Helper()
	h := newHoldline(t, freePort(), freePort(), config)
	h.program = program
	h.Start(t)
	return h
}

// kratosConfig returns what is to be merged into kratos.yml.
func (h *Holdline) kratosConfig(t testing.TB, flags ...string) tree {
	t.Helper()
	cmd := exec.Command(Env.HoldlineBin, append([]string{"kratos-config", "--config", h.config}, flags...)...)
	printed, err := cmd.Output()
	if err != nil {
		t.Fatalf("holdline kratos-config: %v: %s", err, stderr(err))
	}
	return parseYAML(t, printed)
}

func stderr(err error) string {
	if failed, ok := err.(*exec.ExitError); ok {
		return string(failed.Stderr)
	}
	return ""
}

// Start starts the program, also once more on the same ports and database, and
// waits until it answers.
func (h *Holdline) Start(t testing.TB) {
	t.Helper()
	if err := h.start(); err != nil {
		t.Fatal(err)
	}
}

func (h *Holdline) start() error {
	from := len(h.Output.String())
	process, err := startProcess("holdline", h.Output, exec.Command(cmp.Or(h.program, Env.HoldlineBin), "serve", "--config", h.config))
	if err != nil {
		return err
	}
	h.mu.Lock()
	h.process = process
	h.mu.Unlock()
	err = poll(Patience, func() error {
		if listening.MatchString(h.Output.Since(from)) || !process.Running() {
			return nil
		}
		return errNotYet
	})
	if err != nil || !process.Running() {
		return fmt.Errorf("holdline does not listen: %v\n%s", process.err, tail(h.Output.String(), 20))
	}
	return nil
}

// DSN is the program's database, as its configuration names it.
func (h *Holdline) DSN() string {
	database, _ := h.written["database"].(tree)
	dsn, _ := database["dsn"].(string)
	return dsn
}

// current returns the running process, or nil.
func (h *Holdline) current() *Process {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.process
}

// Kill ends the program as kill -9 does. It may be called at any moment, also
// while the program serves the caller.
func (h *Holdline) Kill() {
	if p := h.current(); p != nil {
		p.Kill()
	}
}

// Stop ends the program as an operator would, and wants a clean exit.
func (h *Holdline) Stop(t testing.TB) {
	t.Helper()
	if p := h.current(); p != nil {
		if err := p.Stop(Patience); err != nil {
			t.Errorf("holdline did not exit cleanly: %v\n%s", err, tail(h.Output.String(), 20))
		}
	}
}

// Alive asks the program whether it lives, as a load balancer does.
func (h *Holdline) Alive(ctx context.Context) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, h.PublicURL+"/health/alive", nil)
	if err != nil {
		return err
	}
	answer, err := newHasty().Do(request)
	if err != nil {
		return err
	}
	return answer.Body.Close()
}

// Freeze stops the program where it is; the returned function lets it go on.
func (h *Holdline) Freeze() (thaw func()) {
	p := h.current()
	p.Freeze()
	return p.Thaw
}

// Through is the program as callers see it at the other end of a link to its
// public listener.
func (h *Holdline) Through(l *Link) *Holdline {
	return &Holdline{PublicURL: l.URL(), AdminURL: h.AdminURL, Output: h.Output}
}

// PID is the process id, or 0.
func (h *Holdline) PID() int {
	if p := h.current(); p != nil && p.Running() {
		return p.cmd.Process.Pid
	}
	return 0
}

// Terminate asks the program to end and does not wait. It may be called while
// the program serves the caller.
func (h *Holdline) Terminate() {
	if p := h.current(); p != nil && p.Running() {
		_ = p.cmd.Process.Signal(syscall.SIGTERM)
	}
}

// Restart kills the program, if it still runs, and starts it again.
func (h *Holdline) Restart(t testing.TB) {
	t.Helper()
	h.Kill()
	h.Start(t)
}

// Revive starts a program that was killed, again and again until it serves, as a
// service manager does: one whose database does not answer ends at once.
func (h *Holdline) Revive(t testing.TB) {
	t.Helper()
	Eventually(t, "holdline serves again", h.start)
}

// Replace stops the program and starts another release of it in its place; a
// blank one is the one under test.
func (h *Holdline) Replace(t testing.TB, program string) {
	t.Helper()
	h.Stop(t)
	h.program = program
	h.Start(t)
}
