package kratos_test

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
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/holdline/holdline/internal/kratostest"
)

// server is a Kratos process of the tests.
type server struct {
	public, admin string
	stop          func()
}

// shared is the server that the tests have in common.
var shared *server

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "holdline-directory-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	if os.Getenv("KRATOS_BIN") != "" {
		if shared, err = start(dir); err != nil {
			fmt.Fprintln(os.Stderr, "start Kratos:", err)
			os.Exit(1)
		}
	}
	code := m.Run()
	if shared != nil {
		shared.stop()
	}
	_ = os.RemoveAll(dir)
	http.DefaultClient.CloseIdleConnections()
	if err := goleak.Find(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// requireKratos skips a test without a binary, unless its absence is a fault.
func requireKratos(t *testing.T) {
	t.Helper()
	switch {
	case os.Getenv("KRATOS_BIN") != "":
	case os.Getenv("CI") != "" || os.Getenv("HOLDLINE_REQUIRE_KRATOS") != "":
		t.Fatal("KRATOS_BIN does not name a Kratos binary, and is required here")
	default:
		t.Skip("KRATOS_BIN does not name a Kratos binary")
	}
}

// start runs Kratos on free ports, with the files of testdata and SQLite in dir.
// Edits are pairs of texts: the first is replaced by the second in kratos.yml.
func start(dir string, edits ...string) (*server, error) {
	for _, name := range []string{"kratos.yml", "person.schema.json", "member.schema.json", "caller.schema.json", "plain.schema.json"} {
		data, err := os.ReadFile(filepath.Join("testdata", name))
		if err == nil {
			data = []byte(strings.NewReplacer(edits...).Replace(string(data)))
			err = os.WriteFile(filepath.Join(dir, name), data, 0o600)
		}
		if err != nil {
			return nil, err
		}
	}
	ports, err := freePorts(2)
	if err != nil {
		return nil, err
	}
	env := append(os.Environ(),
		"DSN="+kratostest.SQLite(filepath.Join(dir, "db.sqlite")),
		"SERVE_PUBLIC_HOST=127.0.0.1", "SERVE_PUBLIC_PORT="+ports[0],
		"SERVE_PUBLIC_BASE_URL=http://127.0.0.1:"+ports[0]+"/",
		"SERVE_ADMIN_HOST=127.0.0.1", "SERVE_ADMIN_PORT="+ports[1])
	log, err := os.Create(filepath.Join(dir, "kratos.log"))
	if err != nil {
		return nil, err
	}
	defer func() { _ = log.Close() }()
	command := func(args ...string) *exec.Cmd {
		c := exec.CommandContext(context.Background(), os.Getenv("KRATOS_BIN"), append(args, "-c", "kratos.yml")...)
		c.Dir, c.Env, c.Stdout, c.Stderr = dir, env, log, log
		return c
	}
	if err := command("migrate", "sql", "-e", "--yes").Run(); err != nil {
		return nil, fmt.Errorf("migrate: %w\n%s", err, tail(log.Name()))
	}
	process := command("serve", "--dev")
	if err := process.Start(); err != nil {
		return nil, err
	}
	gone := make(chan struct{})
	go func() { defer close(gone); _ = process.Wait() }()
	s := &server{public: "http://127.0.0.1:" + ports[0], admin: "http://127.0.0.1:" + ports[1]}
	s.stop = func() { _ = process.Process.Kill(); <-gone }
	for _, base := range []string{s.public, s.admin} {
		if err := await(base+"/health/ready", gone); err != nil {
			s.stop()
			return nil, fmt.Errorf("%w\n%s", err, tail(log.Name()))
		}
	}
	return s, nil
}

func freePorts(n int) ([]string, error) {
	var ports []string
	for range n {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer func() { _ = listener.Close() }()
		_, port, _ := net.SplitHostPort(listener.Addr().String())
		ports = append(ports, port)
	}
	return ports, nil
}

// await asks until the server is ready, it ends, or patience does.
func await(url string, gone <-chan struct{}) error {
	patience := time.After(time.Minute)
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	for {
		resp, err := http.Get(url)
		if err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-again.C:
		case <-gone:
			return errors.New("Kratos ended")
		case <-patience:
			return errors.New("Kratos is not ready after a minute")
		}
	}
}

func tail(name string) string {
	data, _ := os.ReadFile(name)
	return string(data[max(0, len(data)-4000):])
}

// person describes an identity to make.
type person struct {
	schema, email, password, mobile string
	verified                        bool   // the mobile number
	pending                         string // the marker
	emailVerified                   bool
}

// add makes an identity and returns its id.
func (s *server) add(t *testing.T, p person) string {
	t.Helper()
	traits := map[string]any{"email": p.email}
	var addresses []any
	if p.mobile != "" {
		traits["mobile"] = p.mobile
		addresses = append(addresses, address(p.mobile, "sms", p.verified))
	}
	if p.emailVerified {
		addresses = append(addresses, address(p.email, "email", true))
	}
	if p.schema == "" {
		p.schema = "person"
	}
	body := map[string]any{"schema_id": p.schema, "traits": traits, "verifiable_addresses": addresses}
	if p.pending != "" {
		body["metadata_public"] = map[string]any{"pendingMobileNumber": p.pending, "other": "stays"}
	}
	if p.password != "" {
		body["credentials"] = map[string]any{"password": map[string]any{"config": map[string]any{"password": p.password}}}
	}
	var made struct{ ID string }
	send(t, http.MethodPost, s.admin+"/admin/identities", body, &made)
	return made.ID
}

func address(value, via string, verified bool) map[string]any {
	status := "pending"
	if verified {
		status = "completed"
	}
	return map[string]any{"value": value, "via": via, "verified": verified, "status": status}
}

// stored is an identity as Kratos shows it.
type stored struct {
	State  string
	Traits map[string]any
	Public map[string]any `json:"metadata_public"`
	// Addresses are of e-mail and telephone.
	Addresses []struct {
		Value, Via, Status string
		Verified           bool
	} `json:"verifiable_addresses"`
}

// verified lists the verified addresses by how they are reached.
func (s stored) verified() map[string]string {
	list := map[string]string{}
	for _, a := range s.Addresses {
		if a.Verified && a.Status == "completed" {
			list[a.Via] = a.Value
		}
	}
	return list
}

func (s *server) identity(t *testing.T, id string) stored {
	t.Helper()
	var found stored
	send(t, http.MethodGet, s.admin+"/admin/identities/"+id, nil, &found)
	return found
}

// sessions counts an identity's living sessions.
func (s *server) sessions(t *testing.T, id string) int {
	t.Helper()
	var list []any
	send(t, http.MethodGet, s.admin+"/admin/identities/"+id+"/sessions?active=true", nil, &list)
	return len(list)
}

// signIn logs in through the native flow and returns the session token.
func (s *server) signIn(t *testing.T, user, password string) string {
	t.Helper()
	var flow struct{ ID string }
	send(t, http.MethodGet, s.public+"/self-service/login/api", nil, &flow)
	var done struct {
		Token string `json:"session_token"`
	}
	send(t, http.MethodPost, s.public+"/self-service/login?flow="+flow.ID,
		map[string]any{"method": "password", "identifier": user, "password": password}, &done)
	return done.Token
}

// send makes a request that must succeed.
func send(t *testing.T, method, url string, body, answer any) {
	t.Helper()
	sendBy(t, http.DefaultClient, method, url, body, answer)
}

// sendAs is send with one more header, as in "Name: value".
func sendAs(t *testing.T, header, method, url string, body, answer any) {
	t.Helper()
	sendWith(t, http.DefaultClient, header, method, url, body, answer)
}

func sendBy(t *testing.T, client *http.Client, method, url string, body, answer any) {
	t.Helper()
	sendWith(t, client, "", method, url, body, answer)
}

func sendWith(t *testing.T, client *http.Client, header, method, url string, body, answer any) {
	t.Helper()
	var payload io.Reader
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		payload = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(t.Context(), method, url, payload)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("Content-Type", "application/json")
	if name, value, found := strings.Cut(header, ": "); found {
		req.Header.Set(name, value)
	}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	data, _ := io.ReadAll(resp.Body)
	if resp.StatusCode > 299 {
		t.Fatalf("%s %s: %s: %s", method, url, resp.Status, data)
	}
	if answer != nil && json.Unmarshal(data, answer) != nil {
		t.Fatalf("%s %s: not JSON: %s", method, url, data)
	}
}
