package e2e_test

import (
	"fmt"
	"net/http"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/holdline/holdline/e2e/harness"
	"github.com/holdline/holdline/internal/scim/scimtest"
)

// kratosWorld is the built program with a real Kratos. Time does not move.
type kratosWorld struct {
	t      *testing.T
	stack  *harness.Stack
	people map[string]*harness.Person
}

func (w *kratosWorld) Seen(userName string) (scimtest.Seen, error) {
	i, err := w.people[userName].TryIdentity()
	return scimtest.Seen{
		Mobile: i.Traits.Mobile, Verified: i.MobileVerified(), Pending: i.Pending(),
		DisplayName: i.Traits.Name, Email: i.Traits.Email, Active: i.State == "active",
	}, err
}

func (w *kratosWorld) Codes(number string) []string {
	var codes []string
	for _, text := range w.stack.Provider.Texts(number) {
		codes = append(codes, text.Code)
	}
	return codes
}

// Rest waits until everything that was queued has been sent, and forms have been
// followed by their texts: Kratos does not wait for the activate hook.
func (w *kratosWorld) Rest() error {
	harness.Eventually(w.t, "all texts have gone out", func() error {
		staged := w.stack.Database.Count(w.t, "claims", "state = 'staged'")
		if queued := w.stack.Database.Count(w.t, "texts", "state = 'queued'"); staged+queued > 0 {
			return fmt.Errorf("%d claims are staged, %d texts queued", staged, queued)
		}
		return nil
	})
	return nil
}

func (w *kratosWorld) Confirm(userName, code string) (int, error) {
	w.people[userName].SignIn(w.t)
	answer, err := w.people[userName].TryConfirm(code)
	return answer.Status, err
}

func (w *kratosWorld) Resend(userName string) (int, error) {
	w.people[userName].SignIn(w.t)
	answer, err := w.people[userName].TryResend()
	return answer.Status, err
}

func (w *kratosWorld) Save(userName, number string) error {
	p := w.people[userName]
	p.SignIn(w.t)
	answer, err := p.TrySave(harness.Profile{Name: p.Identity(w.t).Traits.Name, Mobile: number})
	if err == nil && answer.Status != http.StatusOK {
		err = fmt.Errorf("%d %s", answer.Status, answer.Body)
	}
	if err == nil {
		err = w.Rest()
	}
	return err
}

func (w *kratosWorld) Pass(time.Duration) error { return nil }

// What Okta and Entra repeat stops nobody, also where a real Kratos keeps people.
// HOLDLINE_CYCLES_AT_KRATOS plays more cycles, and HOLDLINE_SEED a run once more.
func TestProvisioningNeverStandsStillAtKratos(t *testing.T) {
	t.Parallel()
	number := func(name string, otherwise uint64) uint64 {
		n, err := strconv.ParseUint(os.Getenv(name), 10, 64)
		if err != nil {
			return otherwise
		}
		return n
	}
	const people = 6
	// Everything happens within a day: the limits of a day are for the simulation that
	// moves the clock.
	s := harness.NewStack(t, harness.Options{Holdline: harness.Overlay{
		"identity_mgt": harness.Overlay{"user_claim_update": harness.Overlay{"use_verify_claim": false}},
		"limits": harness.Overlay{
			"texts_per_identity_per_day": 0, "texts_per_number_per_day": 0, "texts_per_address_per_hour": 0,
			"attempts_per_identity_per_day": 0, "resend_cooldown": "0s",
		},
	}})
	w := &kratosWorld{t: t, stack: s, people: map[string]*harness.Person{}}
	known := map[string]string{}
	for i := range people {
		mobile := scimtest.Number(900_000 + i)
		p := s.NewAccount(t, harness.Account{Mobile: mobile, Email: fmt.Sprintf("person%d@example.com", i)})
		w.people[p.Email], known[p.Email] = p, mobile
	}
	client := func(product scimtest.Product) *scimtest.Client {
		return &scimtest.Client{Product: product, Token: s.Token(t), BaseURL: s.Holdline.PublicURL + harness.SCIM, HTTP: http.DefaultClient}
	}
	cycles := number("HOLDLINE_CYCLES_AT_KRATOS", 12)
	report := scimtest.Run(t, scimtest.Options{
		Seed: number("HOLDLINE_SEED", uint64(time.Now().UnixNano())), People: people,
		Cycles: int(cycles), Lifetime: 24 * time.Hour, World: w, Known: known,
		Pace:    1 + 700/float64(cycles), // a short run sees as much of everything as a long one
		Clients: []*scimtest.Client{client(scimtest.Okta), client(scimtest.Entra)},
	})
	t.Log("\n" + report.String())
}
