package app

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/holdline/holdline/config"
	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/scim"
	"github.com/holdline/holdline/internal/scim/mapping"
	"github.com/holdline/holdline/internal/scim/reconcile"
	"github.com/holdline/holdline/internal/scim/users"
	"github.com/holdline/holdline/metrics"
	"github.com/holdline/holdline/persistence"
	"github.com/holdline/holdline/scimbridge"
)

// provisioning is what SCIM clients reach.
type provisioning struct {
	resource   scim.Resource
	catalogue  *users.Catalogue
	users      *users.Service
	reconciler *reconcile.Reconciler
	index      scim.Index
}

// resourceOf is a user with the extensions that are configured.
func resourceOf(cfg config.Config) scim.Resource {
	if cfg.SCIM.WSO2Schema {
		return scim.User(scim.Enterprise(), scim.WSO2())
	}
	return scim.User(scim.Enterprise())
}

// mappingOf puts the configured rules into the mapping's terms.
func mappingOf(cfg config.Config) ([]mapping.Rule, mapping.Options) {
	var rules []mapping.Rule
	for i, a := range cfg.SCIM.Mapping {
		rules = append(rules, mapping.Rule{Key: fmt.Sprintf("scim.mapping[%d]", i), Path: a.Path, Trait: a.Trait})
	}
	plan := planOf(cfg)
	return rules, mapping.Options{
		Resource: resourceOf(cfg), MobileTrait: cfg.Kratos.MobileTrait, PendingKey: cfg.Kratos.PendingKey,
		Key: "scim.mapping", MobileKey: "kratos.mobile_trait",
		Same: func(a, b string) bool { return claim.StoredMobile(plan, a).Same(claim.StoredMobile(plan, b)) },
	}
}

// checkMapping finds what is wrong with the mapping whatever the schemas are.
func checkMapping(cfg config.Config) error {
	rules, options := mappingOf(cfg)
	_, err := mapping.New(rules, options)
	return err
}

// provision builds what SCIM clients reach.
func (p *program) provision() {
	rules, options := mappingOf(p.cfg)
	p.scim.resource = options.Resource
	p.scim.catalogue = users.NewCatalogue(users.CatalogueOptions{
		Schemas: p.directory.Schemas, Rules: rules, Mapping: options, SchemaID: p.cfg.SCIM.SchemaID, Now: p.clock.Now,
	})
	index := persistence.NewScimIndex(p.db)
	p.scim.index = index
	p.scim.users = users.NewService(users.Options{
		Directory: p.directory, Claims: p.asked, Index: index, Catalogue: p.scim.catalogue,
		Resource: options.Resource, Mode: scim.Mode(p.cfg.SCIM.Strict), Plan: planOf(p.cfg),
		MobileTrait: p.cfg.Kratos.MobileTrait, PendingKey: p.cfg.Kratos.PendingKey,
		SkipNumbers: p.cfg.SCIM.InvalidMobile == "skip", PasswordMinLength: p.cfg.SCIM.PasswordMinLength,
		PrivilegedKey: p.cfg.Kratos.PrivilegedKey, OwnersMayNot: p.cfg.SCIM.OwnersMayNot, Completing: completing,
		Now: p.clock.Now, Log: p.log,
	})
	p.scim.reconciler = reconcile.New(reconcile.Options{
		Source: p.directory, Index: index, Entries: p.scim.users.Entries, Now: p.clock.Now, Log: p.log,
		Report: func(done reconcile.Progress) { p.metrics.Reconciled(done, false, p.clock.Now()) },
	})
}

// scimRoutes is the handler of all that is below scimbridge.Path.
func (p *program) scimRoutes() (http.Handler, error) {
	edge := p.edge(publicListener)
	return scimbridge.New(edge, scimbridge.Options{
		Users: p.scim.users, Resource: p.scim.resource, Mode: scim.Mode(p.cfg.SCIM.Strict),
		BaseURL:    strings.TrimSuffix(p.cfg.Public.BaseURL, "/"),
		MaxResults: p.cfg.SCIM.MaxResults, DefaultResults: min(100, p.cfg.SCIM.MaxResults),
		BulkOperations: p.cfg.SCIM.BulkOperations, BulkBytes: p.cfg.SCIM.BulkBytes,
	})
}

// clients know bearer tokens, those of the configuration and those that are kept.
func clients(cfg config.Config, db *persistence.DB, hashKey []byte, p *program) (*claim.Clients, error) {
	var configured []claim.Token
	for i, t := range cfg.Tokens {
		digest, err := claim.ParseTokenDigest(t.SHA256)
		if err != nil {
			return nil, fmt.Errorf("tokens[%d].sha256: %w", i, err)
		}
		scopes := make([]claim.Scope, len(t.Scopes))
		for j, scope := range t.Scopes {
			scopes[j] = claim.Scope(scope)
		}
		token, err := claim.NewToken(t.Name, digest, scopes, t.Privileged, p.clock.Now())
		if err != nil {
			return nil, fmt.Errorf("tokens[%d]: %w", i, err)
		}
		if token.ExpiresAt, err = config.ParseExpires(t.Expires); err != nil {
			return nil, fmt.Errorf("tokens[%d].expires: %w", i, err)
		}
		configured = append(configured, token)
	}
	return claim.NewClients(claim.ClientOptions{
		Tokens: persistence.NewTokens(db), Configured: configured, HashKey: hashKey,
		Failures: claim.Allowance{Most: cfg.Limits.TokenFailures, Window: cfg.Limits.LoginWindow},
		Limiter:  p.metrics.Limiter(metrics.LimitTokens, persistence.NewLimiter(db)), Now: p.clock.Now, Log: p.log,
	}), nil
}

// errMapping says that an operator's mapping fits no identity schema.
var errMapping = errors.New("scim.mapping does not fit the identity schemas")

// checkSchemas holds the mapping against Kratos' schemas. A mapping of the
// operator's own that fits none of them is a bad configuration; one that fits some
// is said in the log, since identities of the others are no users. While Kratos is
// away nothing is known.
func (p *program) checkSchemas(ctx context.Context) error {
	faults, err := p.scim.catalogue.Load(ctx)
	if err != nil {
		p.log.WarnContext(ctx, "attribute mapping not checked yet", "error", err)
		return nil
	}
	for _, fault := range faults {
		p.log.WarnContext(ctx, "identities of this schema are no SCIM users", "fault", fault.Error())
	}
	if _, _, err := p.scim.catalogue.ForNew(ctx); errors.Is(err, users.ErrUnmapped) {
		if len(p.cfg.SCIM.Mapping) > 0 || p.cfg.SCIM.SchemaID != "" {
			return fmt.Errorf("bad configuration:\n%w", errors.Join(append(faults, fmt.Errorf("%w: %w", errMapping, err))...))
		}
		p.log.WarnContext(ctx, "SCIM clients cannot make users", "error", err)
	}
	return nil
}

// reconcilerLease is the name under which replicas take turns. It is a short one that
// its holder extends, so that another replica goes on soon after one has died.
const (
	reconcilerLease = "scim reconciler"
	passLease       = 10 * time.Second
	passBeat        = 3 * time.Second
	// firstPause and longestPause are how long after a first pass that failed, such as
	// for want of Kratos, the next is tried.
	firstPause   = 100 * time.Millisecond
	longestPause = time.Second
	// completing is how long a request waits for a first pass: that over some hundred
	// users is over by then.
	completing = 2 * time.Second
)

// keepIndex compares the index with Kratos, until ctx ends: again and again until a
// first pass has come to its end, and then as often as is configured.
func (p *program) keepIndex(ctx context.Context) error {
	const work = "reconcile the index of users"
	reconcile := p.soft(work, p.reconcile)
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		if pause == firstPause {
			reconcile(ctx)
		} else if err := p.reconcile(ctx); err != nil { // has been said
			p.log.DebugContext(ctx, "background work failed", "work", work, "error", err)
		}
		if complete, err := p.scim.index.Complete(ctx); err == nil && complete {
			return every(ctx, p.cfg.SCIM.ReconcileInterval, reconcile)
		}
		again := time.NewTimer(pause)
		select {
		case <-again.C:
		case <-ctx.Done():
			again.Stop()
			return nil
		}
	}
}

// reconcile compares the index with Kratos, unless another replica does so now or has
// done so since the last interval began.
func (p *program) reconcile(ctx context.Context) error {
	now, store := p.clock.Now(), persistence.NewStore(p.db)
	last, err := p.scim.index.LastPass(ctx)
	if err != nil || now.Sub(last) < p.cfg.SCIM.ReconcileInterval-time.Second/2 {
		return err
	}
	turn := claim.Lease{IdentityID: reconcilerLease, Owner: p.id, Until: now.Add(passLease)}
	switch err := store.Acquire(ctx, turn, now); {
	case errors.Is(err, claim.ErrLeased):
		return nil
	case err != nil:
		return err
	}
	working, stop := context.WithCancel(ctx)
	var beat sync.WaitGroup
	beat.Go(func() {
		_ = every(working, passBeat, p.soft("go on reconciling", func(ctx context.Context) error {
			turn.Until = p.clock.Now().Add(passLease)
			return store.Extend(ctx, turn)
		}))
	})
	done, err := p.scim.reconciler.Pass(ctx)
	stop()
	beat.Wait()
	if err == nil {
		p.metrics.Reconciled(done, true, p.clock.Now())
	} else {
		p.metrics.Unreconciled(done)
	}
	// The next turn comes anyway, when this one is over.
	return errors.Join(err, store.Release(context.WithoutCancel(ctx), turn))
}

// indexState says in /health/ready what a list could not be answered for.
func (p *program) indexState(ctx context.Context) string {
	if !p.cfg.SCIM.Enabled {
		return ""
	}
	if complete, err := p.scim.index.Complete(ctx); err != nil || complete {
		return ""
	}
	return "building"
}

// changed hears of identities that Kratos has changed; nil without SCIM.
func (p *program) changed() func(context.Context, string) error {
	if !p.cfg.SCIM.Enabled {
		return nil
	}
	return p.scim.reconciler.Refresh
}

// seenRecord is an identity, and when it was so.
type seenRecord struct {
	record scim.Record
	at     time.Time
}

// mostToIndex bounds the identities that wait to be indexed.
const mostToIndex = 1024

// written hears of identities that the claims have written. One that finds no room
// is left to the reconciler.
func (p *program) written(record scim.Record) {
	if !p.cfg.SCIM.Enabled {
		return
	}
	select {
	case p.toIndex <- seenRecord{record, p.clock.Now()}:
	default:
	}
}

// index has the index know of what was written, until ctx ends.
func (p *program) index(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case seen := <-p.toIndex:
			if err := p.scim.users.Written(ctx, seen.record, seen.at); err != nil && ctx.Err() == nil {
				p.log.WarnContext(ctx, "user not indexed yet", "identity", seen.record.ID, "error", err)
			}
		}
	}
}
