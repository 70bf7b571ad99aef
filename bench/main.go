// Command bench measures what changes of number cost, and what SCIM costs with many
// users: the built holdline as a process, a real MariaDB, a real Ory Kratos or an
// in-memory double of it, and a double of the SMS provider, all on one machine.
// What is to be compared runs side by side and takes turns. It ends with status 1
// when a change was lost, a text came twice or an answer was wrong, and never
// because something was slow. `make bench` runs it. With -servers it compares the same
// change on SQLite and on each server that it is given (`make bench-servers`).
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"
)

// settings are what the flags say.
type settings struct {
	holdlineBin, kratosBin, dsn, out string

	servers               bool   // the same change on each server, and nothing else
	postgresDSN, mysqlDSN string // blank to leave that server out

	only []string // experiments; none for all
	seed uint64
	pace
}

// pace is how much is measured.
type pace struct {
	users          []int         // at once
	rounds         int           // blocks of each contestant, for each number of users
	enough         time.Duration // since the begin, after which no round begins but the first
	measured, ramp time.Duration // how long a block is measured, and how long it runs before
	delay          time.Duration // of the slow provider
	claims         int           // earlier claims of the large database
	submits        int           // of each settings form, at each Kratos
	scimUsers      int           // of the large index
	scimRounds     int           // of each SCIM request
}

var (
	// whole takes less than twenty minutes, set-up included.
	whole = pace{
		users: []int{1, 8, 32}, rounds: 7, enough: 12 * time.Minute, measured: 2500 * time.Millisecond, ramp: 500 * time.Millisecond,
		delay: time.Second, claims: 1_000_000, submits: 200, scimUsers: 1_000_000, scimRounds: 301,
	}
	// beside compares servers.
	beside = pace{users: []int{1, 8, 32}, rounds: 3, enough: time.Hour, measured: 1500 * time.Millisecond, ramp: 300 * time.Millisecond}
	// short is for trying the program: its numbers say little.
	short = pace{
		users: []int{1, 4}, rounds: 1, enough: time.Minute, measured: 700 * time.Millisecond, ramp: 200 * time.Millisecond,
		delay: time.Second, claims: 5000, submits: 10, scimUsers: 2000, scimRounds: 11,
	}
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	s, err := flags()
	if err == nil {
		if s.servers {
			err = runServers(ctx, s)
		} else {
			err = run(ctx, s)
		}
	}
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func flags() (settings, error) {
	s := settings{pace: whole}
	var quick bool
	var only string
	flag.StringVar(&s.holdlineBin, "holdline", ".cache/holdline", "the built program")
	flag.StringVar(&s.kratosBin, "kratos", os.Getenv("KRATOS_BIN"), "Ory Kratos")
	flag.StringVar(&s.dsn, "dsn", os.Getenv("TEST_DSN"), "a MariaDB of its own, mysql://USER:PASSWORD@tcp(HOST:PORT)/NAME; the user may do everything")
	flag.BoolVar(&s.servers, "servers", false, "compare SQLite and the servers that have a DSN: the same change on each, in two minutes")
	flag.StringVar(&s.postgresDSN, "postgres-dsn", os.Getenv("TEST_POSTGRES_DSN"), "a PostgreSQL for -servers; the user may create databases")
	flag.StringVar(&s.mysqlDSN, "mysql-dsn", os.Getenv("TEST_MYSQL_DSN"), "a MySQL for -servers beside the MariaDB of -dsn")
	rounds := flag.Int("rounds", beside.rounds, "of -servers: more rounds take longer and say more")
	flag.StringVar(&s.out, "out", "", "file that the report is written to as well")
	flag.StringVar(&only, "only", "", "some of the experiments, separated by commas: "+strings.Join(experimentNames(), ", "))
	flag.Uint64Var(&s.seed, "seed", 1, "what the identities are made from")
	flag.BoolVar(&quick, "short", false, "try the program in two minutes, with numbers that say little")
	flag.Parse()
	if quick {
		s.pace = short
	}
	if s.servers {
		s.pace = beside
		s.rounds = *rounds
	}
	if only != "" {
		s.only = strings.Split(only, ",")
	}
	for _, name := range s.only {
		if !slices.Contains(experimentNames(), name) {
			return s, fmt.Errorf("-only: there is no experiment %q", name)
		}
	}
	if s.out != "" && s.only != nil {
		return s, errors.New("-out is for a whole report")
	}
	return s, nil
}

// run measures, reports, and then reports whether all was done as it must be.
func run(ctx context.Context, s settings) (err error) {
	b := &bench{settings: s, began: time.Now()}
	server, err := openServer(ctx, s.dsn)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Close()) }()
	b.server = server
	if b.dir, err = os.MkdirTemp("", "holdline-bench-"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(b.dir)) }()
	if err := server.makeRoom(ctx, max(s.claims, s.scimUsers)); err != nil {
		return err
	}
	facts, err := describe(ctx, s, server)
	if err != nil {
		return err
	}
	var faults []error
	var sections []section
	for _, e := range experiments {
		if s.only != nil && !slices.Contains(s.only, e.name) {
			continue
		}
		found, err := e.run(ctx, b)
		if err != nil {
			return fmt.Errorf("%s: %w", e.name, err)
		}
		sections = append(sections, found)
		faults = append(faults, found.fault())
	}
	if server.dirty > 0 {
		facts = append(facts, unflushed(server.dirty))
	}
	text := report(facts, time.Since(b.began), sections)
	fmt.Print(text)
	if s.out != "" {
		faults = append(faults, os.WriteFile(s.out, []byte(text), 0o644)) //nolint:gosec // a document
	}
	return errors.Join(faults...)
}
