package main

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/perf/benchfmt"
)

// measurements are the blocks of one run.
type measurements struct {
	facts  map[string]string // about the run
	blocks map[place]map[int]block
	steps  map[string][]block // of a change at a real Kratos
}

// place is what was measured: a case, by a release of Holdline, on a server, with so many
// users at once.
type place struct {
	what, release, on string
	users             int
}

// block has its values by their units.
type block map[string]float64

// read reads what benchmarks printed. One that failed is an error, for what it lost or
// doubled was not done.
func read(from io.Reader, name string) (measurements, error) {
	m := measurements{facts: map[string]string{}, blocks: map[place]map[int]block{}, steps: map[string][]block{}}
	reader := benchfmt.NewReader(from, name)
	for reader.Scan() {
		result, ok := reader.Result().(*benchfmt.Result)
		if !ok {
			continue // a line of something else
		}
		for _, c := range result.Config {
			m.facts[c.Key] = string(c.Value)
		}
		_, parts := result.Name.Parts()
		named := map[string]string{}
		for _, part := range parts {
			key, value, _ := strings.Cut(strings.TrimPrefix(string(part), "/"), "=")
			named[key] = value
		}
		values := block{}
		for _, v := range result.Values {
			values[v.Unit] = v.Value
		}
		if changes, ok := values["changes"]; ok {
			m.facts["changes"] = strconv.FormatFloat(changes, 'f', 0, 64)
			continue
		}
		if step := named["step"]; step != "" {
			m.steps[step] = append(m.steps[step], values)
			continue
		}
		users, err := strconv.Atoi(named["users"])
		if err != nil {
			return m, fmt.Errorf("%s: a number of users: %w", result.Name, err)
		}
		round, err := strconv.Atoi(named["round"])
		if err != nil {
			return m, fmt.Errorf("%s: a round: %w", result.Name, err)
		}
		at := place{named["case"], named["release"], named["on"], users}
		if m.blocks[at] == nil {
			m.blocks[at] = map[int]block{}
		}
		m.blocks[at][round] = values
	}
	return m, reader.Err()
}

// at are a place's values of a unit, in no order.
func (m measurements) at(p place, unit string) (values spread) {
	for _, b := range m.blocks[p] {
		if value, ok := b[unit]; ok {
			values = append(values, value)
		}
	}
	return values
}

// ratio compares operations a second within each round that has both places: a machine
// that slows down half-way slows both.
func (m measurements) ratio(of, to place) (values spread) {
	for round, b := range m.blocks[of] {
		if against, ok := m.blocks[to][round]; ok {
			values = append(values, b["ops/s"]/against["ops/s"])
		}
	}
	return values
}

// spread are the values of all rounds.
type spread []float64

// median is zero of none.
func (s spread) median() float64 {
	if len(s) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(s))
	return (sorted[(len(s)-1)/2] + sorted[len(s)/2]) / 2
}

// write is the median with the lowest and the highest, blank of none.
func (s spread) write(form string) string {
	switch {
	case len(s) == 0:
		return ""
	case len(s) == 1:
		return fmt.Sprintf(form, s[0])
	}
	return fmt.Sprintf(form+" ("+form+"–"+form+")", s.median(), slices.Min(s), slices.Max(s))
}

// middle is the median alone, blank of none.
func (s spread) middle(form string) string {
	if len(s) == 0 {
		return ""
	}
	return fmt.Sprintf(form, s.median())
}
