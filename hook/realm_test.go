package hook_test

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/holdline/holdline/hook"
	"github.com/holdline/holdline/internal/claim"
)

func TestTheKeyTellsTheRealm(t *testing.T) {
	const bob = "8e2c9a3e-0000-4000-8000-000000000001"
	for hookKey, before := range map[string]string{key: "", previousKey: "", staffKey: "STAFF/"} {
		claims, changed := &rulings{answer: claim.Answer{Decision: claim.NoChange}}, ""
		handler := mounted(t, claims, slog.New(slog.DiscardHandler), func(_ context.Context, id string) error {
			changed = id
			return nil
		})
		post(t, handler, hook.StagePath, hookKey, read(t, "stage-request.json"))
		post(t, handler, hook.ActivatePath, hookKey, read(t, "activate-request.json"))
		post(t, handler, hook.ChangedPath, hookKey, `{"identity_id":"`+bob+`"}`)
		if len(claims.staged) != 1 || len(claims.stored) != 1 {
			t.Fatalf("%q: staged %v, stored %v", before, claims.staged, claims.stored)
		}
		staged, stored := claims.staged[0], claims.stored[0]
		for what, got := range map[string]string{"staged": staged.IdentityID, "stored": stored.IdentityID, "changed": changed} {
			if got != before+bob {
				t.Errorf("%s: identity %q, want %q", what, got, before+bob)
			}
		}
		if want := before + "default"; staged.SchemaID != want {
			t.Errorf("schema %q, want %q", staged.SchemaID, want)
		}
	}
}

// The Kratos of the primary realm cannot speak of another realm's people.
func TestAnIdentityThatNamesARealmIsRefused(t *testing.T) {
	claims := &rulings{answer: claim.Answer{Decision: claim.NoChange}}
	foreign := strings.NewReplacer("8e2c9a3e-0000-4000-8000-000000000001", "STAFF/8e2c9a3e-0000-4000-8000-000000000001")
	for _, call := range []struct{ path, body string }{
		{hook.StagePath, read(t, "stage-request.json")},
		{hook.ActivatePath, read(t, "activate-request.json")},
		{hook.ChangedPath, `{"identity_id":"8e2c9a3e-0000-4000-8000-000000000001"}`},
	} {
		if got := post(t, serve(t, claims), call.path, key, foreign.Replace(call.body)); got.Code != http.StatusBadRequest {
			t.Errorf("%s: %d %s", call.path, got.Code, got.Body)
		}
	}
	if len(claims.staged)+len(claims.stored) > 0 {
		t.Errorf("staged %v, stored %v", claims.staged, claims.stored)
	}
}
