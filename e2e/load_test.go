package e2e_test

import (
	"fmt"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/holdline/holdline/e2e/harness"
)

// changer is a person with numbers of their own.
type changer struct {
	*harness.Person
	prefix   string
	asked    []string // every number that was ever typed
	accepted []string // those whose code was answered 202
}

func (p *changer) number() string {
	number := fmt.Sprintf("%s%05d", p.prefix, len(p.asked))
	p.asked = append(p.asked, number)
	return number
}

// persistence is what people have who do not give up. It counts their requests.
type persistence struct {
	requests, failed atomic.Int64
	// saving bounds the settings flows at a time, where it is not nil.
	saving chan struct{}

	mu     sync.Mutex
	outage time.Duration  // the longest that one person had to try
	latest time.Duration  // from an accepted code to the number in Kratos
	kinds  map[string]int // failures
}

// ask tries until there is an answer that is not a failure of the server's. A 401 may be
// one: Kratos v1.3.1 answers /sessions/whoami so whatever error it meets, also of its
// database. One that stays ends the test, for nobody's session ends here.
func (a *persistence) ask(kind string, try func() (harness.Answer, error), deadline time.Time) harness.Answer {
	var since time.Time
	for {
		a.requests.Add(1)
		answer, err := try()
		if err == nil && answer.Status < 500 && answer.Status != http.StatusUnauthorized || time.Now().After(deadline) {
			if !since.IsZero() {
				a.mu.Lock()
				a.outage = max(a.outage, time.Since(since))
				a.mu.Unlock()
			}
			return answer
		}
		if since.IsZero() {
			since = time.Now()
		}
		a.failed.Add(1)
		a.mu.Lock()
		if a.kinds == nil {
			a.kinds = map[string]int{}
		}
		a.kinds[kind+" "+strconv.Itoa(answer.Status)]++
		a.mu.Unlock()
		time.Sleep(100 * time.Millisecond)
	}
}

// save sends a number by a settings form until Kratos stores it.
func (a *persistence) save(p *harness.Person, number string, deadline time.Time) error {
	answer := a.ask("save", func() (harness.Answer, error) {
		if a.saving != nil {
			a.saving <- struct{}{}
			defer func() { <-a.saving }()
		}
		answer, err := p.TrySave(harness.Profile{Name: "After", Mobile: number})
		if err == nil && answer.Status == http.StatusBadRequest { // how Kratos says that the hook failed
			err = fmt.Errorf("refused: %s", answer.Body)
		}
		return answer, err
	}, deadline)
	if answer.Status != http.StatusOK {
		return fmt.Errorf("save %s: %d %s", number, answer.Status, answer.Body)
	}
	return nil
}

// applied notes how long an accepted number took to arrive.
func (a *persistence) applied(after time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.latest = max(a.latest, after)
}

// seedFrom is the seed that a variable gives, or a new one. It is logged.
func seedFrom(t *testing.T, variable string) uint64 {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	if given, err := strconv.ParseUint(os.Getenv(variable), 10, 64); err == nil {
		seed = given
	}
	t.Logf("seed %d; to repeat it: %s=%d", seed, variable, seed)
	return seed
}

var aNumber = regexp.MustCompile(`"(\+\d{8,15})"`)

// numbersWritten counts for each number the writes that Kratos answered, and
// those whose answer nobody heard, because somebody was killed meanwhile.
func numbersWritten(s *harness.Stack) (heard, unheard map[string]int) {
	heard, unheard = map[string]int{}, map[string]int{}
	for _, call := range s.KratosAdmin.Calls(http.MethodPatch) {
		found := aNumber.FindStringSubmatch(call.Body)
		if found == nil || !strings.Contains(call.Body, `"/traits/mobile"`) {
			continue
		}
		switch call.Status {
		case http.StatusOK:
			heard[found[1]]++
		case 0:
			unheard[found[1]]++
		}
	}
	return heard, unheard
}

// wantSoundClaims checks claims, texts and the audit trail against each other.
// Claims may have ended, or be in the given state.
func wantSoundClaims(t *testing.T, d harness.Database, living string) {
	t.Helper()
	for what, condition := range map[string]string{
		"claims in a state that is no end":        "state NOT IN ('applied','conflict','lapsed','cancelled','superseded','discarded','locked','orphaned','" + living + "')",
		"claims that are open without a text":     "state = 'open' AND NOT EXISTS (SELECT 1 FROM DB.texts x WHERE x.claim_id = claims.id)",
		"claims that were applied without a line": "state = 'applied' AND NOT EXISTS (SELECT 1 FROM DB.audit_events a WHERE a.claim_id = claims.id AND a.kind IN ('applied','number_written','number_removed','number_taken'))",
		"claims beside another that is held":      "state IN ('open','verified') AND EXISTS (SELECT 1 FROM DB.claims o WHERE o.identity_id = claims.identity_id AND o.id <> claims.id AND o.state IN ('open','verified'))",
		"claims that were applied twice":          "(SELECT COUNT(*) FROM DB.audit_events a WHERE a.claim_id = claims.id AND a.kind = 'applied') > 1",
	} {
		if n := d.Count(t, "claims", strings.ReplaceAll(condition, "DB.", d.Name+".")); n > 0 {
			t.Errorf("%s: %d", what, n)
		}
	}
}
