package e2e_test

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/holdline/holdline/e2e/harness"
)

const pagePath = "/verify"

// pages is a stack for people at browsers, with the operator's own site.
func pages(t *testing.T, more harness.Overlay) (*harness.Stack, *harness.Site) {
	t.Helper()
	return pagesWith(t, more, harness.Overlay{})
}

// pagesWith is pages with methods of Kratos besides.
func pagesWith(t *testing.T, more, methods harness.Overlay) (*harness.Stack, *harness.Site) {
	t.Helper()
	site := harness.NewSite(t)
	overlay := harness.Overlay{
		"pages": harness.Overlay{
			"name": "Example Bank", "return_url": site.URL + "/account", "support_url": site.URL + "/help",
			"allowed_return_urls": []string{site.URL + "/"},
		},
	}
	for key, value := range more {
		overlay[key] = value
	}
	kratos := harness.Overlay{"selfservice": harness.Overlay{"methods": methods, "flows": harness.Overlay{
		"login": harness.Overlay{"ui_url": site.URL + "/login"}, "settings": harness.Overlay{"ui_url": site.URL + "/settings"},
	}}}
	return harness.NewStack(t, harness.Options{Holdline: overlay, Kratos: kratos}), site
}

// visit opens the page as somebody.
func visit(t *testing.T, s *harness.Stack, p *harness.Person) *harness.Tab {
	t.Helper()
	tab := harness.NewBrowser(t)
	tab.SignInAs(t, p)
	tab.Open(t, s.Holdline.PublicURL+pagePath)
	return tab
}

// state waits until the page is in a state.
func state(t *testing.T, tab *harness.Tab, want string) {
	t.Helper()
	tab.Await(t, `#verify[data-state="`+want+`"]`, "the page is in the state "+want, false, func(string) bool { return true })
}

func says(part string) func(string) bool {
	return func(text string) bool { return strings.Contains(text, part) }
}

// The whole change on the page, by the keyboard alone: the code goes into the
// field that has the focus, and the way on is one key further.
func TestPageByKeyboardAlone(t *testing.T) {
	t.Parallel()
	s, site := pages(t, nil)
	bob := s.NewPerson(t, m0)
	text := bob.Ask(t, m1)
	tab := visit(t, s, bob)
	state(t, tab, "waiting")
	tab.Sound(t, "verify-waiting")
	if at := tab.Focused(t); at != "code" {
		t.Errorf("the focus is on %s, want the field for the code", at)
	}
	if shown, _ := tab.Read("#verify"); !strings.Contains(shown, m1) || strings.Contains(shown, m0) || !strings.Contains(shown, m0[len(m0)-2:]+" stays in force") {
		t.Errorf("the page says %q", shown)
	}
	tab.TabTo(t, "resend")
	tab.TabTo(t, "cancel")
	tab.Reload(t)
	state(t, tab, "waiting")
	harness.Eventually(t, "the field for the code has the focus", func() error {
		if at := tab.Focused(t); at != "code" {
			return errNotYetWith(at)
		}
		return nil
	})
	tab.Press(t, text.Code[:3])
	tab.Press(t, " ")
	tab.PressToGo(t, text.Code[3:]) // sent by itself
	state(t, tab, "done")
	tab.Sound(t, "verify-done")
	wantMade(t, bob, m1)
	tab.TabTo(t, "continue")
	tab.PressToGo(t, "\r")
	tab.Await(t, "#site", "the operator's own page", false, says("/account"))
	if where := tab.Where(t); !strings.HasPrefix(where, site.URL) {
		t.Errorf("the way on leads to %s", where)
	}
}

// Who saves a profile and leaves the number alone ends where Kratos has its own
// settings, as without Holdline; whose number is pending stays at the page.
func TestWhoLeavesTheNumberAloneMeetsNoPage(t *testing.T) {
	t.Parallel()
	const own = "http://127.0.0.1:4455"
	for name, tt := range map[string]struct {
		holdline harness.Overlay
		end      string // of a save that leaves the number alone; a flow's id follows
		pending  string // of one that does not; blank for Holdline's page
	}{
		"by default":           {nil, own + "/settings?flow=", ""},
		"with a page to go to": {harness.Overlay{"pages": harness.Overlay{"return_url": own + "/account"}}, own + "/account", ""},
		"without a way here":   {harness.Overlay{"hooks": harness.Overlay{"return_url": "none"}}, own + "/confirm", own + "/confirm"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := harness.NewStack(t, harness.Options{Holdline: tt.holdline})
			bob := s.NewPerson(t, m0)
			if got := bob.EndOfSave(t, harness.Profile{Name: "After", Mobile: m0}); !strings.HasPrefix(got, tt.end) {
				t.Errorf("a save that leaves the number alone ends at %s, want %s", got, tt.end)
			}
			if tt.pending == "" {
				tt.pending = s.Holdline.PublicURL + pagePath
			}
			if got := bob.EndOfSave(t, harness.Profile{Name: "After", Mobile: m1}); got != tt.pending {
				t.Errorf("a save that changes the number ends at %s, want %s", got, tt.pending)
			}
			wantHeld(t, bob, m0, m1)
		})
	}
}

// On a small phone with scripts switched off: wrong, resend after the cool-down,
// right.
func TestPageOnAPhoneWithoutScripts(t *testing.T) {
	t.Parallel()
	s, _ := pages(t, nil)
	bob := s.NewPerson(t, m0)
	text := bob.Ask(t, m1)
	tab := harness.NewBrowser(t)
	tab.Phone(t)
	tab.NoScripts(t)
	tab.SignInAs(t, bob)
	tab.Open(t, s.Holdline.PublicURL+pagePath)
	state(t, tab, "waiting")
	tab.Sound(t, "verify-phone")
	tab.Code(t, harness.WrongCode(text.Code, 0))
	state(t, tab, "wrong")
	tab.Await(t, "#attempts", "a try is gone", false, says("4 tries left"))
	tab.Sound(t, "verify-wrong")
	bob.EndCoolDown(t)
	tab.Click(t, "#resend")
	state(t, tab, "resent")
	tab.Sound(t, "verify-resent")
	second := s.Provider.Nth(t, m1, 2)
	tab.Code(t, text.Code)
	state(t, tab, "wrong")
	tab.Code(t, second.Code)
	state(t, tab, "done")
	wantMade(t, bob, m1)
}

// In Arabic, from right to left, dark, with the digits of an Arabic keyboard.
func TestPageInArabic(t *testing.T) {
	t.Parallel()
	s, _ := pages(t, nil)
	bob := s.NewPerson(t, m0)
	text := bob.Ask(t, m1)
	tab := harness.NewBrowser(t)
	tab.Phone(t)
	tab.Dark(t, true)
	tab.Speaks(t, "ar")
	tab.SignInAs(t, bob)
	tab.Open(t, s.Holdline.PublicURL+pagePath)
	state(t, tab, "waiting")
	if got := harness.Eval[string](t, tab, `document.documentElement.lang + " " + getComputedStyle(document.body).direction`); got != "ar rtl" {
		t.Errorf("language and direction: %s", got)
	}
	tab.Sound(t, "verify-arabic")
	digits := strings.NewReplacer("0", "٠", "1", "١", "2", "٢", "3", "٣", "4", "٤", "5", "٥", "6", "٦", "7", "٧", "8", "٨", "9", "٩")
	tab.Code(t, digits.Replace(text.Code))
	state(t, tab, "done")
	tab.Sound(t, "verify-arabic-done")
	wantMade(t, bob, m1)
}

// Every language has its page, which fits a small phone.
func TestPageInEveryLanguage(t *testing.T) {
	t.Parallel()
	s, _ := pages(t, nil)
	bob := s.NewPerson(t, m0)
	bob.Ask(t, m1)
	tab := visit(t, s, bob)
	tab.Phone(t)
	languages := harness.Eval[[]string](t, tab, `Array.from(document.querySelectorAll(".languages a"), a => a.lang)`)
	if len(languages) < 10 {
		t.Errorf("languages: %v", languages)
	}
	headings := map[string]string{}
	for _, lang := range languages {
		tab.Click(t, `.languages a[lang="`+lang+`"]`)
		state(t, tab, "waiting")
		if got := harness.Eval[string](t, tab, `document.documentElement.lang`); got != lang {
			t.Errorf("asked for %s, got %s", lang, got)
		}
		heading, _ := tab.Read("h1")
		if other, twice := headings[heading]; twice {
			t.Errorf("%s and %s have the heading %q", lang, other, heading)
		}
		headings[heading] = lang
		tab.Sound(t, "verify-in-"+lang)
	}
}

// Five wrong codes lock the claim, and nothing on the page leads around that.
func TestPageLocksAfterFiveWrongCodes(t *testing.T) {
	t.Parallel()
	s, _ := pages(t, nil)
	bob := s.NewPerson(t, m0)
	text := bob.Ask(t, m1)
	tab := visit(t, s, bob)
	for i := range 5 {
		tab.Code(t, harness.WrongCode(text.Code, i))
	}
	state(t, tab, "locked")
	tab.Sound(t, "verify-locked")
	if got, err := tab.Read("#code"); err == nil {
		t.Errorf("there is a field for codes still: %q", got)
	}
	wantFault(t, bob.Confirm(t, text.Code), http.StatusBadRequest, "18001")
	bob.Eventually(t, "the pending number is gone", func(i harness.Identity) bool { return i.Pending() == "" })
	wantMade(t, bob, m0)
}

// Taken back on the page; and a code that has expired is answered with a new one.
func TestPageCancelsAndRenews(t *testing.T) {
	t.Parallel()
	s, _ := pages(t, harness.Overlay{
		"limits": harness.Overlay{"resend_cooldown": "0s"},
	})
	bob := s.NewPerson(t, m0)
	bob.Ask(t, m1)
	tab := visit(t, s, bob)
	bob.ExpireCode(t)
	tab.Reload(t)
	state(t, tab, "expired")
	tab.Sound(t, "verify-expired")
	tab.Click(t, "#resend")
	state(t, tab, "resent")
	tab.Code(t, s.Provider.Nth(t, m1, 2).Code)
	state(t, tab, "done")
	wantMade(t, bob, m1)

	bob.Ask(t, m2)
	tab.Open(t, s.Holdline.PublicURL+pagePath)
	tab.Click(t, "#cancel")
	state(t, tab, "cancelled")
	tab.Sound(t, "verify-cancelled")
	wantMade(t, bob, m1)
	if trail := strings.Join(s.Database.Audit(t, bob.ID), ", "); !strings.Contains(trail, "cancelled by owner") {
		t.Errorf("audit: %s", trail)
	}
}

// Two tabs of one person, the back button and a reload repeat nothing and show
// what is so now.
func TestPageInTwoTabs(t *testing.T) {
	t.Parallel()
	s, _ := pages(t, harness.Overlay{"limits": harness.Overlay{"resend_cooldown": "0s"}})
	bob := s.NewPerson(t, m0)
	bob.Ask(t, m1)
	one := visit(t, s, bob)
	two := one.NewTab(t)
	two.Open(t, s.Holdline.PublicURL+pagePath)
	one.Click(t, "#resend")
	state(t, one, "resent")
	one.Reload(t)
	one.Back(t)
	second := s.Provider.Nth(t, m1, 2)
	two.Code(t, second.Code)
	state(t, two, "done")
	wantMade(t, bob, m1)
	state(t, one, "done") // by itself
	two.Back(t)
	two.Reload(t)
	wantTexts(t, s, m1, 2)
	wantWrites(t, s, 1)
}

// Another person's address shows one's own claim only; without a session it leads
// to Kratos' login and back; a session that is too old has to be renewed first.
func TestPageIsItsOwnersAlone(t *testing.T) {
	t.Parallel()
	s, site := pages(t, nil)
	bob, eve := s.NewPerson(t, m0), s.NewPerson(t, m4)
	text := bob.Ask(t, m1)
	owner := visit(t, s, bob)
	link := owner.Where(t)

	thief := harness.NewBrowser(t)
	thief.SignInAs(t, eve)
	thief.Open(t, link)
	state(t, thief, "nothing")
	thief.Open(t, link+"?return_to="+url.QueryEscape(site.URL+"/account"))
	thief.Await(t, "#site", "eve has nothing pending, and is sent on", false, says("/account"))
	eve.Ask(t, m5)
	thief.Open(t, link+"?identity="+bob.ID)
	thief.Code(t, text.Code)
	state(t, thief, "wrong")
	wantHeld(t, bob, m0, m1)

	stranger := harness.NewBrowser(t)
	stranger.Open(t, link+"?return_to="+url.QueryEscape(site.URL+"/profile"))
	stranger.Await(t, "#site", "the login page", false, says("/login"))

	ended := harness.Send(t, http.MethodDelete, s.Kratos.AdminURL+"/admin/identities/"+bob.ID+"/sessions", "")
	if ended.Status != http.StatusNoContent {
		t.Fatalf("end bob's sessions: %d %s", ended.Status, ended.Body)
	}
	state(t, owner, "signed-out") // by itself
	owner.Sound(t, "verify-signed-out")
	wantHeld(t, bob, m0, m1)
}

func TestPageWantsAYoungSignIn(t *testing.T) {
	t.Parallel()
	s, _ := pages(t, nil)
	bob := s.NewPerson(t, m0)
	bob.Ask(t, m1)
	tab := harness.NewBrowser(t)
	tab.SignInAs(t, bob)
	s.Holdline.Reconfigure(t, harness.Overlay{"kratos": harness.Overlay{"privileged_session_max_age": "1s"}})
	harness.Eventually(t, "the session is too old", func() error {
		tab.Open(t, s.Holdline.PublicURL+pagePath)
		if got := harness.Eval[string](t, tab, `document.getElementById("verify").dataset.state`); got != "sign-in" {
			return errNotYet
		}
		return nil
	})
	tab.Sound(t, "verify-sign-in")
	to, err := url.Parse(harness.Eval[string](t, tab, `document.getElementById("sign-in").href`))
	if err != nil || to.Query().Get("refresh") != "true" || !strings.HasPrefix(to.Query().Get("return_to"), s.Holdline.PublicURL+pagePath) {
		t.Errorf("the way to sign in again: %s", to)
	}
	wantHeld(t, bob, m0, m1)
}

// The code was right while Kratos is away: the page says so, and looks again by
// itself until the number is in force.
func TestPageWaitsForKratos(t *testing.T) {
	t.Parallel()
	s, _ := pages(t, nil)
	bob := s.NewPerson(t, m0)
	text := bob.Ask(t, m1)
	tab := visit(t, s, bob)
	s.KratosAdmin.On(harness.Rule{Drop: true})
	tab.Code(t, text.Code)
	state(t, tab, "saving")
	tab.Sound(t, "verify-saving")
	s.KratosAdmin.Heal()
	tab.Await(t, `#verify[data-state="done"]`, "the page finds the number in force", false, func(string) bool { return true })
	wantMade(t, bob, m1)
}

// Of two who want one number the second hears that it is taken.
func TestPageSaysThatANumberIsTaken(t *testing.T) {
	t.Parallel()
	s, _ := pages(t, nil)
	bob, eve := s.NewPerson(t, m0), s.NewPerson(t, m4)
	bobs, eves := bob.Ask(t, m1), eve.Ask(t, m1)
	wantEmpty(t, bob.Confirm(t, bobs.Code), http.StatusAccepted)
	wantMade(t, bob, m1)
	tab := visit(t, s, eve)
	tab.Code(t, eves.Code)
	state(t, tab, "taken-proved")
	tab.Sound(t, "verify-taken")
	wantMade(t, eve, m4)
}

// The store's absence is said in words.
func TestPageWithoutADatabase(t *testing.T) {
	t.Parallel()
	server := harness.OwnServer(t)
	s := harness.NewStack(t, harness.Options{Server: server})
	bob := s.NewPerson(t, m0)
	tab := harness.NewBrowser(t)
	tab.SignInAs(t, bob)
	server.Stop(t)
	tab.Open(t, s.Holdline.PublicURL+pagePath)
	state(t, tab, "away")
	tab.Sound(t, "verify-away")
}

// Where Kratos wants a second factor, the page leads to that and not to a password
// that was given already.
func TestPageAsksForTheSecondFactor(t *testing.T) {
	t.Parallel()
	site := harness.NewSite(t)
	s := harness.NewStack(t, harness.Options{Kratos: harness.Overlay{
		"session": harness.Overlay{"whoami": harness.Overlay{"required_aal": "highest_available"}},
		"selfservice": harness.Overlay{
			"methods": harness.Overlay{"lookup_secret": harness.Overlay{"enabled": true}},
			"flows":   harness.Overlay{"login": harness.Overlay{"ui_url": site.URL + "/login"}},
		},
	}})
	bob := s.NewPerson(t, m0)
	bob.Ask(t, m1)
	before := bob.ByCookie(t) // signed in with a password alone
	bob.AddLookupSecrets(t)
	first := harness.Send(t, http.MethodGet, s.Holdline.PublicURL+pagePath, "", before)
	to, err := url.Parse(first.Header.Get("Location"))
	if err != nil || first.Status != http.StatusSeeOther || to.Query().Get("aal") != "aal2" || !strings.HasPrefix(to.String(), s.KratosPublic.URL) {
		t.Fatalf("the page leads to %q: %d", to, first.Status)
	}
	tab := harness.NewBrowser(t)
	tab.SignInAs(t, bob)
	tab.Open(t, s.Holdline.PublicURL+pagePath+"?said=back")
	state(t, tab, "signed-out")
	if href := harness.Eval[string](t, tab, `document.getElementById("sign-in").href`); !strings.Contains(href, "aal=aal2") {
		t.Errorf("the button leads to %s", href)
	}
}

// What limits say, each in its own words; the address alone changes nothing.
func TestPageSaysWhatIsInTheWay(t *testing.T) {
	t.Parallel()
	s := harness.NewStack(t, harness.Options{})
	bob := s.NewPerson(t, m0)
	text := bob.Ask(t, m1)
	tab := harness.NewBrowser(t)
	tab.Phone(t)
	tab.NoScripts(t) // with them the button waits
	tab.SignInAs(t, bob)
	tab.Open(t, s.Holdline.PublicURL+pagePath)
	tab.Click(t, "#resend")
	state(t, tab, "too-soon")
	tab.Sound(t, "verify-too-soon")
	heard := map[string]string{}
	for said, shown := range map[string]string{
		"too-many-texts": "too-many-texts", "country-full": "country-full", "not-served": "not-served", "no-code": "no-code", "away": "failed-now",
		"done": "waiting", "cancelled": "waiting", "locked": "waiting", "made-up": "waiting",
	} {
		tab.Open(t, s.Holdline.PublicURL+pagePath+"?said="+said)
		state(t, tab, shown)
		tab.Sound(t, "verify-"+shown)
		if words, err := tab.Read("#message"); err == nil && heard[words] != "" {
			t.Errorf("%s and %s are both %q", said, heard[words], words)
		} else if err == nil {
			heard[words] = said
		}
	}
	wantTexts(t, s, m1, 1)
	wantEmpty(t, bob.Confirm(t, text.Code), http.StatusAccepted)
	tab.Open(t, s.Holdline.PublicURL+pagePath)
	state(t, tab, "nothing")
	tab.Sound(t, "verify-nothing")
}

// A number that was changed elsewhere meanwhile is not overwritten, and the page
// says why.
func TestPageSaysThatTheNumberWasChangedElsewhere(t *testing.T) {
	t.Parallel()
	s, _ := pages(t, nil)
	bob := s.NewPerson(t, m0)
	text := bob.Ask(t, m1)
	tab := visit(t, s, bob)
	bob.Overwrite(t, m2)
	tab.Code(t, text.Code)
	state(t, tab, "changed")
	tab.Sound(t, "verify-changed")
	if got := bob.Identity(t); got.Traits.Mobile != m2 {
		t.Errorf("bob's number is %s", got.Traits.Mobile)
	}
}

// With scripts: what is pasted becomes the code alone, in whatever text it stands,
// and the time until the next code counts down.
func TestPageWithScripts(t *testing.T) {
	t.Parallel()
	s, _ := pages(t, nil)
	bob := s.NewPerson(t, m0)
	text := bob.Ask(t, m1)
	tab := visit(t, s, bob)
	harness.Eval[bool](t, tab, `(form => { window.sent = 0; form.requestSubmit = button => { if (button.id === "confirm") window.sent++ }; return true })(document.getElementById("change"))`)
	pasted := 0
	const paste = `(text => {
		const data = new DataTransfer();
		data.setData("text/plain", text);
		const input = document.getElementById("code");
		input.value = "";
		input.dispatchEvent(new ClipboardEvent("paste", {clipboardData: data, bubbles: true, cancelable: true}));
		return input.value;
	})`
	spaced := text.Code[:3] + " " + text.Code[3:]
	for _, from := range []string{
		text.Code, spaced, " " + text.Code + "\n", text.Code[:3] + "-" + text.Code[3:], "Your code is " + spaced + ". It is good for 5 minutes.",
		"@127.0.0.1 #" + text.Code,
		"\u202a" + text.Code[:3] + "\u200b" + text.Code[3:] + "\u202c", text.Code[:3] + "\u2212" + text.Code[3:] + "\ufe0f", strings.NewReplacer("0", "０", "1", "１", "2", "２", "3", "３", "4", "４", "5", "５", "6", "６", "7", "７", "8", "８", "9", "９").Replace(text.Code),
	} {
		if got := harness.Eval[string](t, tab, paste+`(`+strconv.Quote(from)+`)`); got != text.Code {
			t.Errorf("%q pasted becomes %q", strings.ReplaceAll(from, text.Code, "CODE"), strings.ReplaceAll(got, text.Code, "CODE"))
		}
		if pasted++; harness.Eval[int](t, tab, `window.sent`) != pasted {
			t.Errorf("%q is not sent by itself", strings.ReplaceAll(from, text.Code, "CODE"))
		}
	}
	before, err := tab.Read("#resend")
	if err != nil || !strings.Contains(before, "New code in") {
		t.Errorf("the button says %q, %v", before, err)
	}
	tab.Await(t, "#resend", "the time counts down in the button", false, func(now string) bool { return now != before })
	if !harness.Eval[bool](t, tab, `(b => { b.click(); b.click(); return b.getAttribute("aria-disabled") === "true" && !document.querySelector("[aria-busy]") })(document.getElementById("resend"))`) {
		t.Error("the button does not wait")
	}
	wantTexts(t, s, m1, 1)
	tab.Click(t, "#confirm")
	state(t, tab, "done")
	wantMade(t, bob, m1)
}

// The page takes a code as it was copied: the browser lets it through, and it is
// the code. What cannot be one says so and costs no try.
func TestPageTakesACodeAsItIsTyped(t *testing.T) {
	t.Parallel()
	s, _ := pages(t, nil)
	bob := s.NewPerson(t, m0)
	text := bob.Ask(t, m1)
	arabic := strings.Map(func(r rune) rune { return '٠' + r - '0' }, text.Code)
	tab := visit(t, s, bob)
	// typed puts a text into the field past the script that tidies pasted ones, and
	// reports whether the browser would send it.
	typed := func(text string) bool {
		return harness.Eval[bool](t, tab, `(text => {
			const input = document.getElementById("code");
			input.value = text;
			return input.checkValidity();
		})(`+strconv.Quote(text)+`)`)
	}
	before, _ := bob.Claim(t)
	if !typed(text.Code[:5]) {
		t.Error("the browser holds half a code back")
	}
	tab.Click(t, "#confirm")
	state(t, tab, "no-code")
	if after, _ := bob.Claim(t); after.AttemptsLeft != before.AttemptsLeft {
		t.Errorf("half a code cost a try: %d of %d are left", after.AttemptsLeft, before.AttemptsLeft)
	}
	if typed("12345x") {
		t.Error("the browser takes letters for digits")
	}
	if !typed("\u202a" + arabic[:6] + "\u2013" + arabic[6:] + "\u00a0\u202c\ufe0f") {
		t.Error("the browser holds a copied code back")
	}
	tab.Click(t, "#confirm")
	state(t, tab, "done")
	wantMade(t, bob, m1)
}

// Under another host than public.base_url, as a proxy's alias is, the page works whole:
// what it leads to is relative.
func TestPageUnderAnotherHost(t *testing.T) {
	t.Parallel()
	s, _ := pages(t, nil)
	bob := s.NewPerson(t, m0)
	text := bob.Ask(t, m1)
	alias := strings.Replace(s.Holdline.PublicURL, "127.0.0.1", "localhost", 1)
	tab := harness.NewBrowser(t)
	tab.WatchPolicy(t)
	tab.SignInAt(t, bob, alias)
	tab.Open(t, alias+pagePath)
	state(t, tab, "waiting")
	tab.Code(t, harness.WrongCode(text.Code, 0))
	state(t, tab, "wrong")
	tab.Code(t, text.Code)
	state(t, tab, "done")
	wantMade(t, bob, m1)
	if where := tab.Where(t); !strings.HasPrefix(where, alias+pagePath) {
		t.Errorf("the page leads to %s", where)
	}
	tab.NoBreach(t)
}

// What happens elsewhere shows by itself, and what is being typed stays: a text that
// is sent, a code that runs out, a change in another tab.
func TestPageFollowsWhatHappens(t *testing.T) {
	t.Parallel()
	s, _ := pages(t, nil)
	bob := s.NewPerson(t, m0)
	bob.Ask(t, m1)
	asked := time.Now().Unix()
	tab := visit(t, s, bob)
	state(t, tab, "waiting")
	tab.Type(t, "#code", "12")
	expiry := func() string {
		return harness.Eval[string](t, tab, `document.getElementById("verify").dataset.mark.split(" ").at(-2)`)
	}
	first := expiry() // before what changes it
	harness.Eventually(t, "another second, to which the page reckons", func() error {
		if time.Now().Unix() == asked {
			return errors.New("the same")
		}
		return nil
	})
	bob.EndCoolDown(t)
	wantEmpty(t, bob.Resend(t), http.StatusCreated)
	tab.Await(t, "#verify", "the new code shows", false, func(string) bool { return expiry() != first })
	if typed, err := tab.Read("#code"); err != nil || typed != "12" {
		t.Errorf("what was typed is %q, %v", typed, err)
	}
	bob.ExpireCode(t)
	state(t, tab, "expired")
	if said := harness.Eval[string](t, tab, `document.querySelector("p[role=status].hide-seen").textContent`); !strings.Contains(said, "expired") {
		t.Errorf("a screen reader hears %q", said)
	}
	tab.Sound(t, "verify-expired-by-itself")
	if got := bob.Me(t, http.MethodDelete, "mobile-claim", ""); got.Status != http.StatusNoContent {
		t.Fatalf("cancel: %d", got.Status)
	}
	state(t, tab, "cancelled")
	wantMade(t, bob, m0)
}

// After a change the other sessions can be ended: that one stays.
func TestPageSignsOutEverywhereElse(t *testing.T) {
	t.Parallel()
	s, _ := pages(t, nil)
	bob := s.NewPerson(t, m0)
	text := bob.Ask(t, m1)
	tab := visit(t, s, bob)
	tab.Code(t, text.Code)
	state(t, tab, "done")
	wantMade(t, bob, m1)
	before := bob.Token
	tab.Click(t, "#sign-out-others")
	state(t, tab, "signed-out-others")
	tab.Sound(t, "verify-signed-out-others")
	if got := harness.Send(t, http.MethodGet, s.Kratos.PublicURL+"/sessions/whoami", "", harness.Header{"X-Session-Token", before}); got.Status != http.StatusUnauthorized {
		t.Errorf("another session goes on: %d", got.Status)
	}
	tab.Reload(t)
	state(t, tab, "signed-out-others")
}

// Far from the mast, at a slow server too, the button says that it works, and sends its form
// once; what the person waits for shows by itself.
func TestPageOnASlowNetwork(t *testing.T) {
	t.Parallel()
	s, _ := pages(t, nil)
	bob := s.NewPerson(t, m0)
	text := bob.Ask(t, m1)
	tab := harness.NewBrowser(t)
	tab.Phone(t)
	tab.SignInAs(t, bob)
	tab.AtTheEdge(t)
	tab.Open(t, s.Holdline.PublicURL+pagePath)
	state(t, tab, "waiting")
	if waited := harness.Eval[float64](t, tab, `(n => n.responseEnd - n.requestStart)(performance.getEntriesByType("navigation")[0])`); waited < 500 {
		t.Errorf("the page was there after %.0f ms: the network is not slow", waited)
	}
	release := make(chan struct{})
	s.KratosPublic.On(harness.Rule{Before: func() { <-release }})
	pressed := harness.Eval[string](t, tab, `new Promise(done => {
		const input = document.getElementById("code"), confirm = document.getElementById("confirm");
		let sent = 0;
		document.addEventListener("submit", e => { if (!e.defaultPrevented) sent++ });
		input.value = `+strconv.Quote(text.Code)+`;
		confirm.click(); confirm.click(); input.form.requestSubmit(confirm);
		setTimeout(() => done([sent, confirm.disabled, confirm.getAttribute("aria-busy"), confirm.textContent].join(" ")), 300);
	})`)
	if pressed != "1 true true One moment …" {
		t.Errorf("pressed three times: %q", pressed)
	}
	close(release)
	state(t, tab, "done")
	wantMade(t, bob, m1)
}
