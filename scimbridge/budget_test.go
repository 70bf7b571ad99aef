package scimbridge_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/persistence/database/databasetest"
)

// cost is what a request is paid with: statements without BEGIN, commits, and calls to
// Kratos.
type cost struct{ statements, commits, calls int }

func (w *world) calls() int {
	w.kratos.mu.Lock()
	defer w.kratos.mu.Unlock()
	return w.kratos.reads + w.kratos.changes + w.kratos.made + len(w.kratos.ended)
}

// TestWhatRequestsCost holds the requests that provisioning clients repeat most to what
// they may cost.
func TestWhatRequestsCost(t *testing.T) {
	databasetest.OnEach(t, func(t databasetest.Kind) {
		w := newWorld(t.T, options{db: t.DB, everybody: true})
		const number = `"phoneNumbers": [{"type": "mobile", "value": "` + m0 + `"}], "externalId": "ext-ada"`
		ada := w.user("ada", number)
		w.kratos.verify(ada)
		w.as(okta, http.MethodPatch, "/Users/"+ada, ops(set("displayName", "Ada"))).want(http.StatusOK)
		bob := w.user("bob")
		lookup := func(filter string) string { return "/Users?" + url.Values{"filter": {filter}}.Encode() }
		held := ops(`{"op": "replace", "value": {"` + enterprise + `": {"verifyMobile": true}, "phoneNumbers[type eq \"mobile\"].value": "` + m1 + `"}}`)
		whole := func() string {
			return strings.Replace(w.as(okta, http.MethodGet, "/Users/"+ada, "").want(http.StatusOK).text, m1, m0, 1)
		}()
		statements := databasetest.Record(t.DB)
		measure := func(name string, most cost, do func()) {
			t.Helper()
			before := w.calls()
			statements.Take()
			do()
			got := cost{commits: statements.Commits(), calls: w.calls() - before}
			all := statements.Take()
			for _, statement := range all {
				if statement != "BEGIN" {
					got.statements++
				}
			}
			t.Logf("%-40s %+v", name, got)
			if got.statements > most.statements || got.commits > most.commits || got.calls > most.calls {
				t.Errorf("%s: %+v, may be %+v", name, got, most)
			}
			if testing.Verbose() {
				for _, s := range all {
					t.Logf("    %.150s", strings.Join(strings.Fields(s), " "))
				}
			}
		}
		ask := func(method, path, body string, want int) func() {
			return func() { w.as(okta, method, path, body).want(want) }
		}
		measure("GET a user", cost{1, 0, 1}, ask(http.MethodGet, "/Users/"+ada, "", 200))
		measure("userName eq", cost{1, 0, 1}, ask(http.MethodGet, lookup(`userName eq "ada@example.com"`), "", 200))
		measure("externalId eq", cost{1, 0, 1}, ask(http.MethodGet, lookup(`externalId eq "ext-ada"`), "", 200))
		measure("userName eq, nobody", cost{1, 0, 1}, ask(http.MethodGet, lookup(`userName eq "nobody@example.com"`), "", 200))
		measure("PATCH that changes nothing", cost{1, 0, 1}, ask(http.MethodPatch, "/Users/"+ada, ops(set("displayName", "Ada")), 200))
		measure("PATCH with the stored number", cost{1, 0, 1}, ask(http.MethodPatch, "/Users/"+ada, ops(set(`phoneNumbers[type eq "mobile"].value`, m0)), 200))
		measure("PUT that changes nothing", cost{1, 0, 1}, ask(http.MethodPut, "/Users/"+ada, whole, 200))
		measure("PATCH displayName", cost{6, 3, 2}, ask(http.MethodPatch, "/Users/"+ada, ops(set("displayName", "Ada L")), 200))
		measure("PATCH to a number that is held back", cost{9, 3, 2}, ask(http.MethodPatch, "/Users/"+ada, held, 200))
		measure("the same again", cost{2, 0, 1}, ask(http.MethodPatch, "/Users/"+ada, held, 200))
		measure("confirm", cost{6, 2, 2}, func() {
			code, err := w.codes.Code(w.texts[len(w.texts)-1].Code)
			if err != nil {
				t.Fatal(err)
			}
			if err = w.claims.Confirm(t.Context(), claim.Caller{IdentityID: ada, AuthenticatedAt: w.Now()}, code); err != nil {
				t.Fatal(err)
			}
		})
		measure("active: false", cost{6, 3, 3}, ask(http.MethodPatch, "/Users/"+ada, ops(`{"op": "replace", "path": "active", "value": false}`), 200))
		measure("active: false again", cost{1, 0, 2}, ask(http.MethodPatch, "/Users/"+ada, ops(`{"op": "replace", "path": "active", "value": false}`), 200))
		measure("POST", cost{8, 4, 1}, ask(http.MethodPost, "/Users", fmt.Sprintf(`{"userName": "eve@example.com", "externalId": "ext-eve", %s}`, mobile("+491712222222")), 201))
		measure("DELETE", cost{12, 5, 1}, ask(http.MethodDelete, "/Users/"+bob, "", 204))
	})
}
