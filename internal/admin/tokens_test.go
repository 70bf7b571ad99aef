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
	"github.com/holdline/holdline/internal/problem"
	"github.com/holdline/holdline/internal/storetest"
)

// race has something happen to the store just before a token is kept in it.
type race struct {
	*storetest.Tokens
	before func()
}

func (s race) Create(ctx context.Context, t auth.Token, e audit.Event, allow func([]auth.Token) error) error {
	s.before()
	return s.Tokens.Create(ctx, t, e, allow)
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
	// It is revoked while it makes another, and after that has been found to be its right.
	d.Tokens = race{kept, func() {
		if err := kept.Revoke(t.Context(), "honest", false, audit.Actor{}, now); err != nil {
			t.Error(err)
		}
	}}
	if err := makes("honest", "late"); !errors.Is(err, admin.ErrMoreThanOwn) {
		t.Errorf("by a token that is revoked meanwhile: got %v, want %v", err, admin.ErrMoreThanOwn)
	}
	d.Tokens = kept
	// Nobody is told that all are revoked if some are not, nor has to do half of it again.
	kept.Fail(problem.ErrStoreUnavailable)
	if err := d.RevokeToken(t.Context(), "stolen", true, by(person).Actor); !errors.Is(err, problem.ErrStoreUnavailable) {
		t.Errorf("got %v, want %v", err, problem.ErrStoreUnavailable)
	}
	kept.Fail(nil)
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
	if slices.Sort(left); !slices.Equal(left, []string{"other"}) {
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
