package claim_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/holdline/holdline/internal/audit"
	"github.com/holdline/holdline/internal/claim"
)

// A claim is confirmed with no less than it was opened with, unless the person
// has no second factor any more. What is not known counts as one factor.
func TestAClaimIsConfirmedWithWhatItWasOpenedWith(t *testing.T) {
	has := func(factors ...string) func(context.Context) ([]string, error) {
		return func(context.Context) ([]string, error) { return factors, nil }
	}
	for name, tt := range map[string]struct {
		opened, confirmed claim.Assurance
		factors           func(context.Context) ([]string, error)
		required          claim.RequiredAAL
		want              error
	}{
		"one and one":                        {claim.AAL1, claim.AAL1, has(), claim.RequireHighestAvailable, nil},
		"one, and a factor since":            {claim.AAL1, claim.AAL1, has("totp"), claim.RequireHighestAvailable, nil},
		"unknown, and one":                   {"", claim.AAL1, has("totp"), claim.RequireHighestAvailable, nil},
		"unknown, and unknown":               {"", "", has("totp"), claim.RequireHighestAvailable, nil},
		"one and two":                        {claim.AAL1, claim.AAL2, has(), claim.RequireHighestAvailable, nil},
		"two and two":                        {claim.AAL2, claim.AAL2, has(), claim.RequireHighestAvailable, nil},
		"two and one":                        {claim.AAL2, claim.AAL1, has("totp", "webauthn"), claim.RequireHighestAvailable, claim.ErrNeedsSecondFactor},
		"two and unknown":                    {claim.AAL2, "", has("totp"), claim.RequireHighestAvailable, claim.ErrNeedsSecondFactor},
		"two and one, the factor is gone":    {claim.AAL2, claim.AAL1, has(), claim.RequireHighestAvailable, nil},
		"two and one, where that is enough":  {claim.AAL2, claim.AAL1, has("totp"), claim.RequireAAL1, nil},
		"two and one, and nobody knows more": {claim.AAL2, claim.AAL1, func(context.Context) ([]string, error) { return nil, claim.ErrIdentitiesUnavailable }, claim.RequireHighestAvailable, claim.ErrIdentitiesUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.policy.RequiredAAL = tt.required
			i := w.identity(bob)
			answer, err := w.Stage(t.Context(), claim.SettingsChange{
				IdentityID: bob, FlowID: "flow", Stored: i.Mobile, StoredVerified: true, Wanted: m1, Assurance: tt.opened,
			})
			wantErr(t, err, nil)
			w.persist(bob, m1, answer)
			w.activate(bob, "flow")
			who := w.caller(bob)
			who.Assurance, who.Factors = tt.confirmed, tt.factors
			status, err := w.Status(t.Context(), who)
			if status.NeedsFactor != errors.Is(tt.want, claim.ErrNeedsSecondFactor) || errors.Is(tt.want, claim.ErrIdentitiesUnavailable) != (err != nil) {
				t.Errorf("status: got %v, %v", status.NeedsFactor, err)
			}
			wantErr(t, w.Confirm(t.Context(), who, w.lastCode()), tt.want)
			if tt.want == nil {
				w.wantIdentity(m1, true, "")
				return
			}
			if status, err := w.Status(t.Context(), w.caller(bob)); err == nil && status.AttemptsLeft != 5 {
				t.Errorf("a refusal cost a try: %d are left", status.AttemptsLeft)
			}
			who.Assurance = claim.AAL2
			wantErr(t, w.Confirm(t.Context(), who, w.lastCode()), nil)
		})
	}
}

// A form with one factor that asks for the number that is open already does not
// make the claim easier to confirm.
func TestARepeatedFormKeepsTheAssurance(t *testing.T) {
	w := newWorld(t)
	w.policy.RequiredAAL = claim.RequireHighestAvailable
	for i, a := range []claim.Assurance{claim.AAL2, claim.AAL1} {
		seen := w.identity(bob)
		flow := string(rune('a' + i))
		answer, err := w.Stage(t.Context(), claim.SettingsChange{
			IdentityID: bob, FlowID: flow, Stored: seen.Mobile, StoredVerified: true, Wanted: m1, ShownPending: seen.Pending, Assurance: a,
		})
		wantErr(t, err, nil)
		w.persist(bob, m1, answer)
		w.activate(bob, flow)
		w.pass(cool)
	}
	who := w.caller(bob)
	who.Assurance = claim.AAL1
	who.Factors = func(context.Context) ([]string, error) { return []string{"totp"}, nil }
	wantErr(t, w.Confirm(t.Context(), who, w.lastCode()), claim.ErrNeedsSecondFactor)
}

// People change a number over SCIM with what the form would ask them for, also when
// it is somebody else's; a client does not sign in.
func TestANumberIsChangedOverSCIMWithTheHighestFactor(t *testing.T) {
	for name, tt := range map[string]struct {
		who      audit.ActorKind
		in       *claim.SignIn
		required claim.RequiredAAL
		want     error
	}{
		"owner, one factor of two":           {audit.Owner, &claim.SignIn{Assurance: claim.AAL1}, claim.RequireHighestAvailable, claim.ErrNeedsSecondFactor},
		"owner, both":                        {audit.Owner, &claim.SignIn{Assurance: claim.AAL2}, claim.RequireHighestAvailable, nil},
		"owner, one, and that is enough":     {audit.Owner, &claim.SignIn{Assurance: claim.AAL1}, claim.RequireAAL1, nil},
		"owner, nobody says how":             {audit.Owner, nil, claim.RequireHighestAvailable, claim.ErrSessionTooOld},
		"privileged person, one of two":      {audit.Privileged, &claim.SignIn{Assurance: claim.AAL1}, claim.RequireHighestAvailable, claim.ErrNeedsSecondFactor},
		"privileged person, both":            {audit.Privileged, &claim.SignIn{Assurance: claim.AAL2}, claim.RequireHighestAvailable, nil},
		"privileged client":                  {audit.Privileged, nil, claim.RequireHighestAvailable, nil},
		"client":                             {audit.Client, nil, claim.RequireHighestAvailable, nil},
		"owner, one factor of two, unasked":  {audit.Owner, &claim.SignIn{}, claim.RequireHighestAvailable, claim.ErrNeedsSecondFactor},
		"owner of a number that is the same": {"", &claim.SignIn{Assurance: claim.AAL1}, claim.RequireHighestAvailable, nil},
	} {
		for wanted, touch := range map[string]claim.UpdateKind{m1: claim.UpdateExplicit, "": claim.UpdateFull} {
			t.Run(name+" "+wanted, func(t *testing.T) {
				w, asked := newWorld(t), 0
				w.policy.RequiredAAL = tt.required
				change := claim.DirectChange{Source: claim.SourceSCIM, Who: audit.Actor{Kind: tt.who, ID: bob}, Asked: true, Update: touch, Wanted: wanted}
				if tt.who == "" {
					change.Who.Kind, change.Update, change.Wanted = audit.Owner, claim.UpdateFull, m0
				}
				if tt.in != nil {
					in := *tt.in
					in.At = w.Now()
					in.Factors = func(context.Context) ([]string, error) { asked++; return []string{"totp", "lookup_secret"}, nil }
					change.SignedIn = &in
				}
				p, err := w.Propose(t.Context(), w.identity(bob), change)
				wantErr(t, err, tt.want)
				missing := (*claim.SecondFactorError)(nil)
				if errors.As(err, &missing) && !slices.Equal(missing.Missing, []string{"totp", "lookup_secret"}) {
					t.Errorf("missing are %v", missing.Missing)
				}
				if needs := errors.Is(tt.want, claim.ErrNeedsSecondFactor); needs != (asked == 1) {
					t.Errorf("factors were asked for %d times", asked)
				}
				if err != nil && p.Decision == claim.Challenge && !p.Pending.IsZero() && p.Pending.Unmasked() == m1 {
					t.Error("the number was staged")
				}
			})
		}
	}
}
