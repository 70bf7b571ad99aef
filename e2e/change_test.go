package e2e_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/holdline/holdline/e2e/harness"
)

// A whole change, by each kind of settings flow and each way to sign in.
func TestANumberChangesOnlyWithTheCodeFromTheNewPhone(t *testing.T) {
	t.Parallel()
	s := harness.NewStack(t, harness.Options{})
	for name, tt := range map[string]struct {
		was, wanted string
		save        func(*harness.Person, *testing.T, harness.Profile) harness.Settings
		savedStatus int
		auth        func(*harness.Person, *testing.T) harness.Header
	}{
		"API flow, session token": {
			m0, m1, func(p *harness.Person, t *testing.T, f harness.Profile) harness.Settings { return p.Save(t, f) },
			http.StatusOK, func(p *harness.Person, _ *testing.T) harness.Header { return p.ByToken() },
		},
		"browser flow by script, session cookie": {
			m2, m3, func(p *harness.Person, t *testing.T, f harness.Profile) harness.Settings { return p.SaveByAJAX(t, f) },
			http.StatusOK, func(p *harness.Person, t *testing.T) harness.Header { return p.ByCookie(t) },
		},
		"browser flow by form, bearer token": {
			m4, m5, func(p *harness.Person, t *testing.T, f harness.Profile) harness.Settings { return p.SaveByForm(t, f) },
			http.StatusSeeOther, func(p *harness.Person, _ *testing.T) harness.Header { return p.ByBearer() },
		},
		"no number before, password": {
			"", "+4915112345679", func(p *harness.Person, t *testing.T, f harness.Profile) harness.Settings { return p.Save(t, f) },
			http.StatusOK, func(p *harness.Person, _ *testing.T) harness.Header { return p.ByPassword() },
		},
	} {
		t.Run(name, func(t *testing.T) {
			bob := s.NewPerson(t, tt.was)
			saved := tt.save(bob, t, harness.Profile{Name: "After", Mobile: tt.wanted})
			if saved.Status != tt.savedStatus || saved.State != "success" {
				t.Fatalf("settings flow: %d %s: %s", saved.Status, saved.State, saved.Body)
			}
			if saved.FieldValue != tt.was {
				t.Errorf("the form shows %q, want the old number %q", saved.FieldValue, tt.was)
			}
			text := s.Provider.Nth(t, tt.wanted, 1)
			wantHeld(t, bob, tt.was, tt.wanted)
			claim, ok := bob.Claim(t)
			if !ok || claim.State != "open" || claim.AttemptsLeft != 5 || claim.NextResendAt.IsZero() || claim.ExpiresAt.IsZero() {
				t.Errorf("claim: %+v", claim)
			}
			if shown := claim.PendingMobileNumber; shown == "" || strings.Contains(tt.wanted, shown) || !strings.HasSuffix(shown, tt.wanted[len(tt.wanted)-2:]) {
				t.Errorf("pending number is not masked as it should be: %q", shown)
			}
			wantEmpty(t, harness.Send(t, http.MethodPost, s.Holdline.PublicURL+harness.UserAPI+"/me/validate-code",
				`{"code":"`+text.Code+`","properties":[]}`, harness.JSONBody, tt.auth(bob, t)), http.StatusAccepted)
			wantMade(t, bob, tt.wanted)
			if got, want := strings.Join(s.Database.Audit(t, bob.ID), ", "), "open by owner, verified by owner, applied by system"; got != want {
				t.Errorf("audit: got %s, want %s", got, want)
			}
			if got := bob.Identity(t); got.Traits.Name != "After" || got.Traits.Email != bob.Email {
				t.Errorf("other traits: %+v", got.Traits)
			}
			wantTexts(t, s, tt.wanted, 1)
			if tt.was != "" {
				wantTexts(t, s, tt.was, 0)
			}
		})
	}
	wantWrites(t, s, 4)
}

// A crash or a refusal between the hook and the store must not have
// texted anybody.
func TestTheTextGoesOutAfterTheFlowIsStored(t *testing.T) {
	t.Parallel()
	s := harness.NewStack(t, harness.Options{})
	bob := s.NewPerson(t, m0)
	var whenTexted harness.Identity
	s.Provider.Next(harness.Reaction{Before: func() { whenTexted, _ = bob.TryIdentity() }})
	saved := bob.MustSave(t, harness.Profile{Name: "After", Mobile: m1})
	if got := saved.Identity; got.Traits.Mobile != m0 || got.Traits.Name != "After" || got.Pending() != m1 {
		t.Errorf("the flow's answer: %+v", got)
	}
	text := s.Provider.Nth(t, m1, 1)
	harness.Eventually(t, "the text is sent", func() error {
		if c, _ := bob.Claim(t); c.Text != "sent" {
			return errNotYet
		}
		return nil
	})
	if whenTexted.Pending() != m1 || whenTexted.Traits.Name != "After" {
		t.Errorf("the text went out before the flow was stored: %+v", whenTexted)
	}
	if !strings.HasSuffix(text.Body, "\n@127.0.0.1 #"+text.Code) || text.Type != "verification_code_valid" {
		t.Errorf("the text is %q of type %q", text.Body, text.Type)
	}
}

// The number is acceptable, another field is not.
func TestAFormThatKratosRefusesTextsNobody(t *testing.T) {
	t.Parallel()
	s := harness.NewStack(t, harness.Options{})
	bob, fence := s.NewPerson(t, m0), s.NewPerson(t, m2)
	refused := bob.Save(t, harness.Profile{Name: strings.Repeat("too long ", 10), Mobile: m1})
	if refused.Status != http.StatusBadRequest {
		t.Fatalf("settings flow: got %d, want 400: %s", refused.Status, refused.Body)
	}
	fence.Ask(t, m3) // what bob's flow might have caused would have come first
	wantTexts(t, s, m1, 0)
	wantHeld(t, bob, m0, "")
	if c, ok := bob.Claim(t); ok {
		t.Errorf("a claim is there: %+v", c)
	}
	if got := bob.Identity(t).Traits.Name; got != "Before" {
		t.Errorf("name: got %q", got)
	}
	text := bob.Ask(t, m1)
	wantEmpty(t, bob.Confirm(t, text.Code), http.StatusAccepted)
	wantMade(t, bob, m1)
}

// Kratos heard the ruling, or not, and stored nothing.
func TestAStagedClaimWhoseFlowIsNeverStoredIsDiscarded(t *testing.T) {
	t.Parallel()
	s := harness.NewStack(t, harness.Options{})
	bob := s.NewPerson(t, m0)
	s.Hooks.On(harness.Rule{Path: "/hooks/settings/stage", DropAnswer: true})
	if refused := bob.Save(t, harness.Profile{Name: "After", Mobile: m1}); refused.Status != http.StatusBadRequest {
		t.Fatalf("settings flow: got %d, want 400: %s", refused.Status, refused.Body)
	}
	if got := len(callsTo(s.Hooks, stagePath)); got != 3 {
		t.Errorf("deliveries: got %d, want Kratos' three", got)
	}
	wantHeld(t, bob, m0, "")
	// Two minutes pass, for the database at least.
	s.Database.Server.Exec(t, "UPDATE "+s.Database.Name+".claims SET due_at = CURRENT_TIMESTAMP(6), "+
		"created_at = created_at - INTERVAL '2' MINUTE WHERE identity_id = ?", bob.ID)
	harness.Eventually(t, "the staged claim is discarded", func() error {
		if !strings.Contains(s.Holdline.Output.String(), "claim discarded") {
			return errNotYet
		}
		return nil
	})
	wantTexts(t, s, "", 0)
	wantHeld(t, bob, m0, "")
	if got := strings.Count(s.Holdline.Output.String(), "claim discarded"); got != 1 {
		t.Errorf("three deliveries made %d claims, want 1", got)
	}
}

// Kratos itself would text the old number, and unmark it.
func TestNativeVerificationLeavesTheOldNumberAlone(t *testing.T) {
	t.Parallel()
	s := harness.NewStack(t, harness.Options{Kratos: harness.Overlay{
		"selfservice": harness.Overlay{"flows": harness.Overlay{"verification": harness.Overlay{"enabled": true}}},
	}})
	bob := s.NewPerson(t, m0)
	text := bob.Ask(t, m1)
	wantHeld(t, bob, m0, m1)
	wantNoCourier(t, s)
	wantEmpty(t, bob.Confirm(t, text.Code), http.StatusAccepted)
	wantMade(t, bob, m1)
	wantNoCourier(t, s)
}

// wantNoCourier checks that Kratos itself texts nobody.
func wantNoCourier(t *testing.T, s *harness.Stack) {
	t.Helper()
	queued := harness.Send(t, http.MethodGet, s.Kratos.AdminURL+"/admin/courier/messages", "")
	var messages []struct{ Recipient, TemplateType string }
	queued.JSON(t, &messages)
	if queued.Status != http.StatusOK || len(messages) != 0 {
		t.Fatalf("Kratos sends messages of its own: %d %s", queued.Status, queued.Body)
	}
}

// In an identity without a number, one that is held back would stay in
// Kratos as a means to sign in.
func TestAFirstNumberThatSignsInLeavesNoGhost(t *testing.T) {
	t.Parallel()
	s := harness.NewStack(t, harness.Options{})
	bob := s.NewAccount(t, harness.Account{Schema: "identifier"})
	interrupted := bob.Save(t, harness.Profile{Name: "After", Mobile: m1})
	if interrupted.Status != http.StatusBadRequest {
		t.Fatalf("settings flow: got %d, want 400: %s", interrupted.Status, interrupted.Body)
	}
	page := s.Holdline.PublicURL + pagePath // where the code is typed
	if f := interrupted.Field; len(f) != 1 || f[0].Type != "info" || !strings.Contains(f[0].Text, "code is on its way") ||
		!strings.HasSuffix(f[0].Text, " "+page) || f[0].Context["page"] != page {
		t.Errorf("message at the field: %s", harness.Words(f))
	}
	text := s.Provider.Nth(t, m1, 1)
	noGhost := bob.Eventually(t, "the pending number is shown", func(i harness.Identity) bool {
		return i.Pending() == m1
	})
	if got := noGhost.Credentials["code"].Identifiers; len(got) != 0 || noGhost.Traits.Mobile != "" {
		t.Fatalf("a ghost: trait %q, code identifiers %q", noGhost.Traits.Mobile, got)
	}
	wantEmpty(t, bob.Confirm(t, text.Code), http.StatusAccepted)
	wantMade(t, bob, m1)
	if got := bob.Identity(t).Credentials["code"].Identifiers; len(got) != 1 || got[0] != m1 {
		t.Errorf("code identifiers: got %q, want the new number", got)
	}
	second := bob.Ask(t, m2) // with an old number, nothing needs to be interrupted
	wantHeld(t, bob, m1, m2)
	if got := bob.Identity(t).Credentials["code"].Identifiers; len(got) != 1 || got[0] != m1 {
		t.Errorf("code identifiers while another is pending: got %q", got)
	}
	wantEmpty(t, bob.Confirm(t, second.Code), http.StatusAccepted)
	wantMade(t, bob, m2)
}
