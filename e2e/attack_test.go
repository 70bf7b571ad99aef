package e2e_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/holdline/holdline/e2e/harness"
)

// attack is somebody who wants many texts to go out.
type attack struct {
	accounts, addresses int
	numbers             func(n int) string
	// budget is for the calling code in an hour; 0 for none.
	budget int
	// premium lets premium-rate numbers be texted.
	premium bool
	// throwAway accounts have no verified number.
	throwAway bool
	// most is how many texts may go out, few how many do at least: an attack that
	// is refused for another reason would prove nothing.
	most, few int
}

const (
	attempts = 100 // number changes that are asked for, and twice as many resends
	// One form at a time is what the tests' Kratos, on SQLite, can take.
	formsAtOnce   = 1
	resendsAtOnce = 20
)

// However many hands an attacker has, no more texts go out than the limits say.
// There is no cool-down here to help.
func TestAttackersGetNoMoreTextsThanTheLimits(t *testing.T) {
	t.Parallel()
	list := func(n int) string { return fmt.Sprintf("+49151333%05d", n) }
	premium := func(n int) string { return fmt.Sprintf("+49900%07d", 3123456+n) }
	maldives := func(n int) string { return fmt.Sprintf("+9607%06d", 710000+n) }
	one := func(int) string { return m1 }
	attacks := map[string]attack{
		"1 account, 1 address, 100 numbers":                    {1, 1, list, 0, false, false, 10, 5},
		"30 accounts, 1 address, 100 numbers":                  {30, 1, list, 0, false, false, 60, 30},
		"30 accounts, 30 addresses, 1 number":                  {30, 30, one, 0, false, false, 20, 10},
		"30 throw-away accounts, 30 addresses, 1 number":       {30, 30, one, 0, false, true, 5, 3},
		"30 accounts, 30 addresses, premium rate":              {30, 30, premium, 0, false, false, 0, 0},
		"30 accounts, 30 addresses, premium rate, not denied":  {30, 30, premium, 0, true, false, 300, 50},
		"30 accounts, 30 addresses, 1 calling code, no budget": {30, 30, maldives, 0, false, false, 300, 50},
		"30 accounts, 30 addresses, 1 calling code, budget 25": {30, 30, maldives, 25, false, false, 25, 10},
	}
	var mu sync.Mutex
	var lines []string
	t.Cleanup(func() {
		slices.Sort(lines)
		harness.Report(t, "attackers", fmt.Sprintf("%-60s %8s %8s %8s\n", "attack", "asked", "texts", "limit")+strings.Join(lines, "\n"))
	})
	for name, a := range attacks {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			line := fmt.Sprintf("%-60s %8d %8d %8d", name, 3*attempts, a.run(t), a.most)
			mu.Lock()
			defer mu.Unlock()
			lines = append(lines, line)
		})
	}
}

// run attacks and returns how many texts went out.
func (a attack) run(t *testing.T) int {
	t.Helper()
	config := harness.Overlay{
		"limits": harness.Overlay{"resend_cooldown": "0"},
		"hooks":  harness.Overlay{"client_address_header": "True-Client-Ip"},
		"public": harness.Overlay{"trusted_proxies": []string{"127.0.0.1"}},
	}
	if a.budget > 0 {
		config["traffic"] = harness.Overlay{"mode": "enforce", "texts_per_calling_code_per_hour": a.budget}
	}
	if a.premium {
		config["mobile"] = harness.Overlay{"denied_types": []string{}}
	}
	s := harness.NewStack(t, harness.Options{Holdline: config})
	people := make([]*harness.Person, a.accounts)
	for i := range people {
		people[i] = s.NewAccount(t, harness.Account{Mobile: fmt.Sprintf("+49151444%05d", i), Unverified: a.throwAway})
	}
	a.strike(t, s, people)
	awaitEmptyOutbox(t, s)
	sent := len(s.Provider.Texts(""))
	if sent > a.most || sent < a.few {
		t.Errorf("texts that went out: got %d, want at most %d (and at least %d)", sent, a.most, a.few)
	}
	perNumber := map[string]int{}
	for _, text := range s.Provider.Texts("") {
		if perNumber[text.To]++; perNumber[text.To] > 20 {
			t.Errorf("%s got more than 20 texts", text.To)
		}
	}
	if a.throwAway { // the number's owner, who has another one verified, is served all the same
		s.NewPerson(t, "+4915155500000").Ask(t, m1)
	}
	return sent
}

// strike asks for all the texts, as fast as it can.
func (a attack) strike(t *testing.T, s *harness.Stack, people []*harness.Person) {
	t.Helper()
	inParallel(attempts, formsAtOnce, func(n int) {
		who, header := people[n%len(people)], harness.Header{"True-Client-IP", a.address(n)}
		saved, err := who.TrySave(harness.Profile{Name: "After", Mobile: a.numbers(n)}, header)
		if err != nil || saved.Status >= 500 {
			t.Errorf("settings flow: %d %s %v", saved.Status, saved.Body, err)
		}
	})
	inParallel(2*attempts, resendsAtOnce, func(n int) {
		again, err := harness.Patiently(func() (harness.Answer, error) {
			return people[n%len(people)].TryResend(harness.Header{"X-Forwarded-For", a.address(n)})
		})
		switch {
		case err != nil || again.Status >= 500:
			t.Errorf("resend: %d %s %v", again.Status, again.Body, err)
		case again.Status == http.StatusTooManyRequests && again.Header.Get("Retry-After") == "":
			t.Error("429 without Retry-After")
		}
	})
}

func (a attack) address(n int) string { return fmt.Sprintf("203.0.113.%d", 1+n%a.addresses) }

// Twenty people who have an open claim ask for another text in the same moment,
// and a limit has room for five.
func TestTextsAtOnceDoNotOvershootALimit(t *testing.T) {
	t.Parallel()
	const people, room = 20, 5
	limits := func(name string) harness.Overlay {
		return harness.Overlay{"limits": harness.Overlay{
			"resend_cooldown": "0", "texts_per_number_per_hour": 0, "texts_per_number_per_day": 0, "texts_per_address_per_hour": 0, name: people + room,
		}}
	}
	budget := limits("texts_per_identity_per_day")
	budget["traffic"] = harness.Overlay{"mode": "enforce", "texts_per_calling_code_per_hour": people + room}
	for name, config := range map[string]harness.Overlay{
		"of a number":       limits("texts_per_number_per_day"),
		"of a number, hour": limits("texts_per_number_per_hour"),
		"of an address":     limits("texts_per_address_per_hour"),
		"of a calling code": budget,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config["hooks"] = harness.Overlay{"client_address_header": "True-Client-Ip"}
			s := harness.NewStack(t, harness.Options{Holdline: config})
			replicas := []*harness.Holdline{s.Holdline, s.Replica(t)}
			crowd := make([]*harness.Person, people)
			for i := range crowd {
				crowd[i] = s.NewPerson(t, fmt.Sprintf("+49151444%05d", i))
				saved, err := crowd[i].TrySave(harness.Profile{Name: "After", Mobile: m1}, harness.Header{"True-Client-IP", "127.0.0.1"})
				if err != nil || saved.Status != http.StatusOK {
					t.Fatalf("settings flow: %d %s %v", saved.Status, saved.Body, err)
				}
			}
			s.Provider.Nth(t, m1, people)
			answers := atOnce(t, people, func(i int) (harness.Answer, error) {
				return crowd[i].TryResendAt(replicas[i%len(replicas)])
			})
			t.Logf("answers: %v", tally(answers))
			awaitEmptyOutbox(t, s)
			wantTexts(t, s, m1, people+room)
		})
	}
}

// inParallel calls for each n below the number, some at once.
func inParallel(number, atOnce int, call func(n int)) {
	todo := make(chan int, number)
	for n := range number {
		todo <- n
	}
	close(todo)
	var all sync.WaitGroup
	for range atOnce {
		all.Go(func() {
			for n := range todo {
				call(n)
			}
		})
	}
	all.Wait()
}

func awaitEmptyOutbox(t *testing.T, s *harness.Stack) {
	t.Helper()
	harness.Eventually(t, "nothing is left to send", func() error {
		if n := s.Database.Count(t, "texts", "state = 'queued'"); n > 0 {
			return errNotYetWith(n)
		}
		return nil
	})
}
