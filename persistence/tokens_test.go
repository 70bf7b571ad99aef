package persistence_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/holdline/holdline/internal/audit"
	"github.com/holdline/holdline/internal/auth"
	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/problem"
	"github.com/holdline/holdline/internal/storetest"
	"github.com/holdline/holdline/persistence"
	"github.com/holdline/holdline/persistence/database/databasetest"
)

func TestTokensKeepTheirPromises(t *testing.T) {
	for name, newDSN := range databasetest.Kinds {
		t.Run(name, func(t *testing.T) {
			storetest.TestTokens(t, func(t *testing.T) auth.Tokens {
				t.Helper()
				return persistence.NewTokens(databasetest.Migrated(t, newDSN(t)))
			})
		})
	}
}

func someToken(name string) auth.Token {
	return auth.Token{
		Name: name, Digest: auth.DigestToken("secret of " + name), Scopes: auth.Scopes(), Privileged: true, CreatedAt: noon,
	}
}

func TestTokensAreAuditedAndTheirAuditStays(t *testing.T) {
	databasetest.OnEach(t, func(t databasetest.Kind) {
		tokens, okta := persistence.NewTokens(t.DB), someToken("okta")
		who := audit.Actor{Kind: audit.Operator, ID: "root"}
		check := func(want, err error) {
			t.Helper()
			if !errors.Is(err, want) {
				t.Errorf("got %v, want %v", err, want)
			}
		}
		check(nil, tokens.Create(t.Context(), okta, okta.Event(auth.TokenCreated, who, noon), nil))
		check(claim.ErrExists, tokens.Create(t.Context(), okta, okta.Event(auth.TokenCreated, who, noon), nil))
		check(nil, tokens.Revoke(t.Context(), "okta", false, who, noon))
		check(auth.ErrNoToken, tokens.Revoke(t.Context(), "okta", false, who, noon))
		if _, err := persistence.NewStore(t.DB).Prune(t.Context(), noon.Add(time.Hour), 10); err != nil {
			t.Fatal(err)
		}
		got, err := databasetest.Count(t.Context(), t.DB, `SELECT COUNT(*) FROM audit_events WHERE claim_id = '' AND identity_id = ''
			AND kind IN ('token_created', 'token_revoked') AND actor_kind = 'operator' AND actor_id = 'root'
			AND reason = CASE kind WHEN 'token_revoked' THEN 'okta' ELSE 'okta [scim:read scim:write claims:manage] privileged' END`)
		if err != nil || got != 2 {
			t.Errorf("got %d lines, %v, want 2", got, err)
		}
	})
}

func TestTokensThatAreAwaySaySo(t *testing.T) {
	databasetest.OnEach(t, func(t databasetest.Kind) {
		tokens, okta := persistence.NewTokens(t.DB), someToken("okta")
		cancelled, cancel := context.WithCancel(t.Context())
		cancel()
		_, listErr := tokens.List(cancelled)
		_, findErr := tokens.Find(cancelled, okta.Digest)
		for name, err := range map[string]error{
			"create": tokens.Create(cancelled, okta, audit.Event{At: noon}, nil),
			"revoke": tokens.Revoke(cancelled, "okta", true, audit.Actor{}, noon),
			"list":   listErr,
			"find":   findErr,
			"used":   tokens.Used(cancelled, okta.Digest, noon),
		} {
			if !errors.Is(err, problem.ErrStoreUnavailable) {
				t.Errorf("%s: got %v", name, err)
			}
		}
	})
}
