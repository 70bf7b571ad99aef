package e2e_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/holdline/holdline/e2e/harness"
)

const (
	backlogTexts = 1500
	backlogRate  = 200 // texts in a second
	expiredEvery = 10
	// Half of a gateway's places are for what has piled up.
	backlogPlaces = 40
)

// After an outage what has piled up goes out at the configured rate, the newest
// first, each once; what has expired meanwhile does not.
func TestABacklogDrainsAtTheConfiguredRateNewestFirst(t *testing.T) {
	t.Parallel()
	s := harness.NewStack(t, harness.Options{
		Gateway: harness.Overlay{"rate": backlogRate, "concurrency": backlogPlaces},
		Holdline: harness.Overlay{"identity_mgt": harness.Overlay{"user_claim_update": harness.Overlay{
			"mobile": harness.Overlay{"verification_sms_otp_validity": "30m"},
		}}},
	})
	bob := s.NewPerson(t, m0)
	s.Provider.Down()
	bob.MustSave(t, harness.Profile{Name: "After", Mobile: m1})
	heap := harness.Backlog{Of: bob, Number: m1, Count: backlogTexts, ExpiredEvery: expiredEvery, Age: 10 * time.Minute}
	s.Database.Add(t, heap)
	harness.Eventually(t, "one was tried in vain", func() error {
		if n := s.Database.Count(t, "texts", "tries > 0"); n == 0 {
			return errNotYet
		}
		return nil
	})
	// The put-offs of an hour's outage, without the hour.
	s.Holdline.Stop(t)
	s.Database.Due(t)
	s.Provider.Up()
	s.Holdline.Start(t)
	harness.Within(t, 2*harness.Patience, "the backlog is drained", func() error {
		if n := s.Database.Count(t, "texts", "state = 'queued'"); n > 0 {
			return errNotYetWith(n)
		}
		return nil
	})

	arrived := s.Provider.Texts("")
	slices.SortStableFunc(arrived, func(a, b harness.Text) int { return a.At.Compare(b.At) })
	var order []int
	times := map[string]int{}
	for _, text := range arrived {
		times[text.To]++
		if n, ok := heap.Index(text.To); ok {
			order = append(order, n)
		}
	}
	wrong := 0
	for n := 1; n <= heap.Count; n++ {
		want := 1
		if heap.Expired(n) {
			want = 0
		}
		if times[heap.To(n)] != want {
			wrong++
		}
	}
	if wrong > 0 {
		t.Errorf("numbers with too many or too few texts: %d of %d", wrong, heap.Count)
	}
	wantNewestFirst(t, order)
	wantRate(t, arrived)
	for state, want := range map[string]int{"sent": backlogTexts - backlogTexts/expiredEvery + 1, "dropped": backlogTexts / expiredEvery} {
		if got := s.Database.Count(t, "texts", "state = ?", state); got != want {
			t.Errorf("texts that were %s: got %d, want %d", state, got, want)
		}
	}
	for line := range strings.Lines(s.Holdline.Output.String()) {
		if strings.Contains(line, `"level":"ERROR"`) && strings.Contains(line, "text") { // of Kratos this is no test
			t.Errorf("in the log: %s", line)
		}
	}
	text := s.Provider.Nth(t, m1, 1)
	wantEmpty(t, bob.Confirm(t, text.Code), http.StatusAccepted)
	wantMade(t, bob, m1)
}

// wantNewestFirst checks that numbers, of which the highest is the newest, set out in
// order: none arrives before more newer ones than can be on their way beside it.
func wantNewestFirst(t *testing.T, order []int) {
	t.Helper()
	for i, n := range order {
		newer := 0
		for _, later := range order[i+1:] {
			if later > n {
				newer++
			}
		}
		if newer >= backlogPlaces/2 {
			t.Errorf("text %d arrived before %d newer ones, and no more than %d are sent at once", n, newer, backlogPlaces/2)
			return
		}
	}
}

// wantRate checks what a slow machine cannot bring about: that all came sooner
// than the rate allows.
func wantRate(t *testing.T, arrived []harness.Text) {
	t.Helper()
	most := 0
	for i, first := 0, 0; i < len(arrived); i++ {
		for arrived[i].At.Sub(arrived[first].At) >= time.Second {
			first++
		}
		most = max(most, i-first+1)
	}
	took := arrived[len(arrived)-1].At.Sub(arrived[0].At)
	harness.Report(t, "backlog", fmt.Sprintf("backlog: %d texts in %s: %.0f/s, and at most %d in any one second; the rate is %d/s",
		len(arrived), took.Round(time.Millisecond), float64(len(arrived))/took.Seconds(), most, backlogRate))
	// When the first arrives, as many may have set out as are sent at once; after that
	// there may be a burst of a tenth of a second's worth.
	if least := time.Duration(len(arrived)-backlogPlaces/2-backlogRate/10) * time.Second / backlogRate; took < least {
		t.Errorf("%d texts came within %s, want no less than %s", len(arrived), took, least)
	}
}
