package userapi_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/holdline/holdline/api/userapi"
	"github.com/holdline/holdline/internal/auth"
	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/internal/web"
)

const (
	base   = "/api/identity/user/v1.0/me"
	resend = `{"properties":[{"key":"RecoveryScenario","value":"MOBILE_VERIFICATION_ON_UPDATE"}]}`
)

var now = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

// claims answers every call alike and keeps what was asked.
type claims struct {
	err    error
	status claim.Status
	calls  []string
	caller claim.Caller
}

func (c *claims) Confirm(_ context.Context, who claim.Caller, code string) error {
	c.calls, c.caller = append(c.calls, "confirm "+code), who
	return c.err
}

func (c *claims) Resend(_ context.Context, who claim.Caller) error {
	c.calls, c.caller = append(c.calls, "resend"), who
	return c.err
}

func (c *claims) Cancel(_ context.Context, who claim.Caller) error {
	c.calls, c.caller = append(c.calls, "cancel"), who
	return c.err
}

func (c *claims) Status(_ context.Context, who claim.Caller) (claim.Status, error) {
	c.calls, c.caller = append(c.calls, "status"), who
	return c.status, c.err
}

// sessions knows one person, by three proofs.
type sessions struct{}

func (sessions) Session(_ context.Context, cookie, token string) (claim.Caller, error) {
	if token == "bobs-token" || cookie == "ory_kratos_session=bobs" {
		return claim.Caller{IdentityID: "bob"}, nil
	}
	if id, ok := map[string]string{"roots-token": "root", "chiefs-token": "STAFF/chief"}[token]; ok {
		return claim.Caller{IdentityID: id, AuthenticatedAt: now.Add(-time.Minute)}, nil
	}
	return claim.Caller{}, auth.ErrNoSession
}

func (sessions) Login(_ context.Context, user, password string) (claim.Caller, error) {
	if user == "bob" && password == "pass" {
		return claim.Caller{IdentityID: "bob"}, nil
	}
	return claim.Caller{}, auth.ErrNoSession
}

func call(t *testing.T, c *claims, method, path, body string, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	return callOn(t, c, method, path, body, headers...)
}

func callOn(t *testing.T, c userapi.Claims, method, path, body string, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	server := &web.Server{
		Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return now },
		NewID: func() string { return "id" }, Sessions: sessions{}, Clients: clients{},
		Privileged: func(_ context.Context, id string) (bool, error) { return id == "root" || id == "STAFF/chief", nil },
	}
	engine, err := server.Engine()
	if err != nil {
		t.Fatal(err)
	}
	userapi.Mount(engine, server, server, c, people{}, 6)
	if !strings.HasPrefix(path, root) {
		path = base + path
	}
	request := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
	request.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	recorder := httptest.NewRecorder()
	engine.ServeHTTP(recorder, request)
	return recorder
}

func TestOwnersProveWhoTheyAre(t *testing.T) {
	for name, tt := range map[string]struct {
		headers []string
		want    int
	}{
		"session token":                       {[]string{"X-Session-Token", "bobs-token"}, http.StatusAccepted},
		"bearer":                              {[]string{"Authorization", "bearer bobs-token"}, http.StatusAccepted},
		"cookie":                              {[]string{"Cookie", "ory_kratos_session=bobs"}, http.StatusAccepted},
		"basic":                               {[]string{"Authorization", "Basic Ym9iOnBhc3M="}, http.StatusAccepted},
		"nothing":                             {nil, http.StatusUnauthorized},
		"wrong token, good cookie":            {[]string{"X-Session-Token", "no", "Cookie", "ory_kratos_session=bobs"}, http.StatusUnauthorized},
		"wrong password":                      {[]string{"Authorization", "Basic Ym9iOm5v"}, http.StatusUnauthorized},
		"unknown scheme, good cookie":         {[]string{"Authorization", "Digest x", "Cookie", "ory_kratos_session=bobs"}, http.StatusUnauthorized},
		"bearer without a token, good cookie": {[]string{"Authorization", "Bearer", "Cookie", "ory_kratos_session=bobs"}, http.StatusUnauthorized},
	} {
		t.Run(name, func(t *testing.T) {
			c := &claims{}
			got := call(t, c, http.MethodPost, "/validate-code", `{"code":"123456"}`, tt.headers...)
			if got.Code != tt.want || (tt.want == http.StatusAccepted) != (len(c.calls) == 1) {
				t.Errorf("got %d %s after %v", got.Code, got.Body, c.calls)
			}
			if tt.want == http.StatusAccepted && (got.Body.Len() > 0 || c.caller.IdentityID != "bob" || c.caller.ClientIP == "") {
				t.Errorf("got %q as %+v", got.Body, c.caller)
			}
		})
	}
}

func TestBadBodiesChangeNothing(t *testing.T) {
	for name, tt := range map[string]struct {
		path, body, kind string
		want             int
		code             string
	}{
		"no code":                {"/validate-code", `{}`, "application/json", 400, "HLD-40001"},
		"blank code":             {"/validate-code", `{"code":""}`, "application/json", 400, "HLD-40001"},
		"code is a short number": {"/validate-code", `{"code":12345}`, "application/json", 400, "HLD-40001"},
		"malformed":              {"/validate-code", `{"code":`, "application/json", 400, "HLD-40001"},
		"unknown member":         {"/validate-code", `{"code":"1","user":{"username":"eve"}}`, "application/json", 400, "HLD-40001"},
		"two values":             {"/validate-code", `{"code":"1"} {"code":"2"}`, "application/json", 400, "HLD-40001"},
		"too large":              {"/validate-code", `{"code":"` + strings.Repeat("1", 1<<20) + `"}`, "application/json", 413, "HLD-41301"},
		"a form":                 {"/validate-code", `code=123456`, "application/x-www-form-urlencoded", 415, "HLD-41501"},
		"plain text":             {"/validate-code", `{"code":"1"}`, "text/plain", 415, "HLD-41501"},
		"no scenario":            {"/resend-code", `{}`, "application/json", 400, "UAR-10011"},
		"unknown scenario":       {"/resend-code", strings.Replace(resend, "MOBILE", "EMAIL", 1), "application/json", 400, "UAR-10011"},
		"scenario twice":         {"/resend-code", strings.Replace(resend, `[`, `[{"key":"RecoveryScenario","value":"MOBILE_VERIFICATION_ON_UPDATE"},`, 1), "application/json", 400, "UAR-10011"},
		"resend for all I know":  {"/resend-code", `[]`, "application/json", 400, "HLD-40001"},
	} {
		t.Run(name, func(t *testing.T) {
			c := &claims{}
			got := call(t, c, http.MethodPost, tt.path, tt.body, "X-Session-Token", "bobs-token", "Content-Type", tt.kind)
			if got.Code != tt.want || !strings.Contains(got.Body.String(), `"`+tt.code+`"`) || len(c.calls) > 0 {
				t.Errorf("got %d %s after %v", got.Code, got.Body, c.calls)
			}
			if got.Code == http.StatusBadRequest && !strings.Contains(got.Body.String(), `"message":"Bad Request"`) {
				t.Errorf("got %s", got.Body)
			}
		})
	}
}

func TestResendIgnoresOtherProperties(t *testing.T) {
	c := &claims{}
	body := strings.Replace(resend, `[`, `[{"key":"send-to","value":"+15550000000"},{"key":"confirmation-code","value":"111111"},`, 1)
	got := call(t, c, http.MethodPost, "/resend-code", body, "X-Session-Token", "bobs-token")
	if got.Code != http.StatusCreated || got.Body.Len() > 0 || len(c.calls) != 1 {
		t.Errorf("got %d %s after %v", got.Code, got.Body, c.calls)
	}
}

func TestTheScenarioMayBeTheMembersName(t *testing.T) {
	c := &claims{}
	body := `{"properties":[{"RecoveryScenario":"MOBILE_VERIFICATION_ON_UPDATE"}]}`
	got := call(t, c, http.MethodPost, "/resend-code", body, "X-Session-Token", "bobs-token")
	if got.Code != http.StatusCreated || len(c.calls) != 1 {
		t.Errorf("got %d %s after %v", got.Code, got.Body, c.calls)
	}
}

func TestNothingPending(t *testing.T) {
	for _, tt := range []struct {
		method, path, body string
		want               int
		code               string
	}{
		{http.MethodPost, "/resend-code", resend, 400, "UAR-10011"},
		{http.MethodGet, "/mobile-claim", "", 404, "HLD-40401"},
		{http.MethodDelete, "/mobile-claim", "", 404, "HLD-40401"},
	} {
		got := call(t, &claims{err: claim.ErrNothingPending}, tt.method, tt.path, tt.body, "X-Session-Token", "bobs-token")
		if got.Code != tt.want || !strings.Contains(got.Body.String(), tt.code) {
			t.Errorf("%s %s: got %d %s", tt.method, tt.path, got.Code, got.Body)
		}
	}
}

func TestStatusIsMasked(t *testing.T) {
	c := &claims{status: claim.Status{
		State: claim.Open, Number: phone.FromStore("+491711234567"), LapsesAt: now.Add(time.Hour), CodeExpires: now,
		AttemptsLeft: 4, Text: message.TextSent,
	}}
	got := call(t, c, http.MethodGet, "/mobile-claim", "", "X-Session-Token", "bobs-token")
	want := `{"state":"open","pendingMobileNumber":"+49********67","expiresAt":"2026-11-01T13:00:00Z",` +
		`"codeExpiresAt":"2026-11-01T12:00:00Z","attemptsLeft":4,"text":"sent"}`
	if got.Code != http.StatusOK || got.Body.String() != want || got.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("got %d %s\nwant %s", got.Code, got.Body, want)
	}
	got = call(t, &claims{}, http.MethodDelete, "/mobile-claim", "", "X-Session-Token", "bobs-token")
	if got.Code != http.StatusNoContent {
		t.Errorf("DELETE: %d", got.Code)
	}
}
