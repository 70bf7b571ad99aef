package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// contender describes what takes part in the contest of changes.
type contender struct {
	name  string // of its database, too
	label string
	start func(ctx context.Context, b *bench, c contender, first *variant) (contestant, error)

	slow         bool // its provider answers late
	scim         bool // numbers are requested by a SCIM client
	index        bool // Holdline keeps the index of SCIM users
	realKratos   bool
	replicaCount int  // zero is one
	numbersAfter int  // of its people
	many         bool // has b.claims earlier claims
}

// delay is what its provider takes to answer.
func (c contender) delay(b *bench) time.Duration {
	if c.slow {
		return b.delay
	}
	return 0
}

// earlier is how many claims it has before anything is measured.
func (c contender) earlier(b *bench) int {
	if c.many {
		return b.claims
	}
	return firstClaims
}

// The contenders, by their place in the list.
const (
	inserts = iota
	replay
	hooks
	slowly
	indexed
	replicas
	many
	withKratos
	scimClient
)

func contenders(p pace) []contender {
	return []contender{
		inserts:    {name: "inserts", label: "floor: two inserts in a transaction", start: startInserts},
		replay:     {name: "replay", label: "floor: a change's statements alone", start: startReplay},
		hooks:      {name: "hooks", label: "settings hooks", start: startVariant},
		slowly:     {name: "slow", label: "… provider answers after " + p.delay.String(), start: startVariant, slow: true},
		indexed:    {name: "indexed", label: "… SCIM is on as well", start: startVariant, index: true},
		replicas:   {name: "replicas", label: "… 3 replicas", start: startVariant, replicaCount: 3},
		many:       {name: "many", label: "… " + thousands(p.claims) + " earlier claims", start: startVariant, many: true},
		withKratos: {name: "kratos", label: "… a real Kratos", start: startVariant, realKratos: true},
		scimClient: {name: "scim", label: "SCIM client", start: startVariant, index: true, scim: true},
	}
}

// duel is a comparison of two contenders that has a target.
type duel struct {
	title  string
	of, to int
	target float64 // of the ratio, at least; zero for none
	line   func(of, to sample) float64
}

// rateOf is the line for those who do the same.
func rateOf(_, to sample) float64 { return to.rate }

// perCommit is the line for those whose every operation takes several transactions, in a
// contest with a floor of single ones.
func perCommit(of, to sample) float64 { return to.rate / of.commits }

// duel compares two contenders round by round.
func (r row) duel(d duel) (rate, line, ratio spread) {
	var rates, lines, ratios []float64
	for i, of := range r.samples[d.of] {
		against := d.line(of, r.samples[d.to][i])
		rates, lines, ratios = append(rates, of.rate), append(lines, against), append(ratios, of.rate/against)
	}
	return spreadOf(rates), spreadOf(lines), spreadOf(ratios)
}

var duels = []duel{
	{"settings hooks / floor of inserts", hooks, inserts, 0.5, perCommit},
	{"SCIM client / floor of inserts", scimClient, inserts, 0.5, perCommit},
	{"settings hooks / floor of their statements", hooks, replay, 0.5, rateOf},
	{"provider after 1 s / at once", slowly, hooks, 0.95, rateOf},
	{"many earlier claims / few", many, hooks, 0.9, rateOf},
	{"SCIM is on as well / off", indexed, hooks, 0, rateOf},
	{"3 replicas / 1", replicas, hooks, 0, rateOf},
	{"real Kratos / double", withKratos, hooks, 0, rateOf},
}

// changesResult is what changes of number came to.
type changesResult struct {
	contest
	pace       pace
	contenders []contender
	tallies    []tally // empty of floors
	loaded     time.Duration
	failures   int64 // answers of the real Kratos that said it failed
	pool, data int   // the buffer pool, and what the many claims take, MiB
}

// measureChanges lets all contenders compete.
func measureChanges(ctx context.Context, b *bench) (_ section, err error) {
	r := &changesResult{pace: b.pace, contenders: contenders(b.pace)}
	all := make([]contestant, len(r.contenders))
	defer func() { err = errors.Join(err, stopAll(all)) }()
	if all[hooks], err = startVariant(ctx, b, r.contenders[hooks], nil); err != nil {
		return nil, err
	}
	first := all[hooks].(*variant)
	// One more is made to be recorded.
	if err := first.prime(ctx, firstClaims-1); err != nil {
		return nil, err
	}
	for i, c := range r.contenders {
		if i == hooks {
			continue
		}
		b.say("starting %s", c.name)
		began := time.Now()
		if all[i], err = c.start(ctx, b, c, first); err != nil {
			return nil, err
		}
		if c.many {
			r.loaded = time.Since(began)
		}
	}
	if r.pool, r.data, err = b.server.room(ctx, "bench_"+r.contenders[many].name); err != nil {
		return nil, err
	}
	if r.contest, err = compete(ctx, b, all); err != nil {
		return nil, err
	}
	r.tallies = make([]tally, len(all))
	for i, one := range all {
		if v, ok := one.(*variant); ok {
			r.tallies[i] = v.count()
			if k, ok := v.way.(*kratos); ok {
				r.failures += k.failures.Load()
			}
		}
	}
	return r, nil
}

func (r *changesResult) fault() error {
	var faults []error
	for i, t := range r.tallies {
		if t.expected == nil {
			continue // a floor
		}
		if err := t.fault(); err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", r.contenders[i].name, err))
		}
	}
	return errors.Join(faults...)
}

// columns are what the table of speeds and costs has of each contender.
var columns = []struct {
	head string
	form string
	pick func(sample) float64
}{
	{"p50 ms", "%.1f", func(s sample) float64 { return s.p50 }},
	{"p99 ms", "%.1f", func(s sample) float64 { return s.p99 }},
	{"commits", "%.2f", func(s sample) float64 { return s.commits }},
	{"reads", "%.2f", func(s sample) float64 { return s.reads }},
	{"statements", "%.2f", func(s sample) float64 { return s.statements }},
	{"round trips", "%.2f", func(s sample) float64 { return s.trips }},
	{"Kratos calls", "%.2f", func(s sample) float64 { return s.calls }},
	{"CPU ms", "%.2f", func(s sample) float64 { return s.cpu }},
	{"memory MiB", "%.0f", func(s sample) float64 { return s.memory }},
}

func (r *changesResult) write(out *strings.Builder) {
	fmt.Fprintf(out, changesProse, len(r.contenders), r.rounds, r.pace.measured, r.pace.ramp,
		thousands(firstClaims), thousands(r.pace.claims), r.loaded.Round(time.Second), thousands(r.data), thousands(r.pool))
	out.WriteString(besides(r.others))
	for _, row := range r.rows {
		fmt.Fprintf(out, "### %d at once\n\n", row.users)
		out.WriteString(table(r.speeds(row)))
		out.WriteString("\n")
	}
	out.WriteString(duelsProse)
	out.WriteString(table(r.ratios()))
	out.WriteString("\nDone as it must be, which is checked after every block:\n\n")
	out.WriteString(table(r.done()))
	fmt.Fprintf(out, "\nThe real Kratos failed at requests of its users %d times, for deadlocks in its database, and was asked again.\n", r.failures)
}

func (r *changesResult) speeds(row row) [][]string {
	head := []string{"", "per second", "lowest", "highest"}
	for _, c := range columns {
		head = append(head, c.head)
	}
	lines := [][]string{head}
	for i, c := range r.contenders {
		rate := row.of(i, func(s sample) float64 { return s.rate })
		line := []string{c.label, fmt.Sprintf("%.1f", rate.median), fmt.Sprintf("%.1f", rate.low), fmt.Sprintf("%.1f", rate.high)}
		for _, column := range columns {
			value := row.of(i, column.pick).median
			text := fmt.Sprintf(column.form, value)
			if value == 0 {
				text = ""
			}
			line = append(line, text)
		}
		lines = append(lines, line)
	}
	return lines
}

func (r *changesResult) ratios() [][]string {
	lines := [][]string{{"", "users", "per second", "compared with", "ratio", "lowest", "highest", "target", ""}}
	for _, d := range duels {
		for _, row := range r.rows {
			rate, line, ratio := row.duel(d)
			target, verdict := "", ""
			if d.target > 0 {
				target, verdict = fmt.Sprintf("≥ %.2f", d.target), verdictOf(ratio.median >= d.target)
			}
			lines = append(lines, []string{
				d.title, fmt.Sprint(row.users), fmt.Sprintf("%.1f", rate.median), fmt.Sprintf("%.1f", line.median),
				fmt.Sprintf("%.3f", ratio.median), fmt.Sprintf("%.3f", ratio.low), fmt.Sprintf("%.3f", ratio.high), target, verdict,
			})
		}
	}
	return lines
}

func (r *changesResult) done() [][]string {
	lines := [][]string{{"", "changes", "not written", "texts", "never came", "came twice", "astray"}}
	for i, t := range r.tallies {
		if t.expected == nil {
			continue // a floor
		}
		lines = append(lines, []string{
			r.contenders[i].name, fmt.Sprint(t.changes), fmt.Sprint(t.unwritten), fmt.Sprint(t.texts), fmt.Sprint(t.never), fmt.Sprint(t.twice), fmt.Sprint(t.strays),
		})
	}
	return lines
}
