package e2e_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/holdline/holdline/e2e/harness"
)

const (
	oldKey = "the secret of until now, 32 characters and more"
	newKey = "the secret of from now on, 32 characters and more"
)

func ring(keys ...string) harness.Overlay {
	return harness.Overlay{"secrets": harness.Overlay{"otp": keys}}
}

// people makes that many, each with a number of their own; wanted gives each
// another.
func people(t *testing.T, s *harness.Stack, n int) []*harness.Person {
	t.Helper()
	all := make([]*harness.Person, n)
	for i := range all {
		all[i] = s.NewPerson(t, fmt.Sprintf("+49151123456%02d", i))
	}
	return all
}

func wanted(i int) string { return fmt.Sprintf("+49151123457%02d", i) }

// The secret that codes and links are made from is changed while two replicas
// serve, one restarted after the other: first the new one is added behind the old
// one everywhere, then it is put before it. Nothing that was made under either is
// lost, at either replica. Once the old secret is gone, what was made with it is
// refused with a clear answer, and a resend helps.
func TestTheKeyOfCodesRotatesUnderTwoReplicas(t *testing.T) {
	t.Parallel()
	unhurried := harness.Overlay{"limits": harness.Overlay{"resend_cooldown": "0s", "texts_per_address_per_hour": 0}}
	for name, value := range ring(oldKey) {
		unhurried[name] = value
	}
	s := harness.NewStack(t, harness.Options{Holdline: unhurried})
	one, other := s.Holdline, s.Replica(t)
	everybody := people(t, s, 7)
	told, before, resent, between, after, late, queued := everybody[0], everybody[1], everybody[2], everybody[3], everybody[4], everybody[5], everybody[6]
	token := s.Token(t, "--scope", "claims:manage")

	wantEmpty(t, told.Confirm(t, told.Ask(t, wanted(0)).Code), http.StatusAccepted)
	link := denial.FindString(waitForNotice(t, s, "+4915112345600").Body)
	beforeCode, lateCode := before.Ask(t, wanted(1)).Code, late.Ask(t, wanted(5)).Code
	resent.Ask(t, wanted(2))

	one.Reconfigure(t, ring(oldKey, newKey))
	// One knows the new secret, the other does not: neither makes anything with it.
	confirmAt(t, other, between, between.Ask(t, wanted(3)).Code)
	other.Reconfigure(t, ring(oldKey, newKey))

	one.Reconfigure(t, ring(newKey, oldKey))
	// One makes codes with the new secret, the other with the old one; each takes
	// both.
	confirmAt(t, other, after, after.Ask(t, wanted(4)).Code)
	if answer, err := resent.TryResendAt(other); err != nil || answer.Status != http.StatusCreated {
		t.Fatalf("resend: %d %s, %v", answer.Status, answer.Body, err)
	}
	confirmAt(t, one, resent, s.Provider.Nth(t, wanted(2), 2).Code)
	// A text that waits is sent by whichever replica finds it, with the code that
	// the claim was opened with.
	s.Provider.Down()
	queued.MustSave(t, harness.Profile{Name: "Queued", Mobile: wanted(6)})
	one.Reconfigure(t, ring(oldKey, newKey))
	s.Provider.Up()
	confirmAt(t, other, queued, s.Provider.Nth(t, wanted(6), 1).Code)
	one.Reconfigure(t, ring(newKey, oldKey))

	other.Reconfigure(t, ring(newKey, oldKey))
	confirmAt(t, other, before, beforeCode)
	if got := harness.Send(t, http.MethodGet, link, ""); got.Status != http.StatusOK {
		t.Errorf("a link of the old secret: %d", got.Status)
	}

	one.Reconfigure(t, ring(newKey))
	other.Reconfigure(t, ring(newKey))
	wantFault(t, late.Confirm(t, lateCode), http.StatusBadRequest, "18002")
	if got := harness.Send(t, http.MethodGet, link, ""); got.Status != http.StatusNotFound || !strings.Contains(got.Body, "<h1") {
		t.Errorf("a link whose secret is gone: %d %s", got.Status, got.Body)
	}
	wantEmpty(t, late.Resend(t), http.StatusCreated)
	confirmAt(t, other, late, s.Provider.Nth(t, wanted(5), 2).Code)
	for i, p := range everybody {
		wantSettledAt(t, p, wanted(i))
	}
	// Bearer tokens are not made from the secret.
	if got := harness.Send(t, http.MethodGet, one.AdminURL+"/admin/settings", "", harness.Header{"Authorization", "Bearer " + token}); got.Status != http.StatusOK {
		t.Errorf("a token from before: %d %s", got.Status, got.Body)
	}
}

func confirmAt(t *testing.T, replica *harness.Holdline, p *harness.Person, code string) {
	t.Helper()
	answer, err := harness.Patiently(func() (harness.Answer, error) { return p.TryConfirmAt(replica, code) })
	if err != nil {
		t.Fatal(err)
	}
	wantEmpty(t, answer, http.StatusAccepted)
}

// Kratos and Holdline cannot be told a new key of hooks in the same instant, so
// Holdline takes the one before as well. Without it a change of number fails
// closed.
func TestTheKeyOfHooksRotates(t *testing.T) {
	t.Parallel()
	const next = "the-hook-key-from-now-on"
	s := harness.NewStack(t, harness.Options{})
	bob := s.NewPerson(t, m0)
	keys := func(key, previous string) harness.Overlay {
		return harness.Overlay{"hooks": harness.Overlay{"api_key": key, "previous_api_key": previous}}
	}
	calls := func(key string) int {
		return harness.Send(t, http.MethodPost, s.Holdline.AdminURL+stagePath, "{}", harness.JSONBody, harness.Header{"X-Hook-Key", key}).Status
	}

	s.Holdline.Reconfigure(t, keys(next, harness.HookKey))
	wantEmpty(t, bob.Confirm(t, bob.Ask(t, m1).Code), http.StatusAccepted) // Kratos sends the old key
	if got := calls(next); got != http.StatusBadRequest {
		t.Errorf("an empty call with the new key: %d, want 400", got)
	}

	s.Holdline.Reconfigure(t, keys(next, ""))
	if got := calls(harness.HookKey); got != http.StatusUnauthorized {
		t.Errorf("the old key, which is gone: %d, want 401", got)
	}
	if refused := bob.Save(t, harness.Profile{Name: "Bob", Mobile: m2}); refused.Status != http.StatusBadRequest {
		t.Errorf("a form while Kratos has a wrong key: %d, want 400: %s", refused.Status, refused.Body)
	}
	wantMade(t, bob, m1)
	if log := s.Holdline.Output.String(); strings.Contains(log, next) || strings.Contains(log, harness.HookKey) {
		t.Error("the log shows a key")
	}
}
