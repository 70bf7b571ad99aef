package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/holdline/holdline/config"
	"github.com/holdline/holdline/doctor"
	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/otp"
	"github.com/holdline/holdline/internal/problem"
	"github.com/holdline/holdline/kratos"
	"github.com/holdline/holdline/persistence"
	"github.com/holdline/holdline/persistence/database"
	"github.com/holdline/holdline/persistence/migration"
	"github.com/holdline/holdline/smsgateway"
)

// DoctorOptions say what is looked at beside the configuration.
type DoctorOptions struct {
	// KratosFiles are the names of the files that a realm's Kratos merges, by the
	// realm's name in capitals.
	KratosFiles map[string][]string
	// Offline leaves all servers alone.
	Offline bool
}

// Examine finds what would fail open, or not work. The error is about files that
// cannot be read, and realms that do not exist.
func Examine(ctx context.Context, cfg config.Config, o DoctorOptions) (doctor.Report, error) {
	realms, err := examined(cfg)
	if err != nil {
		return doctor.Report{}, err
	}
	looked := []string{"Holdline's configuration"}
	var faults []error
	for i, realm := range realms {
		if files := o.KratosFiles[strings.ToUpper(realm.Name)]; len(files) > 0 {
			realms[i].File, err = doctor.ReadKratos(files...)
			faults = append(faults, err)
			looked = append(looked, files...)
		}
	}
	if err := errors.Join(faults...); err != nil {
		return doctor.Report{}, err
	}
	view := doctor.View{Setup: setupOf(cfg), Realms: realms}
	if !o.Offline {
		view.Live = look(ctx, cfg, realms)
		looked = append(looked, "the database", "Holdline", "Kratos", "the SMS gateways")
	}
	return doctor.NewReport(doctor.Examine(view), looked), nil
}

// setupOf puts the configuration into the doctor's terms.
func setupOf(cfg config.Config) doctor.Setup {
	setup := doctor.Setup{
		AdminHost: cfg.Admin.Host, AutoMigrate: cfg.AutoMigrate(),
		SCIM: cfg.SCIM.Enabled, OnRequest: !policyOf(cfg).VerifyAlways,
		OldNumberUntold: !cfg.Notices.OldNumber, Codes: otp.Alphabet(cfg.OTP.Alphabet).Possible(cfg.OTP.Length),
		Passwords:     cfg.Public.HTTPBasic,
		TextsAnywhere: len(cfg.Mobile.AllowedCodes) == 0 && cfg.Traffic.Mode != "enforce",
	}
	secret := func(key string, s config.Secret) {
		if s != "" {
			setup.Secrets = append(setup.Secrets, doctor.Secret{Key: key, Value: s.Reveal()})
		}
	}
	address := func(key, url string) { setup.Addresses = append(setup.Addresses, doctor.Address{Key: key, URL: url}) }
	secret("hooks.api_key", cfg.Hooks.APIKey)
	secret("hooks.previous_api_key", cfg.Hooks.PreviousKey)
	for i, otp := range cfg.Secrets.OTP {
		secret(fmt.Sprintf("secrets.otp[%d]", i), otp)
	}
	address("public.base_url", cfg.Public.BaseURL)
	address("hooks.base_url", cfg.Hooks.BaseURL)
	address("kratos.public_url", cfg.Kratos.PublicURL)
	address("kratos.browser_url", cfg.Kratos.BrowserURL)
	address("kratos.admin_url", cfg.Kratos.AdminURL)
	for i, r := range cfg.Realms {
		at := fmt.Sprintf("realms[%d].", i)
		secret(at+"hook_key", r.HookKey)
		secret(at+"previous_hook_key", r.PreviousKey)
		address(at+"public_url", r.PublicURL)
		address(at+"browser_url", r.BrowserURL)
		address(at+"admin_url", r.AdminURL)
	}
	address("tracing.otlp_endpoint", cfg.Tracing.Endpoint)
	address("notices.webhook.request_config.url", cfg.Notices.Webhook.Request.URL.Reveal())
	for i, g := range cfg.SMS.Gateways {
		address(gatewayKey(i)+".endpoint", g.Endpoint)
		address(gatewayKey(i)+".request_config.url", g.Request.URL.Reveal())
		if g.Type == "simulator" {
			setup.Simulators = append(setup.Simulators, gatewayKey(i))
		}
		if g.Type == "http" && g.Preset == "" && g.Response == "" {
			setup.WithoutRule = append(setup.WithoutRule, gatewayKey(i))
		}
	}
	return setup
}

func gatewayKey(i int) string { return fmt.Sprintf("sms.gateways[%d]", i) }

// examined are the realms in the doctor's terms, the primary one first.
func examined(cfg config.Config) ([]doctor.Realm, error) {
	all := make([]doctor.Realm, 1+len(cfg.Realms))
	var err error
	all[0], err = realmOf(cfg, claim.PrimaryRealm, "kratos", doctor.RealmKeys{
		HookKey: "hooks.api_key", SessionCookie: "kratos.session_cookie", MobileTrait: "kratos.mobile_trait",
	})
	for i, r := range cfg.Realms {
		var fault error
		at := fmt.Sprintf("realms[%d]", i)
		all[1+i], fault = realmOf(cfg, r.Name, at, doctor.RealmKeys{
			HookKey: at + ".hook_key", SessionCookie: at + ".session_cookie", MobileTrait: at + ".mobile_trait",
		})
		err = errors.Join(err, fault)
	}
	return all, err
}

func realmOf(cfg config.Config, name, key string, keys doctor.RealmKeys) (doctor.Realm, error) {
	kratosConfig, hooks, err := cfg.Realm(name)
	if err != nil {
		return doctor.Realm{}, err
	}
	setup, err := HookSetup(cfg, name)
	if err != nil {
		return doctor.Realm{}, err
	}
	page := cfg
	page.Hooks.ReturnURL = ""
	return doctor.Realm{
		Name: name, Key: key, Keys: keys, Hook: setup, PreviousKey: hooks.PreviousKey.Reveal(),
		PublicURL: kratosConfig.PublicURL, BrowserURL: kratosConfig.Browser(), AdminURL: kratosConfig.AdminURL,
		SessionCookie: kratosConfig.SessionCookie, SessionAge: kratosConfig.SessionAge,
		RemovalDenied: policyOf(cfg).Removal == claim.RemovalDeny, AnyFactor: policyOf(cfg).RequiredAAL == claim.RequireAAL1, Page: page.ReturnURL(),
		PublicListener: net.JoinHostPort(cfg.Public.Host, fmt.Sprint(cfg.Public.Port)),
		Describe: func(schema map[string]any) doctor.Trait {
			return doctor.Trait(kratos.DescribeTrait(schema, kratosConfig.MobileTrait))
		},
	}, nil
}

// longestLook bounds what the doctor waits for one server.
const longestLook = 15 * time.Second

// look asks the running servers, all at once. It sends nothing, and changes
// nothing.
func look(ctx context.Context, cfg config.Config, realms []doctor.Realm) *doctor.Live {
	ctx, cancel := context.WithTimeout(ctx, longestLook)
	defer cancel()
	live := &doctor.Live{Gateways: make([]doctor.Gateway, len(cfg.SMS.Gateways))}
	looker := doctor.NewLooker(cfg.Kratos.Timeout, time.Now)
	var g errgroup.Group
	g.Go(func() error {
		live.Database = lookAtDatabase(ctx, cfg)
		return nil
	})
	g.Go(func() error {
		live.Holdline = looker.Holdline(ctx, cfg.Public.BaseURL, realms...)
		return nil
	})
	g.Go(func() error {
		lookAtGateways(ctx, cfg, live.Gateways)
		return nil
	})
	g.Go(func() error {
		live.Kratos = lookAtKratos(ctx, cfg, looker, realms)
		return nil
	})
	_ = g.Wait() // none has an error to return
	return live
}

// lookAtKratos asks the Kratos of each realm.
func lookAtKratos(ctx context.Context, cfg config.Config, looker doctor.Looker, realms []doctor.Realm) map[string]doctor.Kratos {
	seen := make([]doctor.Kratos, len(realms))
	var g errgroup.Group
	for i, realm := range realms {
		g.Go(func() error {
			seen[i] = looker.Kratos(ctx, realm)
			seen[i].Schemas = schemasOf(ctx, cfg, realm)
			return nil
		})
	}
	_ = g.Wait() // none has an error to return
	named := map[string]doctor.Kratos{}
	for i, realm := range realms {
		named[realm.Name] = seen[i]
	}
	return named
}

// schemasOf reads the identity schemas of a running Kratos; nil if it is away.
func schemasOf(ctx context.Context, cfg config.Config, realm doctor.Realm) map[string]map[string]any {
	client, err := kratos.New(kratos.Options{
		PublicURL: realm.PublicURL, AdminURL: realm.AdminURL, MobileTrait: realm.Hook.MobileTrait,
		PendingKey: realm.Hook.PendingKey, Timeout: cfg.Kratos.Timeout, Now: time.Now,
	})
	if err != nil {
		return nil
	}
	defer client.Close()
	schemas, err := client.Schemas(ctx)
	if err != nil {
		return nil
	}
	return schemas
}

func lookAtDatabase(ctx context.Context, cfg config.Config) doctor.Database {
	if isMissing(cfg.Database.DSN.Reveal()) {
		seen := switched(policyOf(cfg), 0)
		seen.Outdated = true
		return seen
	}
	seen, err := lookInto(ctx, cfg)
	if err != nil {
		// The cause alone: that the database is away is what the finding says.
		said := strings.TrimPrefix(err.Error(), problem.ErrStoreUnavailable.Error()+": ")
		return doctor.Database{Err: errors.New(said)}
	}
	return seen
}

func lookInto(ctx context.Context, cfg config.Config) (doctor.Database, error) {
	db, err := database.Open(ctx, cfg.Database.DSN.Reveal(), database.Options{})
	if err != nil {
		return doctor.Database{}, err
	}
	defer db.Close()
	clock, err := database.NewClock(ctx, db, time.Now)
	if err != nil {
		return doctor.Database{}, err
	}
	seen := switched(policyOf(cfg), time.Until(clock.Now()))
	seen.Outdated, err = migration.Outdated(ctx, db)
	if err != nil || seen.Outdated {
		return seen, err // the switches may not be there yet
	}
	kept := claim.NewSwitchboard(persistence.NewSettings(db), policyOf(cfg), clock.Now, slog.New(slog.DiscardHandler))
	if err := kept.Once(ctx); err != nil {
		return seen, err
	}
	return switched(kept.Policy(), seen.Ahead), nil
}

// switched is a sound database with the policy in force, and how far its clock is
// ahead.
func switched(policy claim.Policy, ahead time.Duration) doctor.Database {
	return doctor.Database{Ahead: ahead, Off: !policy.Enabled, OnRequest: !policy.VerifyAlways}
}

// isMissing reports whether a database is a file that is not there yet: to open it
// would make it.
func isMissing(dsn string) bool {
	name, ok := strings.CutPrefix(dsn, "sqlite://")
	name, _, _ = strings.Cut(name, "?")
	if !ok || name == ":memory:" {
		return false
	}
	_, err := os.Stat(name)
	return errors.Is(err, os.ErrNotExist)
}

// lookAtGateways fills seen, one for each gateway of the configuration.
func lookAtGateways(ctx context.Context, cfg config.Config, seen []doctor.Gateway) {
	routes, _, err := gateways(cfg)
	if err != nil {
		return // the configuration was refused before
	}
	var g errgroup.Group
	for i, route := range routes {
		seen[i].Key = gatewayKey(i)
		g.Go(func() error {
			if gateway, ok := route.Gateway.(interface{ Look(context.Context) error }); ok {
				seen[i].Err = gateway.Look(ctx)
				seen[i].Refuses = errors.Is(seen[i].Err, smsgateway.ErrAccount)
			}
			return nil
		})
	}
	_ = g.Wait() // none has an error to return
}
