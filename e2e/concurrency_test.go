package e2e_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/holdline/holdline/e2e/harness"
)

// atOnce runs n calls that start together and returns their answers. One that is
// refused because something is busy is made once more; one that breaks off fails the
// test.
func atOnce(t *testing.T, n int, call func(i int) (harness.Answer, error)) []harness.Answer {
	t.Helper()
	answers := make([]harness.Answer, n)
	var all sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		all.Go(func() {
			<-start
			var err error
			if answers[i], err = harness.Patiently(func() (harness.Answer, error) { return call(i) }); err != nil {
				t.Errorf("call %d broke off: %v", i, err)
			}
		})
	}
	close(start)
	all.Wait()
	return answers
}

// tally counts answers by status and code, as "202" or "400 18001".
func tally(answers []harness.Answer) map[string]int {
	counts := map[string]int{}
	for _, answer := range answers {
		counts[strings.TrimSpace(http.StatusText(answer.Status)+" "+answer.Fault().Code)]++
	}
	return counts
}

// Fifty guesses in one moment, at two replicas: no more of them are
// compared than if they had come one after the other.
func TestFiftyWrongCodesAtOnceCountAsFifty(t *testing.T) {
	t.Parallel()
	s := harness.NewStack(t, harness.Options{})
	replicas := []*harness.Holdline{s.Holdline, s.Replica(t)}
	bob := s.NewPerson(t, m0)
	text := bob.Ask(t, m1)
	answers := atOnce(t, 50, func(i int) (harness.Answer, error) {
		return bob.TryConfirmAt(replicas[i%len(replicas)], harness.WrongCode(text.Code, i))
	})
	t.Logf("answers: %v", tally(answers))
	for _, answer := range answers {
		if answer.Status != http.StatusBadRequest || answer.Fault().Code != "18001" {
			t.Errorf("got %d %s, want 400 18001", answer.Status, answer.Body)
		}
	}
	compared := 0
	for _, replica := range replicas {
		compared += strings.Count(replica.Output.String(), `"wrong code"`)
	}
	if compared != 5 {
		t.Errorf("codes that were compared: got %d, want 5", compared)
	}
	if n := s.Database.Count(t, "claims", "identity_id = ? AND state = 'locked' AND attempts = 5", bob.ID); n != 1 {
		t.Errorf("claims that are locked after 5 tries: got %d, want 1", n)
	}
	wantFault(t, bob.Confirm(t, text.Code), http.StatusBadRequest, "18001")
	bob.Eventually(t, "the pending number is gone", func(i harness.Identity) bool { return i.Pending() == "" })
	wantMade(t, bob, m0)
	wantWrites(t, s, 0)
}

// With everything at once: four wrong codes leave room for the right
// one, whichever comes first.
func TestFourWrongCodesAndTheRightOneAtOnceMakeTheChange(t *testing.T) {
	t.Parallel()
	s := harness.NewStack(t, harness.Options{})
	replicas := []*harness.Holdline{s.Holdline, s.Replica(t)}
	bob := s.NewPerson(t, m0)
	text := bob.Ask(t, m1)
	answers := atOnce(t, 5, func(i int) (harness.Answer, error) {
		code := text.Code
		if i != 2 {
			code = harness.WrongCode(text.Code, i)
		}
		return bob.TryConfirmAt(replicas[i%len(replicas)], code)
	})
	for i, answer := range answers {
		want := http.StatusBadRequest
		if i == 2 {
			want = http.StatusAccepted
		}
		if answer.Status != want {
			t.Errorf("code %d: got %d %s, want %d", i, answer.Status, answer.Body, want)
		}
	}
	wantSettledAt(t, bob, m1)
	wantWrites(t, s, 1)
}

// The right code among fifty: it is either in time, or refused like the others,
// and never applied twice.
func TestTheRightCodeAmongManyMakesOneChangeOrNone(t *testing.T) {
	t.Parallel()
	s := harness.NewStack(t, harness.Options{Holdline: withoutTextLimits()})
	replicas := []*harness.Holdline{s.Holdline, s.Replica(t)}
	numbers := uniqueNumbers()
	made := 0
	for range 4 {
		was, now := numbers(), numbers()
		bob := s.NewPerson(t, was)
		text := bob.Ask(t, now)
		s.KratosAdmin.Forget()
		answers := atOnce(t, 50, func(i int) (harness.Answer, error) {
			code := text.Code
			if i%10 != 0 { // five right ones
				code = harness.WrongCode(text.Code, i)
			}
			return bob.TryConfirmAt(replicas[i%len(replicas)], code)
		})
		t.Logf("answers: %v", tally(answers))
		accepted := 0
		for i, answer := range answers {
			switch {
			case answer.Status == http.StatusAccepted && i%10 == 0:
				accepted++
			case answer.Status != http.StatusBadRequest || answer.Fault().Code != "18001":
				t.Errorf("code %d: got %d %s, want 400 18001", i, answer.Status, answer.Body)
			}
		}
		if accepted == 0 {
			bob.Eventually(t, "the pending number is gone", func(i harness.Identity) bool { return i.Pending() == "" })
			wantMade(t, bob, was)
			wantWrites(t, s, 0)
			continue
		}
		made++
		wantSettledAt(t, bob, now)
		wantWrites(t, s, 1)
	}
	t.Logf("changes that were made: %d of 4", made)
}

// Of many resends at once one sends a text, with the real
// code, to the claim's number; the others say when to come back. Again after the
// cool-down.
func TestResendsAtOnceSendOneText(t *testing.T) {
	t.Parallel()
	s := harness.NewStack(t, harness.Options{Holdline: harness.Overlay{"limits": harness.Overlay{"resend_cooldown": "1h"}}})
	replicas := []*harness.Holdline{s.Holdline, s.Replica(t)}
	bob := s.NewPerson(t, m0)
	first := bob.Ask(t, m1)
	body := strings.Replace(harness.Scenario, "]}", `,{"key":"send-to","value":"`+m2+`"},{"key":"confirmation-code","value":"111111"}]}`, 1)
	codes := []string{first.Code}
	for round := 2; round <= 3; round++ {
		bob.EndCoolDown(t)
		answers := atOnce(t, 20, func(i int) (harness.Answer, error) {
			return harness.TrySend(http.MethodPost, replicas[i%len(replicas)].PublicURL+harness.UserAPI+"/me/resend-code",
				body, harness.JSONBody, bob.ByToken())
		})
		t.Logf("answers: %v", tally(answers))
		sent := 0
		for _, answer := range answers {
			switch {
			case answer.Status == http.StatusCreated:
				sent++
			case answer.Status != http.StatusTooManyRequests || answer.Header.Get("Retry-After") == "":
				t.Errorf("got %d %s, want 201, or 429 with Retry-After", answer.Status, answer.Body)
			}
		}
		if sent != 1 {
			t.Errorf("resends that were accepted: got %d, want 1", sent)
		}
		codes = append(codes, s.Provider.Nth(t, m1, round).Code)
		wantTexts(t, s, "", round)
	}
	for _, dead := range codes[:len(codes)-1] {
		wantFault(t, bob.Confirm(t, dead), http.StatusBadRequest, "18001")
	}
	wantEmpty(t, bob.Confirm(t, codes[len(codes)-1]), http.StatusAccepted)
	wantMade(t, bob, m1)
	wantTexts(t, s, m2, 0)
}

// With nothing pending, no number of resends sends anything.
func TestResendsAtOnceWithNothingPendingSendNothing(t *testing.T) {
	t.Parallel()
	s := harness.NewStack(t, harness.Options{})
	bob := s.NewPerson(t, m0)
	for _, answer := range atOnce(t, 20, func(int) (harness.Answer, error) {
		return bob.TryResend()
	}) {
		wantFault(t, answer, http.StatusBadRequest, "UAR-10011")
	}
	wantTexts(t, s, "", 0)
	wantMade(t, bob, m0)
}

// A resend that races the right code: the change is made, or the code was
// replaced and the new one makes it. Never both, never none.
func TestAResendAndTheRightCodeAtOnceLeaveOneWayToConfirm(t *testing.T) {
	t.Parallel()
	overlay := withoutTextLimits()
	overlay["limits"].(harness.Overlay)["resend_cooldown"] = "0"
	s := harness.NewStack(t, harness.Options{Holdline: overlay})
	numbers := uniqueNumbers()
	for range 6 {
		was, now := numbers(), numbers()
		bob := s.NewPerson(t, was)
		text := bob.Ask(t, now)
		s.KratosAdmin.Forget()
		answers := atOnce(t, 2, func(i int) (harness.Answer, error) {
			if i == 0 {
				return bob.TryConfirm(text.Code)
			}
			return bob.TryResend()
		})
		confirmed, resent := answers[0], answers[1]
		t.Logf("confirm %d %s, resend %d %s", confirmed.Status, confirmed.Fault().Code, resent.Status, resent.Fault().Code)
		if confirmed.Status != http.StatusAccepted {
			wantFault(t, confirmed, http.StatusBadRequest, "18001")
			wantEmpty(t, resent, http.StatusCreated)
			wantEmpty(t, bob.Confirm(t, s.Provider.Nth(t, now, 2).Code), http.StatusAccepted)
		}
		wantSettledAt(t, bob, now)
		wantWrites(t, s, 1)
	}
}

// wantSettledAt waits until the person's claim has ended, and checks what it
// came to.
func wantSettledAt(t *testing.T, p *harness.Person, mobile string) {
	t.Helper()
	harness.Eventually(t, "the claim has ended", func() error {
		if c, pending := p.Claim(t); pending {
			return errNotYetWith(c.State)
		}
		return nil
	})
	wantMade(t, p, mobile)
}

// withoutTextLimits is for tests with more texts than one person would ask for.
func withoutTextLimits() harness.Overlay {
	return harness.Overlay{"limits": harness.Overlay{
		"texts_per_identity_per_day": 0, "texts_per_number_per_hour": 0, "texts_per_number_per_day": 0, "texts_per_address_per_hour": 0,
	}}
}
