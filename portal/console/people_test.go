package console_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/holdline/holdline/internal/audit"
	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/people"
	"github.com/holdline/holdline/internal/phone"
)

const bob = "4d1cf3a0-5c1e-4a53-9f3a-3c40c5d7b001"

// indexed has the console know bob, and the index as well.
func (w *world) indexed() {
	w.t.Helper()
	w.directory.Put(people.Profile{
		Identity: claim.Identity{ID: bob, Mobile: before, Verified: true, Pending: wanted}, Name: "Bob Meier", Names: []string{"Bob", "Meier"},
		Emails: []string{"bob@example.com"}, UserNames: []string{"bmeier"}, Active: true,
	})
	keys, err := people.NewKeys([]string{"a secret"})
	if err != nil {
		w.t.Fatal(err)
	}
	w.pass(time.Minute)
	indexer := people.Indexer{Index: w.index, Claims: w.store, Directory: w.directory, Keys: keys, Leases: w.store, Owner: "here", Now: w.Now}
	if err := indexer.Once(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

func TestAPersonIsFoundByWhatTheySay(t *testing.T) {
	w := newWorld(t)
	w.claim(nil)
	w.claim(func(c *claim.Claim) { c.IdentityID, c.Number = "EU/bob", phone.FromStore("+33612345678") })
	w.indexed()
	b := w.administrator()
	says(t, b.get("/console/people"), http.StatusOK, `name="who"`, `aria-current="page"`)
	for typed, found := range map[string]bool{
		"bob@example.com": true, "BMEIER": true, "meier": true, "bob mei": true, "0171 1111111": true, "1111 111": true, bob: true,
		"+49********11": true, "meyer": false, "987654": false,
	} {
		got := b.post("/console/people", url.Values{"who": {typed}})
		words := []string{"Nobody fits."}
		if found {
			words = []string{"Bob Meier", "bob@example.com", "+49********00", "verified", "/console/person?id=" + bob}
		}
		says(t, got, http.StatusOK, words...)
		if strings.Contains(got.Body.String(), "EU/bob") || strings.Contains(strings.ReplaceAll(got.Body.String(), typed, ""), wanted) {
			t.Errorf("%q: got %s", typed, visible(got.Body.String()))
		}
	}
	says(t, b.post("/console/people", url.Values{"who": {"12"}}), http.StatusBadRequest, "Enter at least four digits", `value="12"`, `aria-invalid="true"`)
	w.directory.Fail(claim.ErrIdentitiesUnavailable)
	says(t, b.post("/console/people", url.Values{"who": {"meier"}}), http.StatusOK, "Kratos does not answer", "/console/person?id="+bob)
}

func TestAPersonsPageTellsAllThatHappened(t *testing.T) {
	w := newWorld(t)
	old := w.claim(func(c *claim.Claim) { c.State, c.EndedAt = claim.Locked, w.Now() })
	w.pass(time.Minute)
	open := w.claim(nil)
	owner := audit.Actor{Kind: audit.Owner, ID: bob, ClientIP: "203.0.113.77"}
	for i := range 3 {
		at := w.Now().Add(time.Duration(i) * time.Second)
		if err := w.store.Commit(t.Context(), claim.Change{Events: []audit.Event{claim.NewEvent(old, claim.WrongCode, owner, at)}, At: at}); err != nil {
			t.Fatal(err)
		}
	}
	w.indexed()
	b := w.administrator()
	got := b.get("/console/person?id=" + bob)
	says(t, got, http.StatusOK, "Bob Meier", "bob@example.com", "bmeier", "+49********00", ", verified", "Waits for its code",
		"/console/claims/"+old.ID, "/console/claims/"+open.ID, `aria-current="true">People`)
	words := visible(got.Body.String())
	if n := strings.Count(words, "Wrong code +49********11 by owner from 203.0.113.77"); n != 3 {
		t.Errorf("got %d wrong codes: %s", n, words)
	}
	if strings.Contains(words, wanted) || strings.Contains(words, before) {
		t.Error("the page has a full number")
	}
	w.directory.Fail(fmt.Errorf("%w: away", claim.ErrIdentitiesUnavailable))
	says(t, b.get("/console/person?id="+bob), http.StatusOK, "Kratos does not answer", "Wrong code")
	w.directory.Fail(nil)
	w.directory.Remove(bob)
	says(t, b.get("/console/person?id="+bob), http.StatusOK, "Kratos no longer has this account", "Wrong code")
	says(t, b.get("/console/person?id=nobody"), http.StatusNotFound, "There is no such person")
	if got := b.get("/console/person"); got.Code != http.StatusFound {
		t.Errorf("got %d", got.Code)
	}
}
