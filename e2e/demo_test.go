package e2e_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/holdline/holdline/e2e/harness"
)

var codeInText = regexp.MustCompile(`#(\d{6})\b`)

// What `make demo` promises, done by hand in a real browser: register, change
// the number, see the old one and what is pending, read the code from the phone,
// type it, see the new number verified.
func TestTheDemoCanBeDoneByHandInABrowser(t *testing.T) {
	t.Parallel()
	demo := harness.StartDemo(t, "demo", "phone", "console")
	page := harness.NewBrowser(t)
	phone := page.NewTab(t)
	const email, password = "visitor@example.com", "a-long-password-Kp4wq7"
	field := func(name string) string { return `[id="` + name + `"]` }
	contains := func(part string) func(string) bool {
		return func(text string) bool { return strings.Contains(text, part) }
	}
	const submit, profile, mobile, verified, pending = `main form button[type="submit"]`, `button[name="method"][value="profile"]`,
		"#mobile-number", "#mobile-verified", "#mobile-pending"

	account := demo.Links["demo"] + "account"
	page.Open(t, demo.Links["demo"])
	for _, frame := range []string{`iframe[src="/account"]`, `iframe[src="` + demo.Links["phone"] + `"]`, `a[href="` + demo.Links["console"] + `"]`} {
		if _, err := page.Read(frame); err != nil {
			t.Errorf("the stage lacks %s: %v", frame, err)
		}
	}
	page.DesktopSize(t)
	page.Sound(t, "demo-0-stage")
	page.Phone(t)
	console := page.NewTab(t)
	console.DesktopSize(t)
	token, err := page.Read("#console-token")
	if err != nil {
		t.Fatal(err)
	}
	console.Open(t, demo.Links["console"])
	console.Await(t, "h1", "the console's link signs in", false, contains("Overview"))
	for name, link := range demo.Links {
		if answer := harness.Send(t, http.MethodGet, link, ""); answer.Status >= http.StatusBadRequest && name != "console" {
			t.Errorf("the printed link to %s answers %d", name, answer.Status)
		} else if name == "console" && answer.Status != http.StatusForbidden {
			t.Errorf("the console's link signs in a second time: %d", answer.Status)
		}
	}
	if answer := harness.Send(t, http.MethodGet, demo.Links["console"]+"x", ""); answer.Status != http.StatusForbidden {
		t.Errorf("a wrong link to the console answers %d", answer.Status)
	}
	if !strings.Contains(demo.Output.String(), token) {
		t.Error("the stage shows another token than the program printed")
	}
	page.Open(t, account)
	page.Click(t, `a[href="/registration"]`)
	page.Type(t, field("traits.email"), email)
	page.Type(t, field("traits.mobile"), m0)
	if _, err := page.Read(field("password")); err != nil { // Kratos asks in two steps by default
		page.Click(t, submit)
	}
	page.Type(t, field("password"), password)
	page.Click(t, `button[name="method"][value="password"]`)
	page.Open(t, account)
	page.Await(t, mobile, "the number that was registered", false, contains(m0))
	page.Sound(t, "demo-1-registered")

	page.Click(t, `a.button[href="/settings"]`)
	page.Type(t, field("traits.mobile"), "+49 151 12345671 x5")
	page.Click(t, profile)
	page.Await(t, field("traits.mobile-message"), "the form says what is wrong", false, contains("Leave out the extension."))
	page.Type(t, field("traits.mobile"), "\u202a00"+strings.ReplaceAll(m1[1:], "151", "\u00a0151\u2011")+"\u202c") // as a messenger has it
	page.Click(t, profile)
	harness.Eventually(t, "after the form the browser is at the page that asks for the code", func() error {
		if where := page.Where(t); !strings.Contains(where, "/verify") {
			return errNotYetWith(where)
		}
		return nil
	})
	page.Sound(t, "demo-2-asked-for-the-code")
	page.Open(t, account)
	page.Await(t, mobile, "the old number is still there", false, contains(m0))
	page.Await(t, pending, "the new number is pending", false, contains(m1))

	phone.Open(t, demo.Links["phone"])
	text := phone.Await(t, "#texts", "the text arrives", false, contains("#"))
	phone.Sound(t, "demo-3-phone")
	code := codeInText.FindStringSubmatch(text)
	if len(code) != 2 || !strings.Contains(text, m1) || strings.Contains(text, m0) {
		t.Fatalf("the phone shows %q", text)
	}

	page.Click(t, "#type-code")
	page.Code(t, harness.WrongCode(code[1], 0))
	page.Await(t, `[role="alert"]`, "a wrong code is refused", false, contains("not valid"))
	page.Await(t, "#attempts", "a try is gone", false, contains("4 tries"))
	page.Sound(t, "demo-4-wrong-code")
	page.Code(t, strings.Map(func(r rune) rune { return '٠' + r - '0' }, code[1])) // by an Arabic keyboard
	page.Await(t, "#verify", "the page tells the end", false, contains("in force"))
	page.Sound(t, "demo-5-done")
	page.Click(t, "#continue")
	page.Await(t, mobile, "the new number is the person's", true, contains(m1))
	if got, err := page.Read(verified); err != nil || got != "verified" {
		t.Errorf("the new number's badge: %q %v", got, err)
	}
	if got, err := page.Read(pending); err == nil {
		t.Errorf("still pending: %q", got)
	}
	page.Sound(t, "demo-6-verified")

	page.Click(t, `a.button[href="/settings"]`)
	page.Type(t, field("traits.mobile"), m2)
	page.Click(t, profile)
	page.Await(t, "#verify", "a second change asks for its code", false, contains(m2[len(m2)-2:]))
	phone.Await(t, "#texts li:last-child", "its text is the newest, and the last", false, contains(m2))
	page.Phone(t)
	page.Open(t, demo.Links["demo"])
	if beyond := harness.Eval[float64](t, page, `document.getElementById("phone").getBoundingClientRect().bottom - innerHeight`); beyond > 1 {
		t.Errorf("the phone ends %v pixels below a phone's screen", beyond)
	}
	page.Sound(t, "demo-on-a-phone")
	page.DesktopSize(t)
	page.Still(t)
	page.Open(t, demo.Links["demo"])
	page.Sound(t, "demo-pending")

	demo.Stop(t)
	for name, link := range demo.Links {
		if answer, err := harness.TrySend(http.MethodGet, link, ""); err == nil {
			t.Errorf("%s still answers after the demo's end: %d", name, answer.Status)
		}
	}
	if out := demo.Output.String(); !strings.Contains(out, "curl") {
		t.Errorf("the demo prints no script for curl:\n%s", out)
	}
}
