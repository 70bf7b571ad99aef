package wiring

import (
	"context"
	"crypto/rand"
	"fmt"
	"time"

	"github.com/holdline/holdline/config"
	"github.com/holdline/holdline/internal/auth"
	"github.com/holdline/holdline/internal/ratelimit"
	"github.com/holdline/holdline/internal/web"
	"github.com/holdline/holdline/metrics"
	"github.com/holdline/holdline/persistence"
)

// buildAuthentication builds what knows clients and passwords, and counts who fails.
func (p *program) buildAuthentication() error {
	configured, err := configuredTokens(p.cfg, p.clock.Now())
	if err != nil {
		return err
	}
	p.clients = auth.New(auth.Options{
		Tokens: persistence.NewTokens(p.db), Configured: configured, HashKey: p.hashKey,
		Failures: ratelimit.Limit{Most: p.cfg.Limits.TokenFailures, Window: p.cfg.Limits.LoginWindow},
		Limiter:  p.metrics.Limiter(metrics.LimitTokens, persistence.NewLimiter(p.db)), Now: p.clock.Now, Log: p.log,
	})
	p.passwords = &auth.Attempts{
		Limiter:  p.metrics.Limiter(metrics.LimitPasswordsOfAddress, persistence.NewLimiter(p.db)),
		Failures: ratelimit.Limit{Most: p.cfg.Limits.AddressFailures, Window: p.cfg.Limits.LoginWindow},
		HashKey:  p.hashKey, Now: p.clock.Now, Log: p.log,
	}
	p.failures = &web.Failures{Log: p.log, Now: p.clock.Now, Count: func(credential web.Credential, refusal web.Refusal) {
		p.metrics.AuthenticationFailed(string(credential), string(refusal))
	}}
	return nil
}

// configuredTokens are the bearer tokens of the configuration.
func configuredTokens(cfg config.Config, now time.Time) ([]auth.Token, error) {
	var configured []auth.Token
	for i, t := range cfg.Tokens {
		digest, err := auth.ParseTokenDigest(t.SHA256)
		if err != nil {
			return nil, fmt.Errorf("tokens[%d].sha256: %w", i, err)
		}
		scopes := make([]auth.Scope, len(t.Scopes))
		for j, scope := range t.Scopes {
			scopes[j] = auth.Scope(scope)
		}
		token, err := auth.NewToken(t.Name, digest, scopes, t.Privileged, now)
		if err != nil {
			return nil, fmt.Errorf("tokens[%d]: %w", i, err)
		}
		if token.ExpiresAt, err = config.ParseExpires(t.Expires); err != nil {
			return nil, fmt.Errorf("tokens[%d].expires: %w", i, err)
		}
		configured = append(configured, token)
	}
	return configured, nil
}

// administrators know who may work at the console: clients with the scope for it,
// and privileged people of the primary realm.
func (p *program) administrators() *auth.AdminSessions {
	return &auth.AdminSessions{
		Sessions: persistence.NewAdminSessions(p.db), Clients: p.clients,
		Person: func(ctx context.Context, cookie string) (auth.Person, error) {
			who, err := p.kratos.Session(ctx, cookie, "")
			in := who.SignIn()
			return auth.Person{IdentityID: who.IdentityID, Proven: func(ctx context.Context) error { return p.claims.Proven(ctx, &in) }}, err
		},
		Privileged: p.kratos.Privileged, Idle: p.cfg.Admin.SessionIdle, NewSecret: rand.Text,
		Now: p.clock.Now,
	}
}
