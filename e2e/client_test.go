package e2e_test

import (
	"errors"
	"testing"

	"github.com/holdline/holdline/client"
	"github.com/holdline/holdline/e2e/harness"
)

// A whole change by the Go client: the owner, somebody privileged, an administrator.
func TestTheGoClientDoesAChange(t *testing.T) {
	t.Parallel()
	s := harness.NewStack(t, harness.Options{Holdline: harness.Overlay{
		"limits": harness.Overlay{"resend_cooldown": "0s"},
		"identity_mgt": harness.Overlay{"user_claim_update": harness.Overlay{
			"mobile": harness.Overlay{"enable_verification_by_privileged_user": true},
		}},
	}})
	bob, token, ctx := s.NewPerson(t, m0), s.Token(t, "--scope", "claims:manage"), t.Context()
	me, desk := bob.Client(), s.Holdline.Admin(token)
	helper := client.Client{URL: s.Holdline.PublicURL, As: client.Bearer(token)}
	user := client.User{Username: bob.Email}
	refused := func(err error, code string) {
		t.Helper()
		if got, ok := errors.AsType[*client.Error](err); !ok || got.Code != code || got.TraceID == "" {
			t.Errorf("got %v, want %s", err, code)
		}
	}
	done := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}

	_, err := me.MobileClaim(ctx)
	refused(err, "HLD-40401")
	refused(me.ResendCode(ctx), "UAR-10011")
	first := bob.Ask(t, m1)
	refused(me.ValidateCode(ctx, harness.WrongCode(first.Code, 0)), "18001")
	done(me.ResendCode(ctx))
	second := s.Provider.Nth(t, m1, 2)
	refused(me.ValidateCode(ctx, first.Code), "18001")

	claims, err := desk.SearchClaims(ctx, client.ClaimSearch{MobileNumber: m1})
	if err != nil || len(claims.Items) != 1 || claims.Items[0].State != "open" || claims.Items[0].Attempts != 2 {
		t.Fatalf("got %+v, %v", claims, err)
	}
	numbers, err := desk.RevealClaim(ctx, claims.Items[0].ID)
	if err != nil || numbers.MobileNumber != m1 || numbers.FormerMobileNumber != m0 {
		t.Errorf("got %+v, %v", numbers, err)
	}
	done(me.ValidateCode(ctx, second.Code))
	if got := bob.Identity(t); got.Traits.Mobile != m1 || !got.MobileVerified() {
		t.Errorf("the number is %q", got.Traits.Mobile)
	}
	history, err := desk.Claim(ctx, claims.Items[0].ID)
	if err != nil || history.State != "applied" || len(history.Events) < 3 || len(history.Messages) < 2 {
		t.Errorf("got %+v, %v", history, err)
	}

	bob.Ask(t, m2)
	done(helper.ResendCodeFor(ctx, user))
	third := s.Provider.Nth(t, m2, 2)
	whose, err := helper.ValidateCodeFor(ctx, user, third.Code)
	if err != nil || whose.UserID != bob.ID {
		t.Errorf("got %+v, %v", whose, err)
	}
	bob.Ask(t, m3)
	done(me.CancelMobileClaim(ctx))
	if got := bob.Identity(t); got.Traits.Mobile != m2 || got.Pending() != "" {
		t.Errorf("the number is %q, pending %q", got.Traits.Mobile, got.Pending())
	}

	kratos := client.Client{URL: s.Holdline.AdminURL, As: client.HookKey("wrong")}
	_, err = kratos.StageHook(ctx, client.SettingsFlow{IdentityID: bob.ID, FlowID: "flow", Traits: map[string]any{}})
	refused(err, "HLD-40102")
	kratos.As = client.HookKey(harness.HookKey)
	done(kratos.ChangedHook(ctx, bob.ID))
}
