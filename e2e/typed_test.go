package e2e_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/holdline/holdline/e2e/harness"
)

// wantNoNumber holds that Kratos keeps no number of a person, not even a blank one:
// neither trait, nor address, nor means to sign in.
func wantNoNumber(t *testing.T, s *harness.Stack, p *harness.Person) {
	t.Helper()
	answer := harness.Send(t, http.MethodGet, s.Kratos.AdminURL+"/admin/identities/"+p.ID+"?include_credential=code", "")
	var shown struct {
		Traits      map[string]any
		Addresses   []harness.VerifiableAddress `json:"verifiable_addresses"`
		Credentials map[string]struct{ Identifiers []string }
	}
	if err := json.Unmarshal([]byte(answer.Body), &shown); err != nil {
		t.Fatal(err)
	}
	if trait, there := shown.Traits["mobile"]; there {
		t.Errorf("the trait is %q", trait)
	}
	for _, a := range shown.Addresses {
		if a.Via == "sms" {
			t.Errorf("an address is left: %+v", a)
		}
	}
	for _, identifier := range shown.Credentials["code"].Identifiers {
		if !strings.Contains(identifier, "@") && strings.TrimSpace(identifier) == "" {
			t.Errorf("a blank means to sign in is left: %q", shown.Credentials["code"].Identifiers)
		}
	}
	if _, pending := p.Claim(t); pending {
		t.Error("a claim is pending")
	}
}

// A number of which nothing can be seen is none: Kratos keeps no trait ” and no
// address ”, which only one person could have.
func TestABlankNumberIsARemoval(t *testing.T) {
	t.Parallel()
	s := harness.NewStack(t, harness.Options{})
	last := 0
	number := func() string { last++; return fmt.Sprintf("+49151123470%02d", last) }
	for _, schema := range []string{"free", "verified", "identifier"} {
		for name, blank := range map[string]any{"empty": "", "spaces": "  ", "invisible": "\u200b\u00a0\u2060\ufe0f", "null": nil} {
			t.Run(schema+", "+name, func(t *testing.T) {
				was := number()
				bob := s.NewAccount(t, harness.Account{Mobile: was, Schema: schema})
				save := func() bool {
					t.Helper()
					saved := bob.SaveTraits(t, map[string]any{"email": bob.Email, "name": "After", "mobile": blank}, nil)
					if saved.Status == http.StatusBadRequest && schema != "free" {
						return false // Kratos' own schema refuses it, before Holdline is asked
					}
					if saved.Status != http.StatusOK || saved.State != "success" {
						t.Fatalf("%d %s", saved.Status, saved.Body)
					}
					return true
				}
				bob.Ask(t, number())
				if !save() {
					if got := bob.Identity(t); got.Traits.Mobile != was || !got.MobileVerified() {
						t.Errorf("after a refusal: %+v", got)
					}
					return
				}
				harness.Eventually(t, "the pending number is taken back", func() error {
					if _, pending := bob.Claim(t); pending {
						return errNotYet
					}
					return nil
				})
				wantNoNumber(t, s, bob)
				save() // of somebody who has none
				wantNoNumber(t, s, bob)
				if got := bob.Identity(t); got.Traits.Name != "After" || got.Traits.Email != bob.Email || got.Pending() != "" {
					t.Errorf("other traits: %+v", got)
				}
			})
		}
	}
}

// Whether verification is on or off, and whatever becomes of removals.
func TestABlankNumberIsLeftOutWhateverTheSettings(t *testing.T) {
	t.Parallel()
	mobile := func(settings harness.Overlay) harness.Overlay {
		return harness.Overlay{"identity_mgt": harness.Overlay{"user_claim_update": harness.Overlay{"mobile": settings}}}
	}
	s := harness.NewStack(t, harness.Options{})
	bob, none := s.NewAccount(t, harness.Account{Mobile: m0, Schema: "free"}), s.NewAccount(t, harness.Account{Schema: "free"})
	blank := func(p *harness.Person) harness.Settings {
		return p.SaveTraits(t, map[string]any{"email": p.Email, "name": "After", "mobile": "\u200b"}, harness.Header{"Accept-Language", "de"})
	}
	s.Holdline.Reconfigure(t, mobile(harness.Overlay{"removal": "deny"}))
	denied := blank(bob)
	if denied.Status != http.StatusBadRequest || len(denied.Field) != 1 || denied.Field[0].Text != "Die Mobilnummer kann nicht entfernt werden." {
		t.Errorf("removal is denied: %d %s", denied.Status, harness.Words(denied.Field))
	}
	if saved := blank(none); saved.Status != http.StatusOK {
		t.Errorf("nothing is removed: %d %s", saved.Status, saved.Body)
	}
	wantNoNumber(t, s, none)
	s.Holdline.Reconfigure(t, mobile(harness.Overlay{"enable_verification": false, "removal": "allow"}))
	if saved := blank(bob); saved.Status != http.StatusOK {
		t.Errorf("verification is off: %d %s", saved.Status, saved.Body)
	}
	wantNoNumber(t, s, bob)
}

// A plain HTML form sends every field, the empty ones too. Who repeats the blank
// number that an administrator wrote does not depend on Holdline.
func TestAFormWithoutANumberDoesNotDependOnHoldline(t *testing.T) {
	t.Parallel()
	s := harness.NewStack(t, harness.Options{})
	none, blank := s.NewAccount(t, harness.Account{Schema: "free"}), s.NewAccount(t, harness.Account{Schema: "free"})
	if answer, err := blank.TryOverwrite(""); err != nil || answer.Status != http.StatusOK {
		t.Fatalf("%v %s", err, answer.Body)
	}
	s.Hooks.On(harness.Rule{Drop: true})
	saved := none.SaveByFormWith(t, map[string]string{"traits.email": none.Email, "traits.name": "After", "traits.mobile": ""})
	if saved.State != "success" {
		t.Errorf("a form: %s %s", saved.State, saved.Body)
	}
	wantNoNumber(t, s, none)
	repeated := blank.SaveTraits(t, map[string]any{"email": blank.Email, "name": "After", "mobile": ""}, nil)
	if repeated.Status != http.StatusOK || blank.Identity(t).Traits.Name != "After" {
		t.Errorf("a blank number repeated: %d %s", repeated.Status, repeated.Body)
	}
}

// Numbers and codes as messengers and word processors give
// them, through Kratos' own form and the user API.
func TestNumbersAndCodesCountAsTheyAreMeant(t *testing.T) {
	t.Parallel()
	s := harness.NewStack(t, harness.Options{})
	bob := s.NewAccount(t, harness.Account{Mobile: m0, Schema: "free"})
	script := func(zero rune, text string) string {
		return strings.Map(func(r rune) rune {
			if r >= '0' && r <= '9' {
				return zero + r - '0'
			}
			return r
		}, text)
	}
	was := m0
	for i, tt := range []struct{ typed, number string }{
		{"\u202a+49 151 12347101\u202c", "+4915112347101"},
		{"\u2068+49\u202f151\ufe0d12347102\u2069\u200e", "+4915112347102"},
		{script('०', "+49 151 12347103"), "+4915112347103"},
		{"0049 1511 2347104", "+4915112347104"},
		{"＋" + script('０', "49（0）151－12347105"), "+4915112347105"},
	} {
		saved := bob.SaveTraits(t, map[string]any{"email": bob.Email, "name": "After", "mobile": tt.typed}, nil)
		if saved.Status != http.StatusOK {
			t.Fatalf("%q: %d %s", tt.typed, saved.Status, saved.Body)
		}
		text := s.Provider.Nth(t, tt.number, 1)
		wantHeld(t, bob, was, tt.number)
		left := func() int { c, _ := bob.Claim(t); return c.AttemptsLeft }
		before := left()
		for _, typed := range []string{text.Code[:5], text.Code + "1", text.Code[:5] + "x", "\u200b"} {
			wantFault(t, bob.Confirm(t, typed), http.StatusBadRequest, "18001")
		}
		if after := left(); after != before {
			t.Errorf("tries left: %d, and before what looked like no code %d", after, before)
		}
		typed := []string{
			text.Code[:3] + "\u00a0" + text.Code[3:], "\u202a" + text.Code + "\u202c\r\n", script('٠', text.Code),
			script('０', text.Code[:3]+"–"+text.Code[3:]), text.Code[:3] + "\u200b" + text.Code[3:],
		}[i]
		wantEmpty(t, bob.Confirm(t, typed), http.StatusAccepted)
		wantMade(t, bob, tt.number)
		was = tt.number
	}
	for typed, want := range map[string]string{
		"+49 30 123456/9": "Only one number can be given.", "+49 151 12345678*12": "Leave out the extension.",
		"+1 202 555 0143 #5": "Leave out the extension.", "+1 202 555 0143,5": "Leave out the extension.",
		"+1 555 0143": "The area code is missing. Begin with + and the country code.",
		"+49110":      "Emergency and service numbers cannot get codes.", "+49 151 1234": "This number is too short for Germany.",
		"0151 12345678": "Begin with + and the country code.",
	} {
		saved := bob.SaveTraits(t, map[string]any{"email": bob.Email, "name": "After", "mobile": typed}, nil)
		if saved.Status != http.StatusBadRequest || len(saved.Field) != 1 || saved.Field[0].Text != want {
			t.Errorf("%q: %d %s, want %s", typed, saved.Status, harness.Words(saved.Field), want)
		}
	}
	// The stored number in another spelling is no change.
	saved := bob.SaveTraits(t, map[string]any{"email": bob.Email, "name": "Again", "mobile": "\u202a0049 151 12347105\u202c"}, nil)
	if saved.Status != http.StatusOK || bob.Identity(t).Traits.Name != "Again" {
		t.Errorf("the stored number: %d %s", saved.Status, saved.Body)
	}
	wantTexts(t, s, was, 1)
	wantMade(t, bob, was)
}

// Kratos checks a form against the schema before it asks Holdline: the format tel
// refuses what Holdline would read, and no-validate leaves it to Holdline.
func TestTheFormatOfTheSchemaDecidesWhoReadsANumber(t *testing.T) {
	t.Parallel()
	s := harness.NewStack(t, harness.Options{Holdline: harness.Overlay{"mobile": harness.Overlay{"default_region": "DE"}}})
	tel, free := s.NewAccount(t, harness.Account{Mobile: m0, Schema: "verified"}), s.NewAccount(t, harness.Account{Mobile: m1, Schema: "free"})
	for i, typed := range []string{"\u202a+49 151 1234720%d\u202c", "0049 151 1234720%d", "+४९ १५१ १२३४७२०%d", "0151 1234720%d"} {
		typed, number := fmt.Sprintf(typed, i), fmt.Sprintf("+491511234720%d", i)
		save := func(p *harness.Person) harness.Settings {
			return p.SaveTraits(t, map[string]any{"email": p.Email, "name": "After", "mobile": typed}, nil)
		}
		if saved := save(tel); saved.Status != http.StatusBadRequest || len(saved.Field) != 1 || !strings.HasSuffix(saved.Field[0].Text, `is not valid "tel"`) {
			t.Errorf("%q with format tel: %d %s", typed, saved.Status, harness.Words(saved.Field))
		}
		if saved := save(free); saved.Status != http.StatusOK {
			t.Errorf("%q with format no-validate: %d %s", typed, saved.Status, harness.Words(saved.Field))
		}
		s.Provider.Nth(t, number, 1)
		wantHeld(t, free, m1, number)
		wantTexts(t, s, number, 1)
	}
	wantMade(t, tel, m0)
}
