package harness

import (
	"errors"
	"net/http"
	"testing"

	"github.com/holdline/holdline/client"
)

// UserAPI is where the owners' routes are.
const UserAPI = "/api/identity/user/v1.0"

// Scenario is the only body that resend-code takes.
const Scenario = `{"properties":[{"key":"RecoveryScenario","value":"MOBILE_VERIFICATION_ON_UPDATE"}]}`

// Client calls Holdline as the person, by the project's own client. Where a test
// is about answers as they are, it sends requests itself: see [Person.Me].
func (p *Person) Client() client.Client {
	return client.Client{URL: p.stack.Holdline.PublicURL, As: client.SessionToken(p.Token), HTTP: newClient(nil)}
}

// Admin calls the admin listener by a token with the scope claims:manage.
func (h *Holdline) Admin(token string) client.Client {
	return client.Client{URL: h.AdminURL, As: client.Bearer(token), HTTP: newClient(nil)}
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
func (p *Person) Claim(t testing.TB) (client.MobileClaim, bool) {
	t.Helper()
	c, err := p.Client().MobileClaim(t.Context())
	if refused, ok := errors.AsType[*client.Error](err); ok && refused.Code == "HLD-40401" {
		return c, false
	}
	if err != nil {
		t.Fatal(err)
	}
	return c, true
}

// EndCoolDown lets the time pass until the person's claim may be texted again, for the
// database at least.
func (p *Person) EndCoolDown(t testing.TB) {
	t.Helper()
	p.age(t, "next_text")
}

// ExpireCode lets the time pass that the person's code is good for.
func (p *Person) ExpireCode(t testing.TB) {
	t.Helper()
	p.age(t, "code_expires")
}

// age makes a moment of the person's open claim the last second. So a test says when
// time passes, and no machine is too slow for it.
func (p *Person) age(t testing.TB, column string) {
	t.Helper()
	d := p.stack.Database
	d.Server.Exec(t, "UPDATE "+d.Name+".claims SET "+column+" = CURRENT_TIMESTAMP(6) - INTERVAL '1' SECOND WHERE identity_id = ? AND state = 'open'", p.ID)
}

// Rewrite sets columns of the person's newest claim, for states that take long to come
// to by themselves.
func (p *Person) Rewrite(t testing.TB, set string) {
	t.Helper()
	d := p.stack.Database
	d.Server.Exec(t, "UPDATE "+d.Name+".claims SET "+set+" WHERE identity_id = ? ORDER BY created_at DESC LIMIT 1", p.ID)
}

// RewriteTexts sets columns of the person's texts with codes.
func (p *Person) RewriteTexts(t testing.TB, set string) {
	t.Helper()
	d := p.stack.Database
	d.Server.Exec(t, "UPDATE "+d.Name+".texts SET "+set+" WHERE identity_id = ? AND kind = 'code'", p.ID)
}

// WrongCode returns a code of the same form that differs.
func WrongCode(right string, n int) string {
	digits := []byte(right)
	digits[n%len(digits)] = '0' + (digits[n%len(digits)]-'0'+1+byte(n/len(digits)))%10
	return string(digits)
}
