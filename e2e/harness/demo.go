package harness

import (
	"os/exec"
	"regexp"
	"strconv"
	"testing"
)

// Demo is a running `holdline demo`.
type Demo struct {
	// Links are the addresses that it printed, by name.
	Links  map[string]string
	Output *Output

	process *Process
}

// demoPorts is how far the demo's ports reach from their base.
const demoPorts = 46

var demoLink = regexp.MustCompile(`(?m)^\s*([A-Za-z][A-Za-z -]*): +(https?://\S+)\s*$`)

// StartDemo starts the demo on ports that are free, and waits until it has printed the
// links that are asked for.
func StartDemo(t testing.TB, links ...string) *Demo {
	t.Helper()
	d := &Demo{Links: map[string]string{}, Output: new(Output)}
	cmd := exec.Command(Env.HoldlineBin, "demo", "--kratos-bin", Env.KratosBin, "--port-base", strconv.Itoa(freePorts(demoPorts)))
	cmd.Dir = t.TempDir()
	process, err := startProcess("holdline demo", d.Output, cmd)
	if err != nil {
		t.Fatal(err)
	}
	d.process = process
	t.Cleanup(func() {
		if err := process.Stop(Patience); err != nil {
			t.Logf("demo: %v", err)
		}
		if t.Failed() {
			t.Logf("the demo printed at last:\n%s", tail(d.Output.String(), 40))
		}
	})
	Eventually(t, "the demo prints its links", func() error {
		if !process.Running() {
			t.Fatalf("the demo ended: %v\n%s", process.err, tail(d.Output.String(), 20))
		}
		for _, found := range demoLink.FindAllStringSubmatch(d.Output.String(), -1) {
			d.Links[found[1]] = found[2]
		}
		for _, name := range links {
			if d.Links[name] == "" {
				return errNotYet
			}
		}
		return nil
	})
	return d
}

// Stop ends the demo as Ctrl-C or a supervisor does.
func (d *Demo) Stop(t testing.TB) {
	t.Helper()
	if err := d.process.Stop(Patience); err != nil {
		t.Errorf("the demo did not end cleanly: %v\n%s", err, tail(d.Output.String(), 20))
	}
}
