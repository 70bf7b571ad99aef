package e2e_test

import (
	"net/http"
	"testing"

	"github.com/holdline/holdline/e2e/harness"
)

const (
	stagePath    = "/hooks/settings/stage"
	activatePath = "/hooks/settings/activate"
)

func TestKilledAfterStageTheClaimIsFoundAndTexted(t *testing.T) {
	t.Parallel()
	s := harness.NewStack(t, harness.Options{})
	bob := s.NewPerson(t, m0)
	s.Hooks.On(harness.Rule{Path: stagePath, Times: 1, After: s.Holdline.Kill})
	s.Hooks.On(harness.Rule{Path: activatePath, Drop: true}) // lost for good
	bob.MustSave(t, harness.Profile{Name: "After", Mobile: m1})
	wantHeld(t, bob, m0, m1)
	wantTexts(t, s, "", 0)
	s.Holdline.Start(t)
	text := s.Provider.Nth(t, m1, 1)
	wantEmpty(t, bob.Confirm(t, text.Code), http.StatusAccepted)
	wantSettled(t, s, bob, m1, 1)
	wantTexts(t, s, "", 1)
}

func TestKilledBeforeStageIsHeardOfNothingIsStored(t *testing.T) {
	t.Parallel()
	s := harness.NewStack(t, harness.Options{})
	bob := s.NewPerson(t, m0)
	s.Hooks.On(harness.Rule{Path: stagePath, Times: 1, After: s.Holdline.Kill, DropAnswer: true})
	refused := bob.Save(t, harness.Profile{Name: "After", Mobile: m1})
	if refused.Status != http.StatusBadRequest {
		t.Fatalf("settings flow: got %d, want 400: %s", refused.Status, refused.Body)
	}
	wantHeld(t, bob, m0, "")
	s.Holdline.Start(t)
	text := bob.Ask(t, m1)
	wantEmpty(t, bob.Confirm(t, text.Code), http.StatusAccepted)
	wantSettled(t, s, bob, m1, 1)
	wantTexts(t, s, "", 1)
}

func TestKilledAfterActivateTheTextIsSentAgainWithTheSameCode(t *testing.T) {
	t.Parallel()
	s := harness.NewStack(t, harness.Options{})
	bob := s.NewPerson(t, m0)
	s.Provider.Next(harness.Reaction{Before: s.Holdline.Kill, Drop: true})
	bob.MustSave(t, harness.Profile{Name: "After", Mobile: m1})
	first := s.Provider.Nth(t, m1, 1)
	awaitDeath(t, s)
	s.Holdline.Start(t)
	second := s.Provider.Nth(t, m1, 2)
	if first.Code != second.Code {
		t.Error("the second text has another code")
	}
	wantHeld(t, bob, m0, m1)
	wantEmpty(t, bob.Confirm(t, first.Code), http.StatusAccepted)
	wantSettled(t, s, bob, m1, 1)
	wantTexts(t, s, "", 2)
}

func TestKilledAfterTheCodeIsAcceptedTheNumberIsWrittenOnce(t *testing.T) {
	t.Parallel()
	s := harness.NewStack(t, harness.Options{})
	bob := s.NewPerson(t, m0)
	text := bob.Ask(t, m1)
	s.KratosAdmin.On(harness.Rule{Method: http.MethodPatch, Times: 1, Before: s.Holdline.Kill, Drop: true})
	if answer, err := bob.TryConfirm(text.Code); err == nil {
		t.Fatalf("a killed server answered: %d %s", answer.Status, answer.Body)
	}
	wantHeld(t, bob, m0, m1)
	s.Holdline.Start(t)
	// The user, who saw an error, may well try again.
	if again := bob.Confirm(t, text.Code); again.Status != http.StatusAccepted {
		t.Errorf("the same code again: got %d, want 202: %s", again.Status, again.Body)
	}
	wantSettled(t, s, bob, m1, 1)
	wantTexts(t, s, "", 1)
}

func TestKilledAfterKratosWroteTheClaimIsFinishedWithoutAnotherWrite(t *testing.T) {
	t.Parallel()
	s := harness.NewStack(t, harness.Options{})
	bob := s.NewPerson(t, m0)
	text := bob.Ask(t, m1)
	s.KratosAdmin.On(harness.Rule{Method: http.MethodPatch, Times: 1, After: s.Holdline.Kill, DropAnswer: true})
	if answer, err := bob.TryConfirm(text.Code); err == nil {
		t.Fatalf("a killed server answered: %d %s", answer.Status, answer.Body)
	}
	wantHeld(t, bob, m1, "")
	s.Holdline.Start(t)
	wantSettled(t, s, bob, m1, 1)
	wantFault(t, bob.Confirm(t, text.Code), http.StatusBadRequest, "18001")
	wantTexts(t, s, "", 1)
}

func TestKilledWhileItTidiesUpTheMarkerIsRemovedLater(t *testing.T) {
	t.Parallel()
	s := harness.NewStack(t, harness.Options{})
	bob := s.NewPerson(t, m0)
	text := bob.Ask(t, m1)
	s.KratosAdmin.On(harness.Rule{Method: http.MethodPatch, Times: 1, Before: s.Holdline.Kill, Drop: true})
	if answer, err := harness.TrySend(http.MethodDelete, s.Holdline.PublicURL+harness.UserAPI+"/me/mobile-claim", "", bob.ByToken()); err == nil {
		t.Fatalf("a killed server answered: %d %s", answer.Status, answer.Body)
	}
	s.Holdline.Start(t)
	bob.Eventually(t, "the pending number is gone", func(i harness.Identity) bool { return i.Pending() == "" })
	wantMade(t, bob, m0)
	wantFault(t, bob.Confirm(t, text.Code), http.StatusBadRequest, "18001")
	wantWrites(t, s, 0)
}

// awaitDeath waits until a server that is being killed has gone.
func awaitDeath(t *testing.T, s *harness.Stack) {
	t.Helper()
	harness.Eventually(t, "holdline is dead", func() error {
		if _, err := harness.TrySend(http.MethodGet, s.Holdline.PublicURL+"/health/alive", ""); err == nil {
			return errNotYet
		}
		return nil
	})
}
