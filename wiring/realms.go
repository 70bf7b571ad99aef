package wiring

import (
	"context"
	"fmt"

	"github.com/holdline/holdline/config"
	"github.com/holdline/holdline/hook"
	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/fraud"
	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/internal/scim"
	"github.com/holdline/holdline/internal/scim/users"
	"github.com/holdline/holdline/kratos"
	"github.com/holdline/holdline/metrics"
	"github.com/holdline/holdline/persistence"
)

// connectKratos makes the clients of every realm's Kratos.
func (p *program) connectKratos() (err error) {
	var written func(scim.Record)
	if p.cfg.SCIM.Enabled {
		p.scim.written = users.NewWritten(p.clock.Now)
		written = p.scim.written.Add
	}
	if p.kratos, err = p.realm(p.cfg.Kratos, p.hashKey, written); err != nil {
		return fmt.Errorf("kratos: %w", err)
	}
	others := make([]kratos.Realm, len(p.cfg.Realms))
	for i, r := range p.cfg.Realms {
		kratosConfig, _, err := p.cfg.Realm(r.Name)
		if err != nil {
			return err
		}
		// A realm's users are no SCIM users, and so nobody hears of what is written.
		d, err := p.realm(kratosConfig, append([]byte(r.Name+" "), p.hashKey...), nil)
		if err != nil {
			return fmt.Errorf("realm %s: %w", r.Name, err)
		}
		others[i] = kratos.Realm{Name: r.Name, Client: d}
	}
	p.realms = kratos.NewRealms(p.kratos, others...)
	return nil
}

func (p *program) realm(kratosConfig config.Kratos, hashKey []byte, written func(scim.Record)) (*kratos.Client, error) {
	return kratos.New(kratos.Options{
		PublicURL: kratosConfig.PublicURL, AdminURL: kratosConfig.AdminURL, MobileTrait: kratosConfig.MobileTrait,
		PendingKey: kratosConfig.PendingKey, LocaleTrait: kratosConfig.LocaleTrait, EmailTrait: kratosConfig.EmailTrait,
		PrivilegedKey: kratosConfig.PrivilegedKey, SessionCookie: kratosConfig.SessionCookie, Plan: p.plan,
		Timeout: kratosConfig.Timeout, Now: p.clock.Now, Log: p.log,
		Observe: p.kratosCall, Around: p.propagation(),
		Limiter: p.metrics.Limiter(metrics.LimitPasswords, persistence.NewLimiter(p.db)), LoginFailures: p.cfg.Limits.LoginFailures,
		LoginWindow: p.cfg.Limits.LoginWindow, HashKey: hashKey, Written: written,
	})
}

// hooks are what each realm's Kratos calls.
func (p *program) hooks() ([]hook.Options, error) {
	primary := hook.Options{
		Key: p.cfg.Hooks.APIKey.Reveal(), PreviousKey: p.cfg.Hooks.PreviousKey.Reveal(), MobileTrait: p.cfg.Kratos.MobileTrait,
		PendingKey: p.cfg.Kratos.PendingKey, Page: p.cfg.ReturnURL(), Plan: p.plan, Log: p.log, Documents: p.documents, Changed: p.changed(), Trials: p.claims,
	}
	all := []hook.Options{primary}
	for _, r := range p.cfg.Realms {
		kratosConfig, hooks, err := p.cfg.Realm(r.Name)
		if err != nil {
			return nil, err
		}
		all = append(all, hook.Options{
			Realm: r.Name, Key: hooks.APIKey.Reveal(), PreviousKey: hooks.PreviousKey.Reveal(), MobileTrait: kratosConfig.MobileTrait,
			PendingKey: kratosConfig.PendingKey, Page: p.cfg.ReturnURL(), Plan: p.plan, Log: p.log, Documents: p.documents, Trials: p.claims,
		})
	}
	return all, nil
}

// HookSetup is what the lines for a realm's kratos.yml depend on. A blank realm is
// the primary one.
func HookSetup(cfg config.Config, realm string) (hook.Setup, error) {
	base, err := cfg.HookURL()
	if err != nil {
		return hook.Setup{}, err
	}
	kratos, hooks, err := cfg.Realm(realm)
	if err != nil {
		return hook.Setup{}, err
	}
	return hook.Setup{
		BaseURL: base, Key: hooks.APIKey.Reveal(), MobileTrait: kratos.MobileTrait,
		PendingKey: kratos.PendingKey, LocaleTrait: kratos.LocaleTrait,
		AddressHeader: hooks.AddressHeader, ReturnURL: cfg.ReturnURL(),
		Changed: cfg.SCIM.Enabled && kratos == cfg.Kratos,
	}, nil
}

// documents reads an identity to the digit.
func (p *program) documents(ctx context.Context, identityID string) (hook.Documents, error) {
	traits, public, err := p.realms.Documents(ctx, identityID)
	return hook.Documents{Traits: traits, MetadataPublic: public}, err
}

// traffic is what is sound traffic now: how long a code is good may have changed.
func (p *program) traffic() fraud.Policy {
	policy := p.settings.Policy()
	policy.Traffic.Grace = policy.Validity
	return policy.Traffic
}

// holders find who has a number: by Kratos' identifiers, and by the index of users,
// since Kratos looks nobody up by an address that is no identifier.
type holders struct {
	kratos.Realms
	program *program
}

// Holders implements [claim.Holders].
func (h holders) Holders(ctx context.Context, identityID string, number phone.Number) ([]claim.Holder, error) {
	var indexed []string
	if realm, _ := claim.SplitRealm(identityID); realm == claim.PrimaryRealm && h.program.cfg.SCIM.Enabled {
		var err error
		if indexed, err = h.program.scim.users.Holding(ctx, number); err != nil {
			return nil, err
		}
	}
	return h.Realms.Holders(ctx, identityID, number, indexed)
}
