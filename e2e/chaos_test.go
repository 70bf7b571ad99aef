package e2e_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/holdline/holdline/e2e/harness"
)

// Several people change their numbers while Holdline is killed at moments that
// nobody chose. Each does what a person would: try again when it did not work.
func TestKilledAgainAndAgainEveryChangeIsMadeOnce(t *testing.T) {
	t.Parallel()
	const persons, kills = 6, 8
	// Whoever heard no answer saves again, and is texted no other code before this is over.
	s := harness.NewStack(t, harness.Options{Holdline: harness.Overlay{"limits": harness.Overlay{"resend_cooldown": "1h"}}})
	numbers := uniqueNumbers()
	wanted := map[*harness.Person]string{}
	for range persons {
		wanted[s.NewPerson(t, numbers())] = numbers()
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	chance := rand.New(rand.NewPCG(seed, 0))

	var over atomic.Bool
	var all sync.WaitGroup
	for person, number := range wanted {
		all.Go(func() {
			if err := change(s, person, number); err != nil {
				t.Errorf("%s: %v", person.Email, err)
			}
		})
	}
	go func() { all.Wait(); over.Store(true) }()
	for range kills {
		moment := time.Now().Add(time.Duration(50+chance.IntN(1500)) * time.Millisecond)
		harness.Eventually(t, "the next moment", func() error {
			if time.Now().Before(moment) && !over.Load() {
				return errNotYet
			}
			return nil
		})
		s.Holdline.Restart(t)
	}
	all.Wait()
	for person, number := range wanted {
		harness.Eventually(t, "the claim has ended", func() error {
			if c, pending := person.Claim(t); pending {
				return errNotYetWith(c.State)
			}
			return nil
		})
		wantMade(t, person, number)
		written, unheard := 0, 0
		for _, call := range s.KratosAdmin.Calls(http.MethodPatch) {
			switch {
			case !strings.HasSuffix(call.Path, person.ID) || !strings.Contains(call.Body, "/traits/mobile"):
			case call.Status == http.StatusOK:
				written++
			default:
				unheard++
			}
		}
		// A write whose answer was killed off was made all the same: the number is
		// in place, and found there.
		if written != 1 && (written != 0 || unheard == 0) {
			t.Errorf("%s: written %d times, want once; %d writes had no answer", person.Email, written, unheard)
		}
		texts := s.Provider.Texts(number)
		for _, text := range texts {
			if text.Code != texts[0].Code {
				t.Errorf("%s: two codes in %d texts", person.Email, len(texts))
			}
		}
		if len(texts) == 0 {
			t.Errorf("%s: no text", person.Email)
		}
	}
}

// change is a person who does not give up for a while.
func change(s *harness.Stack, p *harness.Person, number string) error {
	deadline := time.Now().Add(harness.Patience)
	saved := false
	last := "nothing was tried"
	for ; time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if !saved {
			answer, err := p.TrySave(harness.Profile{Name: "After", Mobile: number})
			saved = err == nil && answer.Status == http.StatusOK
			last = fmt.Sprintf("save: %d %v", answer.Status, err)
			continue
		}
		texts := s.Provider.Texts(number)
		if len(texts) == 0 {
			last = "no text"
			continue
		}
		answer, err := p.TryConfirm(texts[len(texts)-1].Code)
		last = fmt.Sprintf("confirm: %d %s %v", answer.Status, answer.Body, err)
		switch {
		case err != nil, answer.Status >= 500:
		case answer.Status == http.StatusAccepted:
			return nil
		default:
			// The first try may have been heard although its answer was not.
			if i, err := p.TryIdentity(); err == nil && i.Traits.Mobile == number {
				return nil
			}
			return fmt.Errorf("refused: %s", last)
		}
	}
	return fmt.Errorf("not done in time: %s", last)
}
