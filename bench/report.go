package main

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// report is all that a run has to say, in Markdown.
func report(facts []string, took time.Duration, sections []section) string {
	var out strings.Builder
	fmt.Fprintf(&out, introduction, took.Round(time.Second))
	for _, fact := range facts {
		out.WriteString("- " + fact + "\n")
	}
	for _, s := range sections {
		out.WriteString("\n")
		s.write(&out)
	}
	return out.String()
}

// quiet is the share of the machine that others may use without being in the way.
const quiet = 0.10

// besides says what else the machine did.
func besides(others float64) string {
	text := fmt.Sprintf("Other programs, and the kernel's threads, used %.0f %% of the processors meanwhile", 100*others)
	if others > quiet {
		text += ": too much for the numbers to say anything. Run it again on a quiet machine"
	}
	return text + ".\n\n"
}

// unflushed says that a set-up was not on disk when measuring began.
func unflushed(pages int) string {
	return fmt.Sprintf("%s pages that a set-up changed were not on disk %.0f s later: what was measured next paid for writing them",
		thousands(pages), patience.Seconds())
}

// verdictOf says whether a target was met.
func verdictOf(met bool) string {
	if met {
		return "met"
	}
	return "missed"
}

// write writes what SCIM came to.
func (r *scimResult) write(out *strings.Builder) {
	fmt.Fprintf(out, manyUsers, thousands(r.n[0]), thousands(r.n[1]), r.loaded.Round(time.Second), scimPage, thousands(r.n[1]), ninety(r.n[1]))
	fmt.Fprintf(out, "The larger database has %s MiB; the buffer pool, of %s MiB, holds both. Medians of %d rounds, and in parentheses what 5 %% and 95 %% took at most.\n\n",
		thousands(r.data), thousands(r.pool), r.rounds)
	out.WriteString(besides(r.others))
	lines := [][]string{{"request", "ms, " + thousands(r.n[0]), "ms, " + thousands(r.n[1]), "ratio", "target", ""}}
	for _, l := range r.lines {
		cells := []string{l.ask.name}
		for _, took := range l.took {
			cells = append(cells, fmt.Sprintf("%.2f (%.2f-%.2f)", took.median, took.low, took.high))
		}
		lines = append(lines, append(cells, fmt.Sprintf("%.2f", l.ratio()), fmt.Sprintf("≤ %.1f", l.ask.target), verdictOf(l.ratio() <= l.ask.target)))
	}
	out.WriteString(table(lines))
}

// thousands writes a number with commas.
func thousands(n int) string {
	text := fmt.Sprint(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// table writes a Markdown table that is also legible as it is; the first line is
// its head.
func table(lines [][]string) string {
	widths := make([]int, len(lines[0]))
	for _, line := range lines {
		for i, cell := range line {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	var out strings.Builder
	for n, line := range lines {
		for i, cell := range line {
			fmt.Fprintf(&out, "| %*s ", widths[i], cell)
		}
		out.WriteString("|\n")
		if n == 0 {
			for _, width := range widths {
				out.WriteString("|" + strings.Repeat("-", width+1) + ":")
			}
			out.WriteString("|\n")
		}
	}
	return out.String()
}
