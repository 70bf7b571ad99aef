package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/holdline/holdline/bench/double"
)

// variant is a Holdline with all that it works with, to be compared with another.
type variant struct {
	name     string
	database string
	server   *server
	holdline *program
	kratos   *double.Kratos
	provider *double.Provider
	client   *http.Client
	people   *people
	tally    tally

	doubles doubles
}

// startVariant starts a Holdline whose provider answers after a delay. All but
// the addresses is Holdline's default; its limits are far from
// being reached, because everybody changes the number once.
func startVariant(ctx context.Context, s settings, server *server, dir, name string, delay time.Duration) (*variant, error) {
	v := &variant{
		name: name, database: "bench_" + name, server: server, people: newPeople(s.seed),
		kratos: double.NewKratos(), provider: double.NewProvider(delay),
		client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 256}},
	}
	dsn, err := server.fresh(ctx, v.database)
	if err != nil {
		return nil, err
	}
	kratosURL, err := v.doubles.serve(ctx, v.kratos)
	if err != nil {
		return nil, errors.Join(err, v.stop())
	}
	providerURL, err := v.doubles.serve(ctx, v.provider)
	if err != nil {
		return nil, errors.Join(err, v.stop())
	}
	home := filepath.Join(dir, name)
	if err := os.Mkdir(home, 0o700); err != nil {
		return nil, errors.Join(err, v.stop())
	}
	v.holdline, err = startHoldline(ctx, s.holdline, home, map[string]any{
		"public":   map[string]any{"port": 0},
		"admin":    map[string]any{"port": 0},
		"database": map[string]any{"dsn": dsn, "auto_migrate": true},
		"secrets":  map[string]any{"otp": []string{"bench secret of at least 32 characters"}},
		"kratos":   map[string]any{"public_url": kratosURL, "admin_url": kratosURL},
		"hooks":    map[string]any{"api_key": hookKey},
		"sms": map[string]any{"gateways": []any{
			map[string]any{"id": "provider", "type": "http", "request_config": double.RequestConfig(providerURL)},
		}},
	})
	if err != nil {
		return nil, errors.Join(err, v.stop())
	}
	v.kratos.Hooks = double.Hooks{URL: v.holdline.adminURL, Key: hookKey, Client: v.client}
	return v, nil
}

// stop ends Holdline, then the doubles.
func (v *variant) stop() error {
	var faults []error
	if v.holdline != nil {
		faults = append(faults, v.holdline.stop())
	}
	faults = append(faults, v.doubles.stop())
	if err := errors.Join(faults...); err != nil {
		return fmt.Errorf("%s: %w", v.name, err)
	}
	return nil
}
