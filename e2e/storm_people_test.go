package e2e_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/holdline/holdline/e2e/harness"
)

// person is a person of the storm.
type person struct {
	*changer
	chance *rand.Rand
	// spares are further accounts; gone are those that were deleted.
	spares []*person
	gone   bool
	done   int
	did    map[string]int
	// slowest is how long the slowest change took.
	slowest time.Duration

	mu sync.Mutex
	// may are the numbers that the account may have, and why.
	may map[string]string
}

// allow says that the account may have a number from now on.
func (p *person) allow(number, why string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.may[number] = why
}

// look reads the account from Kratos. Whenever somebody looks, its number must be
// one whose code was typed, or that was set elsewhere.
func (p *person) look() (harness.Identity, error) {
	i, err := p.TryIdentity()
	if err != nil {
		return i, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.may[i.Traits.Mobile] == "" {
		return i, fmt.Errorf("%w: %s", errNobodysNumber, i.Traits.Mobile)
	}
	return i, nil
}

func (w *storm) newPerson(t *testing.T, n int) *person {
	t.Helper()
	p := w.newAccount(t, fmt.Sprintf("+49151%03d", 220+n))
	p.chance = w.chance(uint64(n + 1))
	for i := range spares {
		p.spares = append(p.spares, w.newAccount(t, fmt.Sprintf("+49151%03d", 300+spares*n+i)))
	}
	return p
}

func (w *storm) newAccount(t *testing.T, prefix string) *person {
	t.Helper()
	p := &person{changer: &changer{prefix: prefix}, may: map[string]string{}, did: map[string]int{}}
	first := p.number()
	p.may[first] = "had it at first"
	p.Person = w.stack.NewPerson(t, first)
	return p
}

// everybody are all accounts, spares included.
func (w *storm) everybody() []*person {
	var all []*person
	for _, p := range w.people {
		all = append(append(all, p), p.spares...)
	}
	return all
}

// intent is one change that somebody has in mind. It is drawn whole, so that what
// a person does depends on the seed alone.
type intent struct {
	kind  string
	asks  string // by what
	door  int    // the replica that is asked first
	wrong int    // codes that are mistyped
}

// ways of asking for a number: a form, the owner's SCIM requests, or a client's.
var ways = []string{"form", "form", "form", "PATCH Me", "PUT Me", "PATCH Users", "client"}

// kinds of changes, with how many of thirty are such.
var kinds = []struct {
	name  string
	often int
}{
	{"confirmed", 6},
	{"same code everywhere at once", 3},
	{"sent again", 3},
	{"cancelled", 3},
	{"cancelled while the code is typed", 1},
	{"superseded", 2},
	{"superseded while the code is typed", 2},
	{"form beside SCIM", 2},
	{"two SCIM changes at once", 2},
	{"set elsewhere", 2},
	{"set elsewhere while the code is typed", 1},
	{"set by a privileged client", 1},
	{"locked", 1},
	{"deleted", 1},
}

func draw(chance *rand.Rand, replicas int) intent {
	in := intent{asks: ways[chance.IntN(len(ways))], door: chance.IntN(replicas)}
	if chance.IntN(5) == 0 {
		in.wrong = 1 + chance.IntN(3)
	}
	n := chance.IntN(30)
	for _, kind := range kinds {
		if n -= kind.often; n < 0 {
			in.kind = kind.name
			break
		}
	}
	return in
}

const (
	// personsPatience is how long somebody tries until a change is made.
	personsPatience = 4 * time.Minute
	// textPatience is how long somebody waits for a text before asking again.
	textPatience = 6 * time.Second
	// writtenPatience is how long somebody waits for a number whose code was accepted.
	writtenPatience = 24 * harness.Patience
)

// wants asks for a number until that is accepted.
func (w *storm) wants(p *person, in intent, number string, deadline time.Time) error {
	if in.asks == "form" {
		return w.save(p.Person, number, deadline)
	}
	way, who := own[in.asks], p.ByToken()
	if in.asks == "client" {
		way, who = own["PATCH Users"], w.client
	}
	return w.scim(p, in, way, who, to(number, "true"), deadline)
}

// scim sends a wish by SCIM until it is accepted. It waits for an accepted number
// that is still being written, and for a text's cool-down.
func (w *storm) scim(p *person, in intent, way door, who harness.Header, wanted wish, deadline time.Time) error {
	body, err := wanted.document(p.Person, way.method)
	if err != nil {
		return err
	}
	turn := in.door
	answer := w.ask("SCIM", func() (harness.Answer, error) {
		turn++
		answer, err := harness.TrySCIMAt(w.replicas[turn%len(w.replicas)].door, way.method,
			strings.ReplaceAll(way.path, "{id}", p.ID), body, who)
		if err == nil && (answer.Status == http.StatusConflict || answer.Status == http.StatusTooManyRequests) {
			err = fmt.Errorf("%w: %s", errNotYet, answer.Body)
		}
		return answer, err
	}, deadline)
	if answer.Status != http.StatusOK {
		return fmt.Errorf("SCIM: %d %s", answer.Status, answer.Body)
	}
	return nil
}

// texts are those with codes that came to a number, by either provider.
func (w *storm) texts(number string) []harness.Text {
	return append(w.stack.Provider.Texts(number), w.second.Texts(number)...)
}

// hears waits for a text with a code that is not one of the dead; blank for none
// in time.
func (w *storm) hears(number string, dead map[string]bool) string {
	for until := time.Now().Add(textPatience); time.Now().Before(until); time.Sleep(25 * time.Millisecond) {
		texts := w.texts(number)
		for i := len(texts) - 1; i >= 0; i-- {
			if !dead[texts[i].Code] {
				return texts[i].Code
			}
		}
	}
	return ""
}

// errArrived: the number that a text is waited for is there, verified. A right code
// was heard although its answer was lost, and nobody is texted about a number again
// that they have.
var errArrived = errors.New("the number is there already")

// reads asks for a number until a text with a code arrives, or the number itself.
func (w *storm) reads(p *person, in intent, number string, dead map[string]bool, deadline time.Time) (string, error) {
	for time.Now().Before(deadline) {
		if err := w.wants(p, in, number, deadline); err != nil {
			return "", err
		}
		if code := w.hears(number, dead); code != "" {
			return code, nil
		}
		switch i, err := p.look(); {
		case wrongNumber(err):
			return "", err
		case err == nil && i.Traits.Mobile == number && i.MobileVerified():
			return "", errArrived
		}
		// What a client repeats causes one text; the next one is the person's to ask for.
		_, _ = p.TryResendAt(w.replicas[in.door%len(w.replicas)].door)
	}
	return "", fmt.Errorf("no text to %s in time", number)
}

// types types a code at one replica, or at all in the same moment, until there is
// an answer. The best one counts.
func (w *storm) types(p *person, in intent, code string, everywhere bool, deadline time.Time) (harness.Answer, error) {
	doors := []int{in.door}
	if everywhere {
		for i := 1; i < len(w.replicas); i++ {
			doors = append(doors, in.door+i)
		}
	}
	answers := make([]harness.Answer, len(doors))
	var all sync.WaitGroup
	for i, first := range doors {
		all.Go(func() {
			turn := first - 1
			answers[i] = w.ask("confirm", func() (harness.Answer, error) {
				turn++
				return p.TryConfirmAt(w.replicas[turn%len(w.replicas)].door, code)
			}, deadline)
		})
	}
	all.Wait()
	best := answers[0]
	for _, answer := range answers {
		switch {
		case answer.Status == http.StatusAccepted:
			best = answer
		case answer.Status != http.StatusBadRequest && answer.Status != http.StatusConflict:
			return answer, fmt.Errorf("confirm: %d %s", answer.Status, answer.Body)
		}
	}
	return best, nil
}

// refuses types a code that must not be good any more, as often as the answer is
// unclear.
func (w *storm) refuses(p *person, in intent, code, why string, deadline time.Time) error {
	answer, err := w.types(p, in, code, false, deadline)
	if err == nil && answer.Status == http.StatusAccepted {
		err = fmt.Errorf("the code was accepted although %s", why)
	}
	return err
}

// confirmUntilDone asks for a number, types its code, and goes on until the number is
// there. It fails when a code was accepted and the number does not come.
func (w *storm) confirmUntilDone(p *person, in intent, number string, deadline time.Time) error {
	dead := map[string]bool{}
	for wrong := in.wrong; ; {
		code, err := w.reads(p, in, number, dead, deadline)
		if errors.Is(err, errArrived) {
			return nil
		}
		if err != nil {
			return err
		}
		for ; wrong > 0; wrong-- {
			if err := w.refuses(p, in, harness.WrongCode(code, wrong), "it is not the one in the text", deadline); err != nil {
				return err
			}
		}
		p.allow(number, "its code was typed")
		answer, err := w.types(p, in, code, in.kind == "same code everywhere at once", deadline)
		if err != nil {
			return err
		}
		if answer.Status == http.StatusAccepted {
			p.accepted = append(p.accepted, number)
			return w.arrives(p, number)
		}
		// The first try may have been heard although its answer was not; if Kratos does
		// not say so now, reads finds out.
		if i, err := p.look(); err == nil && i.Traits.Mobile == number && i.MobileVerified() {
			return nil
		}
		dead[code] = true
	}
}

// arrives waits until an accepted number is in Kratos. That it is not there in time is
// a failure of its own: whether it was lost or is late, the claim's state tells.
func (w *storm) arrives(p *person, number string) error {
	accepted := time.Now()
	for {
		i, err := p.look()
		switch {
		case err == nil && i.Traits.Mobile == number && i.MobileVerified():
			w.applied(time.Since(accepted))
			return nil
		case wrongNumber(err):
			return err
		case time.Since(accepted) > writtenPatience:
			claims, unread := w.stack.Database.Claims(p.ID, number)
			return fmt.Errorf("GAVE UP after %s: %s was accepted and is not there: mobile %q, pending %q, claims %v: %w",
				writtenPatience, number, i.Traits.Mobile, i.Pending(), claims, errors.Join(errTooLate, err, unread))
		}
		time.Sleep(25 * time.Millisecond)
	}
}

// errTooLate: something that must come did not come in time.
var errTooLate = errors.New("it did not come in time")

// ends waits until the person has no claim any more.
func (w *storm) ends(p *person, in intent, deadline time.Time) error {
	turn := in.door
	for {
		answer := w.ask("look", func() (harness.Answer, error) {
			turn++
			return p.TryClaimAt(w.replicas[turn%len(w.replicas)].door)
		}, deadline)
		switch {
		case answer.Status == http.StatusNotFound:
			return nil
		case time.Now().After(deadline):
			return fmt.Errorf("the claim does not end: %d %s", answer.Status, answer.Body)
		}
		time.Sleep(50 * time.Millisecond)
	}
}
