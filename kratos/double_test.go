package kratos_test

import (
	"errors"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/holdline/holdline/internal/auth"
	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/kratostest"
	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/kratos"
)

// The double that stands in for Kratos, where that is too slow, is to Holdline what Kratos
// is: sessions show the identity, everybody is listed, and what is written is kept.
func TestTheDoubleIsAKratos(t *testing.T) {
	const (
		anna    = "8e2c9a3e-0000-4000-8000-000000000001"
		nobody  = "8e2c9a3e-0000-4000-8000-000000000002"
		was, to = "+4915112345670", "+4915112345671"
	)
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	double := kratostest.NewDouble(func() time.Time { return now })
	double.Store(kratostest.Identity{
		ID: anna, SchemaID: "default", State: "active", Traits: map[string]any{"username": "Anna", "mobile": was},
		Addresses: []kratostest.Address{{Value: was, Via: "sms", Status: "completed", Verified: true}},
	})
	server := httptest.NewServer(double)
	t.Cleanup(server.Close)
	d, err := kratos.New(kratos.Options{
		PublicURL: server.URL, AdminURL: server.URL, MobileTrait: "mobile", PendingKey: "pendingMobileNumber",
		Plan: phone.Parser{Format: phone.FormatE164}, Timeout: 30 * time.Second, Now: func() time.Time { return now },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)

	got, err := d.Session(t.Context(), "", "anna")
	if err != nil {
		t.Fatal(err)
	}
	got.Factors = nil // asks, and is asked nothing here
	want := claim.Caller{
		IdentityID: anna, SessionID: anna, AuthenticatedAt: now, Assurance: claim.AAL1,
		Seen: &claim.Identity{ID: anna, Mobile: was, Verified: true},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if _, err := d.Session(t.Context(), "", "another"); !errors.Is(err, auth.ErrNoSession) {
		t.Errorf("another token: got %v, want %v", err, auth.ErrNoSession)
	}
	if page, next, err := d.Page(t.Context(), "", 100); err != nil || next != "" || len(page) != 1 || page[0].ID != anna {
		t.Errorf("everybody: got %+v, next %q, %v", page, next, err)
	}
	if found, err := d.FindByIdentifier(t.Context(), "ANNA"); err != nil || found.ID != anna {
		t.Errorf("by name: got %+v, %v", found, err)
	}
	if err := d.ShowPending(t.Context(), anna, phone.FromStore(to)); err != nil {
		t.Fatal(err)
	}
	if stored, _ := double.Identity(anna); stored.Pending() != to {
		t.Errorf("pending: got %+v", stored)
	}
	if err := d.ApplyNumber(t.Context(), anna, phone.FromStore(to), true); err != nil {
		t.Fatal(err)
	}
	stored, _ := double.Identity(anna)
	if mobile, verified := stored.Mobile(); mobile != to || !verified || stored.Pending() != "" || len(stored.Addresses) != 1 {
		t.Errorf("written: got %+v", stored)
	}
	if err := d.ApplyNumber(t.Context(), nobody, phone.FromStore(to), true); !errors.Is(err, claim.ErrNoIdentity) {
		t.Errorf("nobody: got %v, want %v", err, claim.ErrNoIdentity)
	}
	if err := d.Prefetch(t.Context()); err != nil {
		t.Error(err)
	}
	if is, err := d.CodeIdentifier(t.Context(), "default"); err != nil || is {
		t.Errorf("the number is an identifier: %v, %v", is, err)
	}
	double.Remove(anna)
	if _, err := d.Identity(t.Context(), anna); !errors.Is(err, claim.ErrNoIdentity) {
		t.Errorf("removed: got %v, want %v", err, claim.ErrNoIdentity)
	}
}
