package harness

import (
	"bytes"
	"os"
	"os/exec"
	"regexp"
	"syscall"
	"testing"
)

const inNamespace = "HOLDLINE_E2E_IN_NAMESPACE"

// InNamespace reports whether the test runs in a network of its own, with nothing
// but a loopback interface. If not, it runs the test there, in another process
// of this program, and passes the outcome on: for servers that cannot be told to
// listen on one address only. It needs root, or a kernel on which everybody may
// make user namespaces.
func InNamespace(t *testing.T) bool {
	t.Helper()
	if os.Getenv(inNamespace) != "" {
		if printed, err := exec.Command("ip", "link", "set", "lo", "up").CombinedOutput(); err != nil {
			t.Fatalf("bring the loopback interface up: %v: %s", err, printed)
		}
		return true
	}
	var out bytes.Buffer
	cmd := exec.Command(os.Args[0], "-test.run=^"+regexp.QuoteMeta(t.Name())+"$", "-test.v", "-test.count=1")
	cmd.Env = append(os.Environ(), inNamespace+"=1")
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Cloneflags: syscall.CLONE_NEWNET}
	if os.Geteuid() != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}}
	}
	err := onLastingThread(cmd.Start)
	if err == nil {
		err = cmd.Wait()
	}
	if err != nil {
		t.Errorf("in a network namespace: %v\n%s", err, out.String())
	} else {
		t.Log(out.String())
	}
	return false
}
