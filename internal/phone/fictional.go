package phone

import (
	"fmt"
	"strings"
)

// fictional are the mobile numbers that regulators keep for films and books, so that
// nobody ever has one: each a beginning, and how many digits follow. Sources: Ofcom,
// NANPA, ARCEP, Bundesnetzagentur ("Rufnummern für Medienproduktionen"), PTS.
var fictional = []struct {
	beginning string
	digits    int
}{
	{"+1202555010", 1},
	{"+33639980", 3},
	{"+4917139200", 2},
	{"+49176040690", 2},
	{"+4670174066", 1},
	{"+447700900", 3}, // last: the format tel of Kratos does not take them
}

// Fictional reports whether a number is one of those that nobody can have.
func (m Number) Fictional() bool {
	for _, f := range fictional {
		if rest, ok := strings.CutPrefix(m.number, f.beginning); ok && len(rest) == f.digits {
			return true
		}
	}
	return false
}

// FictionalNumbers returns numbers that nobody can have, as E.164, some of each country.
func FictionalNumbers() []string {
	const each = 10 // of each; fewer than there are
	var all []string
	for _, f := range fictional {
		for i := range each {
			all = append(all, fmt.Sprintf("%s%0*d", f.beginning, f.digits, i))
		}
	}
	return all
}
