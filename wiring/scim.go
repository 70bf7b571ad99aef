package wiring

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/holdline/holdline/config"
	"github.com/holdline/holdline/internal/audit"
	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/internal/scim"
	"github.com/holdline/holdline/internal/scim/cursor"
	"github.com/holdline/holdline/internal/scim/groups"
	"github.com/holdline/holdline/internal/scim/mapping"
	"github.com/holdline/holdline/internal/scim/reconcile"
	"github.com/holdline/holdline/internal/scim/users"
	"github.com/holdline/holdline/metrics"
	"github.com/holdline/holdline/persistence"
	"github.com/holdline/holdline/persistence/scimstore"
	"github.com/holdline/holdline/scimbridge"
)

// provisioning is what SCIM clients reach.
type provisioning struct {
	resource   scim.Resource
	catalogue  *users.Catalogue
	users      *users.Service
	groups     *groups.Service
	shower     *groups.Shower
	reconciler *reconcile.Reconciler
	schedule   reconcile.Schedule
	index      scim.Index
	written    *users.Written
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
	plan := NumberPlan(cfg)
	return rules, mapping.Options{
		Resource: resourceOf(cfg), MobileTrait: cfg.Kratos.MobileTrait, PendingKey: cfg.Kratos.PendingKey,
		Key: "scim.mapping", MobileKey: "kratos.mobile_trait",
		Same: func(a, b string) bool { return phone.ParseStored(plan, a).Same(phone.ParseStored(plan, b)) },
	}
}

// checkMapping finds what is wrong with the mapping whatever the schemas are.
func checkMapping(cfg config.Config) error {
	rules, options := mappingOf(cfg)
	_, err := mapping.New(rules, options)
	return err
}

// buildSCIM builds what SCIM clients reach.
func (p *program) buildSCIM() {
	rules, options := mappingOf(p.cfg)
	p.scim.resource = options.Resource
	p.scim.catalogue = users.NewCatalogue(users.CatalogueOptions{
		Schemas: p.kratos.Schemas, Rules: rules, Mapping: options, SchemaID: p.cfg.SCIM.SchemaID, Now: p.clock.Now,
	})
	index := scimstore.New(p.db)
	p.scim.index = index
	stored := scimstore.NewGroups(p.db, persistence.Record, p.cfg.SCIM.GroupsPath != "")
	p.scim.users = users.NewService(users.Options{
		Directory: p.kratos, Claims: p.counted, Index: index, Catalogue: p.scim.catalogue,
		Resource: options.Resource, Mode: scim.Mode(p.cfg.SCIM.Strict), Plan: p.plan,
		MobileTrait: p.cfg.Kratos.MobileTrait, PendingKey: p.cfg.Kratos.PendingKey,
		SkipNumbers: p.cfg.SCIM.InvalidMobile == "skip", PasswordMinLength: p.cfg.SCIM.PasswordMinLength,
		PrivilegedKey: p.cfg.Kratos.PrivilegedKey, OwnersMayNot: p.cfg.SCIM.OwnersMayNot, Completing: completing,
		Gone: func(ctx context.Context, id string, who audit.Actor) error { return p.scim.groups.Gone(ctx, id, who) },
		Now:  p.clock.Now, Log: p.log,
	})
	p.scim.groups = groups.NewService(groups.Options{
		Store: stored, Users: p.scim.users, Mode: scim.Mode(p.cfg.SCIM.Strict), NewID: newGroupID, Now: p.clock.Now,
	})
	p.scim.shower = groups.NewShower(groups.ShowerOptions{
		Tasks: stored, Groups: p.scim.groups, Directory: p.kratos, WithLease: p.withLease, Path: p.cfg.SCIM.GroupsPath,
		Now: p.clock.Now, Jitter: jitter, Report: p.metrics.GroupsWaiting, Log: p.log,
	})
	p.scim.reconciler = reconcile.New(reconcile.Options{
		Source: p.kratos, Index: index, Entries: p.entries, Now: p.clock.Now, Log: p.log,
		Report: func(done reconcile.Progress) { p.metrics.Reconciled(done, false, p.clock.Now()) },
	})
	p.scim.schedule = reconcile.Schedule{
		Reconciler: p.scim.reconciler, Leases: p.store, Owner: p.id, Interval: p.cfg.SCIM.ReconcileInterval,
		Done: func(done reconcile.Progress, err error) {
			if err != nil {
				p.metrics.Unreconciled(done)
				return
			}
			p.metrics.Reconciled(done, true, p.clock.Now())
		},
		Passed: func(ctx context.Context, done reconcile.Progress) error {
			return p.scim.shower.Sweep(ctx, done.Identities)
		},
	}
}

// entries describes identities for the index, and finds those that do not show the names
// of their groups.
func (p *program) entries(ctx context.Context, records []scim.Record, seen time.Time) ([]scim.Entry, error) {
	if err := p.scim.shower.Compare(ctx, records); err != nil {
		return nil, err
	}
	return p.scim.users.Entries(ctx, records, seen)
}

// withLease does something while nobody else of Holdline writes an identity.
func (p *program) withLease(ctx context.Context, identityID string, do func(context.Context) error) error {
	return p.claims.WithLease(ctx, identityID, do)
}

// newGroupID returns an id that begins with the time, in whose order groups are listed.
func newGroupID() (string, error) {
	id, err := uuid.NewV7()
	return id.String(), err
}

// showGroups has identities show the names of their groups.
func (p *program) showGroups(ctx context.Context) error {
	_, err := p.scim.shower.Once(ctx)
	return err
}

// Index is what keeps the index of users, without the rest of Holdline.
type Index struct {
	Load       func(context.Context) error // as of [Holdline]
	Reconciler *reconcile.Reconciler
	Close      func()
}

// AssembleIndex needs the configuration's sections kratos, realms, mobile and scim
// alone, and no observers: nobody reads the metrics of a command.
func AssembleIndex(cfg config.Config, parts Parts) (*Index, error) {
	parts.Observers = Observers{metrics: metrics.New(parts.Release, time.Now)}
	p := newProgram(cfg, parts)
	if err := p.connectKratos(); err != nil {
		return nil, err
	}
	p.buildSCIM()
	return &Index{Load: p.checkSchemas, Reconciler: p.scim.reconciler, Close: p.realms.Close}, nil
}

// scimRoutes is the handler of all that is below scimbridge.Path.
func (p *program) scimRoutes() (http.Handler, error) {
	server, err := p.server(publicListener)
	if err != nil {
		return nil, err
	}
	cursors, err := cursor.New(p.otpSecrets())
	if err != nil {
		return nil, err
	}
	return scimbridge.New(server, scimbridge.Options{
		Cursors: cursors, CursorTimeout: p.cfg.SCIM.CursorTimeout,
		Users: p.scim.users, Groups: p.scim.groups, Resource: p.scim.resource, Mode: scim.Mode(p.cfg.SCIM.Strict),
		BaseURL:    strings.TrimSuffix(p.cfg.Public.BaseURL, "/"),
		MaxResults: p.cfg.SCIM.MaxResults, DefaultResults: min(100, p.cfg.SCIM.MaxResults),
		BulkOperations: p.cfg.SCIM.BulkOperations, BulkBytes: p.cfg.SCIM.BulkBytes,
	})
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

// completing is how long a request waits for a first pass: that over some hundred
// users is over by then.
const completing = 2 * time.Second

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

// index has the index know of what is written.
func (p *provisioning) indexWritten(ctx context.Context) error { return p.written.Index(ctx, p.users) }
