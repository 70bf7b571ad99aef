package kratos_test

import (
	"errors"
	"net/http"
	"slices"
	"testing"

	"github.com/holdline/holdline/internal/claim"
)

// Who has a number is found by Kratos where it is an identifier, and has to be named
// where it is a verifiable address alone; a plain trait belongs to nobody alone.
func TestHolders(t *testing.T) {
	requireKratos(t)
	d := open(t, shared, nil)
	for name, tt := range map[string]struct {
		schema   string
		verified bool
		named    bool
		found    bool
		bound    bool
	}{
		"an address, not named":   {schema: "person"},
		"an address, named":       {schema: "person", named: true, found: true},
		"a verified address":      {schema: "person", named: true, verified: true, found: true},
		"a code identifier":       {schema: "member", found: true, bound: true},
		"a password identifier":   {schema: "caller", found: true},
		"a plain trait, named":    {schema: "plain", named: true},
		"an address, named twice": {schema: "member", named: true, found: true, bound: true},
	} {
		t.Run(name, func(t *testing.T) {
			wanted := number(t)
			holder := shared.add(t, person{schema: tt.schema, email: email(), mobile: wanted.Unmasked(), verified: tt.verified})
			mine := shared.add(t, person{email: email()})
			gone := "00000000-0000-4000-8000-000000000000"
			named := []string{mine, gone}
			if tt.named {
				named = append(named, holder)
			}
			got, err := d.Holders(t.Context(), mine, wanted, named)
			if err != nil {
				t.Fatal(err)
			}
			var want []claim.Holder
			if tt.found {
				want = []claim.Holder{{
					Identity: claim.Identity{ID: holder, Mobile: wanted.Unmasked(), Verified: tt.verified}, Bound: tt.bound,
				}}
			}
			if !slices.Equal(got, want) {
				t.Errorf("got %+v, want %+v", got, want)
			}
			if own, err := d.Holders(t.Context(), holder, wanted, []string{holder}); err != nil || len(own) != 0 {
				t.Errorf("who has it is a holder to themselves: %+v, %v", own, err)
			}
		})
	}
}

// A number that was removed is free for somebody else, and comes back to nobody who
// proves it meanwhile. Of a code identifier Kratos keeps the number.
func TestVacateAndGiveBack(t *testing.T) {
	requireKratos(t)
	d := open(t, shared, nil)
	for name, tt := range map[string]struct {
		schema  string
		pending string // "same" for the number
		free    bool
	}{
		"an address":            {"person", "", true},
		"with its marker":       {"person", "same", true},
		"another one's marker":  {"person", "+8613711112222", true},
		"a password identifier": {"caller", "", true},
		"a code identifier":     {"member", "", false},
	} {
		t.Run(name, func(t *testing.T) {
			wanted := number(t)
			p := person{schema: tt.schema, email: email(), mobile: wanted.Unmasked(), pending: tt.pending, emailVerified: tt.schema == "person"}
			kept := tt.pending
			if tt.pending == "same" {
				p.pending, kept = wanted.Unmasked(), ""
			}
			holder, mine := shared.add(t, p), shared.add(t, person{schema: tt.schema, email: email()})
			way := watch(t, shared)
			one := open(t, way.server, nil)
			for range 2 { // the second time there is nothing to do
				if err := one.Vacate(t.Context(), holder, wanted); err != nil {
					t.Fatal(err)
				}
			}
			if n := len(way.seen(http.MethodPatch, "/")); n != 1 {
				t.Errorf("%d PATCHes, want one", n)
			}
			got := shared.identity(t, holder)
			pending, _ := got.Public["pendingMobileNumber"].(string)
			if got.Traits["mobile"] != nil || got.Traits["email"] != p.email || pending != kept {
				t.Errorf("left: %v %v", got.Traits, got.Public)
			}
			for _, a := range got.Addresses {
				if a.Via == "sms" {
					t.Errorf("the address is still there: %+v", a)
				}
			}
			if p.emailVerified && got.verified()["email"] != p.email {
				t.Error("the e-mail address lost its mark")
			}
			err := d.ApplyNumber(t.Context(), mine, wanted, false)
			if tt.free && err != nil || !tt.free && !errors.Is(err, claim.ErrNumberTaken) {
				t.Fatalf("adopt: %v", err)
			}
			err = d.Write(t.Context(), holder, wanted)
			if tt.free && !errors.Is(err, claim.ErrNumberTaken) || !tt.free && err != nil {
				t.Fatalf("restore: %v", err)
			}
			if !tt.free {
				return
			}
			if err := d.Vacate(t.Context(), mine, wanted); err != nil {
				t.Fatal(err)
			}
			if err := d.Write(t.Context(), holder, wanted); err != nil {
				t.Fatal(err)
			}
			seen, err := d.Identity(t.Context(), holder)
			if err != nil || seen.Mobile != wanted.Unmasked() || seen.Verified {
				t.Errorf("got back %+v, %v", seen, err)
			}
		})
	}
}
