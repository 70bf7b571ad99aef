package main

import (
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
