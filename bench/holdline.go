package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// hookKey is what the doubles' Kratos sends.
const hookKey = "bench-hook-key-of-no-importance"

// stopTime is what Holdline may take to drain.
const stopTime = 30 * time.Second

// program is a running holdline.
type program struct {
	publicURL, adminURL string

	cmd *exec.Cmd
	log string // the file that it logs to
}

// startHoldline runs `holdline serve` with this configuration in a folder, and
// returns when it listens. It ends with ctx at the latest.
func startHoldline(ctx context.Context, binary, dir string, config map[string]any) (*program, error) {
	content, err := json.Marshal(config)
	if err != nil {
		return nil, err
	}
	file := filepath.Join(dir, "holdline.json")
	if err := os.WriteFile(file, content, 0o600); err != nil {
		return nil, err
	}
	p := &program{log: filepath.Join(dir, "holdline.log")}
	log, err := os.Create(p.log)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	p.cmd = exec.CommandContext(ctx, binary, "serve", "--config", file) //nolint:gosec // the caller names it
	p.cmd.Cancel = func() error { return p.cmd.Process.Signal(syscall.SIGTERM) }
	p.cmd.WaitDelay = stopTime
	p.cmd.Stderr = log
	said, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(said).ReadString('\n')
	var public, admin string
	if err == nil {
		_, err = fmt.Sscanf(line, "listening public=%s admin=%s", &public, &admin)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("holdline does not listen: %w\n%s", err, p.lastWords()), p.stop())
	}
	p.publicURL, p.adminURL = "http://"+public, "http://"+admin
	return p, nil
}

// stop ends the program as an operator would.
func (p *program) stop() error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	if err := p.cmd.Wait(); err != nil {
		return fmt.Errorf("holdline did not end well: %w\n%s", err, p.lastWords())
	}
	return nil
}

// lastWords are the last lines of the log.
func (p *program) lastWords() string {
	content, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(content)), "\n")
	return strings.Join(lines[max(0, len(lines)-10):], "\n")
}

// cpu is the processor time that the program has used so far.
func (p *program) cpu() (time.Duration, error) { return cpuOf(p.cmd.Process.Pid) }

// memory is the memory that the program holds, in MiB.
func (p *program) memory() (float64, error) {
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(content), "\nVmRSS:")
	var kib float64
	_, err = fmt.Sscan(rest, &kib)
	return kib / 1024, err
}
