package kratos_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/scim"
)

func TestPagesShowEverybodyOnce(t *testing.T) {
	requireKratos(t)
	own, err := start(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(own.stop)
	d := open(t, own, nil)
	wantPages(t, d.Page, []string{})
	var made []string
	for range 7 {
		made = append(made, create(t, d, draft(t)).ID)
	}
	slices.Sort(made)
	for range 2 { // pages change nothing
		wantPages(t, d.Page, made)
	}
	list, _, err := d.Page(t.Context(), "", 1)
	if err != nil {
		t.Fatal(err)
	}
	first := record(t, d, list[0].ID)
	first.HasPassword = false // lists do not show it
	if diff := cmp.Diff([]scim.Record{first}, list, whole); diff != "" {
		t.Error(diff)
	}
	// A page may begin after somebody who is gone.
	_, next, err := d.Page(t.Context(), "", 3)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Delete(t.Context(), made[2]); err != nil {
		t.Fatal(err)
	}
	rest, _, err := d.Page(t.Context(), next, 9)
	if err != nil || len(rest) != 4 {
		t.Errorf("got %d, %v", len(rest), err)
	}
	if _, _, err := d.Page(t.Context(), "made up", 9); !errors.Is(err, claim.ErrIdentitiesUnavailable) {
		t.Errorf("got %v", err)
	}
}

// wantPages turns all pages over, by sizes that divide the number and do not.
func wantPages(t *testing.T, page pager, want []string) {
	t.Helper()
	for _, size := range []int{1, 2, 7, 100} {
		got, token := []string{}, ""
		for {
			list, next, err := page(t.Context(), token, size)
			if err != nil || len(list) > size {
				t.Fatalf("got %d of %d, %v", len(list), size, err)
			}
			for _, r := range list {
				got = append(got, r.ID)
			}
			if token = next; token == "" {
				break
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("size %d: %s", size, diff)
		}
	}
}

func TestIdentifiersAreFoundExactly(t *testing.T) {
	requireKratos(t)
	d, wanted := open(t, shared, nil), draft(t)
	wanted.Traits["email"] = "a+b" + email()
	made := create(t, d, wanted)
	address := wanted.Traits["email"].(string)
	for identifier, want := range map[string]bool{
		address: true, " " + address: true, address[1:]: false, "a b" + address[3:]: false,
		"": false, " ": false, "%": false, wanted.Traits["mobile"].(string): false,
	} {
		found, err := d.FindByIdentifier(t.Context(), identifier)
		switch {
		case want && (err != nil || found.ID != made.ID):
			t.Errorf("%q: got %q, %v", identifier, found.ID, err)
		case !want && !errors.Is(err, claim.ErrNoIdentity):
			t.Errorf("%q: got %q, %v", identifier, found.ID, err)
		}
	}
}

type pager func(ctx context.Context, token string, size int) ([]scim.Record, string, error)
