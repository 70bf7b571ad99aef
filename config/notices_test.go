package config_test

import (
	"strings"
	"testing"
)

// What blocks an account's changes is forgotten with the claim that was denied.
func TestABlockIsOverBeforeItsClaimIsForgotten(t *testing.T) {
	const key = "notices.dispute_block"
	for name, tt := range map[string]struct{ lines, complaint string }{
		"as it comes":             {"", ""},
		"just so":                 {"claims: {retention: 96h}\nnotices: {dispute_window: 72h, dispute_block: 24h}", ""},
		"the claim is gone first": {"claims: {retention: 96h}\nnotices: {dispute_window: 72h, dispute_block: 25h}", key + ": must be over before"},
		"no block":                {"claims: {retention: 72h}\nnotices: {dispute_window: 72h, dispute_block: 0}", ""},
		"too long":                {"notices: {dispute_block: 721h}", key + ": must be from 0 to 720h"},
	} {
		_, err := load(t, "holdline.yml", good+"\n"+tt.lines+"\n", nil, nil)
		if (err == nil) != (tt.complaint == "") || err != nil && !strings.Contains(err.Error(), tt.complaint) {
			t.Errorf("%s: got %v, want %q", name, err, tt.complaint)
		}
	}
}
