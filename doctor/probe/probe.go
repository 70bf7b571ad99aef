// Package probe gathers what package doctor rules on: the configuration in the
// doctor's terms, and what Kratos, the database, Holdline and the SMS gateways show
// of themselves. It changes nothing, and sends a text only as [SendTest].
package probe

import (
	"context"
	"errors"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/holdline/holdline/config"
	"github.com/holdline/holdline/doctor"
	"github.com/holdline/holdline/kratos"
	"github.com/holdline/holdline/smsgateway"
	"github.com/holdline/holdline/wiring"
)

// Options say what is looked at beside the configuration.
type Options struct {
	// KratosFiles are the names of the files that a realm's Kratos merges, by the
	// realm's name in capitals.
	KratosFiles map[string][]string
	// Offline leaves all servers alone.
	Offline bool
}

// Examine finds what would fail open, or not work. The error is about files that
// cannot be read, and realms that do not exist.
func Examine(ctx context.Context, cfg config.Config, o Options) (doctor.Report, error) {
	realms, err := realmsWith(cfg, o.KratosFiles)
	if err != nil {
		return doctor.Report{}, err
	}
	looked := []string{"Holdline's configuration"}
	for _, realm := range realms {
		looked = append(looked, o.KratosFiles[strings.ToUpper(realm.Name)]...)
	}
	evidence := doctor.Evidence{Setup: setupOf(cfg), Realms: realms}
	if !o.Offline {
		evidence.Live = askServers(ctx, cfg, realms)
		looked = append(looked, "the database", "Holdline", "Kratos", "the SMS gateways")
	}
	return doctor.NewReport(doctor.Examine(evidence), looked), nil
}

// realmsWith are the realms, each with its kratos.yml if one was given.
func realmsWith(cfg config.Config, files map[string][]string) ([]doctor.Realm, error) {
	realms, err := realmsOf(cfg)
	faults := []error{err}
	for i, realm := range realms {
		if names := files[strings.ToUpper(realm.Name)]; len(names) > 0 {
			realms[i].File, err = doctor.ReadKratos(names...)
			faults = append(faults, err)
		}
	}
	return realms, errors.Join(faults...)
}

// longestProbe bounds what the doctor waits for one server.
const longestProbe = 15 * time.Second

// askServers asks the running servers, all at once. It sends nothing, and changes
// nothing.
func askServers(ctx context.Context, cfg config.Config, realms []doctor.Realm) *doctor.Live {
	ctx, cancel := context.WithTimeout(ctx, longestProbe)
	defer cancel()
	live := &doctor.Live{Gateways: make([]doctor.Gateway, len(cfg.SMS.Gateways))}
	prober := NewProber(cfg.Kratos.Timeout, time.Now)
	var g errgroup.Group
	g.Go(func() error {
		live.Database = probeDatabase(ctx, cfg)
		return nil
	})
	g.Go(func() error {
		live.Holdline = prober.Holdline(ctx, cfg.Public.BaseURL, realms...)
		return nil
	})
	g.Go(func() error {
		probeGateways(ctx, cfg, live.Gateways)
		return nil
	})
	g.Go(func() error {
		live.Kratos = probeKratos(ctx, cfg, prober, realms)
		return nil
	})
	_ = g.Wait() // none has an error to return
	return live
}

// probeKratos asks the Kratos of each realm.
func probeKratos(ctx context.Context, cfg config.Config, prober Prober, realms []doctor.Realm) map[string]doctor.Kratos {
	seen := make([]doctor.Kratos, len(realms))
	var g errgroup.Group
	for i, realm := range realms {
		g.Go(func() error {
			seen[i] = prober.Kratos(ctx, realm)
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

// probeGateways fills seen, one for each gateway of the configuration.
func probeGateways(ctx context.Context, cfg config.Config, seen []doctor.Gateway) {
	routes, _, err := wiring.Gateways(cfg)
	if err != nil {
		return // the configuration was refused before
	}
	var g errgroup.Group
	for i, route := range routes {
		seen[i].Key = gatewayKey(i)
		g.Go(func() error {
			if gateway, ok := route.Gateway.(interface{ CheckAccount(context.Context) error }); ok {
				seen[i].Err = gateway.CheckAccount(ctx)
				seen[i].Refuses = errors.Is(seen[i].Err, smsgateway.ErrAccount)
			}
			return nil
		})
	}
	_ = g.Wait() // none has an error to return
}
