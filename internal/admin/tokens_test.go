package admin_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/holdline/holdline/internal/admin"
	"github.com/holdline/holdline/internal/audit"
	"github.com/holdline/holdline/internal/auth"
	"github.com/holdline/holdline/internal/storetest"
)

// thief makes another token while the stolen one is being revoked.
type thief struct {
	*storetest.Tokens
	before func(name string)
}

func (s thief) Revoke(ctx context.Context, name string, e audit.Event) error {
	s.before(name)
	return s.Tokens.Revoke(ctx, name, e)
}

func TestAStolenTokenIsRevokedWithAllThatItMakes(t *testing.T) {
	now := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	kept := &storetest.Tokens{}
	secret := byte(0)
	d := &admin.Service{Tokens: kept, Now: func() time.Time { return now }, NewToken: func() (s auth.TokenSecret) {
		secret++
		s[0] = secret
		return s
	}}
	by := func(id string) auth.Administrator {
		return auth.Administrator{Actor: audit.Actor{Kind: audit.Administrator, ID: id}, Scopes: auth.Scopes()}
	}
	makes := func(maker, name string) error {
		now = now.Add(time.Second)
		_, _, err := d.MakeToken(t.Context(), admin.TokenWish{Name: name, Scopes: auth.Scopes()}, by(maker))
		return err
	}
	person := "9f425a8d-7efc-4768-8f23-7647a74fdf13"
	for _, step := range [][2]string{{person, "stolen"}, {person, "honest"}, {"stolen", "first"}, {"first", "second"}, {"honest", "other"}} {
		if err := makes(step[0], step[1]); err != nil {
			t.Fatal(err)
		}
	}
	// A maker's name is not to be had anew while what it made goes on: revoking the
	// maker's own maker would leave that out.
	if err := d.RevokeToken(t.Context(), "first", false, by(person).Actor); err != nil {
		t.Fatal(err)
	}
	for _, maker := range []string{"stolen", "honest"} {
		if err := makes(maker, "first"); !errors.Is(err, admin.ErrBadToken) {
			t.Errorf("the name of who made another, for %s: got %v, want %v", maker, err, admin.ErrBadToken)
		}
	}
	d.Tokens = thief{kept, func(name string) {
		if name == "stolen" {
			if err := makes("stolen", "late"); err != nil {
				t.Error(err)
			}
		}
	}}
	if err := d.RevokeToken(t.Context(), "stolen", true, by(person).Actor); err != nil {
		t.Fatal(err)
	}
	all, err := kept.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var left []string
	for _, token := range all {
		if token.InForce(now) {
			left = append(left, token.Name)
		}
	}
	if slices.Sort(left); !slices.Equal(left, []string{"honest", "other"}) {
		t.Errorf("in force: %v", left)
	}
	// A replica that has not looked yet lets it in still.
	if err := makes("stolen", "later"); !errors.Is(err, admin.ErrMoreThanOwn) {
		t.Errorf("got %v, want %v", err, admin.ErrMoreThanOwn)
	}
	if err := d.RevokeToken(t.Context(), "stolen", true, by(person).Actor); !errors.Is(err, admin.ErrNoToken) {
		t.Errorf("again: got %v, want %v", err, admin.ErrNoToken)
	}
}
