package main

import (
	"fmt"
	"slices"
	"strings"
)

func (r *submitsResult) write(out *strings.Builder) {
	fmt.Fprintf(out, submitsProse, r.submits, submitParts)
	out.WriteString(besides(r.others))
	speeds := [][]string{{"a form that", "", "p50 ms", "p99 ms"}}
	ratios := [][]string{{"a form that", "", "ratio", "lowest", "highest", "target", ""}}
	for i, form := range settingsForms {
		for which, label := range kratosLabels {
			sorted := slices.Sorted(slices.Values(r.took[i][which]))
			speeds = append(speeds, []string{
				form.name, label, fmt.Sprintf("%.1f", quantile(sorted, 0.50)), fmt.Sprintf("%.1f", quantile(sorted, 0.99)),
			})
		}
		for _, pair := range [][2]int{{holdlineHooks, instantHooks}, {holdlineHooks, noHooks}} {
			ratio, target, verdict := ratioOfParts(r.took[i][pair[0]], r.took[i][pair[1]]), "", ""
			if pair[1] == instantHooks {
				target, verdict = fmt.Sprintf("≤ %.2f", form.atMost), verdictOf(ratio.median <= form.atMost)
			}
			ratios = append(ratios, []string{
				form.name, kratosLabels[pair[0]] + " / " + kratosLabels[pair[1]],
				fmt.Sprintf("%.3f", ratio.median), fmt.Sprintf("%.3f", ratio.low), fmt.Sprintf("%.3f", ratio.high), target, verdict,
			})
		}
	}
	out.WriteString(table(speeds) + "\n" + table(ratios))
	fmt.Fprintf(out, "\nEach of the %d changes had its one text.\n", r.tally.changes)
}

// submitParts is in how many parts a run is compared.
const submitParts = 10

// ratioOfParts compares the medians of each part of two runs.
func ratioOfParts(of, to []float64) spread {
	size := max(1, len(of)/submitParts)
	var values []float64
	for from := 0; from+size <= len(of); from += size {
		part := func(all []float64) float64 { return spreadOf(all[from : from+size]).median }
		values = append(values, part(of)/part(to))
	}
	return spreadOf(values)
}
