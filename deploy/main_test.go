package deploy_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// program returns the absolute path of a program that a variable names.
func program(t *testing.T, variable string) string {
	t.Helper()
	name := os.Getenv(variable)
	if name == "" {
		t.Fatalf("%s is not set: run `make deploy` in the root", variable)
	}
	name, err := filepath.Abs(name)
	if err != nil {
		t.Fatal(err)
	}
	return name
}

// output collects what a program prints.
type output struct {
	mu   sync.Mutex
	text strings.Builder
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// started runs a program until the test ends, and waits until ready is true of
// what it printed, or of the world.
func started(t *testing.T, cmd *exec.Cmd, ready func(printed string) bool) {
	t.Helper()
	var printed output
	cmd.Stdout, cmd.Stderr = &printed, &printed
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	gone := make(chan error, 1)
	go func() { gone <- cmd.Wait() }()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-gone:
		case <-time.After(2 * time.Minute):
			t.Errorf("%s did not stop", cmd.Path)
			_ = cmd.Process.Kill()
		}
	})
	poll := time.NewTicker(20 * time.Millisecond)
	defer poll.Stop()
	deadline := time.After(2 * time.Minute)
	for !ready(printed.String()) {
		select {
		case err := <-gone:
			gone <- err
			t.Fatalf("%s ended: %v\n%s", cmd.Path, err, &printed)
		case <-deadline:
			t.Fatalf("%s is not ready:\n%s", cmd.Path, &printed)
		case <-poll.C:
		}
	}
}

// freePort returns a port of the loopback that nobody listens on.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}

// answers reports whether a URL answers 200.
func answers(url string) bool {
	response, err := http.Get(url)
	if err != nil {
		return false
	}
	defer response.Body.Close()
	return response.StatusCode == http.StatusOK
}

// serves starts the real holdline with an example's configuration. What the
// example leaves to its surroundings is given here: a database, free ports, and
// secrets in files, by the variables that the example uses. The answer is where
// the public listener is.
func serves(t *testing.T, config string, variables ...string) (public string) {
	t.Helper()
	dir := t.TempDir()
	environ := []string{"PATH=" + os.Getenv("PATH")}
	for _, variable := range variables {
		content, ok := secrets(dir)[variable]
		if !ok {
			t.Fatalf("the example sets %s, which holdline does not need", variable)
		}
		file := filepath.Join(dir, strings.ToLower(variable))
		write(t, file, content)
		environ = append(environ, variable+"="+file)
	}
	cmd := exec.Command(program(t, "HOLDLINE_BIN"), "serve", "--config", config,
		"--public-host", "127.0.0.1", "--public-port", "0", "--admin-host", "127.0.0.1", "--admin-port", "0", "--database-auto-migrate=true")
	cmd.Env, cmd.Dir = environ, dir
	started(t, cmd, func(printed string) bool {
		found := listening.FindStringSubmatch(printed)
		if found != nil {
			public = found[1]
		}
		return found != nil
	})
	return public
}

var listening = regexp.MustCompile(`(?m)^listening public=(\S+) admin=\S+$`)

// secrets are what each variable's file may hold in a test.
func secrets(dir string) map[string]string {
	return map[string]string{
		"HOLDLINE_DATABASE_DSN_FILE":  "sqlite://" + filepath.Join(dir, "holdline.db"),
		"HOLDLINE_SECRETS_OTP_FILE":   strings.Repeat("otp ", 10),
		"HOLDLINE_HOOKS_API_KEY_FILE": "a key of hooks",
	}
}

// refused returns what holdline says of an invalid configuration.
func refused(t *testing.T, config string, environ ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, program(t, "HOLDLINE_BIN"), "serve", "--config", config)
	cmd.Env = environ
	printed, err := cmd.CombinedOutput()
	if exit := (*exec.ExitError)(nil); !errors.As(err, &exit) || exit.ExitCode() != 1 {
		t.Fatalf("exit: %v, want 1\n%s", err, printed)
	}
	return string(printed)
}

func write(t *testing.T, name, content string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// wantEqual compares two values as they print.
func wantEqual(t *testing.T, what string, got, want any) {
	t.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// readAll returns the files of a folder by name.
func readAll(folder fs.FS) (map[string]string, error) {
	found := map[string]string{}
	return found, fs.WalkDir(folder, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := fs.ReadFile(folder, name)
		found[name] = string(content)
		return err
	})
}
