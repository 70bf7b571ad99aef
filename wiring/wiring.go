// Package wiring assembles Holdline from its configuration: the stores, each realm's
// Kratos, the SMS gateways, the rules between them, what answers requests and what
// works in the background. It opens and runs nothing; package app does.
package wiring

import (
	"context"
	"crypto/hkdf"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/holdline/holdline/config"
	"github.com/holdline/holdline/internal/auth"
	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/fraud"
	"github.com/holdline/holdline/internal/otp"
	"github.com/holdline/holdline/internal/people"
	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/internal/settings"
	"github.com/holdline/holdline/internal/web"
	"github.com/holdline/holdline/kratos"
	"github.com/holdline/holdline/metrics"
	"github.com/holdline/holdline/persistence"
	"github.com/holdline/holdline/persistence/database"
	"github.com/holdline/holdline/portal/console"
	"github.com/holdline/holdline/smsgateway/delivery"
	"github.com/holdline/holdline/smsgateway/provider"
	"github.com/holdline/holdline/smsgateway/receipt"
)

// Parts are what Holdline is assembled from beside the configuration.
type Parts struct {
	Database  *database.DB // its schema is up to date
	Clock     *database.Clock
	Observers Observers
	Release   string
	Log       *slog.Logger
	// FramedBy is the origin whose pages may show Holdline's own in frames: the
	// demo's. Blank for none.
	FramedBy string
	// Invitation signs in at the console, once: the demo's.
	Invitation console.Invitation
}

// Holdline is what runs: what answers requests, and what works in the
// background. Nothing of it runs yet.
type Holdline struct {
	// Public and Admin answer what comes to the two listeners.
	Public, Admin http.Handler
	// Load reads what has to be in force from the first request on. The error says
	// that the configuration does not fit what is there.
	Load func(context.Context) error
	// Jobs are the work in the background, and Loops that which has a pace of its own:
	// each until its context ends.
	Jobs  []Job
	Loops []func(context.Context) error
	// Send sends texts until its context ends. It should end after the listeners have:
	// what they still answer may queue a text.
	Send func(context.Context) error
	// Policy is the policy in force, with what administrators have set.
	Policy func() claim.Policy
	Claims *claim.Service
	// Reconcile compares the index of users with Kratos, unless another replica does.
	Reconcile func(context.Context) error
	Close     func()
}

// program is Holdline while it is put together.
type program struct {
	cfg        config.Config
	plan       phone.Parser // how numbers are read
	log        *slog.Logger
	release    string
	db         *database.DB
	clock      *database.Clock
	store      *persistence.Store
	codes      *otp.Codes
	hashKey    []byte         // of names that are kept, such as in limits
	peopleKeys people.Keys    // of numbers that people are found by
	kratos     *kratos.Client // the primary realm, which SCIM is about
	realms     kratos.Realms
	settings   *settings.Service
	claims     *claim.Service
	counted    metrics.Claims // the same, for surfaces: counts what is asked
	monitor    *fraud.Monitor
	worker     *delivery.Worker
	tests      func(ctx context.Context, gateway string, to phone.Number) (string, error) // sends a test text
	receipts   *receipt.Receiver
	phone      *provider.Simulator // nil without a simulator gateway
	clients    *auth.Authenticator
	failures   *web.Failures // of authentication
	passwords  *auth.Attempts
	scim       provisioning
	Observers
	framedBy   string // see [Parts]
	invitation console.Invitation
}

// Assemble puts Holdline together: first what speaks to others, then the rules, then
// who may ask for what, then what they ask.
func Assemble(cfg config.Config, parts Parts) (*Holdline, error) {
	p := newProgram(cfg, parts)
	for _, build := range []func() error{p.deriveKeys, p.connectKratos, p.buildSender, p.buildClaims, p.buildAuthentication} {
		if err := build(); err != nil {
			return nil, err
		}
	}
	p.buildReceipts()
	p.buildSCIM()
	p.showInMetrics()
	public, err := p.publicRoutes()
	if err != nil {
		return nil, err
	}
	admin, err := p.adminRoutes()
	if err != nil {
		return nil, err
	}
	h := &Holdline{
		Public: public, Admin: admin, Load: p.load, Jobs: p.jobs(), Send: p.worker.Run,
		Policy: p.settings.Policy, Claims: p.claims, Reconcile: p.scim.schedule.Once, Close: p.realms.Close,
	}
	if cfg.SCIM.Enabled {
		h.Loops = []func(context.Context) error{p.scim.schedule.Run, p.scim.indexWritten}
	}
	return h, nil
}

func newProgram(cfg config.Config, parts Parts) *program {
	plan := NumberPlan(cfg)
	plan.Cache = phone.NewCache()
	return &program{
		cfg: cfg, plan: plan, log: parts.Log, release: parts.Release, db: parts.Database, clock: parts.Clock,
		store: persistence.NewStore(parts.Database), Observers: parts.Observers, framedBy: parts.FramedBy, invitation: parts.Invitation,
	}
}

// deriveKeys derives codes, and the key under which names are kept, from the secrets
// of codes.
func (p *program) deriveKeys() (err error) {
	secrets := p.otpSecrets()
	if p.codes, err = otp.New(secrets, p.cfg.OTP.Length, otp.Alphabet(p.cfg.OTP.Alphabet)); err != nil {
		return err
	}
	if p.hashKey, err = hkdf.Key(sha256.New, []byte(secrets[0]), nil, "names of limits", sha256.Size); err != nil {
		return fmt.Errorf("derive a key: %w", err)
	}
	p.peopleKeys, err = people.NewKeys(secrets)
	return err
}

// otpSecrets are the secrets of the key ring.
func (p *program) otpSecrets() []string {
	secrets := make([]string, len(p.cfg.Secrets.OTP))
	for i, secret := range p.cfg.Secrets.OTP {
		secrets[i] = secret.Reveal()
	}
	return secrets
}

// buildClaims builds the rules about numbers, and what may change of them while
// Holdline runs.
func (p *program) buildClaims() error {
	p.settings = settings.New(persistence.NewSettings(p.db), Policy(p.cfg), p.clock.Now, p.log)
	p.monitor = fraud.New(p.store, p.traffic, p.clock.Now, p.log)
	p.claims = claim.New(claim.Options{
		Store: p.store, OnCommit: p.onCommit, Identities: p.realms, Holders: holders{p.realms, p}, Trials: persistence.NewTrials(p.db), Codes: p.codes, Plan: p.plan,
		Policy: p.settings.Policy, Now: p.clock.Now, NewID: newID,
		Jitter: jitter, Send: p.worker.Enqueue, EndSessions: p.realms.EndSessions, Stopped: p.monitor.Blocked, Log: p.log,
	})
	p.counted = p.metrics.Claims(p.claims)
	return nil
}

// newID returns an id that begins with the time: new rows then lie together in every
// index that ends with their ids.
func newID() string { return uuid.Must(uuid.NewV7()).String() }

// load reads what administrators have set, and holds the mapping of attributes
// against Kratos' schemas.
func (p *program) load(ctx context.Context) error {
	if p.cfg.SCIM.Enabled {
		if err := p.checkSchemas(ctx); err != nil {
			return err
		}
	}
	return p.settings.Once(ctx)
}

// jitter spreads a wait over its second half.
func jitter(d time.Duration) time.Duration {
	if d <= 1 {
		return d
	}
	return d/2 + rand.N(d/2) //nolint:gosec // spreads load, guards nothing
}
