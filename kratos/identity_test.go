package kratos_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/kratos"
)

func TestIdentity(t *testing.T) {
	requireKratos(t)
	verified, plain, pending, typed := number(t), number(t), number(t), number(t)
	for name, tt := range map[string]struct {
		person person
		want   claim.Identity
	}{
		"nothing":                {person{}, claim.Identity{}},
		"verified number":        {person{mobile: verified.Unmasked(), verified: true}, claim.Identity{Mobile: verified.Unmasked(), Verified: true}},
		"number not verified":    {person{mobile: plain.Unmasked()}, claim.Identity{Mobile: plain.Unmasked()}},
		"number with spaces":     {person{mobile: spaced(typed), verified: true}, claim.Identity{Mobile: spaced(typed), Verified: true}},
		"marker":                 {person{pending: pending.Unmasked()}, claim.Identity{Pending: pending.Unmasked()}},
		"only e-mail verified":   {person{emailVerified: true}, claim.Identity{}},
		"number of other schema": {person{schema: "member"}, claim.Identity{}},
	} {
		t.Run(name, func(t *testing.T) {
			tt.person.email = email()
			id := shared.add(t, tt.person)
			tt.want.ID = id
			got, err := open(t, shared, nil).Identity(t.Context(), id)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestEmail(t *testing.T) {
	requireKratos(t)
	for name, p := range map[string]person{"verified": {emailVerified: true}, "not verified": {}} {
		t.Run(name, func(t *testing.T) {
			p.email = email()
			got, err := open(t, shared, nil).Email(t.Context(), shared.add(t, p))
			if err != nil || got != p.email {
				t.Errorf("got %q, %v, want %q", got, err, p.email)
			}
		})
	}
	if _, err := open(t, shared, nil).Email(t.Context(), uuid.NewString()); !errors.Is(err, claim.ErrNoIdentity) {
		t.Errorf("got %v", err)
	}
}

func TestMissingIdentity(t *testing.T) {
	requireKratos(t)
	d, number := open(t, shared, nil), number(t)
	for name, id := range map[string]string{
		"unknown": uuid.NewString(), "blank": "", "not an id": "anna", "another route": "..", "a list": "?ids=1",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := d.Identity(t.Context(), id)
			for call, err := range map[string]error{
				"Identity": err,
				"Adopt":    d.ApplyNumber(t.Context(), id, number, true),
				"Mark":     d.ShowPending(t.Context(), id, number),
				"Unmark":   d.ClearPending(t.Context(), id),
			} {
				if !errors.Is(err, claim.ErrNoIdentity) {
					t.Errorf("%s: got %v, want %v", call, err, claim.ErrNoIdentity)
				}
			}
		})
	}
}

func TestOptionsAreChecked(t *testing.T) {
	for name, change := range map[string]func(*kratos.Options){
		"no URL":     func(o *kratos.Options) { o.PublicURL = "kratos:4433" },
		"no trait":   func(o *kratos.Options) { o.MobileTrait = "" },
		"no clock":   func(o *kratos.Options) { o.Now = nil },
		"no limiter": func(o *kratos.Options) { o.LoginFailures = 10 },
	} {
		opt := kratos.Options{
			PublicURL: "http://kratos:4433", AdminURL: "http://kratos:4434", MobileTrait: "mobile", PendingKey: "pending",
			Now: newClock().Now,
		}
		if d, err := kratos.New(opt); err != nil {
			t.Fatal(err)
		} else {
			d.Close()
		}
		change(&opt)
		if _, err := kratos.New(opt); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
