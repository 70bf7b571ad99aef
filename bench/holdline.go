package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
)

// hookKey is what Kratos and its double send.
const hookKey = "bench-hook-key-of-no-importance"

// tree is a JSON object.
type tree = map[string]any

// holdline is a running `holdline serve`.
type holdline struct {
	*program
	publicURL, adminURL string
	config              string // the file
}

// configOf is a configuration that is Holdline's default but for the addresses, with
// what is laid over it.
func configOf(dsn, publicURL, adminURL string, gateway, over tree) tree {
	config := tree{
		"public":   tree{"port": 0},
		"admin":    tree{"port": 0},
		"database": tree{"dsn": dsn},
		"secrets":  tree{"otp": []string{"bench secret of at least 32 characters"}},
		"kratos":   tree{"public_url": publicURL, "admin_url": adminURL},
		"hooks":    tree{"api_key": hookKey},
		"scim":     tree{"reconcile_interval": "24h"},
		"sms":      tree{"gateways": []any{tree{"id": "provider", "type": "http", "request_config": gateway}}},
	}
	for key, value := range over {
		if under, ok := config[key].(tree); ok {
			maps.Copy(under, value.(tree))
			continue
		}
		config[key] = value
	}
	return config
}

// migrate brings an empty database to Holdline's schema.
func migrate(ctx context.Context, binary, dsn string) error {
	cmd := exec.CommandContext(ctx, binary, "migrate", "up", "--database-dsn", dsn) //nolint:gosec // the caller names it
	if said, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("migrate: %w\n%s", err, said)
	}
	return nil
}

// startHoldline runs `holdline serve` with this configuration and returns when it
// listens. Files in the folder are called by the name.
func startHoldline(ctx context.Context, binary, dir, name string, config tree) (*holdline, error) {
	content, err := json.Marshal(config)
	if err != nil {
		return nil, err
	}
	h := &holdline{config: filepath.Join(dir, name+".json")}
	if err := os.WriteFile(h.config, content, 0o600); err != nil {
		return nil, err
	}
	started, said, err := startProgram(ctx, dir, name, binary, nil, "serve", "--config", h.config)
	if err != nil {
		return nil, err
	}
	h.program = started
	line, err := bufio.NewReader(said).ReadString('\n')
	var public, admin string
	if err == nil {
		_, err = fmt.Sscanf(line, "listening public=%s admin=%s", &public, &admin)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("holdline does not listen: %w\n%s", err, h.lastWords()), h.stop())
	}
	h.publicURL, h.adminURL = "http://"+public, "http://"+admin
	return h, nil
}
