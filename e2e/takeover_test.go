package e2e_test

import (
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/holdline/holdline/e2e/harness"
)

// made is an account that a client makes over SCIM with a number that nobody has
// proved.
func madeWith(t *testing.T, s *harness.Stack, token, name, mobile string) string {
	t.Helper()
	answer := s.SCIM(t, http.MethodPost, "/Users", `{"schemas":["`+harness.UserSchema+`"],"userName":"`+name+`@example.com",
		"emails":[{"value":"`+name+`@example.com","primary":true}],"phoneNumbers":[{"type":"mobile","value":"`+mobile+`"}]}`,
		harness.ByClient(token))
	if answer.Status != http.StatusCreated {
		t.Fatalf("make user: %d %s", answer.Status, answer.Body)
	}
	return answer.SCIMUser(t).ID
}

// mailing is the configuration of a webhook.
func mailing(m *mailbox) harness.Overlay {
	return harness.Overlay{"webhook": harness.Overlay{"request_config": harness.Overlay{
		"url": m.url, "body": "base64://" + base64.StdEncoding.EncodeToString([]byte("function(ctx) ctx")),
	}}}
}

// An account that was made over SCIM holds the number without proof; who confirms it
// has it, the other is told by mail, and both audit trails say so.
func TestProofTakesANumberFromWhoOnlySaysSo(t *testing.T) {
	t.Parallel()
	mails := newMailbox(t)
	s := harness.NewStack(t, harness.Options{Holdline: harness.Overlay{"notices": mailing(mails)}})
	token := s.Token(t)
	squatter := madeWith(t, s, token, "squatter", m1)
	bob := s.NewPerson(t, "")
	wantEmpty(t, bob.Confirm(t, bob.Ask(t, m1).Code), 202)
	wantMade(t, bob, m1)

	got := s.SCIM(t, http.MethodGet, "/Users/"+squatter, "", harness.ByClient(token))
	if user := got.SCIMUser(t); got.Status != 200 || user.Mobile() != "" || user.Pending() != "" {
		t.Errorf("the other account: %d %s", got.Status, got.Body)
	}
	mail := mails.nth(t, 1)
	if mail.TemplateType != "mobile_number_taken" || mail.Recipient != "squatter@example.com" ||
		!strings.Contains(mail.Body, "Another Holdline account has confirmed the mobile number") || strings.Contains(mail.TemplateData.Mobile, m1[4:9]) {
		t.Errorf("mail: %+v", mail)
	}
	link := denial.FindString(mail.Body)
	if looked := harness.Send(t, http.MethodGet, link, "", harness.Header{}); looked.Status != 200 || !strings.Contains(looked.Body, "Another account has confirmed the mobile number") {
		t.Errorf("the page: %d %s", looked.Status, looked.Body)
	}
	for _, id := range []string{bob.ID, squatter} {
		if audit := s.Database.Audit(t, id); !slices.Contains(audit, "number_taken by system") {
			t.Errorf("audit of %s: %v", id, audit)
		}
	}
	if notices := s.Provider.Notices(""); len(notices) != 0 {
		t.Errorf("texts: %+v", notices)
	}
}

// Who has proved the number keeps it, and so does who signs in by it, since Kratos
// does not let go of that; where the operator wants so, everybody does. Each is
// answered by a sentence that is true.
func TestWhoKeepsATakenNumber(t *testing.T) {
	t.Parallel()
	s := harness.NewStack(t, harness.Options{})
	conflict := func(p *harness.Person, number, says string) {
		t.Helper()
		got := p.Confirm(t, p.Ask(t, number).Code)
		wantFault(t, got, 409, "HLD-40901")
		if got.Fault().Description != says {
			t.Errorf("it says %q, want %q", got.Fault().Description, says)
		}
	}
	holder := s.NewPerson(t, m1)
	bob := s.NewPerson(t, m0)
	s.Command(t, "scim", "reindex") // it was made past the index
	conflict(bob, m1, "Another account has this number and has confirmed it.")
	wantHeld(t, holder, m1, "")
	wantHeld(t, bob, m0, "")

	caller := s.NewAccount(t, harness.Account{Mobile: m2, Unverified: true, Schema: "identifier"})
	conflict(s.NewPerson(t, m5), m2, "Another account signs in with this number, so it cannot be moved.")
	if got := caller.Identity(t); got.Traits.Mobile != m2 {
		t.Errorf("who signs in by it has %q", got.Traits.Mobile)
	}

	refuses := harness.NewStack(t, harness.Options{Holdline: harness.Overlay{"mobile": harness.Overlay{"taken": "refuse"}}})
	squatter := madeWith(t, refuses, refuses.Token(t), "squatter", m3)
	eve := refuses.NewPerson(t, m0)
	got := eve.Confirm(t, eve.Ask(t, m3).Code)
	wantFault(t, got, 409, "HLD-40901")
	if says := got.Fault().Description; says != "Another account has this number." {
		t.Errorf("it says %q", says)
	}
	if left := refuses.SCIM(t, http.MethodGet, "/Users/"+squatter, "", harness.ByClient(refuses.Token(t))).SCIMUser(t); left.Mobile() != m3 {
		t.Errorf("the other account has %q", left.Mobile())
	}
}

// A replica that is killed when the number has been removed at one and not yet
// written at the other leaves the rest to whoever comes after it.
func TestATakingOutlivesAKilledReplica(t *testing.T) {
	t.Parallel()
	mails := newMailbox(t)
	s := harness.NewStack(t, harness.Options{Holdline: harness.Overlay{"notices": mailing(mails)}})
	squatter := madeWith(t, s, s.Token(t), "squatter", m1)
	bob := s.NewPerson(t, "")
	code := bob.Ask(t, m1).Code
	s.KratosAdmin.On(harness.Rule{Method: http.MethodPatch, Path: "/admin/identities/" + squatter, Times: 1, After: s.Holdline.Kill})
	if answer, err := bob.TryConfirm(code); err == nil && answer.Status != 202 {
		t.Fatalf("answered %d %s", answer.Status, answer.Body)
	}
	s.Holdline.Start(t)
	bob.Eventually(t, "the number", func(i harness.Identity) bool { return i.Traits.Mobile == m1 && i.MobileVerified() })
	if mail := mails.nth(t, 1); mail.TemplateType != "mobile_number_taken" {
		t.Errorf("mail: %+v", mail)
	}
	for _, id := range []string{bob.ID, squatter} {
		if audit := s.Database.Audit(t, id); !slices.Contains(audit, "number_taken by system") {
			t.Errorf("audit of %s: %v", id, audit)
		}
	}
}

// Two people prove the same number in the same moment, at two replicas, while a third
// account only says that it has it: one of them has it in the end.
func TestTwoTakeTheSameNumberAtOnce(t *testing.T) {
	t.Parallel()
	s := harness.NewStack(t, harness.Options{Holdline: harness.Overlay{"limits": harness.Overlay{"texts_per_number_per_day": 0}}})
	other := s.Replica(t)
	squatter := madeWith(t, s, s.Token(t), "squatter", m1)
	people := []*harness.Person{s.NewPerson(t, ""), s.NewPerson(t, "")}
	codes := []string{people[0].Ask(t, m1).Code, people[1].Ask(t, m1).Code}
	if codes[0] == codes[1] { // the second text came to the same phone
		t.Fatal("two people have one code")
	}
	var together sync.WaitGroup
	statuses := make([]int, 2)
	for i, at := range []*harness.Holdline{s.Holdline, other} {
		together.Go(func() {
			answer, err := harness.Patiently(func() (harness.Answer, error) { return people[i].TryConfirmAt(at, codes[i]) })
			if err != nil {
				t.Error(err)
			}
			statuses[i] = answer.Status
		})
	}
	together.Wait()
	var owners int
	harness.Eventually(t, "an end of both claims", func() error {
		owners = 0
		for _, p := range people {
			if _, waits := p.Claim(t); waits {
				return errNotYet
			}
			if p.Identity(t).Traits.Mobile == m1 {
				owners++
			}
		}
		return nil
	})
	if owners != 1 || !slices.Contains(statuses, 202) {
		t.Errorf("%d have the number; answers %v", owners, statuses)
	}
	left := s.SCIM(t, http.MethodGet, "/Users/"+squatter, "", harness.ByClient(s.Token(t))).SCIMUser(t)
	if left.Mobile() != "" {
		t.Errorf("the third account has %q", left.Mobile())
	}
}
