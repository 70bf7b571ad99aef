package e2e_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/holdline/holdline/e2e/harness"
)

const scimUsers = "/scim2/Users"

// What fails to authenticate is counted by kind and said with the address, and
// never with what was sent.
func TestFailedAuthenticationIsCountedAndLogged(t *testing.T) {
	t.Parallel()
	s := harness.NewStack(t, harness.Options{})
	bob := s.NewPerson(t, m0)
	bob.Ask(t, m1)
	const secret = "q9-made-up-secret-q9"
	claim := s.Holdline.PublicURL + harness.UserAPI + "/me/mobile-claim"
	for name, tt := range map[string]struct {
		method, url string
		as          harness.Header
	}{
		"password": {http.MethodGet, claim, harness.Header{"Authorization", "Basic Ym9iOnE5LW1hZGUtdXAtc2VjcmV0LXE5"}},
		"session":  {http.MethodGet, claim, harness.Header{"X-Session-Token", secret}},
		"token":    {http.MethodGet, s.Holdline.PublicURL + scimUsers, harness.ByClient("hlt_" + secret)},
		"hook_key": {http.MethodPost, s.Holdline.AdminURL + stagePath, harness.Header{"X-Hook-Key", secret}},
	} {
		before, _ := s.Holdline.Scrape(t)
		for range 3 {
			if got := harness.Send(t, tt.method, tt.url, "", tt.as); got.Status != http.StatusUnauthorized {
				t.Errorf("%s: %d %s", name, got.Status, got.Body)
			}
		}
		after, _ := s.Holdline.Scrape(t)
		const metric = "holdline_authentication_failures_total"
		label := "credential=" + name
		if got := after.Sum(metric, label, "reason=wrong") - before.Sum(metric, label, "reason=wrong"); got != 3 {
			t.Errorf("%s: counted %v, want 3", name, got)
		}
	}
	harness.Send(t, http.MethodGet, s.Holdline.AdminURL+settingsPath, "", harness.ByClient("hlt_"+secret))
	s.Holdline.Stop(t)
	log := s.Holdline.Output.String()
	for _, credential := range []string{"password", "session", "token", "hook_key"} {
		line := fmt.Sprintf(`"msg":"authentication failed","credential":%q,"reason":"wrong","address":"127.0.0.1"`, credential)
		if n := strings.Count(log, line); n != 1 {
			t.Errorf("%s: %d lines in the log, want one for all within a minute", credential, n)
		}
	}
	for _, of := range []string{secret, "Ym9iOnE5"} {
		if strings.Contains(log, of) {
			t.Errorf("%q is in the log", of)
		}
	}
}

// Sixty names, one address, at once.
func TestWrongPasswordsOfManyNamesAreLimited(t *testing.T) {
	t.Parallel()
	s := harness.NewStack(t, harness.Options{})
	bob := s.NewPerson(t, m0)
	url := s.Holdline.PublicURL + harness.UserAPI + "/me/mobile-claim"
	answers := atOnce(t, 60, func(i int) (harness.Answer, error) {
		return harness.Send(t, http.MethodGet, url, "", (&harness.Person{Email: fmt.Sprintf("somebody%d@example.com", i), Password: "wrong"}).ByPassword()), nil
	})
	statuses := map[int]int{}
	for _, answer := range answers {
		statuses[answer.Status]++
		if answer.Status == http.StatusTooManyRequests && answer.Header.Get("Retry-After") == "" {
			t.Error("429 without Retry-After")
		}
	}
	if statuses[http.StatusUnauthorized] != 50 || statuses[http.StatusTooManyRequests] != 10 {
		t.Errorf("got %v, want 50 refused and 10 not compared", statuses)
	}
	// Another way in is another matter.
	if got := harness.Send(t, http.MethodGet, url, "", bob.ByToken()); got.Status != http.StatusNotFound {
		t.Errorf("a session: %d %s", got.Status, got.Body)
	}
}

// The address that a limit counts is not the client's to choose, and who stands
// before one listener is nobody at the other.
func TestClientsDoNotChooseTheirAddress(t *testing.T) {
	t.Parallel()
	s := harness.NewStack(t, harness.Options{Holdline: harness.Overlay{
		"public": harness.Overlay{"trusted_proxies": []string{"127.0.0.1"}},
		"limits": harness.Overlay{"token_failures_per_address": 5},
	}})
	public, admin := s.Holdline.PublicURL+scimUsers, s.Holdline.AdminURL+settingsPath
	for name, tt := range map[string]struct {
		url     string
		headers func(n int) []harness.Header
		limited bool
	}{
		"the proxy's word": {public, func(n int) []harness.Header {
			return []harness.Header{{"X-Forwarded-For", fmt.Sprintf("203.0.113.%d", n)}}
		}, false},
		"what a client writes before it": {public, func(n int) []harness.Header {
			return []harness.Header{{"X-Forwarded-For", fmt.Sprintf("203.0.113.%d, 198.51.100.7", n)}}
		}, true},
		"X-Real-IP": {public, func(n int) []harness.Header {
			return []harness.Header{{"X-Real-IP", fmt.Sprintf("203.0.113.%d", n)}, {"X-Forwarded-For", "198.51.100.8"}}
		}, true},
		"X-Real-IP alone": {public, func(n int) []harness.Header {
			return []harness.Header{{"X-Real-IP", fmt.Sprintf("203.0.113.%d", n)}}
		}, true},
		"Forwarded": {public, func(n int) []harness.Header {
			return []harness.Header{{"Forwarded", fmt.Sprintf("for=203.0.113.%d", n)}, {"X-Forwarded-For", "198.51.100.9"}}
		}, true},
		"the public listener's proxy, at the other": {admin, func(n int) []harness.Header {
			return []harness.Header{{"X-Forwarded-For", fmt.Sprintf("203.0.113.%d", n)}}
		}, true},
	} {
		limited := false
		for n := range 8 {
			headers := append(tt.headers(n+1), harness.ByClient("hlt_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"))
			limited = harness.Send(t, http.MethodGet, tt.url, "", headers...).Status == http.StatusTooManyRequests || limited
		}
		if limited != tt.limited {
			t.Errorf("%s: limited is %t, want %t", name, limited, tt.limited)
		}
	}
}

func TestNumbersOfNoOrdinaryPhoneAreNotTexted(t *testing.T) {
	t.Parallel()
	s := harness.NewStack(t, harness.Options{})
	bob := s.NewPerson(t, m0)
	for _, number := range []string{"+870773111632", "+881612345678", "+88216123456", "+883510001234567", "+80012345678", "+878101234567890", "+979123456789"} {
		if saved := bob.Save(t, harness.Profile{Name: "Before", Mobile: number}); saved.Status != http.StatusBadRequest {
			t.Errorf("%s: %d", number, saved.Status)
		}
	}
	wantTexts(t, s, "", 0)
	wantMade(t, bob, m0)
}

// To and fro between two numbers of one account: each change is made, and each
// number has its notices bounded.
func TestToAndFroIsBounded(t *testing.T) {
	t.Parallel()
	s := harness.NewStack(t, harness.Options{Holdline: harness.Overlay{"limits": harness.Overlay{
		"resend_cooldown": "0", "notices_per_number_per_day": 2, "texts_per_number_per_hour": 0,
	}}})
	bob := s.NewPerson(t, m0)
	numbers := []string{m1, m0}
	for i := range 10 {
		to := numbers[i%2]
		before := len(codesTo(s, to))
		bob.MustSave(t, harness.Profile{Name: "Before", Mobile: to})
		var code string
		harness.Eventually(t, "a code arrives", func() error {
			codes := codesTo(s, to)
			if len(codes) <= before {
				return errNotYet
			}
			code = codes[len(codes)-1]
			return nil
		})
		wantEmpty(t, bob.Confirm(t, code), http.StatusAccepted)
		bob.Eventually(t, "the number is written", func(i harness.Identity) bool { return i.Traits.Mobile == to && i.Pending() == "" })
	}
	// The account has had its codes of a day.
	if saved := bob.Save(t, harness.Profile{Name: "Before", Mobile: m1}); saved.Status != http.StatusBadRequest {
		t.Errorf("an eleventh change: %d", saved.Status)
	}
	for what, tt := range map[string]struct{ got, want int }{
		"codes":            {s.Database.Count(t, "texts", "kind = 'code'"), 10},
		"notices":          {s.Database.Count(t, "texts", "kind <> 'code'"), 4},
		"withheld notices": {s.Database.Count(t, "audit_events", "kind = 'notice_withheld'"), 6},
		"changes":          {s.Database.Count(t, "claims", "state = 'applied'"), 10},
	} {
		if tt.got != tt.want {
			t.Errorf("%s: got %d, want %d", what, tt.got, tt.want)
		}
	}
	samples, _ := s.Holdline.Scrape(t)
	if got := samples.Sum("holdline_limit_hits_total", "limit=notices_per_number_per_day"); got != 6 {
		t.Errorf("limit hits: got %v, want 6", got)
	}
}

// codesTo are the codes that a number received, in order.
func codesTo(s *harness.Stack, number string) []string {
	var codes []string
	for _, text := range s.Provider.Texts(number) {
		if text.Code != "" {
			codes = append(codes, text.Code)
		}
	}
	return codes
}

func TestFewCodesAreGoodForMinutesOnly(t *testing.T) {
	t.Parallel()
	s := harness.NewStack(t, harness.Options{Holdline: harness.Overlay{"otp": harness.Overlay{"length": 4}}})
	token := harness.ByClient(s.Token(t, "--scope", "claims:manage"))
	for validity, want := range map[string]int{"24h": http.StatusBadRequest, "10m1s": http.StatusBadRequest, "10m": http.StatusOK} {
		body := `{"verification_sms_otp_validity":"` + validity + `"}`
		got := harness.Send(t, http.MethodPatch, s.Holdline.AdminURL+settingsPath, body, harness.JSONBody, token)
		if got.Status != want || want == http.StatusBadRequest && !strings.Contains(got.Body, "otp.length") {
			t.Errorf("%s: %d %s, want %d", validity, got.Status, got.Body, want)
		}
	}
}

func TestNoAnswerIsToBeSniffed(t *testing.T) {
	t.Parallel()
	s := harness.NewStack(t, harness.Options{})
	for _, tt := range []struct{ method, url string }{
		{http.MethodGet, s.Holdline.PublicURL + "/health/ready"},
		{http.MethodGet, s.Holdline.PublicURL + "/openapi.yaml"},
		{http.MethodGet, s.Holdline.PublicURL + "/nothing"},
		{http.MethodGet, s.Holdline.PublicURL + "/verify"},
		{http.MethodGet, s.Holdline.PublicURL + "/not-me/nothing"},
		{http.MethodDelete, s.Holdline.PublicURL + "/verify"},
		{http.MethodGet, s.Holdline.PublicURL + scimUsers},
		{http.MethodPost, s.Holdline.PublicURL + "/scim2/nothing"},
		{http.MethodGet, s.Holdline.PublicURL + harness.UserAPI + "/me/mobile-claim"},
		{http.MethodPost, s.Holdline.PublicURL + "/sms/receipts/nobody"},
		{http.MethodGet, s.Holdline.AdminURL + "/metrics"},
		{http.MethodPost, s.Holdline.AdminURL + stagePath},
		{http.MethodGet, s.Holdline.AdminURL + stagePath},
		{http.MethodGet, s.Holdline.AdminURL + settingsPath},
		{http.MethodGet, s.Holdline.AdminURL + consolePath},
		{http.MethodGet, s.Holdline.AdminURL + consolePath + "sign-in"},
		{http.MethodGet, s.Holdline.AdminURL + consolePath + "assets/nothing"},
		{http.MethodGet, s.Holdline.AdminURL + "/nothing"},
	} {
		if got := harness.Send(t, tt.method, tt.url, ""); got.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s %s: %d without nosniff", tt.method, tt.url, got.Status)
		}
	}
}
