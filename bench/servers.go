package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
)

// warmUp is how many changes each server has before anything is measured.
const warmUp = 200

// serversResult is what the same change came to on each server.
type serversResult struct {
	comparison
	sites   sites
	tallies []tally
	pace    pace
}

// runServers compares, reports, and then reports whether all was done as it must be.
func runServers(ctx context.Context, s settings) (err error) {
	b := &bench{settings: s, began: time.Now()}
	if b.dir, err = os.MkdirTemp("", "holdline-bench-"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(b.dir)) }()
	machine, err := machine()
	if err != nil {
		return err
	}
	release, err := releaseOf(ctx, s.holdlineBin)
	if err != nil {
		return err
	}
	all, err := openSites(ctx, s, b.dir)
	defer func() { err = errors.Join(err, all.close()) }()
	if err != nil {
		return err
	}
	r, err := measureServers(ctx, b, all)
	if err != nil {
		return err
	}
	var out strings.Builder
	fmt.Fprintf(&out, serversProse, time.Since(b.began).Round(time.Second), r.rounds, r.pace.measured, r.pace.ramp, warmUp, machine, release)
	r.write(&out)
	fmt.Print(out.String())
	if s.out != "" {
		err = os.WriteFile(s.out, []byte(out.String()), 0o644) //nolint:gosec // a document
	}
	return errors.Join(err, r.fault())
}

// measureServers lets each server's Holdline, and what the server does without, compete.
func measureServers(ctx context.Context, b *bench, all sites) (r *serversResult, err error) {
	r = &serversResult{sites: all, pace: b.pace}
	var contestants []contestant
	defer func() { err = errors.Join(err, stopAll(contestants)) }()
	var variants []*variant
	for _, s := range all {
		b.say("starting %s", s.label)
		v, err := s.startHoldline(ctx, b)
		if err != nil {
			return nil, err
		}
		contestants, variants = append(contestants, v), append(variants, v)
		floor, err := s.startFloor(ctx, b)
		if err != nil {
			return nil, fmt.Errorf("floor of %s: %w", s.name, err)
		}
		contestants = append(contestants, floor)
	}
	if r.comparison, err = compete(ctx, b, all, contestants); err != nil {
		return nil, err
	}
	for _, v := range variants {
		r.tallies = append(r.tallies, v.count())
	}
	return r, nil
}

// startHoldline starts a Holdline on a database of its own, and lets it make some changes.
func (s *site) startHoldline(ctx context.Context, b *bench) (*variant, error) {
	v := newVariant(b, contender{name: s.name})
	dsn, pool, err := s.fresh(ctx, "bench_changes")
	if err == nil {
		err = migrate(ctx, b.holdlineBin, dsn)
	}
	if err == nil {
		v.pool, v.work = pool, s.work
		err = v.startHoldlines(ctx, dsn)
	}
	if err == nil {
		err = v.prime(ctx, warmUp)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", s.name, err), v.stop())
	}
	return v, nil
}

// siteFloor is what a server does without Holdline, on connections that are set as its.
type siteFloor struct {
	bench *bench
	site  *site
	pool  *sql.DB
}

func (s *site) startFloor(ctx context.Context, b *bench) (*siteFloor, error) {
	_, pool, err := s.fresh(ctx, "bench_floor")
	if err != nil {
		return nil, err
	}
	if s.admin != nil { // SQLite has one writer
		most := b.users[len(b.users)-1]
		pool.SetMaxOpenConns(most)
		pool.SetMaxIdleConns(most)
	}
	for _, table := range []string{"one", "other"} {
		for _, statement := range []string{
			"CREATE TABLE " + table + " (id CHAR(36) NOT NULL PRIMARY KEY, owner CHAR(36) NOT NULL, said VARCHAR(255) NOT NULL)",
			"CREATE INDEX " + table + "_owner ON " + table + " (owner)",
		} {
			if _, err := pool.ExecContext(ctx, statement); err != nil {
				return nil, err
			}
		}
	}
	return &siteFloor{b, s, pool}, nil
}

func (f *siteFloor) block(ctx context.Context, users int) (sample, error) {
	return block{
		users: users, ramp: f.bench.ramp, measured: f.bench.measured,
		once: func(ctx context.Context, _ int) (time.Duration, error) {
			began := time.Now()
			err := insertTwo(ctx, f.pool, f.site.values)
			return time.Since(began), err
		},
		used: func(context.Context) (mark, error) { return mark{}, nil },
	}.run(ctx)
}

func (*siteFloor) programs() []*program { return nil }
func (*siteFloor) stop() error          { return nil } // the site closes its connections

const serversProse = `# The same change on each server

By ` + "`make bench-servers`" + `, in one run of %s on one machine. Each server has a Holdline of its own, SCIM off, and they took turns in blocks, %d rounds of %s after a ramp of %s for each number of users, after %d changes to begin with. A change is all of it, requested in the settings form of a double of Kratos. In the same round each server made transactions of two inserts for a client that does nothing else: its floor. Medians of the rounds, in parentheses the lowest and the highest; *of the floor* is the ratio within a round. *Commits* are a change's transactions that changed rows (on PostgreSQL also those that only locked rows, or were rolled back), background work included, as the server counts them; SQLite does not. Statements are counted by the end-to-end test of the budget.

- Machine: %s. All servers, the load and all Holdlines share it.
- Holdline %s.
`

func (r *serversResult) write(out *strings.Builder) {
	for _, s := range r.sites {
		state := "every commit is on disk"
		if len(s.lossy) > 0 {
			state = fmt.Sprintf("commits may be lost with the machine: %v", s.lossy)
		}
		fmt.Fprintf(out, "- %s: %s.\n", s.label, state)
	}
	out.WriteString("\n" + besides(r.others))
	if slices.ContainsFunc(r.sites, func(s *site) bool { return s.name == "mysql" }) {
		out.WriteString("MySQL's own processes count as others.\n\n")
	}
	lines := [][]string{{"server", "users", "changes a second", "p50 ms", "commits", "floor a second", "of the floor"}}
	for i, s := range r.sites {
		for _, row := range r.rows {
			rate, floor, ratio := row.compare(pair{of: 2 * i, to: 2*i + 1, line: rateOf})
			commits := ""
			if s.commits != "" {
				commits = fmt.Sprintf("%.2f", row.of(2*i, func(s sample) float64 { return s.commits }).median)
			}
			lines = append(lines, []string{
				s.label, fmt.Sprint(row.users), rate.rates(), fmt.Sprintf("%.1f", row.of(2*i, func(s sample) float64 { return s.p50 }).median),
				commits, floor.rates(), fmt.Sprintf("%.3f (%.3f-%.3f)", ratio.median, ratio.low, ratio.high),
			})
		}
	}
	out.WriteString(table(lines))
	out.WriteString("\nDone as it must be, which is checked after every block, and once more at the end:")
	for i, t := range r.tallies {
		fmt.Fprintf(out, " %s %s changes and %s texts;", r.sites[i].label, thousands(t.changes), thousands(t.texts))
	}
	out.WriteString(" none may be lost or doubled.\n")
}

// rates writes operations a second.
func (s spread) rates() string { return fmt.Sprintf("%.0f (%.0f-%.0f)", s.median, s.low, s.high) }

func (r *serversResult) fault() error {
	var faults []error
	for i, t := range r.tallies {
		if err := t.fault(); err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", r.sites[i].name, err))
		}
	}
	return errors.Join(faults...)
}
