package harness

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// Output is what programs print, in a file: what a program has printed before it answers
// is there when the answer is. Several may print to one.
type Output struct {
	once sync.Once
	name string
}

// open opens the file for a program that is to print to it.
func (o *Output) open() (*os.File, error) {
	o.once.Do(func() { o.name = filepath.Join(Env.Dir, fmt.Sprintf("output-%d", outputs.Add(1))) })
	return os.OpenFile(o.name, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
}

var outputs atomic.Int32

// String returns all that was printed so far.
func (o *Output) String() string { return o.Since(0) }

// Since returns what was printed after the first n bytes.
func (o *Output) Since(n int) string {
	printed, err := os.ReadFile(o.name)
	if err != nil {
		return "" // nothing was started yet
	}
	return string(printed[n:])
}

// Process is a program that was started.
type Process struct {
	name string
	cmd  *exec.Cmd
	// ending is the signal that asks it to end.
	ending syscall.Signal
	gone   chan struct{}
	err    error // valid once gone
}

// startProcess starts a program that prints to out and is killed with the test
// program at the latest.
func startProcess(name string, out *Output, cmd *exec.Cmd) (*Process, error) {
	file, err := out.open()
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	defer func() { _ = file.Close() }()
	cmd.Stdout, cmd.Stderr = file, file
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := onLastingThread(cmd.Start); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	p := &Process{name: name, cmd: cmd, ending: syscall.SIGTERM, gone: make(chan struct{})}
	go func() {
		p.err = cmd.Wait()
		close(p.gone)
	}()
	return p, nil
}

// starts are run by one thread that lives as long as the test program: the
// kernel takes the end of the thread that started a program for its parent's.
var starts = sync.OnceValue(func() chan func() {
	todo := make(chan func())
	go func() {
		runtime.LockOSThread()
		for start := range todo {
			start()
		}
	}()
	return todo
})

func onLastingThread(start func() error) error {
	failed := make(chan error, 1)
	starts() <- func() { failed <- start() }
	return <-failed
}

// Running reports whether the program still runs.
func (p *Process) Running() bool {
	select {
	case <-p.gone:
		return false
	default:
		return true
	}
}

// Kill ends the program without notice, as kill -9 does, and waits for its end.
func (p *Process) Kill() {
	if p.Running() {
		_ = p.cmd.Process.Kill()
	}
	<-p.gone
}

// Stop asks the program to end and returns its exit error. One that does not
// heed within the time is killed, which is an error too.
func (p *Process) Stop(within time.Duration) error {
	if p.Running() {
		_ = p.cmd.Process.Signal(p.ending)
	}
	select {
	case <-p.gone:
		return p.err
	case <-time.After(within):
		p.Kill()
		return fmt.Errorf("%s did not stop within %s of %s", p.name, within, p.ending)
	}
}

// Freeze stops the program where it is; Thaw lets it go on.
func (p *Process) Freeze() { _ = p.cmd.Process.Signal(syscall.SIGSTOP) }

// Thaw lets a frozen program go on.
func (p *Process) Thaw() { _ = p.cmd.Process.Signal(syscall.SIGCONT) }

// FreezeAll stops the program and those that it has started, each of them a part of it;
// ThawAll lets them go on.
func (p *Process) FreezeAll() { p.Freeze(); p.signalChildren(syscall.SIGSTOP) }

// ThawAll lets a frozen program go on, and those that it has started.
func (p *Process) ThawAll() { p.signalChildren(syscall.SIGCONT); p.Thaw() }

func (p *Process) signalChildren(signal syscall.Signal) {
	for _, pid := range p.children() {
		_ = syscall.Kill(pid, signal)
	}
}

// PID is the process id.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// children are the programs that the program has started.
func (p *Process) children() (pids []int) {
	listed, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%[1]d/children", p.PID()))
	if err != nil {
		return nil // it has ended
	}
	for _, child := range strings.Fields(string(listed)) {
		if pid, err := strconv.Atoi(child); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}

// errNotYet is what a condition returns that may still come true.
var errNotYet = errors.New("not yet")

// poll asks until the condition returns nil, or the time is over. It asks less often the
// longer it waits: most conditions are requests, which keep busy what is waited for.
func poll(within time.Duration, condition func() error) error {
	deadline := time.Now().Add(within)
	for pause := 5 * time.Millisecond; ; pause = min(2*pause, 100*time.Millisecond) {
		err := condition()
		if err == nil || time.Now().After(deadline) {
			return err
		}
		time.Sleep(pause)
	}
}

// Eventually polls the condition and fails the test when it stays an error.
func Eventually(t testing.TB, what string, condition func() error) {
	t.Helper()
	Within(t, Patience, what, condition)
}

// Within is [Eventually] for what takes its time.
func Within(t testing.TB, patience time.Duration, what string, condition func() error) {
	t.Helper()
	if err := poll(patience, condition); err != nil {
		t.Fatalf("not within %s: %s: %v", patience, what, err)
	}
}

// tail returns the last lines of an output, for failure messages.
func tail(text string, n int) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}

// Patience is how long a test waits for what must happen before it says that it does
// not. It is long, because it is spent only where something is wrong, and says nothing
// of how fast a machine has to be.
const Patience = 2 * time.Minute
