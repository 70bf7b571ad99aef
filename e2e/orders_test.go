package e2e_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/holdline/holdline/e2e/harness"
)

// holding makes the next call of a hook wait, on its way to Holdline or on its way
// back, until it is let go.
func holding(s *harness.Stack, path string, answer bool) (arrived <-chan struct{}, letGo func()) {
	came, gone := make(chan struct{}), make(chan struct{})
	wait := func() {
		close(came)
		<-gone
	}
	rule := harness.Rule{Path: path, Times: 1}
	if answer {
		rule.After = wait
	} else {
		rule.Before = wait
	}
	s.Hooks.On(rule)
	return came, sync.OnceFunc(func() { close(gone) })
}

// saving saves a profile while the test goes on.
func saving(t *testing.T, p *harness.Person, profile harness.Profile) func() harness.Answer {
	t.Helper()
	var answer harness.Answer
	var saved sync.WaitGroup
	saved.Go(func() {
		var err error
		if answer, err = p.TrySave(profile); err != nil {
			t.Errorf("the form broke off: %v", err)
		}
	})
	return func() harness.Answer { saved.Wait(); return answer }
}

// A form that Kratos has read, and whose stage call arrives when another number has
// been confirmed, is refused at the number's field.
func TestAFormOlderThanTheConfirmedNumberIsRefused(t *testing.T) {
	t.Parallel()
	s := harness.NewStack(t, harness.Options{Holdline: withoutTextLimits()})
	numbers := uniqueNumbers()
	for name, profile := range map[string]harness.Profile{
		"with another number": {Name: "Late", Mobile: m2},
		"without the number":  {Name: "Late"},
	} {
		t.Run(name, func(t *testing.T) {
			was, now := numbers(), numbers()
			bob := s.NewPerson(t, was)
			code := bob.Ask(t, now).Code
			arrived, letGo := holding(s, stagePath, false)
			defer letGo()
			saved := saving(t, bob, profile)
			<-arrived
			wantEmpty(t, bob.Confirm(t, code), http.StatusAccepted)
			letGo()
			answer := saved()
			if answer.Status != http.StatusBadRequest || !strings.Contains(answer.Body, "HLD-40908") || !strings.Contains(answer.Body, "Reload the page") {
				t.Errorf("got %d, want a refusal with HLD-40908: %s", answer.Status, answer.Body)
			}
			wantMade(t, bob, now)
			again := profile
			if again.Mobile != "" { // what was reloaded is taken
				again.Mobile = numbers()
			}
			bob.MustSave(t, again)
		})
	}
}

// A form that was ruled on before the code came back, and is stored after it, puts
// the old number back. Its activate call shows that, and the number is restored at
// once; where that call is lost, some seconds later. The form's own number is open.
func TestAConfirmedNumberOutlivesAFormThatIsStoredLater(t *testing.T) {
	t.Parallel()
	s := harness.NewStack(t, harness.Options{Holdline: withoutTextLimits()})
	numbers := uniqueNumbers()
	for name, lost := range map[string]bool{"activated": false, "its activation is lost": true} {
		t.Run(name, func(t *testing.T) {
			was, now, next := numbers(), numbers(), numbers()
			bob := s.NewPerson(t, was)
			code := bob.Ask(t, now).Code
			arrived, letGo := holding(s, stagePath, true)
			defer letGo()
			saved := saving(t, bob, harness.Profile{Name: "Late", Mobile: next})
			<-arrived
			wantEmpty(t, bob.Confirm(t, code), http.StatusAccepted)
			if lost {
				s.Hooks.On(harness.Rule{Path: activatePath, Times: 3, Drop: true})
			}
			letGo()
			if answer := saved(); answer.Status != http.StatusOK {
				t.Fatalf("the form: %d %s", answer.Status, answer.Body)
			}
			bob.Eventually(t, "the confirmed number is there, and the form's is pending", func(i harness.Identity) bool {
				return i.Traits.Mobile == now && i.MobileVerified() && i.Pending() == next && i.Traits.Name == "Late"
			})
			harness.Eventually(t, "the audit trail says so", func() error {
				if got := strings.Join(s.Database.Audit(t, bob.ID), ", "); !strings.Contains(got, "number_restored by system") {
					return errNotYetWith(got)
				}
				return nil
			})
			wantEmpty(t, bob.Confirm(t, s.Provider.Nth(t, next, 1).Code), http.StatusAccepted)
			wantSettledAt(t, bob, next)
		})
	}
}

// What is taken back while its form is on its way, between Kratos' two calls, is not
// opened by the second.
func TestATakeBackReachesAFormThatIsOnItsWay(t *testing.T) {
	t.Parallel()
	s := harness.NewStack(t, harness.Options{Holdline: withoutTextLimits()})
	numbers := uniqueNumbers()
	for name, take := range map[string]struct {
		back   func(t *testing.T, p *harness.Person, was string) harness.Answer
		status int
		left   bool // the number is still there
	}{
		"PATCH of the old number": {func(t *testing.T, p *harness.Person, was string) harness.Answer {
			return own["PATCH Me"].ask(t, p, to(was, ""))
		}, http.StatusOK, true},
		"PUT without a number": {func(t *testing.T, p *harness.Person, _ string) harness.Answer {
			return own["PUT Me"].ask(t, p, wish{})
		}, http.StatusOK, false},
		"DELETE": {func(t *testing.T, p *harness.Person, _ string) harness.Answer {
			return p.Me(t, http.MethodDelete, "mobile-claim", "")
		}, http.StatusNoContent, true},
	} {
		t.Run(name, func(t *testing.T) {
			was, wanted := numbers(), numbers()
			bob := s.NewPerson(t, was)
			arrived, letGo := holding(s, activatePath, false)
			defer letGo()
			bob.MustSave(t, harness.Profile{Name: "Early", Mobile: wanted})
			<-arrived
			if answer := take.back(t, bob, was); answer.Status != take.status {
				t.Fatalf("got %d, want %d: %s", answer.Status, take.status, answer.Body)
			}
			letGo()
			if !take.left {
				was = ""
			}
			bob.Eventually(t, "nothing is pending", func(i harness.Identity) bool {
				return i.Pending() == "" && i.Traits.Mobile == was
			})
			harness.Eventually(t, "the activate call is over", func() error {
				for _, call := range s.Hooks.Calls("POST") {
					if call.Path == activatePath && strings.Contains(call.Body, bob.ID) && call.Status == 0 {
						return errNotYet
					}
				}
				return nil
			})
			states, err := s.Database.Claims(bob.ID, wanted)
			if err != nil || len(states) != 1 {
				t.Fatalf("claims %v, %v", states, err)
			}
			for _, state := range states {
				if state != "discarded" {
					t.Errorf("the claim is %s, want discarded", state)
				}
			}
			wantTexts(t, s, wanted, 0)
		})
	}
}

// Forms, codes and takings back at the same moment, with hook calls that are up to
// 50 ms on their way, as between two hosts. A run prints its seed;
// HOLDLINE_ORDERS_SEED repeats its choices, HOLDLINE_ORDERS makes more rounds.
func TestNothingAcceptedIsLostWhateverRunsBeside(t *testing.T) {
	t.Parallel()
	seed, rounds := uint64(time.Now().UnixNano()), 24
	if given, err := strconv.ParseUint(os.Getenv("HOLDLINE_ORDERS_SEED"), 10, 64); err == nil {
		seed = given
	}
	if given, err := strconv.Atoi(os.Getenv("HOLDLINE_ORDERS")); err == nil {
		rounds = given
	}
	t.Logf("HOLDLINE_ORDERS_SEED=%d HOLDLINE_ORDERS=%d", seed, rounds)
	s := harness.NewStack(t, harness.Options{Holdline: withoutTextLimits()})
	var mu sync.Mutex
	chance := rand.New(rand.NewPCG(seed, 1))
	draw := func(n int) int { mu.Lock(); defer mu.Unlock(); return chance.IntN(n) }
	s.Hooks.On(harness.Rule{Before: func() { time.Sleep(time.Duration(draw(50)) * time.Millisecond) }})
	numbers := uniqueNumbers()
	restored := 0
	for round := range rounds {
		was, now, next := numbers(), numbers(), numbers()
		bob := s.NewPerson(t, was)
		code := bob.Ask(t, now).Code
		profile := harness.Profile{Name: fmt.Sprint("Round ", round), Mobile: next}
		if round%2 == 0 {
			profile.Mobile = was // such a form never reaches Holdline
		}
		patience := time.Duration(draw(40)) * time.Millisecond
		if profile.Mobile == was {
			patience = time.Duration(draw(8000)) * time.Microsecond
		}
		saved := saving(t, bob, profile)
		time.Sleep(patience)
		confirmed, err := bob.TryConfirm(code)
		if err != nil {
			t.Fatal(err)
		}
		form := saved()
		if confirmed.Status != http.StatusAccepted {
			t.Logf("round %d: confirm %d, form %d", round, confirmed.Status, form.Status)
			continue // the form's number came before it
		}
		wantAccepted := func(i harness.Identity) bool { return i.Traits.Mobile == now && i.MobileVerified() }
		bob.Eventually(t, fmt.Sprintf("round %d: the accepted number %s is there (form: %d)", round, now, form.Status),
			wantAccepted)
		if strings.Contains(strings.Join(s.Database.Audit(t, bob.ID), " "), "number_restored") {
			restored++
		}
	}
	harness.Report(t, "orders", fmt.Sprintf("%d codes typed beside a form, none lost; %d numbers were restored after a form had put back the old one", rounds, restored))
}
