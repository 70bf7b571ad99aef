package main

import (
	"testing"
	"time"
)

func TestQuantile(t *testing.T) {
	for name, tt := range map[string]struct {
		sorted []int
		share  float64
		want   int
	}{
		"of none":             {nil, 0.5, 0},
		"of one":              {[]int{7}, 0.99, 7},
		"the middle of three": {[]int{1, 2, 3}, 0.5, 2},
		"the middle of four":  {[]int{1, 2, 3, 4}, 0.5, 2},
		"the lowest":          {[]int{1, 2, 3}, 0, 1},
		"the highest":         {[]int{1, 2, 3}, 1, 3},
	} {
		t.Run(name, func(t *testing.T) {
			if got := quantile(tt.sorted, tt.share); got != tt.want {
				t.Errorf("got %d, want %d", got, tt.want)
			}
		})
	}
}

// Blocks are compared with those of the same round: a machine that slows down
// half-way slows both.
func TestRatioIsThatOfRounds(t *testing.T) {
	r := row{samples: [][]sample{{{rate: 100}, {rate: 50}, {rate: 8}}, {{rate: 75}, {rate: 50}, {rate: 7}}}}
	rate, line, ratio := r.compare(pair{of: 1, to: 0, line: rateOf})
	want := [3]spread{{50, 7, 75}, {50, 8, 100}, {0.875, 0.75, 1}}
	if got := [3]spread{rate, line, ratio}; got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// What a change may at best be done at is the database's transactions by those that
// a change commits.
func TestRatioToTheFloorOfTransactions(t *testing.T) {
	r := row{samples: [][]sample{{{rate: 4800}}, {{rate: 300, work: work{commits: 8}}}}}
	if _, line, ratio := r.compare(pair{of: 1, to: 0, line: perCommit}); line.median != 600 || ratio.median != 0.5 {
		t.Errorf("got %v of %v", ratio, line)
	}
}

func TestRatioOfPartsIsThatOfTheirMedians(t *testing.T) {
	var of, to []float64
	for part := range submitParts {
		of = append(of, 11, 1000, 11)
		to = append(to, 10, 10, float64(part))
	}
	if got, want := ratioOfParts(of, to), (spread{1.1, 1.1, 1.1}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestSampleIsWhatLiesBetweenTheMarks(t *testing.T) {
	begin := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	from := mark{at: begin, done: 10, cpu: time.Second, calls: 7, work: work{statements: 100, trips: 150, commits: 9, reads: 3}}
	to := mark{at: begin.Add(2 * time.Second), done: 14, cpu: 1200 * time.Millisecond, calls: 15, work: work{statements: 148, trips: 222, commits: 41, reads: 7}}
	took := []time.Duration{time.Millisecond, 2 * time.Millisecond, 3 * time.Millisecond, 9 * time.Millisecond}
	want := sample{rate: 2, p50: 2, p99: 9, cpu: 50, calls: 2, work: work{statements: 12, trips: 18, commits: 8, reads: 1}}
	if got := sampleOf(from, to, took); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestWhatIsLostOrDoubledIsAFault(t *testing.T) {
	for name, tt := range map[string]struct {
		tally tally
		fault bool
	}{
		"all done":    {tally{changes: 5}, false},
		"nothing":     {tally{}, true},
		"not written": {tally{changes: 5, unwritten: 1}, true},
		"never":       {tally{changes: 5, never: 1}, true},
		"twice":       {tally{changes: 5, twice: 1}, true},
		"astray":      {tally{changes: 5, strays: 1}, true},
	} {
		t.Run(name, func(t *testing.T) {
			if err := tt.tally.fault(); (err != nil) != tt.fault {
				t.Errorf("got %v, want a fault: %v", err, tt.fault)
			}
		})
	}
}
