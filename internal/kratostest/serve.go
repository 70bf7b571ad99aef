package kratostest

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// Serve runs the Kratos that KRATOS_BIN names until the test ends, on SQLite, with files by
// their names, of which configs are its configuration, in that order. It returns where its
// two listeners are. Without KRATOS_BIN the test is skipped, unless it is required.
func Serve(tb testing.TB, files map[string]string, configs ...string) (public, admin string) {
	tb.Helper()
	switch {
	case os.Getenv("KRATOS_BIN") != "":
	case os.Getenv("CI") != "" || os.Getenv("HOLDLINE_REQUIRE_KRATOS") != "":
		tb.Fatal("KRATOS_BIN does not name a Kratos binary, and is required here")
	default:
		tb.Skip("KRATOS_BIN does not name a Kratos binary")
	}
	dir := tb.TempDir()
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			tb.Fatal(err)
		}
	}
	publicPort, adminPort := freePort(tb), freePort(tb)
	public, admin = "http://127.0.0.1:"+publicPort, "http://127.0.0.1:"+adminPort
	var log bytes.Buffer
	command := func(args ...string) *exec.Cmd {
		for _, config := range configs {
			args = append(args, "-c", config)
		}
		c := exec.CommandContext(context.Background(), os.Getenv("KRATOS_BIN"), args...) //nolint:gosec // Whoever runs the tests names it.
		c.Dir, c.Stdout, c.Stderr = dir, &log, &log
		c.Env = append(os.Environ(), "DSN="+SQLite(filepath.Join(dir, "db.sqlite")),
			"SERVE_PUBLIC_HOST=127.0.0.1", "SERVE_PUBLIC_PORT="+publicPort, "SERVE_PUBLIC_BASE_URL="+public+"/",
			"SERVE_ADMIN_HOST=127.0.0.1", "SERVE_ADMIN_PORT="+adminPort)
		return c
	}
	if err := command("migrate", "sql", "-e", "--yes").Run(); err != nil {
		tb.Fatalf("migrate: %v\n%s", err, log.String())
	}
	process := command("serve", "--dev")
	if err := process.Start(); err != nil {
		tb.Fatal(err)
	}
	gone := make(chan struct{})
	go func() { defer close(gone); _ = process.Wait() }()
	tb.Cleanup(func() {
		_ = process.Process.Kill()
		<-gone
		if tb.Failed() {
			tb.Logf("Kratos: %s", log.String())
		}
	})
	for _, listener := range []string{public, admin} {
		ready(tb, listener+"/health/ready", gone)
	}
	return public, admin
}

// SQLite is the DSN of a Kratos' database in a file, which outlives a killed Kratos, and need
// not outlive the machine: waiting for the disk would make Kratos as slow as that is. Kratos'
// own lock is off, for it makes one who writes wait for another who waits for them
// (docs/kratos.md, L).
func SQLite(file string) string {
	return "sqlite://" + file + "?_fk=true&mode=rwc&_sync=OFF&lock=false&_txlock=immediate&_busy_timeout=30000"
}

func freePort(tb testing.TB) string {
	tb.Helper()
	listener, err := (&net.ListenConfig{}).Listen(tb.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	defer listener.Close()
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	return port
}

// ready waits until Kratos answers, or ends.
func ready(tb testing.TB, url string, gone <-chan struct{}) {
	tb.Helper()
	patience, again := time.After(time.Minute), time.NewTicker(50*time.Millisecond)
	defer again.Stop()
	for {
		if answers(tb, url) {
			return
		}
		select {
		case <-again.C:
		case <-gone:
			tb.Fatal("Kratos ended")
		case <-patience:
			tb.Fatal("Kratos is not ready after a minute")
		}
	}
}

func answers(tb testing.TB, url string) bool {
	tb.Helper()
	req, err := http.NewRequestWithContext(tb.Context(), http.MethodGet, url, nil)
	if err != nil {
		tb.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}
