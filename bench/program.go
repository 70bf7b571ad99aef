package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"
)

// stopTime is what a program may take to drain.
const stopTime = 30 * time.Second

// program is a running process.
type program struct {
	cmd *exec.Cmd
	log string // the file that it logs to

	drained errgroup.Group // reads what it prints
}

// startProgram runs a program that logs to NAME.log in a folder, and returns what it
// prints, which must be read. A nil environment is that of this process. It ends with ctx at the latest.
func startProgram(ctx context.Context, dir, name, binary string, environment []string, args ...string) (*program, io.Reader, error) {
	p := &program{log: filepath.Join(dir, name+".log")}
	log, err := os.Create(p.log)
	if err != nil {
		return nil, nil, err
	}
	defer log.Close()
	p.cmd = exec.CommandContext(ctx, binary, args...) //nolint:gosec // the caller names it
	p.cmd.Dir, p.cmd.Env = dir, environment
	p.cmd.Cancel = func() error { return p.cmd.Process.Signal(syscall.SIGTERM) }
	p.cmd.WaitDelay = stopTime
	p.cmd.Stderr = log
	said, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, nil, err
	}
	return p, said, p.cmd.Start()
}

func (p *program) pid() int { return p.cmd.Process.Pid }

// stop ends the program as an operator would.
func (p *program) stop() error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	if err := errors.Join(p.drained.Wait(), p.cmd.Wait()); err != nil {
		return fmt.Errorf("%s did not end well: %w\n%s", p.cmd.Path, err, p.lastWords())
	}
	return nil
}

// lastWords are the last lines of the log.
func (p *program) lastWords() string {
	content, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	return lastLines(content)
}

func lastLines(content []byte) string {
	lines := strings.Split(strings.TrimSpace(string(content)), "\n")
	return strings.Join(lines[max(0, len(lines)-10):], "\n")
}
