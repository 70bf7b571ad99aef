package e2e_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/holdline/holdline/e2e/harness"
)

// Holdline may start long before Kratos does, with an index that is empty. Until it has
// seen everybody it says so, on every replica, and never that there is nobody. Then the
// list is right within seconds, whoever died meanwhile.
func TestTheIndexComesUpWithKratos(t *testing.T) {
	t.Parallel()
	s := harness.NewStack(t, harness.Options{Realms: []string{"STAFF"}})
	const token = "hlt_of-a-test-that-needs-one-in-the-configuration"
	digest, client := sha256.Sum256([]byte(token)), harness.ByClient(token)
	var people []*harness.Person
	for i := range 5 {
		people = append(people, s.NewPerson(t, fmt.Sprintf("+491511234568%d", i)))
	}
	s.Kratos.Kill()
	over := harness.Overlay{
		"database": harness.Overlay{"dsn": s.Database.Server.NewDatabase(t).DSN, "auto_migrate": true},
		"tokens":   []harness.Overlay{{"name": "test", "sha256": hex.EncodeToString(digest[:]), "scopes": []string{"scim:read"}}},
	}

	list := func(h *harness.Holdline, query string) harness.Answer {
		got, err := harness.TrySCIMAt(h, http.MethodGet, "/Users"+query, "", client)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	wantBuilding := func(h *harness.Holdline) {
		t.Helper()
		for _, query := range []string{"", "?count=0", "?filter=active+eq+true", "?filter=userName+eq+%22" + people[0].Email + "%22"} {
			if got := list(h, query); got.Status != http.StatusServiceUnavailable || got.Header.Get("Retry-After") == "" {
				t.Errorf("%q: got %d %v %s, want 503 with Retry-After", query, got.Status, got.Header, got.Body)
			}
		}
		ready := harness.Send(t, http.MethodGet, h.PublicURL+"/health/ready", "")
		if ready.Status != http.StatusOK || !strings.Contains(ready.Body, `"index":"building"`) {
			t.Errorf("ready: got %d %s", ready.Status, ready.Body)
		}
	}
	one := s.ReplicaOf(t, "", over)
	wantBuilding(one)

	// The one whose turn it is dies in the middle of its pass.
	reading, dead := make(chan struct{}), make(chan struct{})
	s.KratosAdmin.On(harness.Rule{
		Method: http.MethodGet, Path: "/admin/identities", Times: 1, Drop: true, Before: func() { close(reading); <-dead },
	})
	s.Kratos.Start(t)
	select {
	case <-reading:
	case <-time.After(harness.Patience):
		close(dead)
		t.Fatal("Kratos is not read again")
	}
	one.Kill()
	close(dead)
	two := s.ReplicaOf(t, "", over)
	harness.Eventually(t, "the other replica has seen everybody", func() error {
		if got := list(two, "?count=0"); got.Status != http.StatusOK {
			return errNotYetWith(got.Body)
		}
		return nil
	})
	one.Start(t)
	for _, h := range []*harness.Holdline{one, two} {
		if got := list(h, ""); got.Status != http.StatusOK || !strings.Contains(got.Body, fmt.Sprintf(`"totalResults":%d,`, len(people))) {
			t.Errorf("got %d %s, want %d users", got.Status, got.Body, len(people))
		}
		if ready := harness.Send(t, http.MethodGet, h.PublicURL+"/health/ready", ""); strings.TrimSpace(ready.Body) != `{"status":"ok"}` {
			t.Errorf("ready: got %s", ready.Body)
		}
	}
}
