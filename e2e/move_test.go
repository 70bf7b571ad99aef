package e2e_test

import (
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/holdline/holdline/e2e/harness"
)

// The database moves to one of another kind and on, in the middle of changes: codes that
// were texted stay good, what was accepted is written, and nobody is texted twice. While
// Holdline serves, nothing moves.
func TestAChangeGoesOnInAnotherDatabase(t *testing.T) {
	t.Parallel()
	s := harness.NewStack(t, harness.Options{})
	everybody := people(t, s, 3)
	open, accepted, later := everybody[0], everybody[1], everybody[2]
	openCode, acceptedCode, laterCode := open.Ask(t, wanted(0)).Code, accepted.Ask(t, wanted(1)).Code, later.Ask(t, wanted(2)).Code
	s.KratosAdmin.On(harness.Rule{Method: http.MethodPatch, Path: "/admin/identities/" + accepted.ID, Status: http.StatusServiceUnavailable})
	wantEmpty(t, accepted.Confirm(t, acceptedCode), http.StatusAccepted)

	file := "sqlite://" + filepath.Join(t.TempDir(), "holdline.db")
	refused := func(from, to string) {
		t.Helper()
		if _, err := harness.Run("migrate", "copy", "--from", from, "--to", to); err == nil || !strings.Contains(harness.Stderr(err), "stop every `holdline serve`") {
			t.Errorf("it moves while it serves: %v %s", err, harness.Stderr(err))
		}
	}
	at := s.Database.DSN
	move := func(to string) {
		t.Helper()
		refused(at, to)
		s.Holdline.Stop(t)
		if printed, err := harness.Run("migrate", "copy", "--from", at, "--to", to); err != nil || !strings.Contains(printed, "copied: both databases have the same") {
			t.Fatalf("migrate copy: %v %s\n%s", err, harness.Stderr(err), printed)
		}
		s.Holdline.Reconfigure(t, harness.Overlay{"database": harness.Overlay{"dsn": to, "auto_migrate": false}})
		at = to
	}
	move(file)
	wantEmpty(t, open.Confirm(t, openCode), http.StatusAccepted)
	wantMade(t, open, wanted(0))
	move(s.Database.Server.NewDatabase(t).DSN)
	s.KratosAdmin.Heal()
	wantMade(t, accepted, wanted(1))
	wantEmpty(t, later.Confirm(t, laterCode), http.StatusAccepted)
	wantMade(t, later, wanted(2))
	for i := range everybody {
		wantTexts(t, s, wanted(i), 1)
	}
	wantWrites(t, s, len(everybody))
}
