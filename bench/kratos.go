package main

import (
	"bytes"
	"context"
	"encoding/base64"
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
	"sync/atomic"
	"time"
)

// kratosSchema has a name to sign in by, one that may be changed, and a number that
// is verified.
const kratosSchema = `{
  "$id": "https://holdline.test/schemas/bench.json",
  "$schema": "http://json-schema.org/draft-07/schema#",
  "type": "object",
  "properties": {"traits": {
    "type": "object",
    "properties": {
      "username": {"type": "string", "ory.sh/kratos": {"credentials": {"password": {"identifier": true}}}},
      "display_name": {"type": "string"},
      "mobile": {"type": "string", "format": "tel", "ory.sh/kratos": {"verification": {"via": "sms"}}}
    },
    "required": ["username"],
    "additionalProperties": false
  }}
}`

// kratosPassword is everybody's.
const kratosPassword = "a password of no importance"

// kratos is a real Ory Kratos, and the way of changing numbers in its settings flow.
type kratos struct {
	*program
	publicURL, adminURL string

	bench     *bench
	dir, name string
	client    *http.Client
	failures  atomic.Int64 // answers that said it failed
}

// newKratos chooses addresses, which Holdline needs to know; nothing is started yet
// but its database, which all share.
func (b *bench) newKratos(ctx context.Context, dir, name string) (*kratos, error) {
	k := &kratos{bench: b, dir: dir, name: name}
	for _, url := range []*string{&k.publicURL, &k.adminURL} {
		port, err := freePort(ctx)
		if err != nil {
			return nil, err
		}
		*url = "http://127.0.0.1:" + port
	}
	if b.kratosDSN != "" {
		return k, nil
	}
	dsn, err := b.server.fresh(ctx, "bench_of_kratos")
	if err != nil {
		return nil, err
	}
	b.say("migrating Kratos' database")
	// Kratos' migrations are for servers that are less strict than MariaDB is by default.
	// Its transactions lock fewer gaps, and so each other, when they are isolated less.
	b.kratosDSN = withParameters(dsn, "parseTime=true&multiStatements=true&sql_mode=%27%27&tx_isolation=%27READ-COMMITTED%27")
	return k, b.server.hastily(ctx, func() error {
		if err := k.configure(nil); err != nil {
			return err
		}
		cmd := exec.CommandContext(ctx, b.kratosBin, k.args("migrate", "sql", "-e", "--yes")...) //nolint:gosec // the caller names it
		cmd.Dir, cmd.Env = k.dir, k.environment()
		if said, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("migrate Kratos: %w\n%s", err, lastLines(said))
		}
		return nil
	})
}

func withParameters(dsn, parameters string) string {
	if strings.Contains(dsn, "?") {
		return dsn + "&" + parameters
	}
	return dsn + "?" + parameters
}

func freePort(ctx context.Context) (string, error) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	_, port, err := net.SplitHostPort(listener.Addr().String())
	return port, errors.Join(err, listener.Close())
}

// configure writes the configuration: Kratos' own, and beside it what is to be merged
// in, as `holdline kratos-config` prints it; nil for nothing.
func (k *kratos) configure(hooks []byte) error {
	listener := func(url string) tree {
		_, port, _ := strings.Cut(strings.TrimPrefix(url, "http://"), ":")
		return tree{"host": "127.0.0.1", "port": json.Number(port), "base_url": url + "/"}
	}
	const pages = "http://127.0.0.1:4455/"
	content, err := json.Marshal(tree{
		"identity": tree{"default_schema_id": "default", "schemas": []tree{
			{"id": "default", "url": "base64://" + base64.StdEncoding.EncodeToString([]byte(kratosSchema))},
		}},
		"serve": tree{"public": listener(k.publicURL), "admin": listener(k.adminURL)},
		"selfservice": tree{
			"default_browser_return_url": pages,
			"methods":                    tree{"password": tree{"enabled": true, "config": tree{"haveibeenpwned_enabled": false}}, "profile": tree{"enabled": true}},
			"flows":                      tree{"settings": tree{"ui_url": pages, "privileged_session_max_age": "1h"}},
		},
		"hashers": tree{"algorithm": "bcrypt", "bcrypt": tree{"cost": 4}}, // signing in is not measured
		"courier": tree{"smtp": tree{"connection_uri": "smtp://127.0.0.1:9/?disable_starttls=true"}},
		"secrets": tree{"cookie": []string{"bench-cookie-secret-of-no-importance"}, "cipher": []string{"bench-cipher-secret-32-characters"[:32]}},
		"log":     tree{"level": "error"},
	})
	if err != nil {
		return err
	}
	if hooks == nil {
		hooks = []byte("{}\n")
	}
	return errors.Join(
		os.WriteFile(filepath.Join(k.dir, k.name+".json"), content, 0o600),
		os.WriteFile(filepath.Join(k.dir, k.name+"-hooks.yml"), hooks, 0o600))
}

func (k *kratos) args(command ...string) []string {
	return append(command, "-c", k.name+".json", "-c", k.name+"-hooks.yml")
}

func (k *kratos) environment() []string {
	return append(os.Environ(), "DSN="+k.bench.kratosDSN, "SQA_OPT_OUT=true")
}

// kratosConfig is what an operator would merge into kratos.yml for hooks at a URL.
func (h *holdline) kratosConfig(ctx context.Context, binary, hooksURL string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, binary, "kratos-config", "--config", h.config, "--hooks-base-url", hooksURL) //nolint:gosec // the caller names it
	printed, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("kratos-config: %w", err)
	}
	return printed, nil
}

// start runs `kratos serve` with these hooks and returns when it answers.
func (k *kratos) start(ctx context.Context, client *http.Client, hooks []byte) error {
	k.client = client
	if err := k.configure(hooks); err != nil {
		return err
	}
	started, said, err := startProgram(ctx, k.dir, k.name, k.bench.kratosBin, k.environment(), k.args("serve", "--dev")...)
	if err != nil {
		return err
	}
	k.program = started
	k.drained.Go(func() error {
		_, err := io.Copy(io.Discard, said)
		return err
	})
	for deadline := time.Now().Add(patience); ; {
		err := k.call(ctx, http.MethodGet, k.publicURL+"/health/ready", "", nil, nil, http.StatusOK)
		if err == nil {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("kratos does not answer: %w\n%s", err, k.lastWords())
		}
		if err := wait(ctx, 50*time.Millisecond); err != nil {
			return err
		}
	}
}

// kratosTries is how often Kratos is asked when it fails: it does not try a transaction
// again that its database ended for a deadlock, and leaves that to its user.
const kratosTries = 5

// kratosFailed tells whether Kratos said that the fault is its own. Where hooks may refuse
// a form, it does so with status 400, too.
func kratosFailed(err error) bool {
	var other statusError
	if !errors.As(err, &other) {
		return false
	}
	var said struct{ Error struct{ Code int } }
	return json.Unmarshal(other.said, &said) == nil && said.Error.Code == http.StatusInternalServerError
}

// call sends a body as JSON, with a session's token unless it is blank, and reads the
// answer.
func (k *kratos) call(ctx context.Context, method, url, token string, body, into any, want int) error {
	var content []byte
	if body != nil {
		var err error
		if content, err = json.Marshal(body); err != nil {
			return err
		}
	}
	header := http.Header{"Content-Type": {"application/json"}, "Accept": {"application/json"}}
	if token != "" {
		header.Set("X-Session-Token", token)
	}
	for try := 1; ; try++ {
		said, err := exchange(ctx, k.client, method, url, bytes.NewReader(content), want, header)
		if kratosFailed(err) && try < kratosTries {
			k.failures.Add(1)
			continue
		}
		if err != nil || into == nil {
			return err
		}
		return json.Unmarshal(said, into)
	}
}

// kratosIdentity is what of an identity is looked at.
type kratosIdentity struct {
	ID     string
	Traits struct {
		Mobile string
	}
	MetadataPublic map[string]any `json:"metadata_public"`
	Addresses      []struct {
		Value    string
		Verified bool
	} `json:"verifiable_addresses"`
}

// has tells whether the number is the stored one, verified, and none is pending.
func (i kratosIdentity) has(mobile string) bool {
	_, pending := i.MetadataPublic["pendingMobileNumber"]
	return !pending && i.Traits.Mobile == mobile && len(i.Addresses) == 1 && i.Addresses[0].Value == mobile && i.Addresses[0].Verified
}

// flow is a self-service flow of Kratos'.
type flow struct {
	UI struct{ Action string }

	State        string
	Identity     kratosIdentity
	SessionToken string `json:"session_token"`
}

// arrive makes an account and signs it in.
func (k *kratos) arrive(ctx context.Context, p *person) error {
	var made kratosIdentity
	err := k.call(ctx, http.MethodPost, k.adminURL+"/admin/identities", "", tree{
		"schema_id": "default", "traits": p.traits(p.name, p.was),
		"credentials":          tree{"password": tree{"config": tree{"password": kratosPassword}}},
		"verifiable_addresses": []tree{{"value": p.was, "via": "sms", "verified": true, "status": "completed"}},
	}, &made, http.StatusCreated)
	if err != nil {
		return err
	}
	p.id = made.ID
	var login, signedIn flow
	if err := k.call(ctx, http.MethodGet, k.publicURL+"/self-service/login/api", "", nil, &login, http.StatusOK); err != nil {
		return err
	}
	err = k.call(ctx, http.MethodPost, login.UI.Action, "",
		tree{"method": "password", "identifier": p.name, "password": kratosPassword}, &signedIn, http.StatusOK)
	p.token = signedIn.SessionToken
	return err
}

// traits are what a person's settings form has.
func (p person) traits(displayName, mobile string) tree {
	return tree{"username": p.name, "display_name": displayName, "mobile": mobile}
}

// open begins a settings flow and returns where its form goes.
func (k *kratos) open(ctx context.Context, p person) (action string, err error) {
	var f flow
	err = k.call(ctx, http.MethodGet, k.publicURL+"/self-service/settings/api", p.token, nil, &f, http.StatusOK)
	return f.UI.Action, err
}

// submit sends the settings form and returns the identity that the answer shows.
func (k *kratos) submit(ctx context.Context, p person, action string, traits tree) (kratosIdentity, error) {
	var saved flow
	err := k.call(ctx, http.MethodPost, action, p.token, tree{"method": "profile", "traits": traits}, &saved, http.StatusOK)
	if err == nil && saved.State != "success" {
		err = fmt.Errorf("settings flow: state %q", saved.State)
	}
	return saved.Identity, err
}

func (k *kratos) request(ctx context.Context, p person) error {
	action, err := k.open(ctx, p)
	if err != nil {
		return err
	}
	_, err = k.submit(ctx, p, action, p.traits(p.name, p.mobile))
	return err
}

func (k *kratos) done(ctx context.Context, p person) (bool, error) {
	var stored kratosIdentity
	err := k.call(ctx, http.MethodGet, k.adminURL+"/admin/identities/"+p.id, "", nil, &stored, http.StatusOK)
	return stored.has(p.mobile), err
}

func (*kratos) leave(person) {}
func (*kratos) stays() bool  { return true }
func (*kratos) calls() int64 { return 0 }
