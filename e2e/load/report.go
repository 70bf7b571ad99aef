package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// labels of servers.
var labels = map[string]string{"mariadb": "MariaDB", "postgres": "PostgreSQL", "sqlite": "SQLite"}

// report is all that a run has to say, in Markdown.
func (m measurements) report() string {
	var out strings.Builder
	out.WriteString(m.conditions() + "\n")
	for _, part := range []struct {
		before string
		lines  [][]string
	}{
		{"", m.targets()},
		{changesSay, m.changes()},
		{casesSay, m.cases()},
		{stepsSay, m.stepTable()},
	} {
		if len(part.lines) > 1 {
			out.WriteString(part.before + table(part.lines) + "\n")
		}
	}
	return out.String()
}

const (
	changesSay = "Changes by the settings form, with a double of Kratos: medians of the rounds, lowest and highest in parentheses. *Of the floor* are changes for each transaction of two inserts that the same server makes, in the same round, for a client that does nothing else; *to before* is the ratio to the release before in the same round. CPU and memory (the most that was resident) are Holdline's own, commits the server's count, all with the notice and with background work but for the two late looks (below).\n\n"
	casesSay   = "Other cases on MariaDB; the ratio, that of a real Kratos too, is to the form with the double in the same round.\n\n"
	stepsSay   = "Where the time goes with a real Kratos: one request at a time, for ten people in turn, medians; beside it a Kratos on the same server without hooks.\n\n"
)

// conditions are what the run was made on.
func (m measurements) conditions() string {
	var versions []string
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		if version := m.facts[name]; version != "" {
			versions = append(versions, labels[name]+" "+version)
		}
	}
	var others spread
	for _, rounds := range m.blocks {
		for _, b := range rounds {
			others = append(others, b["others-%"])
		}
	}
	text := fmt.Sprintf("Holdline %s, beside %s; %s; %s, memory %s, shared by load, doubles, servers and Holdlines. Every commit is on disk. "+
		"Rounds: %s, of blocks of %s. %s changes, none lost, none doubled. Other programs used %.0f %% of the processors (median of the blocks)",
		m.facts["holdline"], cmp.Or(m.facts["before"], "no release before"), strings.Join(versions, ", "), m.facts["cpu"], m.facts["memory"],
		m.facts["rounds"], m.facts["block"], thousands(m.facts["changes"]), others.median())
	if load := m.at(place{"form", "here", "mariadb", 8}, "load-cpu-ms/op"); len(load) > 0 {
		text += fmt.Sprintf(", load and doubles %.1f ms of CPU for a change at 8 users", load.median())
	}
	if m.facts["rounds"] == "1" {
		text += "; one round says little"
	}
	if others.median() > 10 {
		text += "; others used too much for the figures to say anything: run it again on a quiet machine"
	}
	return text + ".\n"
}

// changes is the table of whole changes, on each server.
func (m measurements) changes() [][]string {
	lines := [][]string{{"", "users", "changes a second", "of the floor", "to before", "p50 ms", "p99 ms", "CPU ms (before)", "memory MiB", "commits (before)"}}
	for _, p := range m.places(func(p place) bool { return p.what == "form" && p.release == "here" }) {
		floor, before := place{"floor", "none", p.on, p.users}, place{"form", "before", p.on, p.users}
		lines = append(lines, []string{
			labels[p.on], fmt.Sprint(p.users), m.at(p, "ops/s").write("%.0f"), m.ratio(p, floor).write("%.3f"), m.ratio(p, before).write("%.2f"),
			m.at(p, "p50-ms").middle("%.1f"), m.at(p, "p99-ms").middle("%.1f"),
			beside(m.at(p, "cpu-ms/op"), m.at(before, "cpu-ms/op")), m.at(p, "MiB").middle("%.0f"),
			beside(m.at(p, "commits/op"), m.at(before, "commits/op")),
		})
	}
	return lines
}

func beside(now, before spread) string {
	text := now.middle("%.2f")
	if text != "" && len(before) > 0 {
		text += before.middle(" (%.2f)")
	}
	return text
}

// cases is the table of what is done in other ways, or under other conditions.
func (m measurements) cases() [][]string {
	lines := [][]string{{"", "users", "changes a second", "ratio", "to before", "p50 ms", "p99 ms", "CPU ms", "memory MiB", "statements", "commits", "Kratos calls"}}
	for _, p := range m.places(func(p place) bool { return p.what != "form" && p.what != "floor" && p.release == "here" }) {
		form, before := place{"form", "here", p.on, p.users}, place{p.what, "before", p.on, p.users}
		lines = append(lines, []string{
			caseLabel(p.what), fmt.Sprint(p.users), m.at(p, "ops/s").write("%.0f"), m.ratio(p, form).write("%.2f"), m.ratio(p, before).write("%.2f"),
			m.at(p, "p50-ms").middle("%.1f"), m.at(p, "p99-ms").middle("%.1f"), m.at(p, "cpu-ms/op").middle("%.2f"), m.at(p, "MiB").middle("%.0f"),
			m.at(p, "statements/op").middle("%.1f"), m.at(p, "commits/op").middle("%.2f"), m.at(p, "kratos-calls/op").middle("%.2f"),
		})
	}
	return lines
}

// places are those that were measured, in the report's order.
func (m measurements) places(wanted func(place) bool) []place {
	order := func(p place) (server, what string) {
		_, size, _ := strings.Cut(p.what, "-")
		return p.on, fmt.Sprintf("%d %012s", slices.Index([]string{"form", "scim", "slow", "kratos"}, p.what)&7, size)
	}
	found := slices.DeleteFunc(slices.Collect(maps.Keys(m.blocks)), func(p place) bool { return !wanted(p) })
	slices.SortFunc(found, func(a, b place) int {
		onA, whatA := order(a)
		onB, whatB := order(b)
		return cmp.Or(strings.Compare(onA, onB), strings.Compare(whatA, whatB), cmp.Compare(a.users, b.users))
	})
	return found
}

func caseLabel(what string) string {
	if claims, ok := strings.CutPrefix(what, "earlier-"); ok {
		return thousands(claims) + " earlier claims"
	}
	return map[string]string{"scim": "SCIM client", "slow": "provider answers after 1 s", "kratos": "a real Kratos, the whole flow"}[what]
}

// target is what a change may cost, or must reach.
type target struct {
	name    string
	atLeast bool
	bound   float64
	form    string
	users   []int
	value   func(users int) spread
}

// goals are the targets, all on MariaDB.
func (m measurements) goals() []target {
	at := func(what, release string, users int) place { return place{what, release, "mariadb", users} }
	form := func(users int) place { return at("form", "here", users) }
	of := func(what, unit string) func(int) spread {
		return func(users int) spread { return m.at(at(what, "here", users), unit) }
	}
	floor := func(users int) spread { return m.ratio(form(users), at("floor", "none", users)) }
	large := m.large()
	return []target{
		{"changes for each transaction of two inserts", true, 0.10, "%.3f", []int{1}, floor},
		{"changes for each transaction of two inserts", true, 0.075, "%.3f", []int{8, 32}, floor},
		{"changes a second, to the release before", true, 1.5, "%.2f", []int{8, 32}, func(users int) spread { return m.ratio(form(users), at("form", "before", users)) }},
		{"CPU ms a change", false, 1.6, "%.2f", []int{8, 32}, of("form", "cpu-ms/op")},
		{"memory MiB", false, 64, "%.0f", []int{32}, of("form", "MiB")},
		{"commits a change", false, 4.2, "%.2f", []int{8}, of("form", "commits/op")},
		{"with a provider that takes 1 s, to one that answers at once", true, 0.95, "%.2f", []int{8, 32}, func(users int) spread { return m.ratio(at("slow", "here", users), form(users)) }},
		{"with " + caseLabel(large) + ", to none", true, 0.95, "%.2f", []int{1, 8, 32}, func(users int) spread { return m.ratio(at(large, "here", users), form(users)) }},
		{"MiB that a million claims take", false, 1950, "%.0f", []int{8}, of("earlier-1000000", "history-MiB")},
		{"SCIM: statements a change", false, 16, "%.1f", []int{8}, of("scim", "statements/op")},
		{"SCIM: commits a change", false, 6, "%.2f", []int{8}, of("scim", "commits/op")},
		{"SCIM: calls to Kratos a change", false, 3, "%.2f", []int{8}, of("scim", "kratos-calls/op")},
	}
}

// large is the case with the most earlier claims.
func (m measurements) large() (what string) {
	most := 0
	for p := range m.blocks {
		claims, ok := strings.CutPrefix(p.what, "earlier-")
		if n, err := strconv.Atoi(claims); ok && err == nil && n > most {
			what, most = p.what, n
		}
	}
	return what
}

func (m measurements) targets() [][]string {
	lines := [][]string{{"goal", "users", "bound", "measured", ""}}
	for _, t := range m.goals() {
		for _, users := range t.users {
			got := t.value(users)
			if len(got) == 0 {
				continue
			}
			sign, met := "≤ ", got.median() <= t.bound
			if t.atLeast {
				sign, met = "≥ ", got.median() >= t.bound
			}
			lines = append(lines, []string{
				t.name, fmt.Sprint(users), sign + strconv.FormatFloat(t.bound, 'f', -1, 64), got.write(t.form),
				map[bool]string{true: "met", false: "missed"}[met],
			})
		}
	}
	return lines
}

// The steps of a change at a real Kratos, in their order.
var stepLabels = []struct {
	step, label string
	ofChange    bool
}{
	{"begin-with-hooks", "the settings flow begins", true},
	{"submit", "its form is submitted, with Holdline's hooks; the text is sent", true},
	{"validate-code", "the code is typed (validate-code)", true},
	{"submit-without-hooks", "compare: the form submitted without hooks", false},
	{"whoami", "in validate-code: whoami", false},
	{"write", "in validate-code: PATCH of the number", false},
}

func (m measurements) stepTable() [][]string {
	lines := [][]string{{"request", "ms", "CPU ms: Kratos", "Holdline", "database"}}
	units := []string{"ms/op", "kratos-cpu-ms/op", "holdline-cpu-ms/op", "database-cpu-ms/op"}
	sums, submitted := make([]float64, len(units)), []float64{}
	row := func(label string, values []float64) []string {
		line := []string{label}
		for _, value := range values {
			line = append(line, fmt.Sprintf("%.1f", value))
		}
		return line
	}
	for _, s := range stepLabels {
		if len(m.steps[s.step]) == 0 {
			continue
		}
		values := make([]float64, len(units))
		for i, unit := range units {
			var all spread
			var total float64
			for _, b := range m.steps[s.step] {
				all, total = append(all, b[unit]), total+b[unit]
			}
			values[i] = total / float64(len(all)) // CPU is counted in ticks, of which a turn has few
			if i == 0 {
				values[i] = all.median()
			}
			if s.ofChange {
				sums[i] += values[i]
			}
		}
		lines = append(lines, row(s.label, values))
		switch s.step {
		case "submit":
			submitted = values
		case "validate-code":
			lines = append(lines, row("**a change**", sums))
		case "submit-without-hooks":
			for i := range submitted {
				submitted[i] -= values[i]
			}
			lines = append(lines, row("what the hooks add, with the text and its records", submitted))
		}
	}
	return lines
}

// thousands writes a number with commas.
func thousands(text string) string {
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// table writes a Markdown table that is also legible as it is; the first line is its head.
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
			fmt.Fprintf(&out, "| %-*s ", widths[i], cell)
		}
		out.WriteString("|\n")
		if n == 0 {
			for _, width := range widths {
				out.WriteString("|" + strings.Repeat("-", width+2))
			}
			out.WriteString("|\n")
		}
	}
	return out.String()
}
