package main

import (
	"fmt"
	"strings"
	"time"
)

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
	out.WriteString("\nDone as it must be, which is checked after every block, and once more at the end:\n\n")
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
	for _, d := range pairs {
		for _, row := range r.rows {
			rate, line, ratio := row.compare(d)
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
			r.contenders[i].name, thousands(t.changes), fmt.Sprint(t.unwritten), thousands(t.texts), fmt.Sprint(t.never), fmt.Sprint(t.twice), fmt.Sprint(t.strays),
		})
	}
	return lines
}
