package double_test

import (
	"errors"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/holdline/holdline/bench/double"
	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/internal/scim"
	"github.com/holdline/holdline/internal/scim/mapping"
	"github.com/holdline/holdline/kratos"
)

const members = 1000

// openFakeKratos returns Holdline's own view of one.
func openFakeKratos(t *testing.T) (*double.FakeKratos, *kratos.Client) {
	t.Helper()
	fake := double.NewFakeKratos(members)
	server := httptest.NewServer(fake)
	t.Cleanup(server.Close)
	d, err := kratos.New(kratos.Options{
		PublicURL: server.URL, AdminURL: server.URL, MobileTrait: "mobile", PendingKey: "pendingMobileNumber",
		Plan: phone.Parser{Format: phone.FormatE164}, Timeout: 30 * time.Second,
		Now: func() time.Time { return signedIn },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	return fake, d
}

func TestMembersAreMadeFromNumbers(t *testing.T) {
	_, d := openFakeKratos(t)
	for _, i := range []int{0, 7, members - 1} {
		byID, err := d.Record(t.Context(), double.MemberID(i))
		if err != nil || byID.Traits["username"] != double.Username(i) || len(byID.Addresses) != 2 {
			t.Errorf("%d by id: got %+v, %v", i, byID, err)
		}
		byName, err := d.FindByIdentifier(t.Context(), " "+double.Username(i))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(byID, byName); diff != "" {
			t.Errorf("%d by name: %s", i, diff)
		}
	}
	for _, id := range []string{double.MemberID(members), "00000001-0000-4000-8000-000000000007"} {
		if _, err := d.Record(t.Context(), id); !errors.Is(err, claim.ErrNoIdentity) {
			t.Errorf("%s: got %v, want %v", id, err, claim.ErrNoIdentity)
		}
	}
	for _, name := range []string{double.Username(members), "user007", "user-1", "user+1", "nobody"} {
		if _, err := d.FindByIdentifier(t.Context(), name); !errors.Is(err, claim.ErrNoIdentity) {
			t.Errorf("%s: got %v, want %v", name, err, claim.ErrNoIdentity)
		}
	}
}

func TestMembersKeepChanges(t *testing.T) {
	fake, d := openFakeKratos(t)
	id := double.MemberID(7)
	changed, err := d.Change(t.Context(), id, []scim.Operation{
		{Op: scim.Add, Path: "/traits/display_name", Value: "Anna"},
		{Op: scim.Replace, Path: "/traits/name/first", Value: "Anna"},
		{Op: scim.Add, Path: "/metadata_admin/scim/title", Value: "Dr."},
		{Op: scim.Remove, Path: "/metadata_admin/scim_external_ids/" + double.Client},
	})
	if err != nil {
		t.Fatal(err)
	}
	again, err := d.Record(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(changed, again); diff != "" {
		t.Error(diff)
	}
	if neighbour, err := d.Record(t.Context(), double.MemberID(8)); err != nil || neighbour.Traits["display_name"] == "Anna" || fake.Changed() != 1 {
		t.Errorf("a neighbour: got %+v, %v; %d changed", neighbour, err, fake.Changed())
	}
	for name, o := range map[string]scim.Operation{
		"of what is not there": {Op: scim.Remove, Path: "/traits/nickname"},
		"below a text":         {Op: scim.Add, Path: "/traits/display_name/first", Value: "Anna"},
	} {
		if _, err := d.Change(t.Context(), id, []scim.Operation{o}); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if unchanged, err := d.Record(t.Context(), id); err != nil || !cmp.Equal(again, unchanged) {
		t.Errorf("a refused change: got %+v, %v", unchanged, err)
	}
}

// Holdline's own mapping fits the double's schema, so that its members are users.
func TestMembersAreUsers(t *testing.T) {
	_, d := openFakeKratos(t)
	schemas, err := d.Schemas(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	rules := mapping.Default(schemas["default"], "mobile")
	m, err := mapping.New(rules, mapping.Options{
		Resource: scim.User(scim.Enterprise()), MobileTrait: "mobile", PendingKey: "pendingMobileNumber",
	})
	if err != nil {
		t.Fatal(err)
	}
	if faults := m.Check(schemas["default"]); len(faults) > 0 || len(rules) != 5 {
		t.Errorf("got %v, %d rules", faults, len(rules))
	}
}
