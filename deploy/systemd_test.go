package deploy_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

const unit = "systemd/holdline.service"

// worstExposure is the bound on what systemd calls the overall exposure level,
// from 0 to 10. What is left: the network, which the service is there for, the
// host's root folder, and /proc/stat, from which metrics take the start time.
const worstExposure = 1.2

func TestTheUnitIsGood(t *testing.T) {
	// systemd wants to see the program where the unit says it is.
	dir := t.TempDir()
	installed := filepath.Join(dir, filepath.Base(unit))
	write(t, installed, strings.ReplaceAll(read(t, unit), "/usr/local/bin/holdline", program(t, "HOLDLINE_BIN")))
	printed, err := exec.Command("systemd-analyze", "verify", "--man=no", installed).CombinedOutput()
	if err != nil || len(printed) > 0 {
		t.Errorf("systemd-analyze verify: %v\n%s", err, printed)
	}
}

func TestTheUnitGivesAwayLittle(t *testing.T) {
	printed, err := exec.Command("systemd-analyze", "security", "--offline=true", "--no-pager", unit).CombinedOutput()
	if err != nil {
		t.Fatalf("systemd-analyze security: %v\n%s", err, printed)
	}
	level := regexp.MustCompile(`Overall exposure level for \S+: ([0-9.]+)`).FindSubmatch(printed)
	if level == nil {
		t.Fatalf("no exposure level in\n%s", printed)
	}
	if exposure, err := strconv.ParseFloat(string(level[1]), 64); err != nil || exposure > worstExposure {
		t.Errorf("exposure: got %s (%v), want at most %.1f\n%s", level[1], err, worstExposure, printed)
	}
}

// The example configuration and the unit's secrets are all that the program needs.
func TestTheUnitsConfigurationServes(t *testing.T) {
	text := read(t, unit)
	var variables []string
	for _, found := range regexp.MustCompile(`(?m)^Environment=(HOLDLINE_\w+)=%d/([a-z-]+)$`).FindAllStringSubmatch(text, -1) {
		variables = append(variables, found[1])
		if !strings.Contains(text, "\nLoadCredential="+found[2]+":/etc/holdline/secrets/"+found[2]+"\n") {
			t.Errorf("%s names a credential that is not loaded", found[0])
		}
	}
	config, err := filepath.Abs("holdline.yml")
	if err != nil {
		t.Fatal(err)
	}
	serves(t, config, variables...)
	if said := refused(t, config, "PATH="+os.Getenv("PATH")); !strings.Contains(said, "secrets.otp") {
		t.Errorf("without its secrets the program says %q", said)
	}
}
