package adminapi_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/phone"
)

func TestOnlyATokenForClaimsOpensTheAPI(t *testing.T) {
	w := newWorld(t)
	w.open("one", noon)
	for _, route := range w.engine.Routes() {
		path := strings.NewReplacer(":id", "one", ":key", "enable_verification").Replace(route.Path)
		w.ask(route.Method, path, `{"enable_verification": false}`, "okta").want(http.StatusForbidden, "HLD-40302")
		w.ask(route.Method, path, `{"enable_verification": false}`, "none").want(http.StatusUnauthorized, "HLD-40103")
		w.ask(route.Method, path, `{"enable_verification": false}`, "").want(http.StatusUnauthorized, "HLD-40101")
	}
	if !w.switches.Policy().Enabled || len(w.store.Events()) != 1 {
		t.Errorf("something was done: %+v", w.store.Events())
	}
}

func TestClaimsArePagedNewestFirst(t *testing.T) {
	w := newWorld(t)
	for i := range 5 {
		c := claim.Claim{
			ID: fmt.Sprint("claim-", i), IdentityID: bob, Number: phone.FromStore(first), State: claim.Applied,
			CreatedAt: noon.Add(time.Duration(i/2) * time.Second),
		}
		if err := w.store.Commit(t.Context(), claim.Change{Create: &c, At: noon}); err != nil {
			t.Fatal(err)
		}
	}
	var seen []string
	cursor := ""
	for {
		items, next := w.ask(http.MethodGet, "/admin/claims?limit=2&cursor="+cursor, "").page()
		for _, item := range items {
			seen = append(seen, item["id"].(string))
			if item["mobile_number"] != "+49********11" {
				t.Errorf("shown as %v", item["mobile_number"])
			}
		}
		if cursor = next; cursor == "" {
			break
		}
	}
	if got := strings.Join(seen, " "); got != "claim-4 claim-3 claim-2 claim-1 claim-0" {
		t.Errorf("got %s", got)
	}
}

func TestClaimsAreFoundByNumberWithoutNamingItInAnAddress(t *testing.T) {
	w := newWorld(t)
	w.open("one", noon)
	for body, want := range map[string]int{
		`{"mobile_number": "+49 171 1111111"}`: 1, `{"mobile_number": "+49********11"}`: 1,
		`{"mobile_number": "+491711111112"}`: 0, `{"state": "open", "identity_id": "` + bob + `"}`: 1, `{"state": "locked"}`: 0,
	} {
		if items, _ := w.ask(http.MethodPost, "/admin/claims/search", body).page(); len(items) != want {
			t.Errorf("%s finds %v", body, items)
		}
	}
	if items, _ := w.ask(http.MethodGet, "/admin/claims?mobile_number=%2B491711111112", "").page(); len(items) != 1 {
		t.Errorf("the number in the address was looked at: %v", items)
	}
	w.ask(http.MethodPost, "/admin/claims/search", `{"mobile_number": "call me"}`).want(http.StatusBadRequest, "HLD-40002")
	for _, query := range []string{"state=gone", "limit=0", "limit=501", "limit=x", "cursor=%21", "cursor=bm9wZQ"} {
		w.ask(http.MethodGet, "/admin/claims?"+query, "").want(http.StatusBadRequest, "HLD-40001")
	}
}

func TestAClaimShowsItsHistory(t *testing.T) {
	w := newWorld(t)
	w.open("one", noon)
	w.now = noon.Add(time.Minute)
	w.ask(http.MethodPost, "/admin/claims/one/resend", "").want(http.StatusNoContent)
	got := w.ask(http.MethodGet, "/admin/claims/one", "").want(http.StatusOK,
		`"state":"open"`, `"kind":"open"`, `"kind":"resent"`, `"actor_kind":"administrator"`, `"actor_id":"desk"`, `"messages":[{"id":"text-1"`)
	if strings.Contains(got.body, "1711111111") || strings.Contains(got.body, "1710000000") {
		t.Errorf("a number is shown: %s", got.body)
	}
	if len(w.sent) != 1 || w.sent[0].To.Unmasked() != first {
		t.Errorf("sent %v", w.sent)
	}
	w.ask(http.MethodGet, "/admin/claims/two", "").want(http.StatusNotFound, "HLD-40404")
}

func TestActsOnClaims(t *testing.T) {
	w := newWorld(t)
	w.open("one", noon)
	w.ask(http.MethodPost, "/admin/claims/one/resend", "").want(http.StatusTooManyRequests, "HLD-42901")
	w.ask(http.MethodPost, "/admin/claims/one/reveal", "").want(http.StatusOK, `"mobile_number":"`+first+`"`, `"former_mobile_number":"+491710000000"`)
	w.ask(http.MethodDelete, "/admin/claims/one", "").want(http.StatusNoContent)
	for _, act := range []struct{ method, path string }{
		{http.MethodDelete, "/admin/claims/one"}, {http.MethodPost, "/admin/claims/one/resend"},
	} {
		w.ask(act.method, act.path, "").want(http.StatusNotFound, "HLD-40401")
		w.ask(act.method, strings.Replace(act.path, "one", "two", 1), "").want(http.StatusNotFound, "HLD-40404")
	}
	var kinds []string
	for _, e := range w.store.Events() {
		kinds = append(kinds, e.Kind+" by "+string(e.Actor.Kind))
	}
	if got := strings.Join(kinds, ", "); got != "open by owner, number_shown by administrator, cancelled by administrator" {
		t.Errorf("the audit trail: %s", got)
	}
}

func TestAuditAndTextsAreListed(t *testing.T) {
	w := newWorld(t)
	w.open("one", noon)
	w.now = noon.Add(time.Minute)
	w.ask(http.MethodPost, "/admin/claims/one/resend", "").want(http.StatusNoContent)
	items, next := w.ask(http.MethodGet, "/admin/audit?limit=1", "").page()
	if len(items) != 1 || items[0]["kind"] != "resent" || next == "" {
		t.Fatalf("got %v, next %q", items, next)
	}
	if items, next = w.ask(http.MethodGet, "/admin/audit?limit=1&cursor="+next, "").page(); len(items) != 1 || items[0]["kind"] != "open" || next != "" {
		t.Errorf("got %v, next %q", items, next)
	}
	for query, want := range map[string]int{"kind=open": 1, "claim_id=one": 2, "claim_id=two": 0, "identity_id=" + bob: 2} {
		if items, _ := w.ask(http.MethodGet, "/admin/audit?"+query, "").page(); len(items) != want {
			t.Errorf("%s: %v", query, items)
		}
	}
	if items, _ := w.ask(http.MethodGet, "/admin/texts?state=queued", "").page(); len(items) != 1 || items[0]["claim_id"] != "one" {
		t.Errorf("texts: %v", items)
	}
	for _, path := range []string{"audit?cursor=-1", "audit?cursor=x", "audit?limit=0", "texts?state=lost", "texts?cursor=x", "traffic?hours=0", "traffic?hours=x"} {
		w.ask(http.MethodGet, "/admin/"+path, "").want(http.StatusBadRequest, "HLD-40001")
	}
	if items, _ := w.ask(http.MethodGet, "/admin/traffic", "").page(); len(items) != 1 || items[0]["texts"] != 1.0 {
		t.Errorf("traffic: %v", items)
	}
}
