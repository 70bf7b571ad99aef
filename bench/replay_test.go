package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	anna   = "0b0e5a46-0000-4000-8000-000000000001"
	claimX = "0123456789abcdef0123456789abcdef"
	textX  = "7d4f2f66-0000-4000-8000-000000000002"
	nobody = "99999999-0000-4000-8000-000000000003"
)

// A script has what was asked for one person's sake, in whole transactions, and
// nothing of what else the log has.
func TestScriptIsOnePersonsTransactions(t *testing.T) {
	s := script{person: person{id: anna, was: "+4915100000001", mobile: "+4915200000001"}}
	s.take([]statement{
		{1, "SELECT UTC_TIMESTAMP(6)"},
		{2, "START TRANSACTION"},
		{1, "INSERT INTO claims VALUES ('" + claimX + "', '" + anna + "', '+4915200000001')"},
		{2, "DELETE FROM limits WHERE name = '" + nobody + "'"},
		{3, "BEGIN"},
		{3, "INSERT INTO texts VALUES ('" + textX + "', '" + claimX + "')"},
		{2, "COMMIT"},
		{3, "COMMIT"},
		{2, "UPDATE texts SET state = 'sent' WHERE id = '" + textX + "'"},
		{3, "UPDATE texts SET state = 'sent' WHERE id = '" + nobody + "'"},
	})
	want := []string{
		"INSERT INTO claims VALUES ('" + claimX + "', '" + anna + "', '+4915200000001')",
		"BEGIN",
		"INSERT INTO texts VALUES ('" + textX + "', '" + claimX + "')",
		"COMMIT",
		"UPDATE texts SET state = 'sent' WHERE id = '" + textX + "'",
	}
	if diff := cmp.Diff(want, s.statements); diff != "" {
		t.Error(diff)
	}
}

// Played again, a script is about others, whose statements belong together as the first
// ones' did.
func TestScriptIsPlayedForOthers(t *testing.T) {
	s := script{
		person:     person{id: anna, was: "+4915100000001", mobile: "+4915200000001"},
		ids:        []string{anna, claimX},
		statements: []string{"'" + claimX + "' '" + anna + "' '+4915200000001'", "'" + claimX + "' '+4915100000001'"},
	}
	first, second := s.of(1), s.of(2)
	for _, made := range [][]string{first, second} {
		for _, old := range []string{anna, claimX, s.person.was, s.person.mobile} {
			if strings.Contains(strings.Join(made, " "), old) {
				t.Errorf("%q is still there: %q", old, made)
			}
		}
		claim := strings.Fields(made[0])[0]
		if len(claim) != len(claimX)+2 || !strings.HasPrefix(made[1], claim) {
			t.Errorf("another claim, or another form: %q", made)
		}
	}
	if slices.Equal(first, second) {
		t.Errorf("twice the same: %q", first)
	}
}
