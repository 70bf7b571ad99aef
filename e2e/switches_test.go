package e2e_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/holdline/holdline/client"
	"github.com/holdline/holdline/e2e/harness"
)

const settingsPath = "/admin/settings"

// What an administrator sets at one replica comes to hold at the other, outlives a
// restart, and is undone to what the program starts with.
// Switched off, a number is written at once (D2).
func TestASwitchHoldsAtEveryReplica(t *testing.T) {
	t.Parallel()
	s := harness.NewStack(t, harness.Options{})
	other := s.Replica(t)
	token := s.Token(t, "--scope", "claims:manage")
	bob := s.NewPerson(t, m0)
	text := bob.Ask(t, m1)

	holds := func(h *harness.Holdline, want bool) {
		t.Helper()
		harness.Eventually(t, fmt.Sprintf("the setting is %t", want), func() error {
			got, err := h.Admin(token).Setting(t.Context(), "enable_verification")
			if err == nil && (got.Value != want || got.StartValue != true) {
				return errNotYet
			}
			return err
		})
	}
	if got, err := other.Admin(token).ChangeSettings(t.Context(), client.SettingsChange{EnableVerification: new(false)}); err != nil || got.EnableVerification {
		t.Fatalf("set: %+v %v", got, err)
	}
	holds(other, false)
	holds(s.Holdline, false)

	// Another attribute leaves the claim alone, another number ends it.
	bob.MustSave(t, harness.Profile{Name: "Robert", Mobile: m0})
	wantHeld(t, bob, m0, m1)
	bob.MustSave(t, harness.Profile{Name: "Robert", Mobile: m2})
	bob.Eventually(t, "the new number is written at once", func(i harness.Identity) bool {
		return i.Traits.Mobile == m2 && i.Pending() == ""
	})
	harness.Eventually(t, "the claim is cancelled", func() error {
		if s.Database.Count(t, "claims", "identity_id = ? AND state = 'cancelled'", bob.ID) == 1 {
			return nil
		}
		return errNotYet
	})
	wantFault(t, bob.Confirm(t, text.Code), http.StatusBadRequest, "18001")
	wantTexts(t, s, m2, 0)

	s.Holdline.Restart(t)
	holds(s.Holdline, false)
	if err := s.Holdline.Admin(token).ReturnSetting(t.Context(), "enable_verification"); err != nil {
		t.Fatal(err)
	}
	holds(s.Holdline, true)
	holds(other, true)
	bob.Ask(t, m3)
	if got := bob.Identity(t); got.Traits.Mobile != m2 || got.Pending() != m3 || got.MobileVerified() {
		t.Errorf("switched on again: %q, pending %q", got.Traits.Mobile, got.Pending())
	}

	trail, err := s.Holdline.Admin(token).Audit(t.Context(), client.EventFilter{Limit: 500})
	if err != nil {
		t.Fatal(err)
	}
	var said []string
	for _, e := range trail.Items {
		if e.Kind == "setting_changed" || e.Kind == "setting_returned" {
			said = append(said, e.Kind+" "+e.Reason+" "+e.ActorKind)
		}
	}
	const name = "identity_mgt.user_claim_update.mobile.enable_verification"
	if len(said) != 2 || said[1] != "setting_changed "+name+": true -> false administrator" ||
		said[0] != "setting_returned "+name+": false -> true administrator" {
		t.Errorf("the audit trail: %q", said)
	}
}

// A code that is texted after a change lives as long as the change says; one that
// was texted before keeps what it was told.
func TestHowLongACodeIsGoodChangesWhileTheProgramRuns(t *testing.T) {
	t.Parallel()
	s := harness.NewStack(t, harness.Options{})
	desk := s.Holdline.Admin(s.Token(t, "--scope", "claims:manage"))
	bob, alice := s.NewPerson(t, m0), s.NewPerson(t, m3)
	early := bob.Ask(t, m1)
	if _, err := desk.ChangeSettings(t.Context(), client.SettingsChange{VerificationSMSOTPValidity: new("4s")}); err != nil {
		t.Fatal(err)
	}
	late := alice.Ask(t, m2)
	harness.Eventually(t, "the code has expired", func() error {
		if c, ok := alice.Claim(t); !ok || time.Now().Before(c.CodeExpiresAt.Add(100*time.Millisecond)) {
			return errNotYet
		}
		return nil
	})
	wantFault(t, alice.Confirm(t, late.Code), http.StatusBadRequest, "18002")
	wantEmpty(t, bob.Confirm(t, early.Code), http.StatusAccepted)
}

// The administrators' routes are on the admin listener alone, for tokens alone
// that may manage claims.
func TestOnlyAdministratorsReachTheirRoutes(t *testing.T) {
	t.Parallel()
	s := harness.NewStack(t, harness.Options{})
	bob := s.NewPerson(t, m0)
	desk, client := harness.ByClient(s.Token(t, "--scope", "claims:manage")), harness.ByClient(s.Token(t, "--privileged"))
	for _, path := range []string{settingsPath, "/admin/claims", "/admin/audit", "/admin/texts", "/admin/traffic"} {
		for what, tt := range map[string]struct {
			url  string
			as   harness.Header
			want int
		}{
			"an administrator":        {s.Holdline.AdminURL, desk, http.StatusOK},
			"a client":                {s.Holdline.AdminURL, client, http.StatusForbidden},
			"a person":                {s.Holdline.AdminURL, bob.ByToken(), http.StatusUnauthorized},
			"nobody":                  {s.Holdline.AdminURL, nil, http.StatusUnauthorized},
			"on the public listener":  {s.Holdline.PublicURL, desk, http.StatusNotFound},
			"the hook's key":          {s.Holdline.AdminURL, harness.Header{"X-Hook-Key", harness.HookKey}, http.StatusUnauthorized},
			"a token that is made up": {s.Holdline.AdminURL, harness.ByClient("hlt_made-up"), http.StatusUnauthorized},
		} {
			if got := harness.Send(t, http.MethodGet, tt.url+path, "", tt.as); got.Status != tt.want {
				t.Errorf("%s, %s: %d, want %d: %s", path, what, got.Status, tt.want, got.Body)
			}
		}
	}
}

// Tokens cannot be found by trying: after as many wrong ones as an address may
// have, it gets no answer at all, while a right one that is in use goes on.
func TestTokensAreNotFoundByTrying(t *testing.T) {
	t.Parallel()
	s := harness.NewStack(t, harness.Options{Holdline: harness.Overlay{"limits": harness.Overlay{"token_failures_per_address": 5}}})
	desk := harness.ByClient(s.Token(t, "--scope", "claims:manage"))
	ask := func(as harness.Header) int {
		return harness.Send(t, http.MethodGet, s.Holdline.AdminURL+settingsPath, "", as).Status
	}
	if got := ask(desk); got != http.StatusOK {
		t.Fatalf("the right token: %d", got)
	}
	counts := map[int]int{}
	for range 12 {
		counts[ask(harness.ByClient("hlt_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"))]++
	}
	if counts[http.StatusUnauthorized] != 5 || counts[http.StatusTooManyRequests] != 7 {
		t.Errorf("answers: %v", counts)
	}
	if got := ask(desk); got != http.StatusOK {
		t.Errorf("the right token afterwards: %d", got)
	}
}
