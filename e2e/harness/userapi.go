package harness

import (
	"net/http"
	"testing"
	"time"
)

// UserAPI is where the owners' routes are.
const UserAPI = "/api/identity/user/v1.0"

// Scenario is the only body that resend-code takes.
const Scenario = `{"properties":[{"key":"RecoveryScenario","value":"MOBILE_VERIFICATION_ON_UPDATE"}]}`

// Claim is what GET me/mobile-claim shows.
type Claim struct {
	State               string     `json:"state"`
	PendingMobileNumber string     `json:"pendingMobileNumber"`
	ExpiresAt           time.Time  `json:"expiresAt"`
	CodeExpiresAt       *time.Time `json:"codeExpiresAt"`
	NextResendAt        *time.Time `json:"nextResendAt"`
	AttemptsLeft        int        `json:"attemptsLeft"`
	Text                string     `json:"text"`
}

// Me calls a route of the person's own.
func (p *Person) Me(t testing.TB, method, route, body string) Answer {
	t.Helper()
	return Send(t, method, p.stack.Holdline.PublicURL+UserAPI+"/me/"+route, body, JSONBody, p.ByToken())
}

// Confirm types a code.
func (p *Person) Confirm(t testing.TB, code string) Answer {
	t.Helper()
	return p.Me(t, http.MethodPost, "validate-code", marshal(t, tree{"code": code}))
}

// TryConfirm types a code into a server that may break down meanwhile.
func (p *Person) TryConfirm(code string) (Answer, error) {
	return p.TryConfirmAt(p.stack.Holdline, code)
}

// TryConfirmAt types a code into one of several replicas.
func (p *Person) TryConfirmAt(h *Holdline, code string) (Answer, error) {
	return TrySend(http.MethodPost, h.PublicURL+UserAPI+"/me/validate-code",
		`{"code":"`+code+`"}`, JSONBody, p.ByToken())
}

// Resend asks for another text.
func (p *Person) Resend(t testing.TB) Answer {
	t.Helper()
	return p.Me(t, http.MethodPost, "resend-code", Scenario)
}

// TryResend is Resend for where a test cannot be ended.
func (p *Person) TryResend(headers ...Header) (Answer, error) {
	return p.TryResendAt(p.stack.Holdline, headers...)
}

// TryResendAt asks one of several replicas for another text.
func (p *Person) TryResendAt(h *Holdline, headers ...Header) (Answer, error) {
	return TrySend(http.MethodPost, h.PublicURL+UserAPI+"/me/resend-code", Scenario, append(headers, JSONBody, p.ByToken())...)
}

// TryCancelAt takes the claim back at one of several replicas.
func (p *Person) TryCancelAt(h *Holdline) (Answer, error) {
	return TrySend(http.MethodDelete, h.PublicURL+UserAPI+"/me/mobile-claim", "", p.ByToken())
}

// TryClaimAt reads the person's claim at one of several replicas; 404 is none.
func (p *Person) TryClaimAt(h *Holdline) (Answer, error) {
	return TrySend(http.MethodGet, h.PublicURL+UserAPI+"/me/mobile-claim", "", p.ByToken())
}

// Claim reads the person's claim. The second result is false for none.
func (p *Person) Claim(t testing.TB) (Claim, bool) {
	t.Helper()
	answer := p.Me(t, http.MethodGet, "mobile-claim", "")
	if answer.Status == http.StatusNotFound {
		return Claim{}, false
	}
	if answer.Status != http.StatusOK {
		t.Fatalf("mobile-claim: %d %s", answer.Status, answer.Body)
	}
	var c Claim
	answer.JSON(t, &c)
	return c, true
}

// AwaitResend waits until the claim's cool-down is over.
func (p *Person) AwaitResend(t testing.TB) {
	t.Helper()
	Eventually(t, 20*time.Second, "the cool-down is over", func() error {
		if c, ok := p.Claim(t); !ok || c.NextResendAt != nil && time.Now().Before(c.NextResendAt.Add(50*time.Millisecond)) {
			return errNotYet
		}
		return nil
	})
}

// WrongCode returns a code of the same form that differs.
func WrongCode(right string, n int) string {
	digits := []byte(right)
	digits[n%len(digits)] = '0' + (digits[n%len(digits)]-'0'+1+byte(n/len(digits)))%10
	return string(digits)
}
