package harness

import (
	"net/http"
	"testing"
	"time"

	"github.com/holdline/holdline/internal/kratostest"
)

// AddLookupSecrets gives the person recovery codes as a second factor, through the
// settings flow.
func (p *Person) AddLookupSecrets(t testing.TB) {
	t.Helper()
	f := begin(t, newClient(nil), p.stack.Kratos.PublicURL+"/self-service/settings/api", p.ByToken())
	for _, step := range []string{"lookup_secret_regenerate", "lookup_secret_confirm"} {
		answer := Send(t, http.MethodPost, f.UI.Action, marshal(t, tree{"method": "lookup_secret", step: true}), JSONBody, p.ByToken())
		if answer.Status != http.StatusOK {
			t.Fatalf("%s: %d %s", step, answer.Status, answer.Body)
		}
	}
}

// AddTOTP gives the person an authenticator as a second factor, through the settings
// flow, and returns its secret. The session that does it counts as one of two factors
// from then on.
func (p *Person) AddTOTP(t testing.TB) string {
	t.Helper()
	f := begin(t, newClient(nil), p.stack.Kratos.PublicURL+"/self-service/settings/api", p.ByToken())
	secret := ""
	for _, node := range f.UI.Nodes {
		if node.Attributes.ID == "totp_secret_key" {
			secret = node.Attributes.Text.Text
		}
	}
	answer := Send(t, http.MethodPost, f.UI.Action, marshal(t, tree{"method": "totp", "totp_code": kratostest.TOTP(t, secret, time.Now())}), JSONBody, p.ByToken())
	if answer.Status != http.StatusOK {
		t.Fatalf("authenticator: %d %s", answer.Status, answer.Body)
	}
	return secret
}

// SignInAgain begins another session by password, which is the person's from then
// on, and returns the one before.
func (p *Person) SignInAgain(t testing.TB) (before string) {
	t.Helper()
	before = p.Token
	p.SignIn(t)
	return before
}

// UseTOTP makes the person's session one of two factors.
func (p *Person) UseTOTP(t testing.TB, secret string) {
	t.Helper()
	f := begin(t, newClient(nil), p.stack.Kratos.PublicURL+"/self-service/login/api?aal=aal2", p.ByToken())
	answer := Send(t, http.MethodPost, f.UI.Action, marshal(t, tree{"method": "totp", "totp_code": kratostest.TOTP(t, secret, time.Now())}), JSONBody, p.ByToken())
	if answer.Status != http.StatusOK {
		t.Fatalf("second factor: %d %s", answer.Status, answer.Body)
	}
}

// UseTOTPInBrowser is UseTOTP for the session of the person's browser.
func (p *Person) UseTOTPInBrowser(t testing.TB, secret string) {
	t.Helper()
	client := p.Browser(t)
	f := begin(t, client, p.stack.Kratos.PublicURL+"/self-service/login/browser?aal=aal2")
	answer := sendBy(t, client, http.MethodPost, f.UI.Action, marshal(t, tree{
		"method": "totp", "totp_code": kratostest.TOTP(t, secret, time.Now()), "csrf_token": f.value("csrf_token"),
	}), JSONBody, acceptJSON)
	if answer.Status != http.StatusOK {
		t.Fatalf("second factor: %d %s", answer.Status, answer.Body)
	}
}

// ForgetBrowser closes the person's browser: the next one signs in anew.
func (p *Person) ForgetBrowser() { p.browser = nil }
