package doctor

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Report is what programs read.
type Report struct {
	Failures int       `json:"failures"`
	Warnings int       `json:"warnings"`
	Looked   []string  `json:"looked_at"`
	Findings []Finding `json:"findings"`
	// Attempts are those of a test text, if one was sent.
	Attempts []Attempt `json:"attempts,omitempty"`
	// Trials are those of --try, one for each realm.
	Trials []Trial `json:"trials,omitempty"`
}

// NewReport counts findings. Looked says what was looked at.
func NewReport(findings []Finding, looked []string) Report {
	r := Report{Looked: looked, Findings: findings}
	if findings == nil {
		r.Findings = []Finding{}
	}
	for _, f := range findings {
		if f.Severity == Failure {
			r.Failures++
		} else {
			r.Warnings++
		}
	}
	return r
}

// With adds the findings of another report.
func (r Report) With(other Report) Report {
	both := NewReport(order(slices.Concat(r.Findings, other.Findings)), slices.Concat(r.Looked, other.Looked))
	both.Attempts = slices.Concat(r.Attempts, other.Attempts)
	both.Trials = slices.Concat(r.Trials, other.Trials)
	return both
}

// WriteJSON writes one JSON object.
func (r Report) WriteJSON(out io.Writer) error {
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(r)
}

// headings begin the groups of a report for people.
var headings = []struct {
	severity Severity
	effect   Effect
	words    string
}{
	{Failure, FailsOpen, "FAILS OPEN: a number can change without a code, or somebody else can have it changed"},
	{Failure, NotWorking, "DOES NOT WORK: people cannot change or confirm their number"},
	{Warning, FailsOpen, "WARNING: this may fail open"},
	{Warning, NotWorking, "WARNING: this may not work"},
	{Warning, Weakens, "WARNING: works, but is less than it could be"},
}

// WriteText writes the report for people.
func (r Report) WriteText(out io.Writer) error {
	var text strings.Builder
	for _, attempt := range r.Attempts {
		attempt.write(&text)
	}
	for _, trial := range r.Trials {
		trial.write(&text)
	}
	for _, heading := range headings {
		begun := false
		for _, f := range r.Findings {
			if f.Severity != heading.severity || f.Effect != heading.effect {
				continue
			}
			if !begun {
				fmt.Fprintf(&text, "%s\n\n", heading.words)
				begun = true
			}
			f.write(&text)
		}
	}
	fmt.Fprintf(&text, "Looked at: %s.\n%s\n", strings.Join(r.Looked, ", "), r.verdict())
	_, err := io.WriteString(out, text.String())
	return err
}

func (r Report) verdict() string {
	if r.Failures+r.Warnings == 0 {
		return "Nothing found."
	}
	return fmt.Sprintf("Found: %s, %s.", count(r.Failures, "failure"), count(r.Warnings, "warning"))
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func (f Finding) write(out *strings.Builder) {
	word := strings.ToUpper(string(f.Severity))
	fmt.Fprintf(out, "%s  %s", word, f.ID)
	if f.Realm != "" {
		fmt.Fprintf(out, "  (realm %s)", f.Realm)
	}
	fmt.Fprintf(out, "\n      at      %s\n", f.Place)
	paragraph(out, "what", strings.TrimSpace(f.What+" "+f.Detail))
	paragraph(out, "why", f.Why)
	paragraph(out, "change", f.Change)
	for _, line := range f.Lines {
		fmt.Fprintf(out, "              | %s\n", line)
	}
	out.WriteByte('\n')
}

// String is as editors and terminals read it: FILE:LINE, and the key.
func (p Place) String() string {
	switch {
	case p.File == "":
		return p.Key
	case p.Line == 0:
		return p.File + "  " + p.Key
	default:
		return fmt.Sprintf("%s:%d  %s", p.File, p.Line, p.Key)
	}
}

// width is where lines are broken.
const width = 100

// paragraph writes a text under a word, broken into lines.
func paragraph(out *strings.Builder, word, text string) {
	const indent = 14
	line := fmt.Sprintf("      %-*s", indent-6, word)
	for each := range strings.FieldsSeq(text) {
		if len(line) > indent && len(line)+len(each) > width {
			fmt.Fprintln(out, strings.TrimRight(line, " "))
			line = strings.Repeat(" ", indent)
		}
		line += each + " "
	}
	fmt.Fprintln(out, strings.TrimRight(line, " "))
}
