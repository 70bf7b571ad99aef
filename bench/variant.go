package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/holdline/holdline/bench/double"
)

// variant is Holdline, of one replica or more, with all that it works with.
type variant struct {
	contender
	database string
	bench    *bench
	replicas []*holdline
	turn     atomic.Uint64 // whose it is
	target   target
	provider *double.Provider
	client   *http.Client
	people   *people
	doubles  doubles
	pool     *sql.DB // to the server
	tables   string  // what is before their names there
	work     func(context.Context) (work, error)

	mu    sync.Mutex
	acted map[string]person // who changed the number in the block, as they last did
	tally tally
}

// startVariant makes a database with earlier claims and starts Holdlines on it. All
// but the addresses is Holdline's default; its limits are far from being reached,
// but where people stay.
func startVariant(ctx context.Context, b *bench, c contender, earlier *variant) (contestant, error) {
	v := newVariant(b, c)
	v.pool, v.tables, v.work = b.server.DB, v.database+".", b.server.work
	if err := v.start(ctx, earlier); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", v.name, err), v.stop())
	}
	return v, nil
}

func newVariant(b *bench, c contender) *variant {
	return &variant{
		contender: c, database: "bench_" + c.name, bench: b,
		people: newPeople(b.seed, c.name, c.numbersAfter), provider: double.NewProvider(c.delay(b)),
		client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 256}},
		acted:  map[string]person{},
		tally:  tally{expected: map[string]int{}},
	}
}

func (v *variant) start(ctx context.Context, earlier *variant) error {
	b := v.bench
	dsn, err := b.server.fresh(ctx, v.database)
	if err != nil {
		return err
	}
	err = b.server.hastily(ctx, func() error {
		if err := migrate(ctx, b.holdlineBin, dsn); err != nil || earlier == nil {
			return err
		}
		return b.server.multiply(ctx, earlier.database, v.database, v.earlier(b)/firstClaims)
	})
	if err != nil {
		return err
	}
	return v.startHoldlines(ctx, dsn)
}

// startHoldlines starts what works on a migrated database.
func (v *variant) startHoldlines(ctx context.Context, dsn string) error {
	b := v.bench
	providerURL, err := v.doubles.serve(ctx, v.provider)
	if err != nil {
		return err
	}
	home := filepath.Join(b.dir, v.name)
	if err := os.Mkdir(home, 0o700); err != nil {
		return err
	}
	if v.realKratos {
		return v.startWithKratos(ctx, dsn, home, double.RequestConfig(providerURL))
	}
	kratos := double.NewKratos()
	kratosURL, err := v.doubles.serve(ctx, kratos)
	if err != nil {
		return err
	}
	kratos.Hooks = double.Hooks{URL: v.adminURL, Key: hookKey, Client: v.client}
	v.target = byHooks{kratos}
	if v.scim {
		v.target = byScim{byHooks{kratos}, v}
	}
	config := configOf(dsn, kratosURL, kratosURL, double.RequestConfig(providerURL), tree{
		"public": tree{"trusted_proxies": []string{"127.0.0.1"}}, "tokens": scimTokens(), "scim": tree{"enabled": v.index},
	})
	for n := range max(1, v.replicaCount) {
		replica, err := startHoldline(ctx, b.holdlineBin, home, fmt.Sprint("holdline-", n), config)
		if err != nil {
			return err
		}
		v.replicas = append(v.replicas, replica)
	}
	return nil
}

// startWithKratos starts a Holdline, then a real Kratos that calls its hooks. People
// stay, so how many texts and tries an identity may have is no limit.
func (v *variant) startWithKratos(ctx context.Context, dsn, home string, gateway tree) error {
	kratos, err := v.bench.newKratos(ctx, home, "kratos")
	if err != nil {
		return err
	}
	replica, err := startHoldline(ctx, v.bench.holdlineBin, home, "holdline-0", configOf(dsn, kratos.publicURL, kratos.adminURL, gateway,
		tree{"limits": tree{"texts_per_identity_per_day": 0, "attempts_per_identity_per_day": 0}, "scim": tree{"enabled": false}}))
	if err != nil {
		return err
	}
	v.replicas = []*holdline{replica}
	v.target = kratos
	hooks, err := replica.kratosConfig(ctx, v.bench.holdlineBin, replica.adminURL)
	if err != nil {
		return err
	}
	return kratos.start(ctx, v.client, hooks)
}

// next is the replica whose turn it is, as a load balancer would choose.
func (v *variant) next() *holdline { return v.replicas[v.turn.Add(1)%uint64(len(v.replicas))] }

func (v *variant) publicURL() string { return v.next().publicURL }
func (v *variant) adminURL() string  { return v.next().adminURL }

func (v *variant) programs() (all []*program) {
	for _, r := range v.replicas {
		all = append(all, r.program)
	}
	if kratos, ok := v.target.(*kratos); ok && kratos.program != nil {
		all = append(all, kratos.program)
	}
	return all
}

// stop ends everything: who calls before who is called.
func (v *variant) stop() error {
	var faults []error
	v.client.CloseIdleConnections()
	if kratos, ok := v.target.(*kratos); ok && kratos.program != nil {
		faults = append(faults, kratos.stop())
	}
	for _, r := range v.replicas {
		faults = append(faults, r.stop())
	}
	faults = append(faults, v.doubles.stop())
	if err := errors.Join(faults...); err != nil {
		return fmt.Errorf("%s: %w", v.name, err)
	}
	return nil
}

// lastWords are the last lines of all logs.
func (v *variant) lastWords() (said string) {
	for _, p := range v.programs() {
		said += "\n" + p.lastWords()
	}
	return said
}

// used adds up what the replicas and their Kratos were asked for.
func (v *variant) used(ctx context.Context) (m mark, err error) {
	if m.work, err = v.work(ctx); err != nil {
		return m, err
	}
	m.calls = v.target.calls()
	for _, r := range v.replicas {
		used, err := cpuOf(r.pid())
		if err != nil {
			return m, err
		}
		m.cpu += used
	}
	return m, nil
}

// memory is the most that the replicas held since forgetting, in MiB.
func (v *variant) memory() (sum float64, err error) {
	for _, r := range v.replicas {
		peak, err := peakOf(r.pid())
		if err != nil {
			return 0, err
		}
		sum += peak
	}
	return sum, nil
}

// patience is how long a user waits for a text, and a block for its last change
// to be written, before it counts as lost.
const patience = 60 * time.Second
