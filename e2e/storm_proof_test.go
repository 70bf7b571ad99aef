package e2e_test

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/holdline/holdline/e2e/harness"
)

// convergence is within what all must have ended after the last fault: a claim's
// lifetime, and the longest back-off of a worker, on a busy machine. Forms that Kratos
// never stored are given up after two minutes.
const (
	convergence     = claimLifetime + harness.Patience
	formsAreGivenUp = convergence + 2*time.Minute
)

// calmDown waits until nothing is under way any more.
func (w *storm) calmDown(t *testing.T) {
	t.Helper()
	w.stack.Provider.Always(harness.Reaction{})
	// What has ended well is looked at once more after 100 seconds.
	under, within := "state IN ('open','verified') OR marker NOT IN ('','old','last')", convergence
	if w.size.thorough {
		under, within = under+" OR state = 'staged' OR marker = 'last'", formsAreGivenUp
	}
	began := time.Now()
	harness.Within(t, within, "everything has ended; what has not is late, and not yet lost", func() error {
		d := w.stack.Database
		claims, texts := d.Count(t, "claims", under), d.Count(t, "texts", "state = 'queued'")
		if claims+texts > 0 {
			return errNotYetWith(fmt.Sprintf("%d claims, %d texts", claims, texts))
		}
		return nil
	})
	w.converged = time.Since(began)
}

// prove holds what everybody saw against Kratos, the provider's record, the
// database and the audit trail.
func (w *storm) prove(t *testing.T) {
	t.Helper()
	living := "staged" // a form that Kratos never stored, not given up yet
	if w.size.thorough {
		living = ""
	}
	wantSoundClaims(t, w.stack.Database, living)
	w.proveAccounts(t)
	w.proveWrites(t)
	w.proveTexts(t)
	w.proveTrail(t)
}

// proveAccounts: every account has a number that somebody proved, or none of its
// data is left; nothing is pending; what was accepted was applied, once.
func (w *storm) proveAccounts(t *testing.T) {
	t.Helper()
	d := w.stack.Database
	for _, p := range w.everybody() {
		if p.gone {
			w.proveGone(t, p)
			continue
		}
		i, err := p.look()
		if err != nil {
			t.Errorf("%s: %v", p.Email, err)
		}
		if i.Pending() != "" && d.Count(t, "claims", "identity_id = ? AND state = 'staged'", p.ID) == 0 {
			t.Errorf("%s: %s is still pending", p.Email, i.Pending())
		}
		if why := p.may[i.Traits.Mobile]; why == "its code was typed" && !i.MobileVerified() {
			t.Errorf("LOST: %s: %s is not verified", p.Email, i.Traits.Mobile)
		}
		for _, number := range p.accepted {
			if n := d.Count(t, "claims", "identity_id = ? AND number = ? AND state = 'applied'", p.ID, number); n != 1 {
				t.Errorf("%s: claims of %s that were applied: got %d, want 1\n%s", p.Email, number, n, w.logged(p.ID))
			}
		}
	}
}

// proveGone: of an account that was deleted no number is kept, but of a change that was
// made before: that is history, until it is pruned. A code that was accepted made a
// change, or one that ended because there was nobody any more.
func (w *storm) proveGone(t *testing.T, p *person) {
	t.Helper()
	d := w.stack.Database
	made := d.Count(t, "claims", "identity_id = ? AND state = 'applied'", p.ID)
	if kept := d.Numbers(t, p.ID); len(kept) > 0 && made == 0 {
		t.Errorf("%s was deleted; numbers that are kept: %q", p.Email, kept)
	}
	// The numbers are gone, so the claims are found by their trail.
	confirmed := d.Count(t, "claims", "identity_id = ? AND state IN ('applied', 'orphaned') AND id IN "+
		"(SELECT claim_id FROM "+d.Name+".audit_events WHERE kind = 'verified')", p.ID)
	if len(p.accepted) > 0 && confirmed != len(p.accepted) {
		t.Errorf("LOST or DOUBLED: %s was deleted; claims that were confirmed: got %d, want %d\n%s", p.Email, confirmed, len(p.accepted), w.logged(p.ID))
	}
}

// proveWrites: Kratos was told each number once. Only a form that undid a write
// lets it be made again, and the trail says so, unless the process died in between:
// the next one finds the number in place.
func (w *storm) proveWrites(t *testing.T) {
	t.Helper()
	heard, _ := numbersWritten(w.stack)
	for _, p := range w.everybody() {
		for _, number := range p.asked {
			if p.may[number] != "its code was typed" && p.may[number] != "a privileged client wrote it" && heard[number] > 0 {
				t.Errorf("%s: %s was written without its code", p.Email, number)
			}
			if p.may[number] == "a privileged client wrote it" || heard[number] < 2 {
				continue
			}
			again := w.stack.Database.Count(t, "audit_events", fmt.Sprintf("kind = 'number_restored' AND claim_id IN "+
				"(SELECT id FROM %s.claims WHERE identity_id = ? AND number = ?)", w.stack.Database.Name), p.ID, number)
			if heard[number] > 2+again {
				t.Errorf("DOUBLED: %s: %s was written %d times\n%s", p.Email, number, heard[number], w.logged(p.ID))
			}
		}
	}
}

// proveTexts: codes went only to numbers of a claim, notices only to numbers that
// an account had.
func (w *storm) proveTexts(t *testing.T) {
	t.Helper()
	of := map[string]*person{}
	for _, p := range w.everybody() {
		for _, number := range p.asked {
			of[number] = p
		}
	}
	wanted := w.stack.Database.NumbersOfTexts(t)
	for _, text := range w.texts("") {
		switch p := of[text.To]; {
		case p == nil:
			t.Errorf("a code went to %s, for which nobody asked", text.To)
		case !p.gone && wanted[text.Key] != text.To:
			t.Errorf("a code of a claim for %s went to %s", wanted[text.Key], text.To)
		}
	}
	for _, notice := range append(w.stack.Provider.Notices(""), w.second.Notices("")...) {
		if p := of[notice.To]; p == nil || p.may[notice.To] == "" {
			t.Errorf("a notice went to %s, which was nobody's number", notice.To)
		}
	}
}

// line is one of the audit trail.
type line struct {
	ID         int64  `json:"id"`
	Kind       string `json:"kind"`
	ClaimID    string `json:"claim_id"`
	IdentityID string `json:"identity_id"`
	Reason     string `json:"reason"`
}

// everyPage reads a list of the administrators' API whole.
func everyPage[Item any](t *testing.T, w *storm, path string) []Item {
	t.Helper()
	var all []Item
	for more := ""; ; {
		answer := harness.Send(t, http.MethodGet, w.replicas[0].AdminURL+path+"?limit=500"+more, "", w.desk)
		if answer.Status != http.StatusOK {
			t.Fatalf("%s: %d %s", path, answer.Status, answer.Body)
		}
		var page struct {
			Items []Item `json:"items"`
			Next  string `json:"next"`
		}
		answer.JSON(t, &page)
		all = append(all, page.Items...)
		if page.Next == "" {
			return all
		}
		more = "&cursor=" + page.Next
	}
}

// after are the lines that may follow one another in a claim's trail; blank is
// its beginning.
var after = map[string][]string{
	"":         {"open", "discarded", "orphaned", "number_written", "number_removed"},
	"open":     {"resent", "verified", "superseded", "cancelled", "locked", "lapsed", "orphaned"},
	"verified": {"applied", "conflict", "orphaned"},
	// A form that was being stored meanwhile put back what it began with.
	"applied": {"number_restored", "conflict"},
	// A form may take longer than Holdline waits for it.
	"discarded": {"number_written", "number_removed"},
}

// proveTrail: the trail tells of each claim a life that there is, the end that it
// came to, and of no identity two open claims at a time.
func (w *storm) proveTrail(t *testing.T) {
	t.Helper()
	last, living := map[string]string{}, map[string]string{}
	trail := everyPage[line](t, w, "/admin/audit")
	slices.Reverse(trail) // oldest first
	for _, l := range trail {
		if l.ClaimID == "" || l.Kind == "wrong_code" { // which moves nothing
			continue
		}
		if !slices.Contains(after[last[l.ClaimID]], l.Kind) {
			t.Errorf("claim %s: %q after %q", l.ClaimID, l.Kind, last[l.ClaimID])
		}
		holds := l.Kind == "open" || l.Kind == "verified"
		if other := living[l.IdentityID]; holds && other != "" && other != l.ClaimID {
			t.Errorf("claim %s is %s beside claim %s of the same identity", l.ClaimID, l.Kind, other)
		}
		switch {
		case holds:
			living[l.IdentityID] = l.ClaimID
		case l.Kind != "resent" && living[l.IdentityID] == l.ClaimID:
			delete(living, l.IdentityID)
		}
		switch l.Kind {
		case "resent", "number_restored":
		case "number_written", "number_removed": // a claim without a code, which is applied so
			last[l.ClaimID] = "applied"
		default:
			last[l.ClaimID] = l.Kind
		}
	}
	for _, c := range everyPage[struct{ ID, State string }](t, w, "/admin/claims") {
		if c.State != "staged" && last[c.ID] != c.State {
			t.Errorf("claim %s is %s; its trail ends with %q", c.ID, c.State, last[c.ID])
		}
		if c.State != "open" && c.State != "verified" {
			delete(last, c.ID)
		}
	}
	for id, kind := range last {
		t.Errorf("claim %s, of which the trail says %q at last, has not ended", id, kind)
	}
}
