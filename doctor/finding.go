package doctor

import (
	"cmp"
	"slices"
)

// Severity says what a finding does to the command's exit code.
type Severity string

// The severities.
const (
	Failure Severity = "fail" // exit code 1
	Warning Severity = "warn" // exit code 1 with --strict only
)

// Effect says what comes of what was found.
type Effect string

// The effects, the worst one first.
const (
	// FailsOpen lets a number change without a code, or lets somebody else have it
	// changed. Nothing shows that it does.
	FailsOpen Effect = "fails-open"
	// NotWorking keeps people from changing their number, or from confirming it.
	NotWorking Effect = "not-working"
	// Weakens works, but is less safe, or less of it works, than it could.
	Weakens Effect = "weakens"
)

// Rule is a kind of finding. Its ID is stable: programs may rely on it.
type Rule struct {
	ID       string
	Severity Severity
	Effect   Effect
	What     string // is the matter, in one sentence
	Why      string // that matters
	Change   string // what to do
}

// Rules returns all rules, by subject.
func Rules() []Rule {
	return slices.Concat(placeRules, callRules, jsonnetRules, flowRules, schemaRules, ownRules, liveRules, tryRules)
}

// Finding is a rule that was broken, and where.
type Finding struct {
	ID       string   `json:"id"`
	Severity Severity `json:"severity"`
	Effect   Effect   `json:"effect"`
	Realm    string   `json:"realm,omitempty"` // blank where it is none's, or there is one only
	Place    Place    `json:"place"`
	What     string   `json:"what"`
	Detail   string   `json:"detail,omitempty"` // of this one; never a secret
	Why      string   `json:"why"`
	Change   string   `json:"change"`
	Lines    []string `json:"lines,omitempty"` // as they should be
}

// Place is where a finding is to be mended.
type Place struct {
	File string `json:"file,omitempty"` // blank for a setting of Holdline, or a server
	Line int    `json:"line,omitempty"` // of the file, from 1; 0 if not known
	Key  string `json:"key,omitempty"`  // a key, or a server's address without credentials
}

// at makes a finding of a rule.
func (r Rule) at(place Place, detail string, lines ...string) Finding {
	return Finding{
		ID: r.ID, Severity: r.Severity, Effect: r.Effect, Place: place,
		What: r.What, Why: r.Why, Change: r.Change, Detail: detail, Lines: lines,
	}
}

// key is a place in Holdline's own configuration, or a server.
func key(name string) Place { return Place{Key: name} }

// order puts failures first, and among them those that fail open. What is said
// twice of one place is kept once.
func order(findings []Finding) []Finding {
	var distinct []Finding
	for _, f := range findings {
		if !slices.ContainsFunc(distinct, func(g Finding) bool {
			return f.ID == g.ID && f.Realm == g.Realm && f.Place == g.Place && f.Detail == g.Detail
		}) {
			distinct = append(distinct, f)
		}
	}
	findings = distinct
	effects := []Effect{FailsOpen, NotWorking, Weakens}
	rank := func(f Finding) int {
		n := slices.Index(effects, f.Effect)
		if f.Severity == Warning {
			n += len(effects)
		}
		return n
	}
	slices.SortStableFunc(findings, func(a, b Finding) int { return cmp.Compare(rank(a), rank(b)) })
	return findings
}

// Failed reports whether findings end the command with code 1; strict counts
// warnings too.
func Failed(findings []Finding, strict bool) bool {
	return slices.ContainsFunc(findings, func(f Finding) bool { return strict || f.Severity == Failure })
}
