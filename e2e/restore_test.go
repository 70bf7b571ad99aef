package e2e_test

import (
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/holdline/holdline/e2e/harness"
)

// A dump of the serving system, restored after its database was lost: whatever was
// under way comes to its end, once. Kratos kept its own database and has gone on
// since the dump.
func TestARestoredDumpGoesOnWhereItWas(t *testing.T) {
	t.Parallel()
	s := harness.NewStack(t, harness.Options{})
	everybody := people(t, s, 6)
	done, open, ahead, accepted, untexted, lost := everybody[0], everybody[1], everybody[2], everybody[3], everybody[4], everybody[5]
	wantEmpty(t, done.Confirm(t, done.Ask(t, wanted(0)).Code), http.StatusAccepted)
	waitForNotice(t, s, "+4915112345600")
	openCode, aheadCode, acceptedCode := open.Ask(t, wanted(1)).Code, ahead.Ask(t, wanted(2)).Code, accepted.Ask(t, wanted(3)).Code
	s.KratosAdmin.On(harness.Rule{Method: http.MethodPatch, Path: "/admin/identities/" + accepted.ID, Status: http.StatusServiceUnavailable})
	wantEmpty(t, accepted.Confirm(t, acceptedCode), http.StatusAccepted)
	s.Provider.Down()
	untexted.MustSave(t, harness.Profile{Name: "Untexted", Mobile: wanted(4)})

	dump := s.Database.Dump(t)
	s.Provider.Up()
	lostCode := lost.Ask(t, wanted(5)).Code // is not in the dump
	s.Provider.Down()
	wantEmpty(t, ahead.Confirm(t, aheadCode), http.StatusAccepted) // is not in the dump
	wantSettledAt(t, ahead, wanted(2))
	s.Holdline.Stop(t)
	s.Database.Server.Exec(t, "DROP DATABASE "+s.Database.Name)

	fresh := s.Database.Server.NewDatabase(t)
	fresh.Restore(t, dump)
	s.KratosAdmin.Heal()
	s.Provider.Up()
	s.Holdline.Reconfigure(t, harness.Overlay{"database": harness.Overlay{"dsn": fresh.DSN, "auto_migrate": false}})
	s.Database = fresh

	wantSettledAt(t, accepted, wanted(3))
	wantEmpty(t, open.Confirm(t, openCode), http.StatusAccepted)
	wantSettledAt(t, open, wanted(1))
	wantEmpty(t, untexted.Confirm(t, s.Provider.Nth(t, wanted(4), 1).Code), http.StatusAccepted)
	wantSettledAt(t, untexted, wanted(4))
	// The restored claim finds its number written already, and writes nothing.
	wantEmpty(t, ahead.Confirm(t, aheadCode), http.StatusAccepted)
	// What the dump does not know has to be asked for again; Kratos shows it as
	// pending still.
	wantHeld(t, lost, "+4915112345605", wanted(5))
	wantFault(t, lost.Confirm(t, lostCode), http.StatusBadRequest, "18001")
	lost.MustSave(t, harness.Profile{Name: "Lost", Mobile: wanted(5)})
	wantEmpty(t, lost.Confirm(t, s.Provider.Nth(t, wanted(5), 2).Code), http.StatusAccepted)
	for i, p := range everybody {
		wantSettledAt(t, p, wanted(i))
		if p != lost && p != untexted {
			wantTexts(t, s, wanted(i), 1)
		}
	}
	wantWrites(t, s, len(everybody))
	if n := fresh.Count(t, "claims", "state = 'applied'"); n != len(everybody) {
		t.Errorf("%d claims are applied, want %d", n, len(everybody))
	}
}

// A database that has the first migration only, and a claim in it whose code was
// texted: this release refuses to serve it, brings it up to date, and takes the
// code.
func TestAClaimOutlivesTheWayFromTheFirstMigration(t *testing.T) {
	t.Parallel()
	s := harness.NewStack(t, harness.Options{})
	bob := s.NewPerson(t, m0)
	code := bob.Ask(t, m1).Code
	s.Holdline.Stop(t)

	first := s.Database.Server.NewDatabase(t)
	migration, err := os.ReadFile("../persistence/migration/mysql/00001_claims.sql")
	if err != nil {
		t.Fatal(err)
	}
	run := func(statement string) { s.Database.Server.Exec(t, statement) }
	run(strings.Replace(string(migration), "claims (", first.Name+".claims (", 1))
	run("CREATE TABLE " + first.Name + ".schema_migrations LIKE " + s.Database.Name + ".schema_migrations")
	run("INSERT INTO " + first.Name + ".schema_migrations (version_id, is_applied) VALUES (0, TRUE), (1, TRUE)")
	columns := strings.Join(first.Columns(t, "claims"), ", ")
	run("INSERT INTO " + first.Name + ".claims (" + columns + ") SELECT " + columns + " FROM " + s.Database.Name + ".claims")

	if _, err := s.TryCommand("serve", "--database-dsn", first.DSN, "--database-auto-migrate=false"); err == nil || !strings.Contains(harness.Stderr(err), "holdline migrate up") {
		t.Errorf("an outdated schema is served: %v", err)
	}
	s.Command(t, "migrate", "up", "--database-dsn", first.DSN)
	if status := s.Command(t, "migrate", "status", "--database-dsn", first.DSN); strings.Contains(status, "pending") {
		t.Errorf("migrate status:\n%s", status)
	}
	s.Holdline.Reconfigure(t, harness.Overlay{"database": harness.Overlay{"dsn": first.DSN, "auto_migrate": false}})
	wantEmpty(t, bob.Confirm(t, code), http.StatusAccepted)
	wantSettled(t, s, bob, m1, 1)
	wantTexts(t, s, m1, 1)
}
