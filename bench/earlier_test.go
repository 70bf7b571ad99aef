package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// testServer is the server of TEST_DSN.
func testServer(t *testing.T) *server {
	t.Helper()
	dsn := os.Getenv("TEST_DSN")
	if dsn == "" {
		if os.Getenv("HOLDLINE_REQUIRE_MARIADB") != "" {
			t.Fatal("TEST_DSN is not set")
		}
		t.Skip("TEST_DSN is not set")
	}
	server, err := openServer(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	return server
}

// Copies are claims of other people, older than what was copied, with texts and events
// that belong to them.
func TestMultipliedClaimsBelongTogether(t *testing.T) {
	server := testServer(t)
	holdline := filepath.Join(t.TempDir(), "holdline")
	if said, err := exec.Command("go", "build", "-o", holdline, "../cmd/holdline").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, said)
	}
	for _, name := range []string{"bench_test_from", "bench_test_to"} {
		made, err := server.fresh(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _, _ = server.Exec("DROP DATABASE " + name) })
		if err := migrate(t.Context(), holdline, made); err != nil {
			t.Fatal(err)
		}
	}
	const first, times = 3, 4
	for n := range first {
		claim, identity := fmt.Sprintf("%032x", n+1), fmt.Sprintf("00000000-0000-4000-8000-%012x", n+1)
		statements := []string{
			fmt.Sprintf("INSERT INTO bench_test_from.claims SET id = '%s', identity_id = '%s', flow_id = '%[2]s', origin = 'settings', number = '+49152%08d', "+
				"was = '+49151%08[3]d', state = 'applied', version = 3, reason = '', code_key = '', code_number = 1, attempts = 1, texts = 1, "+
				"last_address = '', marker = '', due_tries = 0, created_at = '2026-03-01', ended_at = '2026-03-01'", claim, identity, n+1),
			fmt.Sprintf("INSERT INTO bench_test_from.audit_events SET claim_id = '%s', identity_id = '%s', kind = 'applied', actor_kind = 'system', "+
				"actor_id = '', actor_address = '', number = '', reason = '', happened_at = '2026-03-01'", claim, identity),
		}
		for kind := range 2 {
			statements = append(statements, fmt.Sprintf("INSERT INTO bench_test_from.texts SET id = '00000000-0000-4000-9000-%06x%06x', claim_id = '%s', identity_id = '%s', "+
				"number = '+4915%d%08d', number_key = number, code_key = '', code_number = 0, validity_us = 0, language = '', address = '', state = 'sent', "+
				"due_at = '2026-03-01', tries = 0, gateway = '', provider_id = '', reason = '', created_at = '2026-03-01', number_seq = 1",
				n+1, kind, claim, identity, kind+1, n+1))
		}
		if err := server.exec(t.Context(), statements...); err != nil {
			t.Fatal(err)
		}
	}
	if err := server.multiply(t.Context(), "bench_test_from", "bench_test_to", times); err != nil {
		t.Fatal(err)
	}
	for query, want := range map[string]int{
		"SELECT COUNT(DISTINCT identity_id, number, was) FROM TO.claims":                                                              first * times,
		"SELECT COUNT(*) FROM TO.claims c JOIN TO.texts t ON t.claim_id = c.id AND t.identity_id = c.identity_id":                     2 * first * times,
		"SELECT COUNT(*) FROM TO.claims c JOIN TO.texts t ON t.claim_id = c.id AND t.number IN (c.number, c.was)":                     2 * first * times,
		"SELECT COUNT(*) FROM TO.claims c JOIN TO.audit_events e ON e.claim_id = c.id AND e.identity_id = c.identity_id":              first * times,
		"SELECT COUNT(*) FROM TO.claims c JOIN FROM_.claims f ON f.id = c.id OR f.identity_id = c.identity_id OR f.number = c.number": 0,
		"SELECT COUNT(*) FROM TO.claims WHERE created_at < '2026-03-01' AND created_at > '2026-02-28' AND LENGTH(identity_id) = 36":   first * times,
	} {
		var got int
		text := strings.NewReplacer("TO.", "bench_test_to.", "FROM_.", "bench_test_from.").Replace(query)
		if err := server.QueryRowContext(t.Context(), text).Scan(&got); err != nil || got != want {
			t.Errorf("%s: got %d, want %d (%v)", query, got, want, err)
		}
	}
}
