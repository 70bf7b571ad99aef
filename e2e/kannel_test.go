package e2e_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"unicode"

	"github.com/holdline/holdline/e2e/harness"
)

// A real SMS gateway takes the texts, in the alphabet that each needs, and
// reports back that they were delivered.
func TestKannelDeliversTextsAndReportsBack(t *testing.T) {
	t.Parallel()
	if !harness.InNamespace(t) {
		return
	}
	kannel := harness.NewKannel(t)
	s := harness.NewStack(t, harness.Options{})
	s.Holdline.Reconfigure(t, onlyGateways(kannel.Gateway("kannel")))
	numbers := uniqueNumbers()
	for name, tt := range map[string]struct {
		language string
		ucs2     bool
		script   *unicode.RangeTable
	}{
		"English": {"en", false, unicode.Latin},
		"German":  {"de-AT,de;q=0.9,en;q=0.5", false, unicode.Latin},
		"Hindi":   {"hi", true, unicode.Devanagari},
		"Arabic":  {"ar", true, unicode.Arabic},
	} {
		t.Run(name, func(t *testing.T) {
			was, now := numbers(), numbers()
			bob := s.NewPerson(t, was)
			if saved := bob.SaveWith(t, harness.Profile{Name: "After", Mobile: now}, harness.Header{"Accept-Language", tt.language}); saved.Status != http.StatusOK {
				t.Fatalf("settings flow: %d %s", saved.Status, saved.Body)
			}
			text := centreText(t, kannel, now, 1)
			if text.UCS2 != tt.ucs2 {
				t.Errorf("UCS-2: got %v, want %v", text.UCS2, tt.ucs2)
			}
			words := text.Body[:strings.LastIndex(text.Body, "\n")]
			if code := text.Code(); code == "" || !strings.Contains(words, code) {
				t.Errorf("the text's words lack the code: %q", text.Body)
			}
			if !strings.ContainsFunc(words, func(r rune) bool { return unicode.Is(tt.script, r) }) || strings.ContainsRune(words, unicode.ReplacementChar) {
				t.Errorf("the text came broken: %q", text.Body)
			}
			t.Logf("%q", text.Body)
			awaitText(t, bob, "delivered")
			wantHeld(t, bob, was, now)
			wantEmpty(t, bob.Confirm(t, text.Code()), http.StatusAccepted)
			wantMade(t, bob, now)
			wantSameWords(t, s, kannel, text, tt.language)
		})
	}
}

// wantSameWords checks that another gateway would have got the same text,
// character by character.
func wantSameWords(t *testing.T, s *harness.Stack, kannel *harness.Kannel, text harness.CentreText, language string) {
	t.Helper()
	s.Holdline.Reconfigure(t, onlyGateways(s.Provider.Gateway("provider")))
	defer s.Holdline.Reconfigure(t, onlyGateways(kannel.Gateway("kannel")))
	eve := s.NewPerson(t, m0)
	defer eve.Delete(t)
	before := len(s.Provider.Texts(m1))
	eve.SaveWith(t, harness.Profile{Name: "After", Mobile: m1}, harness.Header{"Accept-Language", language})
	other := s.Provider.Nth(t, m1, before+1)
	got, want := strings.ReplaceAll(text.Body, text.Code(), "CODE"), strings.ReplaceAll(other.Body, other.Code, "CODE")
	if got != want {
		t.Errorf("through Kannel: %q; through another gateway: %q", got, want)
	}
}

// Only Kannel's own word counts, once, and what came first does not undo what is
// final.
func TestOnlyProvenReceiptsCount(t *testing.T) {
	t.Parallel()
	if !harness.InNamespace(t) {
		return
	}
	kannel := harness.NewKannel(t)
	s := harness.NewStack(t, harness.Options{})
	s.Holdline.Reconfigure(t, onlyGateways(kannel.Gateway("kannel")))
	bob := s.NewPerson(t, m0)
	bob.MustSave(t, harness.Profile{Name: "After", Mobile: m1})
	text := centreText(t, kannel, m1, 1)
	awaitText(t, bob, "delivered")
	id := s.Database.Text(t, bob.ID, m1)
	const delivered, failed, accepted = "1", "2", "8"
	for name, tt := range map[string]struct {
		gateway, secret, kind, text string
		status                      int // 0 for any refusal
	}{
		"no secret":                {"kannel", "", failed, id, 0},
		"a wrong secret":           {"kannel", harness.ReceiptSecret + "x", failed, id, 0},
		"a gateway that is none":   {"other", harness.ReceiptSecret, failed, id, 0},
		"replayed":                 {"kannel", harness.ReceiptSecret, delivered, id, http.StatusNoContent},
		"an earlier one, late":     {"kannel", harness.ReceiptSecret, accepted, id, http.StatusNoContent},
		"of a text nobody sent":    {"kannel", harness.ReceiptSecret, failed, "00000000-0000-4000-8000-000000000000", http.StatusNoContent},
		"of a kind that is none":   {"kannel", harness.ReceiptSecret, "x", id, 0},
		"with SQL for the text id": {"kannel", harness.ReceiptSecret, failed, "'%20OR%20'1'='1", http.StatusNoContent},
	} {
		t.Run(name, func(t *testing.T) {
			url := fmt.Sprintf("%s/sms/receipts/%s?secret=%s&type=%s&text=%s", s.Holdline.PublicURL, tt.gateway, tt.secret, tt.kind, tt.text)
			got := harness.Send(t, http.MethodGet, url, "")
			if tt.status != 0 && got.Status != tt.status || tt.status == 0 && (got.Status < 400 || got.Status >= 500) {
				t.Errorf("got %d %s, want %d (0: a refusal)", got.Status, got.Body, tt.status)
			}
			if c, ok := bob.Claim(t); !ok || c.Text != "delivered" {
				t.Errorf("claim: got %+v, want its text delivered", c)
			}
		})
	}
	if log := s.Holdline.Output.String(); strings.Contains(log, harness.ReceiptSecret) || strings.Contains(log, kannel.Password) {
		t.Error("the log has a secret of Kannel's")
	}
	wantEmpty(t, bob.Confirm(t, text.Code()), http.StatusAccepted)
	wantMade(t, bob, m1)
}

// While Kannel is away nothing is lost.
func TestATextWaitsForKannel(t *testing.T) {
	t.Parallel()
	if !harness.InNamespace(t) {
		return
	}
	kannel := harness.NewKannel(t)
	s := harness.NewStack(t, harness.Options{})
	s.Holdline.Reconfigure(t, onlyGateways(kannel.Gateway("kannel")))
	bob := s.NewPerson(t, m0)
	kannel.StopTaking()
	bob.MustSave(t, harness.Profile{Name: "After", Mobile: m1})
	awaitTried(t, s, bob)
	awaitText(t, bob, "queued")
	kannel.Take(t)
	text := centreText(t, kannel, m1, 1)
	awaitText(t, bob, "delivered")
	wantEmpty(t, bob.Confirm(t, text.Code()), http.StatusAccepted)
	wantMade(t, bob, m1)
	if got := len(kannel.Texts(t, m1)); got != 1 {
		t.Errorf("texts: got %d, want 1", got)
	}
}

// centreText waits for the n-th text to a number at the message centre.
func centreText(t *testing.T, kannel *harness.Kannel, to string, n int) harness.CentreText {
	t.Helper()
	var text harness.CentreText
	harness.Eventually(t, "the message centre has the text", func() error {
		texts := kannel.Texts(t, to)
		if len(texts) < n || texts[n-1].Code() == "" { // its last line is still to come
			return errNotYetWith(texts)
		}
		text = texts[n-1]
		return nil
	})
	return text
}
