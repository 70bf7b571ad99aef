package harness

import (
	"encoding/json"
	"errors"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
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
