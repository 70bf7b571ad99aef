package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"time"

	"github.com/holdline/holdline/bench/double"
)

// scimToken is the bearer token of [double.Client].
const scimToken = "hlt_bench-token-of-no-importance" //nolint:gosec // of no importance

// scimTokens is the configuration of it.
func scimTokens() []any {
	digest := sha256.Sum256([]byte(scimToken))
	return []any{tree{"name": double.Client, "sha256": hex.EncodeToString(digest[:]), "scopes": []string{"scim:read", "scim:write"}}}
}

// scimSite is a Holdline that SCIM clients reach, with an index of n users.
type scimSite struct {
	n, step  int
	database string
	kratos   *double.FakeKratos
	holdline *holdline
	doubles  doubles
}

// next is some user, far from the one before.
func (s *scimSite) next() int {
	s.step += 7919
	return s.step % s.n
}

// startScimSite makes a database with an index of n users, and starts a Holdline
// on it.
//
// The reconciler's pass at the start would read all identities while others are
// measured. So it was there before, it seems.
func startScimSite(ctx context.Context, b *bench, name string, n int) (*scimSite, error) {
	site := &scimSite{n: n, database: "bench_scim_" + name, kratos: double.NewFakeKratos(n)}
	dsn, err := b.server.fresh(ctx, site.database)
	if err != nil {
		return nil, err
	}
	home := filepath.Join(b.dir, "scim-"+name)
	if err := os.Mkdir(home, 0o700); err != nil {
		return nil, err
	}
	err = b.server.hastily(ctx, func() error {
		if err := migrate(ctx, b.holdlineBin, dsn); err != nil {
			return err
		}
		seeder := newSeeder(site.schemas, time.Now().Add(-time.Hour))
		if err := seeder.fill(ctx, b.server, site.database, n); err != nil {
			return err
		}
		return b.server.exec(ctx, "INSERT INTO "+site.database+
			".scim_passes (name, began_at) VALUES ('users', '2999-01-01')")
	})
	if err != nil {
		return nil, err
	}
	kratosURL, err := site.doubles.serve(ctx, site.kratos)
	if err != nil {
		return nil, errors.Join(err, site.stop())
	}
	// Nothing is sent: the provider's address is any.
	config := configOf(dsn, kratosURL, kratosURL, double.RequestConfig(kratosURL), tree{"tokens": scimTokens()})
	site.holdline, err = startHoldline(ctx, b.holdlineBin, home, "holdline", config)
	if err != nil {
		return nil, errors.Join(err, site.stop())
	}
	return site, nil
}

// schemas asks the double for its schemas.
func (s *scimSite) schemas(ctx context.Context) (map[string]map[string]any, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "/schemas", nil)
	if err != nil {
		return nil, err
	}
	said := httptest.NewRecorder()
	s.kratos.ServeHTTP(said, request)
	var all []struct {
		ID     string
		Schema map[string]any
	}
	err = json.Unmarshal(said.Body.Bytes(), &all)
	schemas := map[string]map[string]any{}
	for _, found := range all {
		schemas[found.ID] = found.Schema
	}
	return schemas, err
}

func (s *scimSite) stop() error {
	var fault error
	if s.holdline != nil {
		fault = s.holdline.stop()
	}
	return errors.Join(fault, s.doubles.stop())
}

// check reports whether those who were looked up were indexed as Holdline would have
// done it: then nobody but those who were changed was written again.
func (s *scimSite) check(ctx context.Context, server *server) error {
	var indexed, written int
	err := server.QueryRowContext(ctx, "SELECT COUNT(*), SUM(writes > 1) FROM "+s.database+".scim_users").Scan(&indexed, &written)
	if changed := s.kratos.Changed(); err == nil && (indexed != s.n || written != changed || changed == 0) {
		err = fmt.Errorf("%d users: %d are indexed; %d were changed, and %d written", s.n, indexed, changed, written)
	}
	return err
}
