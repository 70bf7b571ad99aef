package e2e_test

import (
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/holdline/holdline/e2e/harness"
)

// stall is a store that does not answer.
type stall struct {
	options func(*testing.T) harness.Options
	begin   func(*testing.T, *harness.Stack) (end func())
}

func stalls() map[string]stall {
	mariadb := func(t *testing.T) harness.Options {
		t.Helper()
		return harness.Options{Server: harness.OwnServer(t)}
	}
	return map[string]stall{
		"an SQLite file that another process holds": {
			func(t *testing.T) harness.Options {
				t.Helper()
				file := filepath.Join(t.TempDir(), "holdline.db")
				return harness.Options{Holdline: harness.Overlay{"database": harness.Overlay{"dsn": "sqlite://" + file}}}
			},
			func(t *testing.T, s *harness.Stack) func() {
				t.Helper()
				return harness.LockSQLite(t, strings.TrimPrefix(s.Holdline.DSN(), "sqlite://"))
			},
		},
		"rows that somebody holds": {mariadb, func(t *testing.T, s *harness.Stack) func() {
			t.Helper()
			return s.Database.LockRows(t, "claims", "texts", "identity_leases", "limits", "settings", "audit_events", "scim_users")
		}},
		"tables that somebody holds": {mariadb, func(t *testing.T, s *harness.Stack) func() {
			t.Helper()
			return s.Database.LockTables(t, s.Database.Tables(t)...)
		}},
		"a server that says nothing": {mariadb, func(t *testing.T, s *harness.Stack) func() {
			t.Helper()
			return s.Database.Server.Freeze(t)
		}},
	}
}

// A store that stalls ends in an answer on every route: 503 with Retry-After, or
// whatever the route knows without the store; never a closed connection, which is what
// the listeners make of a request that takes 30 seconds. Callers ask
// all at once, more of them than there are connections. When the store is back, the
// code that was typed meanwhile is as good as before, and the workers work.
func TestAStoreThatStallsIsAnsweredOnEveryRoute(t *testing.T) {
	t.Parallel()
	for name, tt := range stalls() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := harness.NewStack(t, tt.options(t))
			client, desk := s.Token(t, "--privileged"), s.Token(t, "--scope", "claims:manage")
			bob, carol, dave, other := s.NewPerson(t, m0), s.NewPerson(t, m2), s.NewPerson(t, m4), s.NewPerson(t, "+4915112345676")
			code, carols := bob.Ask(t, m1).Code, carol.Ask(t, m3).Code
			bearer := harness.ByClient(client)
			user := func(name string) string {
				return fmt.Sprintf(`{"schemas":[%q],"userName":"%s@example.com","emails":[{"value":"%[2]s@example.com"}]}`, harness.UserSchema, name)
			}
			rename := fmt.Sprintf(`{"schemas":[%q],"Operations":[{"op":"replace","path":"displayName","value":"New"}]}`, harness.PatchOpSchema)

			public, admin := s.Holdline.PublicURL, s.Holdline.AdminURL
			me, scim := public+harness.UserAPI+"/me/", public+harness.SCIM
			type request struct {
				method, url, body string
				header            harness.Header
			}
			json := func(more harness.Header) harness.Header {
				return append(harness.Header{"Content-Type", "application/json"}, more...)
			}
			scimJSON := func(more harness.Header) harness.Header {
				return append(harness.Header{"Content-Type", "application/scim+json"}, more...)
			}
			requests := map[string]request{
				"validate-code":             {"POST", me + "validate-code", `{"code":"` + code + `"}`, json(bob.ByToken())},
				"validate-code, wrong":      {"POST", me + "validate-code", `{"code":"` + harness.WrongCode(carols, 0) + `"}`, json(carol.ByToken())},
				"resend-code":               {"POST", me + "resend-code", harness.Scenario, json(carol.ByToken())},
				"resend-code, privileged":   {"POST", public + harness.UserAPI + "/resend-code", `{"user":{"username":"` + carol.Email + `"},"properties":[{"key":"RecoveryScenario","value":"MOBILE_VERIFICATION_ON_UPDATE"}]}`, json(bearer)},
				"mobile-claim":              {"GET", me + "mobile-claim", "", json(bob.ByToken())},
				"mobile-claim, cancelled":   {"DELETE", me + "mobile-claim", "", json(dave.ByToken())},
				"page":                      {"GET", public + "/verify", "", bob.ByCookie(t)},
				"SCIM list":                 {"GET", scim + "/Users", "", scimJSON(bearer)},
				"SCIM search":               {"POST", scim + "/.search", `{"filter":"displayName eq \"x\""}`, scimJSON(bearer)},
				"SCIM get":                  {"GET", scim + "/Users/" + other.ID, "", scimJSON(bearer)},
				"SCIM Me":                   {"GET", scim + "/Me", "", scimJSON(other.ByToken())},
				"SCIM post":                 {"POST", scim + "/Users", user("made"), scimJSON(bearer)},
				"SCIM put":                  {"PUT", scim + "/Users/" + other.ID, user("put"), scimJSON(bearer)},
				"SCIM patch":                {"PATCH", scim + "/Users/" + other.ID, rename, scimJSON(bearer)},
				"SCIM patch by an owner":    {"PATCH", scim + "/Me", rename, scimJSON(dave.ByToken())},
				"SCIM delete":               {"DELETE", scim + "/Users/" + other.ID, "", scimJSON(bearer)},
				"SCIM bulk":                 {"POST", scim + "/Bulk", bulkOf(other.ID, rename, 20), scimJSON(bearer)},
				"admin claims":              {"GET", admin + "/admin/claims", "", json(harness.ByClient(desk))},
				"admin texts":               {"GET", admin + "/admin/texts", "", json(harness.ByClient(desk))},
				"admin audit":               {"GET", admin + "/admin/audit", "", json(harness.ByClient(desk))},
				"admin traffic":             {"GET", admin + "/admin/traffic", "", json(harness.ByClient(desk))},
				"admin settings":            {"GET", admin + "/admin/settings", "", json(harness.ByClient(desk))},
				"admin settings, changed":   {"PATCH", admin + "/admin/settings", `{"identity_mgt.user_claim_update.mobile.verification_sms_otp_validity":"6m"}`, json(harness.ByClient(desk))},
				"console":                   {"GET", admin + "/console/", "", harness.Header{"Cookie", "holdline_console=made-up"}},
				"stage hook":                {"POST", admin + "/hooks/settings/stage", hookBody(other.ID, "f-stall"), json(harness.Header{"X-Hook-Key", harness.HookKey})},
				"activate hook":             {"POST", admin + "/hooks/settings/activate", hookBody(other.ID, "f-stall"), json(harness.Header{"X-Hook-Key", harness.HookKey})},
				"changed hook":              {"POST", admin + "/hooks/identity/changed", `{"identity_id":"` + other.ID + `"}`, json(harness.Header{"X-Hook-Key", harness.HookKey})},
				"public health":             {"GET", public + "/health/ready", "", nil},
				"admin health":              {"GET", admin + "/health/ready", "", nil},
				"metrics":                   {"GET", admin + "/metrics", "", nil},
				"a token that nobody knows": {"GET", scim + "/Users", "", scimJSON(harness.ByClient("hlt_made-up"))},
			}
			for i := range 40 { // more than the pool has connections
				requests[fmt.Sprintf("another %d", i)] = request{"GET", me + "mobile-claim", "", json(dave.ByToken())}
			}

			end := tt.begin(t, s)
			began := time.Now()
			var wait sync.WaitGroup
			for name, r := range requests {
				wait.Go(func() {
					got, err := harness.TrySend(r.method, r.url, r.body, r.header)
					switch {
					case err != nil:
						t.Errorf("%s: no answer after %s: %v", name, time.Since(began), err)
					case got.Status == http.StatusServiceUnavailable && got.Header.Get("Retry-After") == "":
						t.Errorf("%s: 503 without Retry-After: %s", name, got.Body)
					case got.Status >= 500 && got.Status != http.StatusServiceUnavailable:
						t.Errorf("%s: got %d: %s", name, got.Status, got.Body)
					case name == "stage hook" && got.Status != http.StatusBadRequest:
						t.Errorf("%s: got %d, want a refusal that Kratos understands: %s", name, got.Status, got.Body)
					case strings.Contains(name, "validate-code") && got.Status != http.StatusServiceUnavailable:
						t.Errorf("%s: got %d, want 503: %s", name, got.Status, got.Body)
					}
				})
			}
			wait.Wait()
			end()
			harness.Eventually(t, "ready again", func() error {
				if got := harness.Send(t, http.MethodGet, public+"/health/ready", ""); got.Status != http.StatusOK {
					return errNotYetWith(got.Status)
				}
				return nil
			})
			wantHeld(t, bob, m0, m1)
			wantEmpty(t, bob.Confirm(t, code), http.StatusAccepted)
			wantMade(t, bob, m1)
			// A worker sends what is asked for now.
			text := dave.Ask(t, m5)
			wantEmpty(t, dave.Confirm(t, text.Code), http.StatusAccepted)
		})
	}
}

func bulkOf(id, patch string, n int) string {
	operation := fmt.Sprintf(`{"method":"PATCH","path":"/Users/%s","data":%s}`, id, patch)
	return `{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],"Operations":[` + operation + strings.Repeat(","+operation, n-1) + `]}`
}

func hookBody(id, flow string) string {
	return fmt.Sprintf(`{"identity_id":%q,"flow_id":%q,"schema_id":"verified","old_mobile":"+4915112345676","new_mobile":"+4915112345677","pending_mobile":null,`+
		`"traits":{"email":"x@example.com","mobile":"+4915112345677"},"metadata_public":{},"verifiable_addresses":[]}`, id, flow)
}
