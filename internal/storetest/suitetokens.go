package storetest

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/holdline/holdline/internal/audit"
	"github.com/holdline/holdline/internal/auth"
	"github.com/holdline/holdline/internal/claim"
)

// TestTokens holds a store of tokens to what the comments of auth.Tokens
// promise. Each call of newTokens returns an empty one.
func TestTokens(t *testing.T, newTokens func(*testing.T) auth.Tokens) {
	t.Helper()
	for name, test := range map[string]func(*tokens){
		"a token reads back as it was made":       tokensReadBack,
		"a name and a digest are in force once":   tokensOnce,
		"a revoked token is not found":            tokensRevoked,
		"a revoked name may be used again":        tokensAgain,
		"an expired name may be used again":       tokensExpired,
		"use is noted forward only":               tokensUsed,
		"of many at once one creates and revokes": tokensRace,
		"what is not allowed is not kept":         tokensNotAllowed,
		"with a token go those that it made":      tokensWithMade,
		"no maker is revoked and makes another":   tokensOfTheRevoked,
	} {
		t.Run(name, func(t *testing.T) { test(&tokens{fixture{T: t}, newTokens(t)}) })
	}
}

// tokens is a test's empty store of tokens and its short words for it.
type tokens struct {
	fixture
	store auth.Tokens
}

func token(name, secret string) auth.Token {
	return auth.Token{
		Name: name, Digest: auth.DigestToken(secret), Privileged: true, CreatedAt: noon, CreatedBy: "maker of " + secret,
		Scopes: []auth.Scope{auth.ScopeSCIMRead, auth.ScopeClaimsManage},
	}
}

func (f *tokens) create(t auth.Token) error { return f.createIn(f.Context(), t) }

func (f *tokens) createIn(ctx context.Context, t auth.Token) error {
	return f.store.Create(ctx, t, t.Event(auth.TokenCreated, audit.Actor{Kind: audit.Operator}, noon), nil)
}

// revoke ends token a.
func (f *tokens) revoke(ctx context.Context, at time.Time) error {
	return f.store.Revoke(ctx, "a", false, audit.Actor{Kind: audit.Operator}, at)
}

func (f *tokens) listed(want ...auth.Token) {
	f.Helper()
	got, err := f.store.List(f.Context())
	f.want(err, nil)
	f.same(got, append([]auth.Token{}, want...))
}

func (f *tokens) found(secret string, want error) {
	f.Helper()
	_, err := f.store.Find(f.Context(), auth.DigestToken(secret))
	f.want(err, want)
}

func tokensReadBack(f *tokens) {
	f.listed()
	b, a := token("b", "1"), token("a", "2")
	b.Privileged, b.Scopes = false, []auth.Scope{auth.ScopeSCIMWrite}
	b.ExpiresAt = noon.Add(day)
	f.want(f.create(b), nil)
	f.want(f.create(a), nil)
	f.listed(a, b)
	for _, want := range []auth.Token{a, b} {
		got, err := f.store.Find(f.Context(), want.Digest)
		f.want(err, nil)
		f.same(got, want)
	}
	f.found("3", auth.ErrNoToken)
}

func tokensOnce(f *tokens) {
	a := token("a", "1")
	f.want(f.create(a), nil)
	f.want(f.create(token("a", "2")), claim.ErrExists)
	f.want(f.create(token("b", "1")), claim.ErrExists)
	f.found("2", auth.ErrNoToken)
	f.want(f.create(token("A", "3")), nil) // another name
	f.listed(token("A", "3"), a)
}

func tokensRevoked(f *tokens) {
	f.want(f.revoke(f.Context(), noon), auth.ErrNoToken)
	a, b := token("a", "1"), token("b", "2")
	f.want(f.create(a), nil)
	f.want(f.create(b), nil)
	for _, name := range []string{"a ", "a   ", " a", "a\t", "A", "\u00e1", "", " "} {
		for _, withMade := range []bool{false, true} {
			f.want(f.store.Revoke(f.Context(), name, withMade, audit.Actor{Kind: audit.Operator}, noon), auth.ErrNoToken)
		}
	}
	f.want(f.revoke(f.Context(), noon.Add(time.Hour)), nil)
	f.want(f.revoke(f.Context(), noon.Add(day)), auth.ErrNoToken)
	f.want(f.store.Used(f.Context(), a.Digest, noon.Add(day)), nil)
	f.found("1", auth.ErrNoToken)
	f.found("2", nil)
	a.RevokedAt = noon.Add(time.Hour)
	f.listed(a, b)
}

func tokensAgain(f *tokens) {
	a := token("a", "1")
	f.want(f.create(a), nil)
	f.want(f.store.Used(f.Context(), a.Digest, noon), nil)
	f.want(f.revoke(f.Context(), noon), nil)
	f.want(f.create(a), claim.ErrExists) // never the same token again
	again := token("a", "2")
	again.Privileged, again.Scopes, again.CreatedAt = false, []auth.Scope{auth.ScopeSCIMRead}, noon.Add(day)
	f.want(f.create(again), nil)
	f.listed(again)
	f.found("1", auth.ErrNoToken)
	f.found("2", nil)
}

func tokensExpired(f *tokens) {
	a := token("a", "1")
	a.ExpiresAt = noon.Add(time.Microsecond)
	f.want(f.create(a), nil)
	f.found("1", nil) // who looks it up decides
	f.want(f.create(token("a", "2")), claim.ErrExists)
	a.Digest, a.ExpiresAt = auth.DigestToken("3"), noon
	f.want(f.revoke(f.Context(), noon), nil)
	f.want(f.create(a), nil)
	again := token("a", "4")
	f.want(f.create(again), nil) // its time is over at noon
	f.listed(again)
	f.found("3", auth.ErrNoToken)
}

func tokensUsed(f *tokens) {
	a := token("a", "1")
	f.want(f.create(a), nil)
	for _, at := range []time.Duration{time.Hour, 0, time.Minute} {
		f.want(f.store.Used(f.Context(), a.Digest, noon.Add(at)), nil)
		f.want(f.store.Used(f.Context(), auth.DigestToken("2"), noon.Add(at)), nil)
	}
	a.LastUsed = noon.Add(time.Hour)
	f.listed(a)
}

func tokensRace(f *tokens) {
	for _, round := range []string{"new name", "revoked name"} {
		creators := together(f.Context(), 8, func(ctx context.Context, i int) error {
			return f.createIn(ctx, token("a", name(round, i)))
		})
		f.wantWinners(creators, 1, claim.ErrExists)
		revokers := together(f.Context(), 8, func(ctx context.Context, _ int) error { return f.revoke(ctx, noon) })
		f.wantWinners(revokers, 1, auth.ErrNoToken)
	}
}

func tokensNotAllowed(f *tokens) {
	a, b, no := token("a", "1"), token("b", "2"), errors.New("no")
	f.want(f.create(a), nil)
	refuse := func(kept []auth.Token) error {
		f.same(kept, []auth.Token{a})
		return no
	}
	if err := f.store.Create(f.Context(), b, b.Event(auth.TokenCreated, audit.Actor{}, noon), refuse); err != no { //nolint:errorlint // as it is
		f.Errorf("got %v, want %v", err, no)
	}
	f.listed(a)
	again := token("a", "3")
	allow := func([]auth.Token) error { return nil }
	f.want(f.store.Create(f.Context(), again, again.Event(auth.TokenCreated, audit.Actor{}, noon), allow), claim.ErrExists)
	f.want(f.store.Create(f.Context(), b, b.Event(auth.TokenCreated, audit.Actor{}, noon), allow), nil)
	f.listed(a, b)
}

// made is a token that another one made.
func made(maker, name string) auth.Token {
	t := token(name, name)
	t.CreatedBy = maker
	return t
}

func tokensWithMade(f *tokens) {
	all := []auth.Token{made("", "a"), made("a", "b"), made("b", "c"), made("", "d"), made("d", "e"), made("a", "f")}
	for _, t := range all {
		f.want(f.create(t), nil)
	}
	revoke := func(name string, withMade bool, at time.Time) error {
		return f.store.Revoke(f.Context(), name, withMade, audit.Actor{Kind: audit.Operator}, at)
	}
	f.want(revoke("b", false, noon), nil) // whose own goes on
	f.want(revoke("a", true, noon.Add(time.Hour)), nil)
	f.want(revoke("a", true, noon.Add(day)), auth.ErrNoToken)
	f.want(revoke("nobody", true, noon), auth.ErrNoToken)
	all[0].RevokedAt, all[1].RevokedAt, all[2].RevokedAt, all[5].RevokedAt = noon.Add(time.Hour), noon, noon.Add(time.Hour), noon.Add(time.Hour)
	f.listed(all...)
}

// tokensOfTheRevoked has thieves make tokens, and others by these, while the token that they
// stole is revoked with all that it made.
func tokensOfTheRevoked(f *tokens) {
	const thieves = 3
	not := errors.New("the maker is revoked")
	makes := func(ctx context.Context, maker, name string) error {
		t := made(maker, name)
		return f.store.Create(ctx, t, t.Event(auth.TokenCreated, audit.Actor{}, noon), func(kept []auth.Token) error {
			if slices.ContainsFunc(kept, func(k auth.Token) bool { return k.Name == maker && k.RevokedAt.IsZero() }) {
				return nil
			}
			return not
		})
	}
	for round := range 10 {
		stolen := name("stolen", round)
		f.want(f.create(made("", stolen)), nil)
		for _, err := range together(f.Context(), thieves+1, func(ctx context.Context, i int) error {
			if i == thieves {
				return f.store.Revoke(ctx, stolen, true, audit.Actor{}, noon)
			}
			maker := stolen
			for n := range 3 {
				next := name(name(stolen, i), n)
				if err := makes(ctx, maker, next); err != nil {
					return err
				}
				maker = next
			}
			return nil
		}) {
			if err != nil && !errors.Is(err, not) {
				f.Errorf("got %v", err)
			}
		}
		all, err := f.store.List(f.Context())
		f.want(err, nil)
		for _, t := range all {
			if t.InForce(noon) {
				f.Errorf("%s, made by %q, is in force", t.Name, t.CreatedBy)
			}
		}
	}
}
