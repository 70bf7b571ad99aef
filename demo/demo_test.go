package demo_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/holdline/holdline/demo"
)

// kratosBin returns the real Kratos, without which a test is skipped, unless its
// absence is a fault.
func kratosBin(t *testing.T) string {
	t.Helper()
	bin := os.Getenv("KRATOS_BIN")
	switch {
	case bin != "":
	case os.Getenv("CI") != "" || os.Getenv("HOLDLINE_REQUIRE_KRATOS") != "":
		t.Fatal("KRATOS_BIN does not name a Kratos binary, and is required here")
	default:
		t.Skip("KRATOS_BIN does not name a Kratos binary")
	}
	return bin
}

// output is what the demo prints, for a test that reads while it does.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
	said chan struct{} // closed when the links are printed
	done bool
}

func newOutput() *output { return &output{said: make(chan struct{})} }

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.text.Write(p)
	if !o.done && strings.Contains(o.text.String(), "\nCODE=") {
		o.done = true
		close(o.said)
	}
	return len(p), nil
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// holdline stands in for the program: it knows sessions by asking Kratos, and
// accepts one code; nothing is ever pending.
type holdline struct {
	mu       sync.Mutex
	settings demo.Settings
	stopped  bool
}

const rightCode = "123456"

func (h *holdline) serve(ctx context.Context, settings demo.Settings) error {
	h.mu.Lock()
	h.settings = settings
	h.mu.Unlock()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /health/ready", func(http.ResponseWriter, *http.Request) {})
	const me = " /api/identity/user/v1.0/me/"
	mux.HandleFunc("GET /verify", func(w http.ResponseWriter, r *http.Request) { // nothing waits
		http.Redirect(w, r, settings.AccountURL(), http.StatusSeeOther)
	})
	mux.HandleFunc("POST"+me+"validate-code", h.validate)
	server := &http.Server{Addr: fmt.Sprintf("127.0.0.1:%d", settings.PublicPort), Handler: mux}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	err := server.ListenAndServe()
	h.mu.Lock()
	h.stopped = true
	h.mu.Unlock()
	if ctx.Err() != nil {
		return nil
	}
	return err
}

func (h *holdline) validate(w http.ResponseWriter, r *http.Request) {
	ask, _ := http.NewRequestWithContext(r.Context(), http.MethodGet, h.settings.KratosPublicURL+"/sessions/whoami", nil)
	for _, name := range []string{"Cookie", "X-Session-Token"} {
		ask.Header.Set(name, r.Header.Get(name))
	}
	who, err := http.DefaultClient.Do(ask)
	if err != nil {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	who.Body.Close()
	var in struct{ Code string }
	switch {
	case who.StatusCode != http.StatusOK:
		w.WriteHeader(http.StatusUnauthorized)
	case json.NewDecoder(r.Body).Decode(&in) != nil || in.Code != rightCode:
		w.WriteHeader(http.StatusBadRequest)
	default:
		w.WriteHeader(http.StatusAccepted)
	}
}

// running is a demo that has printed its links.
type running struct {
	out      *output
	holdline *holdline
	dir      string
	// stop ends it and returns what Run returned.
	stop func() error
}

func start(t *testing.T) *running {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	d := &running{out: newOutput(), holdline: &holdline{}, dir: filepath.Join(t.TempDir(), "demo")}
	result := make(chan error, 1)
	bin := kratosBin(t)
	go func() {
		result <- demo.Run(ctx, demo.Options{
			KratosBin: bin, Dir: d.dir, Out: d.out, Serve: d.holdline.serve,
			KratosConfig: func(s demo.Settings) ([]byte, error) {
				return fmt.Appendf(nil, "selfservice: {flows: {settings: {after: {profile: {default_browser_return_url: %q, hooks: []}}}}}\n", s.VerifyURL()), nil
			},
		})
	}()
	d.stop = sync.OnceValue(func() error {
		cancel()
		select {
		case err := <-result:
			return err
		case <-time.After(2 * time.Minute):
			return errors.New("the demo does not stop")
		}
	})
	t.Cleanup(func() { _ = d.stop() })
	select {
	case <-d.out.said:
	case err := <-result:
		t.Fatalf("the demo ended: %v\n%s", err, d.out)
	case <-time.After(2 * time.Minute):
		t.Fatalf("the demo does not start:\n%s", d.out)
	}
	return d
}

// link returns a printed link.
func (d *running) link(t *testing.T, name string) string {
	t.Helper()
	found := regexp.MustCompile(`(?m)^` + name + `: (http://127\.0\.0\.1:\d+/\S*)$`).FindStringSubmatch(d.out.String())
	if found == nil {
		t.Fatalf("no link to %s in\n%s", name, d.out)
	}
	return found[1]
}

func fetch(t *testing.T, client *http.Client, url string) (int, string) {
	t.Helper()
	answer, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(body)
}

func TestTheDemoWithARealKratos(t *testing.T) {
	d := start(t)
	t.Run("the links work", d.linksWork)
	t.Run("the curl lines work", d.curlWorks)
	t.Run("a person signs in and edits the profile", d.personEdits)
	t.Run("a person registers", d.personRegisters)
	t.Run("everything stops", d.everythingStops)
}

func (d *running) linksWork(t *testing.T) {
	for _, name := range []string{"demo", "kratos", "holdline"} {
		d.link(t, name)
	}
	if got, want := d.link(t, "console"), d.holdline.settings.ConsoleURL(); got != want {
		t.Errorf("console: got %s, want %s", got, want)
	}
	if got, want := d.link(t, "phone"), d.holdline.settings.AdminURL()+"/simulator/"; got != want {
		t.Errorf("phone: got %s, want %s", got, want)
	}
	for _, url := range []string{d.link(t, "demo"), d.link(t, "kratos"), d.link(t, "holdline") + "health/ready"} {
		if status, _ := fetch(t, http.DefaultClient, url); status != http.StatusOK {
			t.Errorf("%s: got status %d", url, status)
		}
	}
	status, person := fetch(t, http.DefaultClient, d.holdline.settings.KratosAdminURL+"/admin/identities")
	if status != http.StatusOK || !strings.Contains(person, "demo@example.org") || !strings.Contains(person, `"verified":true`) {
		t.Errorf("the demo's user: %d %s", status, person)
	}
}

func (d *running) everythingStops(t *testing.T) {
	links := []string{d.link(t, "demo"), strings.TrimSuffix(d.link(t, "kratos"), "health/ready"), d.link(t, "holdline")}
	if err := d.stop(); err != nil {
		t.Errorf("got %v, want nil", err)
	}
	if !d.holdline.stopped {
		t.Error("Holdline still runs")
	}
	for _, link := range links {
		address := strings.TrimSuffix(strings.TrimPrefix(link, "http://"), "/")
		if conn, err := net.Dial("tcp", address); err == nil {
			conn.Close()
			t.Errorf("%s still answers", link)
		}
	}
	if _, err := os.Stat(filepath.Join(d.dir, "kratos.log")); err != nil {
		t.Errorf("the named folder does not keep Kratos' log: %v", err)
	}
}

func TestFaultsOfTheDemo(t *testing.T) {
	script := func(text string) string {
		name := filepath.Join(t.TempDir(), "kratos")
		if err := os.WriteFile(name, []byte("#!/bin/sh\n"+text+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
		return name
	}
	full := t.TempDir()
	if err := os.WriteFile(filepath.Join(full, "x"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	config := func(demo.Settings) ([]byte, error) { return []byte("{}"), nil }
	for name, tt := range map[string]struct {
		options demo.Options
		want    string
	}{
		"no Kratos":             {demo.Options{}, "make demo"},
		"a Kratos that is away": {demo.Options{KratosBin: "/missing/kratos"}, "make demo"},
		"a folder in use":       {demo.Options{KratosBin: script(""), Dir: full}, "not empty"},
		"a port in use":         {demo.Options{KratosBin: script(""), PortBase: taken.Addr().(*net.TCPAddr).Port}, "cannot be used"},
		"a migration that fails": {
			demo.Options{KratosBin: script("echo no such table; exit 3"), KratosConfig: config}, "no such table",
		},
		"a Kratos that dies": {
			demo.Options{KratosBin: script(`[ "$1" = migrate ] || { echo bad configuration; exit 1; }`), KratosConfig: config}, "bad configuration",
		},
		"a Kratos that ends": {demo.Options{KratosBin: script("echo farewell"), KratosConfig: config}, "farewell"},
		"no configuration": {
			demo.Options{KratosBin: script(""), KratosConfig: func(demo.Settings) ([]byte, error) { return nil, errors.New("no key") }}, "no key",
		},
	} {
		t.Run(name, func(t *testing.T) {
			tt.options.Out = io.Discard
			err := demo.Run(t.Context(), tt.options)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want an error about %q", err, tt.want)
			}
		})
	}
}

func TestAHoldlineThatFailsEndsTheDemo(t *testing.T) {
	err := demo.Run(t.Context(), demo.Options{
		KratosBin: kratosBin(t), Out: io.Discard,
		Serve:        func(context.Context, demo.Settings) error { return errors.New("no database") },
		KratosConfig: func(demo.Settings) ([]byte, error) { return []byte("{}"), nil },
	})
	if err == nil || !strings.Contains(err.Error(), "no database") {
		t.Errorf("got %v, want Holdline's error", err)
	}
}

func TestTheTemporaryFolderIsRemoved(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	ctx, cancel := context.WithCancel(t.Context())
	err := demo.Run(ctx, demo.Options{
		KratosBin: os.Args[0], Out: io.Discard,
		KratosConfig: func(s demo.Settings) ([]byte, error) {
			if !strings.HasPrefix(s.Dir, os.TempDir()) {
				t.Errorf("got folder %s", s.Dir)
			}
			cancel() // as Ctrl-C does
			return []byte("{}"), nil
		},
	})
	if err != nil {
		t.Errorf("got %v, want nil", err)
	}
	if left, _ := os.ReadDir(os.TempDir()); len(left) > 0 {
		t.Errorf("%v is left", left)
	}
}
