package e2e_test

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/holdline/holdline/e2e/harness"
)

func TestADatabaseThatIsAwayRefusesOnlyTheNumber(t *testing.T) {
	t.Parallel()
	server := harness.OwnServer(t)
	s := harness.NewStack(t, harness.Options{Server: server})
	bob := s.NewPerson(t, m0)
	text := bob.Ask(t, m1)
	server.Stop(t)

	refused := bob.Save(t, harness.Profile{Name: "After", Mobile: m2})
	if refused.Status != http.StatusBadRequest {
		t.Fatalf("settings flow: got %d, want 400: %s", refused.Status, refused.Body)
	}
	if f := refused.Field; len(f) != 1 || f[0].Type != "error" || f[0].Text == "" {
		t.Errorf("message at the field: %s; at the form: %s", harness.Words(f), harness.Words(refused.Top))
	}
	wantHeld(t, bob, m0, m1)
	bob.MustSave(t, harness.Profile{Name: "Without database", Mobile: m0})
	if got := bob.Identity(t).Traits.Name; got != "Without database" {
		t.Errorf("name: got %q", got)
	}
	away, err := bob.TryConfirm(text.Code)
	if err != nil {
		t.Fatal(err)
	}
	wantFault(t, away, http.StatusServiceUnavailable, "HLD-50301")
	if ready, err := harness.TrySend(http.MethodGet, s.Holdline.PublicURL+"/health/ready", ""); err != nil || ready.Status != http.StatusServiceUnavailable {
		t.Errorf("ready: got %d, want 503: %v", ready.Status, err)
	}

	server.Start(t)
	harness.Eventually(t, "holdline is ready again", func() error {
		if harness.Send(t, http.MethodGet, s.Holdline.PublicURL+"/health/ready", "").Status != http.StatusOK {
			return errNotYet
		}
		return nil
	})

	thaw := server.Freeze(t) // as bad as away, and slower to be noticed: both forms are answered meanwhile
	refused = bob.Save(t, harness.Profile{Name: "After", Mobile: m2})
	if f := refused.Field; refused.Status != http.StatusBadRequest || len(f) != 1 || f[0].Type != "error" {
		t.Errorf("settings flow: got %d: %s; at the field: %s", refused.Status, harness.Words(refused.Top), harness.Words(f))
	}
	bob.MustSave(t, harness.Profile{Name: "With a frozen database", Mobile: m0})
	thaw()
	wantHeld(t, bob, m0, m1)
	wantEmpty(t, bob.Confirm(t, text.Code), http.StatusAccepted)
	wantMade(t, bob, m1)
}

// A submit that leaves the number alone does not depend on Holdline at all.
func TestWithHoldlineStoppedOnlyANumberChangeIsRefused(t *testing.T) {
	t.Parallel()
	s := harness.NewStack(t, harness.Options{DirectHooks: true, JsonnetDir: t.TempDir()})
	bob := s.NewPerson(t, m0)
	s.Holdline.Stop(t)
	bob.MustSave(t, harness.Profile{Name: "Without Holdline", Mobile: m0})
	// A browser is led to a page that does not answer; the form was stored before.
	saved := bob.SaveByForm(t, harness.Profile{Name: "Without Holdline", Mobile: m0})
	if to := saved.Header.Get("Location"); saved.State != "success" || to != s.Holdline.PublicURL+pagePath {
		t.Errorf("the form is in the state %q, and the browser is led to %q", saved.State, to)
	}
	refused := bob.Save(t, harness.Profile{Name: "After", Mobile: m1})
	if refused.Status != http.StatusBadRequest {
		t.Fatalf("settings flow: got %d, want 400: %s", refused.Status, refused.Body)
	}
	wantHeld(t, bob, m0, "")
	if got := bob.Identity(t).Traits.Name; got != "Without Holdline" {
		t.Errorf("name: got %q", got)
	}
	s.Holdline.Start(t)
	text := bob.Ask(t, m1)
	wantEmpty(t, bob.Confirm(t, text.Code), http.StatusAccepted)
	wantMade(t, bob, m1)
}

func TestAnAcceptedCodeIsAppliedOnceWhenKratosIsBack(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		fault   harness.Rule
		restart bool
	}{
		"Kratos answers 503":                    {harness.Rule{Status: http.StatusServiceUnavailable}, false},
		"Kratos cannot be reached":              {harness.Rule{Drop: true}, false},
		"Kratos answers 503, Holdline killed":   {harness.Rule{Status: http.StatusServiceUnavailable}, true},
		"Kratos writes, the answer gets lost":   {harness.Rule{Method: http.MethodPatch, Times: 1, DropAnswer: true}, false},
		"Kratos answers 503 once, to the write": {harness.Rule{Method: http.MethodPatch, Times: 1, Status: http.StatusServiceUnavailable}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := harness.NewStack(t, harness.Options{})
			bob := s.NewPerson(t, m0)
			text := bob.Ask(t, m1)
			s.KratosAdmin.On(tt.fault)
			wantEmpty(t, bob.Confirm(t, text.Code), http.StatusAccepted)
			if tt.fault.Times == 0 {
				wantHeld(t, bob, m0, m1)
				if c, ok := bob.Claim(t); !ok || c.State != "verified" {
					t.Errorf("claim: got %+v, want it verified", c)
				}
				wantFault(t, bob.Me(t, http.MethodDelete, "mobile-claim", ""), http.StatusConflict, "HLD-40904")
			}
			if tt.restart {
				s.Holdline.Kill()
			}
			s.KratosAdmin.Heal()
			if tt.restart {
				s.Holdline.Start(t)
			}
			bob.Eventually(t, "the number is written", func(i harness.Identity) bool {
				return i.Traits.Mobile == m1 && i.MobileVerified() && i.Pending() == ""
			})
			wantSettled(t, s, bob, m1, 1)
			wantFault(t, bob.Confirm(t, text.Code), http.StatusBadRequest, "18001")
			wantTexts(t, s, "", 1)
		})
	}
}

// wantSettled waits until Holdline itself has done with the person's claim, and
// checks what it came to and in how many writes.
func wantSettled(t *testing.T, s *harness.Stack, p *harness.Person, mobile string, written int) {
	t.Helper()
	harness.Eventually(t, "the claim has ended", func() error {
		if c, pending := p.Claim(t); pending {
			return errNotYetWith(c.State)
		}
		return nil
	})
	wantMade(t, p, mobile)
	wantWrites(t, s, written)
	applied := func() int { return strings.Count(s.Holdline.Output.String(), `"claim applied"`) }
	harness.Eventually(t, "the log says that the claim was applied", func() error {
		if applied() == 0 {
			return errNotYet // it is written after the commit
		}
		return nil
	})
	if got := applied(); got != 1 {
		t.Errorf("the log says %d times that a claim was applied, want once", got)
	}
}

// A number that was changed elsewhere meanwhile is never overwritten blindly.
func TestANumberChangedElsewhereIsNotOverwritten(t *testing.T) {
	t.Parallel()
	s := harness.NewStack(t, harness.Options{})
	bob := s.NewPerson(t, m0)
	text := bob.Ask(t, m1)
	bob.Overwrite(t, m2)
	wantFault(t, bob.Confirm(t, text.Code), http.StatusConflict, "HLD-40902")
	after := bob.Eventually(t, "the pending number is gone", func(i harness.Identity) bool { return i.Pending() == "" })
	if after.Traits.Mobile != m2 || after.MobileVerified() {
		t.Errorf("got %q (verified %v), want the administrator's number, not verified", after.Traits.Mobile, after.MobileVerified())
	}
	wantFault(t, bob.Confirm(t, text.Code), http.StatusBadRequest, "18001")
	wantWrites(t, s, 0)
}

// An identity that is deleted before its number could be written leaves nothing
// personal behind.
func TestADeletedIdentityLeavesNoNumbers(t *testing.T) {
	t.Parallel()
	s := harness.NewStack(t, harness.Options{})
	bob := s.NewPerson(t, m0)
	text := bob.Ask(t, m1)
	s.KratosAdmin.On(harness.Rule{Drop: true})
	wantEmpty(t, bob.Confirm(t, text.Code), http.StatusAccepted)
	bob.Delete(t)
	s.KratosAdmin.Heal()
	harness.Eventually(t, "the claim is orphaned", func() error {
		if !strings.Contains(s.Holdline.Output.String(), "claim orphaned") {
			return errNotYet
		}
		return nil
	})
	if got := s.Database.Numbers(t, bob.ID); len(got) != 0 {
		t.Errorf("numbers that are kept: %q", got)
	}
	wantWrites(t, s, 0)
}

// Without Kratos nobody can be known, so nothing is decided.
func TestWithoutKratosSessionsCannotBeProven(t *testing.T) {
	t.Parallel()
	s := harness.NewStack(t, harness.Options{})
	bob := s.NewPerson(t, m0)
	text := bob.Ask(t, m1)
	s.KratosPublic.On(harness.Rule{Drop: true})
	unproven := func() {
		t.Helper()
		got, err := bob.TryConfirm(text.Code)
		if err != nil {
			t.Fatal(err)
		}
		wantFault(t, got, http.StatusServiceUnavailable, "HLD-50302")
	}
	unproven()
	s.KratosPublic.Heal()
	s.KratosPublic.On(harness.Rule{Status: http.StatusInternalServerError})
	unproven()
	s.KratosPublic.Heal()
	wantHeld(t, bob, m0, m1)
	if c, _ := bob.Claim(t); c.AttemptsLeft != 5 {
		t.Errorf("attempts left: got %d, want all 5", c.AttemptsLeft)
	}
	wantEmpty(t, bob.Confirm(t, text.Code), http.StatusAccepted)
	wantMade(t, bob, m1)
}

// A stop in the middle of a confirm does not break it off.
func TestADrainingHoldlineFinishesWhatItBegan(t *testing.T) {
	t.Parallel()
	s := harness.NewStack(t, harness.Options{})
	bob := s.NewPerson(t, m0)
	text := bob.Ask(t, m1)
	s.KratosAdmin.On(harness.Rule{Method: http.MethodPatch, Times: 1, Before: func() {
		s.Holdline.Terminate()
		for deadline := time.Now().Add(harness.Patience); time.Now().Before(deadline); {
			if _, err := harness.TrySend(http.MethodGet, s.Holdline.PublicURL+"/health/alive", ""); err != nil {
				return // new requests are not taken any more
			}
		}
		t.Error("holdline still takes requests after SIGTERM")
	}})
	answer, err := bob.TryConfirm(text.Code)
	if err != nil {
		t.Fatalf("the confirm was broken off: %v", err)
	}
	wantEmpty(t, answer, http.StatusAccepted)
	wantHeld(t, bob, m1, "")
	s.Holdline.Stop(t)
	s.Holdline.Start(t)
	wantSettled(t, s, bob, m1, 1)
}

// A provider that fails, hangs or breaks off delays a text, and no more.
func TestATextIsSentAgainWithTheSameCodeWhenTheProviderFails(t *testing.T) {
	t.Parallel()
	for name, reaction := range map[string]harness.Reaction{
		"answers 503": {Status: http.StatusServiceUnavailable},
		"breaks off":  {Drop: true},
		"hangs":       {Hang: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := harness.NewStack(t, harness.Options{})
			bob := s.NewPerson(t, m0)
			var waited atomic.Bool
			reaction.GivenUp = func() { waited.Store(true) }
			s.Provider.Next(reaction)
			bob.MustSave(t, harness.Profile{Name: "After", Mobile: m1})
			if waited.Load() {
				t.Error("the form waited for the provider, until the program gave that up")
			}
			first := s.Provider.Nth(t, m1, 1)
			second := s.Provider.Nth(t, m1, 2)
			if first.Code != second.Code {
				t.Errorf("the second try has another code")
			}
			wantEmpty(t, bob.Confirm(t, second.Code), http.StatusAccepted)
			wantMade(t, bob, m1)
		})
	}
}
