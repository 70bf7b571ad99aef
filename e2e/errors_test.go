package e2e_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/holdline/holdline/e2e/harness"
)

// once sends a request that is not to be sent again.
func once(t *testing.T, method, url, body string, headers ...harness.Header) harness.Answer {
	t.Helper()
	answer, err := harness.TrySend(method, url, body, headers...)
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

// What a database refuses until an operator does something is no outage: it is answered
// in the form of each route, not to be tried again, the log says what to do, and the
// replica is not ready. Once that is done everything goes on.
func TestADatabaseThatLacksSomethingSaysSoOnEverySurface(t *testing.T) {
	t.Parallel()
	tables := []string{"claims", "scim_users", "scim_counts", "admin_sessions"}
	for name, tt := range map[string]struct {
		damage, mend func(*testing.T, harness.Database)
		remedy       string
	}{
		"tables": {
			func(t *testing.T, d harness.Database) {
				t.Helper()
				for _, table := range tables {
					d.Rename(t, table, table+"_away")
				}
			},
			func(t *testing.T, d harness.Database) {
				t.Helper()
				for _, table := range tables {
					d.Rename(t, table+"_away", table)
				}
			},
			"run `holdline migrate up`",
		},
		"a right": {
			func(t *testing.T, d harness.Database) { t.Helper(); d.Forbid(t) },
			func(t *testing.T, d harness.Database) { t.Helper(); d.Allow(t) },
			"grant the user of database.dsn SELECT, INSERT, UPDATE and DELETE on the database",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := harness.NewStack(t, harness.Options{})
			client, desk := harness.ByClient(s.Token(t, "--privileged")), harness.ByClient(s.Token(t, "--scope", "claims:manage"))
			bob, other := s.NewPerson(t, m0), s.NewPerson(t, m2)
			text := bob.Ask(t, m1)
			public, admin := s.Holdline.PublicURL, s.Holdline.AdminURL
			tt.damage(t, s.Database)

			answers := map[string]harness.Answer{
				"user API": bob.Confirm(t, text.Code),
				"SCIM":     once(t, http.MethodGet, public+harness.SCIM+"/Users", "", client),
				"admin":    once(t, http.MethodGet, admin+"/admin/claims", "", desk),
				"page":     once(t, http.MethodGet, public+"/verify", "", bob.ByCookie(t)),
				"console":  once(t, http.MethodGet, admin+"/console/claims", "", harness.Header{"Cookie", "holdline_console=made-up"}),
			}
			for surface, got := range answers {
				if got.Status != http.StatusInternalServerError || got.Header.Get("Retry-After") != "" {
					t.Errorf("%s: got %d, Retry-After %q: %s", surface, got.Status, got.Header.Get("Retry-After"), got.Body)
				}
			}
			for _, surface := range []string{"user API", "admin"} {
				wantFault(t, answers[surface], http.StatusInternalServerError, "HLD-50002")
			}
			var refused struct{ Status string }
			if err := json.Unmarshal([]byte(answers["SCIM"].Body), &refused); err != nil || refused.Status != "500" {
				t.Errorf("SCIM: %s, %v", answers["SCIM"].Body, err)
			}
			hook := once(t, http.MethodPost, admin+"/hooks/settings/stage", hookBody(other.ID, "f-lacks"),
				harness.Header{"Content-Type", "application/json", "X-Hook-Key", harness.HookKey})
			if hook.Status != http.StatusBadRequest || !strings.Contains(hook.Body, "HLD-50002") {
				t.Errorf("hook: got %d, want a refusal that Kratos understands: %s", hook.Status, hook.Body)
			}
			for _, listener := range []string{public, admin} {
				wantFault(t, once(t, http.MethodGet, listener+"/health/ready", ""), http.StatusServiceUnavailable, "HLD-50300")
			}
			if !strings.Contains(s.Holdline.Output.String(), tt.remedy) {
				t.Errorf("the log does not say: %s", tt.remedy)
			}

			tt.mend(t, s.Database)
			wantHeld(t, bob, m0, m1)
			wantEmpty(t, bob.Confirm(t, text.Code), http.StatusAccepted)
			wantMade(t, bob, m1)
		})
	}
}

// A server that takes no writes may be one that another has just taken over from: that
// is to be tried again.
func TestADatabaseThatTakesNoWritesIsTriedAgain(t *testing.T) {
	t.Parallel()
	server := harness.OwnServer(t)
	s := harness.NewStack(t, harness.Options{Server: server})
	bob := s.NewPerson(t, m0)
	text := bob.Ask(t, m1)
	server.ReadOnly(t, true)
	refused, err := bob.TryConfirm(text.Code)
	if err != nil {
		t.Fatal(err)
	}
	wantFault(t, refused, http.StatusServiceUnavailable, "HLD-50301")
	if refused.Header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	wantFault(t, once(t, http.MethodGet, s.Holdline.PublicURL+"/health/ready", ""), http.StatusServiceUnavailable, "HLD-50300")
	if !strings.Contains(s.Holdline.Output.String(), "database.dsn must name one that takes writes") {
		t.Error("the log does not say what to do")
	}
	server.ReadOnly(t, false)
	wantEmpty(t, bob.Confirm(t, text.Code), http.StatusAccepted)
	wantMade(t, bob, m1)
}
