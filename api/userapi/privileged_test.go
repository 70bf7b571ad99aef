package userapi_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/holdline/holdline/internal/audit"
	"github.com/holdline/holdline/internal/auth"
	"github.com/holdline/holdline/internal/claim"
)

const root = "/api/identity/user/v1.0/"

// people are bob in the primary realm and one more bob in another.
type people struct{}

func (people) Person(_ context.Context, realm, user string) (claim.Identity, string, error) {
	switch {
	case user == "bob@example.com" && (realm == "" || realm == "PRIMARY"):
		return claim.Identity{ID: "bob", Locale: "de"}, "PRIMARY", nil
	case user == "bob@example.com" && realm == "STAFF", user == "STAFF/bob@example.com" && realm == "":
		return claim.Identity{ID: "STAFF/robert"}, "STAFF", nil
	}
	if user == "root@example.com" {
		return claim.Identity{ID: "root", Privileged: true}, "PRIMARY", nil
	}
	return claim.Identity{}, "", claim.ErrNoIdentity
}

// clients know a token that may manage claims, and one that may not.
type clients struct{}

func (clients) Recognises(token string) bool { return strings.HasPrefix(token, "hlt_") }

func (clients) Client(_ context.Context, token, _ string) (auth.Token, error) {
	switch token {
	case "hlt_desk":
		return auth.Token{Name: "desk", Scopes: []auth.Scope{auth.ScopeClaimsManage}}, nil
	case "hlt_chief":
		return auth.Token{Name: "chief", Scopes: []auth.Scope{auth.ScopeClaimsManage}, Privileged: true}, nil
	case "hlt_okta":
		return auth.Token{Name: "okta", Scopes: []auth.Scope{auth.ScopeSCIMRead, auth.ScopeSCIMWrite}}, nil
	}
	return auth.Token{}, auth.ErrNoToken
}

const (
	validateBob = `{"code":"123456","user":{"username":"bob@example.com"}}`
	resendBob   = `{"user":{"username":"bob@example.com"},"properties":[{"key":"RecoveryScenario","value":"MOBILE_VERIFICATION_ON_UPDATE"}]}`
)

func TestOnlyPrivilegedCallersActForOthers(t *testing.T) {
	for name, tt := range map[string]struct {
		headers []string
		want    int
		code    string
	}{
		"operator's token":        {[]string{"Authorization", "Bearer hlt_desk"}, http.StatusAccepted, ""},
		"privileged person":       {[]string{"X-Session-Token", "roots-token"}, http.StatusAccepted, ""},
		"token without the scope": {[]string{"Authorization", "Bearer hlt_okta"}, http.StatusForbidden, "HLD-40302"},
		"unknown token":           {[]string{"Authorization", "Bearer hlt_none"}, http.StatusUnauthorized, "HLD-40103"},
		"plain person":            {[]string{"X-Session-Token", "bobs-token"}, http.StatusForbidden, "HLD-40303"},
		"person of no session":    {[]string{"X-Session-Token", "none"}, http.StatusUnauthorized, "HLD-40101"},
		"nobody":                  {nil, http.StatusUnauthorized, "HLD-40101"},
	} {
		t.Run(name, func(t *testing.T) {
			for path, body := range map[string]string{"validate-code": validateBob, "resend-code": resendBob} {
				want := tt.want
				if path == "resend-code" && want == http.StatusAccepted {
					want = http.StatusCreated
				}
				c := &claims{}
				got := call(t, c, http.MethodPost, root+path, body, tt.headers...)
				if got.Code != want || !strings.Contains(got.Body.String(), tt.code) || (want < 300) != (len(c.calls) == 1) {
					t.Errorf("%s: got %d %s after %v", path, got.Code, got.Body, c.calls)
				}
			}
		})
	}
}

// A code writes a number, and a privileged person's is out of reach of tokens without
// privilege; a text writes nothing.
func TestPrivilegedPeopleAreConfirmedByPrivilegedCallersOnly(t *testing.T) {
	ofRoot := strings.NewReplacer("bob@", "root@")
	for header, want := range map[string]int{"Authorization: Bearer hlt_desk": http.StatusForbidden, "Authorization: Bearer hlt_chief": http.StatusAccepted, "X-Session-Token: roots-token": http.StatusAccepted} {
		name, value, _ := strings.Cut(header, ": ")
		c := &claims{}
		got := call(t, c, http.MethodPost, root+"validate-code", ofRoot.Replace(validateBob), name, value)
		if got.Code != want || (want == http.StatusAccepted) != (len(c.calls) == 1) || want == http.StatusForbidden && !strings.Contains(got.Body.String(), "HLD-40303") {
			t.Errorf("%s: got %d %s", header, got.Code, got.Body)
		}
		if got := call(t, &claims{}, http.MethodPost, root+"resend-code", ofRoot.Replace(resendBob), name, value); got.Code != http.StatusCreated {
			t.Errorf("%s: resend: got %d %s", header, got.Code, got.Body)
		}
	}
}

func TestAPrivilegedCallSpeaksOfTheNamedPerson(t *testing.T) {
	for name, tt := range map[string]struct {
		token, body        string
		identity, response string
	}{
		"by name":            {"hlt_desk", validateBob, "bob", `{"username":"bob@example.com","realm":"PRIMARY","tenant-domain":"carbon.super","userId":"bob"}`},
		"by realm":           {"hlt_desk", `{"code":"1","user":{"username":"bob@example.com","realm":"STAFF"}}`, "STAFF/robert", `{"username":"bob@example.com","realm":"STAFF","tenant-domain":"carbon.super","userId":"robert"}`},
		"by realm in a name": {"hlt_desk", `{"code":"1","user":{"username":"STAFF/bob@example.com","tenant-domain":"carbon.super"},"properties":[]}`, "STAFF/robert", `{"username":"bob@example.com","realm":"STAFF","tenant-domain":"carbon.super","userId":"robert"}`},
	} {
		t.Run(name, func(t *testing.T) {
			c := &claims{}
			got := call(t, c, http.MethodPost, root+"validate-code", tt.body, "Authorization", "Bearer "+tt.token)
			if got.Code != http.StatusAccepted || got.Body.String() != tt.response {
				t.Errorf("got %d %s", got.Code, got.Body)
			}
			actor := c.caller.Actor()
			if c.caller.IdentityID != tt.identity || actor.Kind != audit.Privileged || actor.ID != "desk" || c.caller.ClientIP != "" {
				t.Errorf("called as %+v", c.caller)
			}
		})
	}
}

// Whoever asks learns nothing of who there is.
func TestNobodyOfThatNameLooksLikeNothingPending(t *testing.T) {
	nobody := strings.NewReplacer("bob@", "eve@")
	unknown := call(t, &claims{err: claim.ErrWrongCode}, http.MethodPost, root+"validate-code", nobody.Replace(validateBob), "Authorization", "Bearer hlt_desk")
	known := call(t, &claims{err: claim.ErrWrongCode}, http.MethodPost, root+"validate-code", validateBob, "Authorization", "Bearer hlt_desk")
	if unknown.Code != http.StatusBadRequest || unknown.Body.String() != known.Body.String() || !strings.Contains(known.Body.String(), `"18001"`) {
		t.Errorf("validate-code: %d %s and %d %s", unknown.Code, unknown.Body, known.Code, known.Body)
	}
	c := &claims{}
	unknown = call(t, c, http.MethodPost, root+"resend-code", nobody.Replace(resendBob), "Authorization", "Bearer hlt_desk")
	known = call(t, &claims{err: claim.ErrNothingPending}, http.MethodPost, root+"resend-code", resendBob, "Authorization", "Bearer hlt_desk")
	if unknown.Code != http.StatusBadRequest || unknown.Body.String() != known.Body.String() || !strings.Contains(known.Body.String(), `"UAR-10011"`) || len(c.calls) > 0 {
		t.Errorf("resend-code: %d %s and %d %s", unknown.Code, unknown.Body, known.Code, known.Body)
	}
}

// Who is trusted with one realm is not trusted with another.
func TestPrivilegedPeopleOfARealmStayInIt(t *testing.T) {
	for body, want := range map[string]int{
		validateBob: http.StatusAccepted, // their own realm's bob
		`{"code":"1","user":{"username":"bob@example.com","realm":"STAFF"}}`:         http.StatusAccepted,
		`{"code":"1","user":{"username":"bob@example.com","realm":"PRIMARY"}}`:       http.StatusBadRequest,
		`{"code":"1","user":{"username":"PRIMARY/bob@example.com","realm":"STAFF"}}`: http.StatusBadRequest,
	} {
		c := &refusing{claims: &claims{}}
		got := callOn(t, c, http.MethodPost, root+"validate-code", body, "X-Session-Token", "chiefs-token")
		if got.Code != want || want == http.StatusAccepted && c.caller.IdentityID != "STAFF/robert" {
			t.Errorf("%s: got %d %s as %+v", body, got.Code, got.Body, c.caller)
		}
	}
}

// refusing has no claim of nobody, as the real service has none.
type refusing struct{ *claims }

func (r *refusing) Confirm(ctx context.Context, who claim.Caller, code string) error {
	if who.IdentityID == "" {
		return claim.ErrWrongCode
	}
	return r.claims.Confirm(ctx, who, code)
}

func TestPrivilegedRequestsNameAPersonAndACode(t *testing.T) {
	for name, tt := range map[string]struct{ path, body, code string }{
		"nobody is named":         {"validate-code", `{"code":"123456"}`, "HLD-40001"},
		"no code":                 {"validate-code", `{"user":{"username":"bob@example.com"}}`, "HLD-40001"},
		"nobody is named to send": {"resend-code", strings.Replace(resendBob, "bob@example.com", "", 1), "HLD-40001"},
		"no scenario":             {"resend-code", `{"user":{"username":"bob@example.com"},"properties":[]}`, "UAR-10011"},
		"a member that is not":    {"validate-code", strings.Replace(validateBob, "code", "claim_id", 1), "HLD-40001"},
	} {
		t.Run(name, func(t *testing.T) {
			c := &claims{}
			got := call(t, c, http.MethodPost, root+tt.path, tt.body, "Authorization", "Bearer hlt_desk")
			if got.Code != http.StatusBadRequest || !strings.Contains(got.Body.String(), tt.code) || len(c.calls) > 0 {
				t.Errorf("got %d %s after %v", got.Code, got.Body, c.calls)
			}
		})
	}
}

func TestPrivilegedValidationThatIsOffIsSaidSo(t *testing.T) {
	c := &claims{err: claim.ErrPrivilegedOff}
	for _, body := range []string{validateBob, strings.Replace(validateBob, "bob@", "eve@", 1)} {
		got := call(t, c, http.MethodPost, root+"validate-code", body, "Authorization", "Bearer hlt_desk")
		if got.Code != http.StatusBadRequest || !strings.Contains(got.Body.String(), `"17007"`) {
			t.Errorf("got %d %s", got.Code, got.Body)
		}
	}
}
