package harness

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// Diagnosis is what `holdline doctor` said.
type Diagnosis struct {
	Exit int
	// Failures and Warnings are the ids of findings, each once and in order.
	Failures, Warnings []string
	Printed            string
}

// Doctor runs `holdline doctor` on the stack's configuration and Kratos', with
// more flags.
func (s *Stack) Doctor(t testing.TB, flags ...string) Diagnosis {
	t.Helper()
	args := append([]string{"doctor", "--json", "--config", s.Holdline.config, "--kratos-config", s.Kratos.config()}, flags...)
	cmd := exec.CommandContext(t.Context(), Env.HoldlineBin, args...)
	out, err := cmd.Output()
	found := Diagnosis{Printed: string(out) + stderr(err)}
	if failed := (*exec.ExitError)(nil); errors.As(err, &failed) {
		found.Exit = failed.ExitCode()
	} else if err != nil {
		t.Fatalf("holdline doctor: %v", err)
	}
	var report struct {
		Findings []struct{ ID, Severity string }
	}
	if err := json.Unmarshal(out, &report); err != nil {
		t.Fatalf("holdline doctor: %v: %s", err, found.Printed)
	}
	for _, f := range report.Findings {
		if f.Severity == "fail" {
			found.Failures = append(found.Failures, f.ID)
		} else {
			found.Warnings = append(found.Warnings, f.ID)
		}
	}
	for _, ids := range []*[]string{&found.Failures, &found.Warnings} {
		slices.Sort(*ids)
		*ids = slices.Compact(*ids)
	}
	return found
}

// RunningDoctor is `holdline doctor` while it runs.
type RunningDoctor struct {
	output  *Output
	process *Process
}

// StartDoctor runs `holdline doctor` as Doctor does, and does not wait for it.
func (s *Stack) StartDoctor(t testing.TB, flags ...string) *RunningDoctor {
	t.Helper()
	d := &RunningDoctor{output: new(Output)}
	args := append([]string{"doctor", "--json", "--config", s.Holdline.config, "--kratos-config", s.Kratos.config()}, flags...)
	process, err := startProcess("holdline doctor", d.output, exec.CommandContext(t.Context(), Env.HoldlineBin, args...))
	if err != nil {
		t.Fatal(err)
	}
	d.process = process
	return d
}

// Interrupt is Ctrl-C.
func (d *RunningDoctor) Interrupt() { _ = d.process.cmd.Process.Signal(os.Interrupt) }

// Kill ends it without notice.
func (d *RunningDoctor) Kill() { d.process.Kill() }

// Wait returns its exit code, and all that it printed.
func (d *RunningDoctor) Wait(t testing.TB) (exit int, printed string) {
	t.Helper()
	select {
	case <-d.process.gone:
	case <-time.After(Patience):
		t.Fatalf("holdline doctor does not end: %s", d.output)
	}
	return d.process.cmd.ProcessState.ExitCode(), d.output.String()
}

func (k *Kratos) config() string { return filepath.Join(k.dir, "kratos.yml") }

// Reconfigure starts Kratos anew with an edited configuration.
func (k *Kratos) Reconfigure(t testing.TB, edit func(Overlay)) {
	t.Helper()
	k.Kill()
	config := readYAML(t, k.config())
	edit(config)
	writeYAML(t, k.config(), config)
	k.Start(t)
}
