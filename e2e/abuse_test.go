package e2e_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/holdline/holdline/e2e/harness"
)

// What cannot be read or is not proven changes nothing, and
// is answered without an echo.
func TestRequestsOfNoUseChangeNothing(t *testing.T) {
	t.Parallel()
	s := harness.NewStack(t, harness.Options{})
	bob := s.NewPerson(t, m0)
	text := bob.Ask(t, m1)
	api := s.Holdline.PublicURL + harness.UserAPI + "/me/"
	right := `{"code":"` + text.Code + `"}`
	huge := `{"code":"` + strings.Repeat("1", 1<<20) + `"}`
	const validate, resend, claim = "validate-code", "resend-code", "mobile-claim"
	none, token := harness.Header{}, bob.ByToken()
	for name, tt := range map[string]struct {
		method, route, body string
		auth                harness.Header
		kind                string // content type
		status              int
		code                string
	}{
		"no credentials, confirm":  {"POST", validate, right, none, "application/json", 401, "HLD-40101"},
		"no credentials, resend":   {"POST", resend, harness.Scenario, none, "application/json", 401, "HLD-40101"},
		"no credentials, read":     {"GET", claim, "", none, "", 401, "HLD-40101"},
		"no credentials, cancel":   {"DELETE", claim, "", none, "", 401, "HLD-40101"},
		"a token that is none":     {"POST", validate, right, harness.Header{"X-Session-Token", "ory_st_nonsense"}, "application/json", 401, "HLD-40101"},
		"a cookie that is none":    {"POST", validate, right, harness.Header{"Cookie", "ory_kratos_session=nonsense"}, "application/json", 401, "HLD-40101"},
		"a wrong password":         {"POST", validate, right, harness.Header{"Authorization", "Basic Ym9iQGV4YW1wbGUuY29tOndyb25n"}, "application/json", 401, "HLD-40101"},
		"a scheme that is none":    {"POST", validate, right, harness.Header{"Authorization", "Digest nonsense"}, "application/json", 401, "HLD-40101"},
		"the hook key":             {"POST", validate, right, harness.Header{"X-Hook-Key", harness.HookKey}, "application/json", 401, "HLD-40101"},
		"no code":                  {"POST", validate, `{}`, token, "application/json", 400, "HLD-40001"},
		"blank code":               {"POST", validate, `{"code":""}`, token, "application/json", 400, "HLD-40001"},
		"a number too short":       {"POST", validate, `{"code":12345}`, token, "application/json", 400, "HLD-40001"},
		"a number with a fraction": {"POST", validate, `{"code":1234.5}`, token, "application/json", 400, "HLD-40001"},
		"half a code":              {"POST", validate, `{"code":"12345"}`, token, "application/json", 400, "18001"},
		"letters for a code":       {"POST", validate, `{"code":"12345x"}`, token, "application/json", 400, "18001"},
		"invisible for a code":     {"POST", validate, `{"code":"\u200b\u00a0"}`, token, "application/json", 400, "18001"},
		"malformed JSON":           {"POST", validate, `{"code":`, token, "application/json", 400, "HLD-40001"},
		"no body":                  {"POST", validate, ``, token, "application/json", 400, "HLD-40001"},
		"a list":                   {"POST", validate, `[` + right + `]`, token, "application/json", 400, "HLD-40001"},
		"null":                     {"POST", validate, `null`, token, "application/json", 400, "HLD-40001"},
		"two values":               {"POST", validate, right + right, token, "application/json", 400, "HLD-40001"},
		"an unknown member":        {"POST", validate, `{"code":"` + text.Code + `","mobile":"` + m2 + `"}`, token, "application/json", 400, "HLD-40001"},
		"1 MB":                     {"POST", validate, huge, token, "application/json", 413, "HLD-41301"},
		"1 MB, resend":             {"POST", resend, huge, token, "application/json", 413, "HLD-41301"},
		"a form":                   {"POST", validate, "code=" + text.Code, token, "application/x-www-form-urlencoded", 415, "HLD-41501"},
		"no content type":          {"POST", validate, right, token, "", 415, "HLD-41501"},
		"GET on a POST route":      {"GET", validate, "", token, "", 405, "HLD-40501"},
		"PUT on the claim":         {"PUT", claim, right, token, "application/json", 405, "HLD-40501"},
		"a route that is none":     {"POST", "validate-code/x", right, token, "application/json", 404, "HLD-40400"},
		"malformed, and no token":  {"POST", validate, `{`, none, "application/json", 401, "HLD-40101"},
		"resend without a body":    {"POST", resend, ``, token, "application/json", 400, "HLD-40001"},
		"resend with odd members":  {"POST", resend, `{"properties":"x"}`, token, "application/json", 400, "HLD-40001"},
		"hooks are not for anyone": {"POST", "../../../../../hooks/settings/stage", `{}`, token, "application/json", 404, "HLD-40400"},
	} {
		t.Run(name, func(t *testing.T) {
			headers := []harness.Header{tt.auth}
			if tt.kind != "" {
				headers = append(headers, harness.Header{"Content-Type", tt.kind})
			}
			got := harness.Send(t, tt.method, api+tt.route, tt.body, headers...)
			wantFault(t, got, tt.status, tt.code)
			if strings.Contains(got.Body, text.Code) || strings.Contains(got.Body, "123456") {
				t.Errorf("the answer repeats what was sent: %s", got.Body)
			}
			if tt.status == 401 && got.Header.Get("WWW-Authenticate") == "" {
				t.Error("401 without WWW-Authenticate")
			}
		})
	}
	wantHeld(t, bob, m0, m1)
	if c, _ := bob.Claim(t); c.AttemptsLeft != 5 {
		t.Errorf("attempts left: got %d, want all 5", c.AttemptsLeft)
	}
	wantTexts(t, s, "", 1)
	wantEmpty(t, bob.Confirm(t, text.Code), http.StatusAccepted)
	wantMade(t, bob, m1)
}

// The hook endpoint is as powerful as Kratos' admin API.
func TestHooksAnswerOnlyKratos(t *testing.T) {
	t.Parallel()
	s := harness.NewStack(t, harness.Options{})
	bob := s.NewPerson(t, m0)
	bob.Ask(t, m1)
	var stage, activate harness.Call
	harness.Eventually(t, "answers to both hooks", func() error {
		for _, call := range s.Hooks.Calls("POST") {
			switch call.Path {
			case stagePath:
				stage = call
			case activatePath: // Kratos waits neither for it nor for the call about changed identities
				activate = call
			}
		}
		if stage.Status != 200 || activate.Status != 204 {
			return fmt.Errorf("hooks: stage %d, activate %d", stage.Status, activate.Status)
		}
		return nil
	})
	if cookies := stage.Body + activate.Body; strings.Contains(strings.ToLower(cookies), "cookie") || strings.Contains(cookies, bob.Token) {
		t.Errorf("the hooks are sent more than they need: %s", cookies)
	}
	key := harness.Header{"X-Hook-Key", harness.HookKey}
	huge := strings.Replace(stage.Body, "{", `{"padding":"`+strings.Repeat("x", 1<<20)+`",`, 1)
	otherNumber := strings.ReplaceAll(stage.Body, m1, m2)
	for name, tt := range map[string]struct {
		method, path, body string
		key                harness.Header
		kind               string
		status             int
	}{
		"stage without key":          {"POST", stagePath, otherNumber, nil, "application/json", 401},
		"activate without key":       {"POST", activatePath, activate.Body, nil, "application/json", 401},
		"a wrong key":                {"POST", stagePath, otherNumber, harness.Header{"X-Hook-Key", harness.HookKey + "x"}, "application/json", 401},
		"a blank key":                {"POST", stagePath, otherNumber, harness.Header{"X-Hook-Key", ""}, "application/json", 401},
		"a session token":            {"POST", stagePath, otherNumber, bob.ByToken(), "application/json", 401},
		"stage of 1 MB":              {"POST", stagePath, huge, key, "application/json", 400},
		"activate of 1 MB":           {"POST", activatePath, huge, key, "application/json", 413},
		"stage as a form":            {"POST", stagePath, "a=b", key, "application/x-www-form-urlencoded", 400},
		"activate as a form":         {"POST", activatePath, "a=b", key, "application/x-www-form-urlencoded", 415},
		"stage, malformed":           {"POST", stagePath, stage.Body[:len(stage.Body)-5], key, "application/json", 400},
		"activate, malformed":        {"POST", activatePath, `{"identity_id":1}`, key, "application/json", 400},
		"stage, nothing in it":       {"POST", stagePath, `{}`, key, "application/json", 400},
		"stage of two minds":         {"POST", stagePath, with(t, stage.Body, "new_mobile", m2), key, "application/json", 400},
		"stage of a bad number":      {"POST", stagePath, strings.ReplaceAll(stage.Body, m1, "+49"), key, "application/json", 400},
		"GET on stage":               {"GET", stagePath, "", key, "", 405},
		"GET on activate":            {"GET", activatePath, "", key, "", 405},
		"owners' routes, on admin":   {"POST", harness.UserAPI + "/me/resend-code", harness.Scenario, bob.ByToken(), "application/json", 404},
		"activate of an unknown one": {"POST", activatePath, strings.ReplaceAll(activate.Body, bob.ID, "00000000-0000-4000-8000-000000000000"), key, "application/json", 204},
		"activate, replayed":         {"POST", activatePath, activate.Body, key, "application/json", 204},
		"stage, replayed":            {"POST", stagePath, stage.Body, key, "application/json", 200},
	} {
		t.Run(name, func(t *testing.T) {
			headers := []harness.Header{tt.key}
			if tt.kind != "" {
				headers = append(headers, harness.Header{"Content-Type", tt.kind})
			}
			got := harness.Send(t, tt.method, s.Holdline.AdminURL+tt.path, tt.body, headers...)
			if got.Status != tt.status {
				t.Fatalf("got %d, want %d: %s", got.Status, tt.status, got.Body)
			}
			if tt.path == stagePath && tt.status == 400 && !strings.Contains(got.Body, `"#/traits/mobile"`) {
				t.Errorf("refusal without a message at the field: %s", got.Body)
			}
			if strings.Contains(got.Body, harness.HookKey) {
				t.Errorf("the answer shows the key: %s", got.Body)
			}
		})
	}
	if got := harness.Send(t, http.MethodPost, s.Holdline.PublicURL+stagePath, stage.Body, key, harness.JSONBody); got.Status != 404 {
		t.Errorf("hooks on the public listener: got %d, want 404", got.Status)
	}
	wantHeld(t, bob, m0, m1)
	wantTexts(t, s, m1, 1)
	wantTexts(t, s, m2, 0)
	wantEmpty(t, bob.Confirm(t, s.Provider.Texts(m1)[0].Code), http.StatusAccepted)
	wantMade(t, bob, m1)

	// What was recorded before comes once more after everything is over.
	for _, call := range []harness.Call{activate, stage, activate} {
		if got := harness.Send(t, http.MethodPost, s.Holdline.AdminURL+call.Path, call.Body, key, harness.JSONBody); got.Status >= 500 {
			t.Errorf("%s replayed: %d %s", call.Path, got.Status, got.Body)
		}
	}
	wantMade(t, bob, m1)
	wantTexts(t, s, m1, 1)
	wantWrites(t, s, 1)
}

// with returns a JSON object with one member replaced.
func with(t *testing.T, body, member string, value any) string {
	t.Helper()
	var object map[string]any
	if err := json.Unmarshal([]byte(body), &object); err != nil {
		t.Fatal(err)
	}
	object[member] = value
	changed, err := json.Marshal(object)
	if err != nil {
		t.Fatal(err)
	}
	return string(changed)
}

// Right answers at the same time, at several replicas, make one
// change.
func TestConcurrentRightCodesMakeOneChange(t *testing.T) {
	t.Parallel()
	s := harness.NewStack(t, harness.Options{})
	replicas := []*harness.Holdline{s.Holdline, s.Replica(t)}
	numbers := uniqueNumbers()
	for range 5 {
		was, now := numbers(), numbers()
		bob := s.NewPerson(t, was)
		text := bob.Ask(t, now)
		s.KratosAdmin.Forget()
		const callers = 4
		var answers [callers]harness.Answer
		var failures [callers]error
		var all sync.WaitGroup
		start := make(chan struct{})
		for i := range callers {
			all.Go(func() {
				<-start
				answers[i], failures[i] = harness.Patiently(func() (harness.Answer, error) {
					return bob.TryConfirmAt(replicas[i%len(replicas)], text.Code)
				})
			})
		}
		close(start)
		all.Wait()
		accepted := 0
		for i, answer := range answers {
			switch {
			case failures[i] != nil:
				t.Errorf("a request broke off: %v", failures[i])
			case answer.Status == http.StatusAccepted:
				accepted++
			case answer.Status != http.StatusBadRequest || answer.Fault().Code != "18001":
				t.Errorf("got %d %s, want 202 or 400 18001", answer.Status, answer.Body)
			}
		}
		if accepted == 0 {
			t.Error("nobody was told of success")
		}
		bob.Eventually(t, "the number is written", func(i harness.Identity) bool { return i.Traits.Mobile == now })
		harness.Eventually(t, "the claim has ended", func() error {
			if c, pending := bob.Claim(t); pending {
				return errNotYetWith(c.State)
			}
			return nil
		})
		wantMade(t, bob, now)
		wantWrites(t, s, 1)
		wantTexts(t, s, now, 1)
	}
}

// The same with wrong codes: tries are counted before codes are compared.
func TestConcurrentWrongCodesAreAllCounted(t *testing.T) {
	t.Parallel()
	s := harness.NewStack(t, harness.Options{})
	bob := s.NewPerson(t, m0)
	text := bob.Ask(t, m1)
	var all sync.WaitGroup
	for i := range 12 {
		all.Go(func() {
			if got, err := bob.TryConfirm(harness.WrongCode(text.Code, i)); err != nil || got.Status >= 500 || got.Status < 400 {
				t.Errorf("wrong code: %d %s %v", got.Status, got.Body, err)
			}
		})
	}
	all.Wait()
	wantFault(t, bob.Confirm(t, text.Code), http.StatusBadRequest, "18001")
	bob.Eventually(t, "the pending number is gone", func(i harness.Identity) bool { return i.Pending() == "" })
	wantMade(t, bob, m0)
	wantWrites(t, s, 0)
}
