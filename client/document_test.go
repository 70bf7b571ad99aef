package client_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/google/go-cmp/cmp"

	"github.com/holdline/holdline/client"
)

// leftOut are the tags whose operations have no method, and why.
var leftOut = map[string]string{
	"Receipts": "providers call them",
	"SCIM":     "any SCIM client will do",
	"Pages":    "they are for browsers",
	"Health":   "a plain GET whose status says it all",
	"Document": "generators fetch it",
	"Metrics":  "monitoring scrapes them",
}

const claimID = "5a4be1d2-11f3-4c55-8a4f-0d5c6a9e7c10"

// calls call each method, by the document's operation id.
func calls(ctx context.Context, c client.Client) map[string]func() (any, error) {
	bob, mobile := client.User{Username: "bob@example.com"}, "+15550100"
	nothing := func(err error) (any, error) { return nil, err }
	return map[string]func() (any, error){
		"validateCode":      func() (any, error) { return nothing(c.ValidateCode(ctx, "123456")) },
		"resendCode":        func() (any, error) { return nothing(c.ResendCode(ctx)) },
		"mobileClaim":       func() (any, error) { return c.MobileClaim(ctx) },
		"cancelMobileClaim": func() (any, error) { return nothing(c.CancelMobileClaim(ctx)) },
		"validateCodeFor":   func() (any, error) { return c.ValidateCodeFor(ctx, bob, "123456") },
		"resendCodeFor":     func() (any, error) { return nothing(c.ResendCodeFor(ctx, bob)) },
		"settings":          func() (any, error) { return c.Settings(ctx) },
		"changeSettings": func() (any, error) {
			return c.ChangeSettings(ctx, client.SettingsChange{EnableVerification: new(false), VerificationSMSOTPValidity: new("10m")})
		},
		"setting":       func() (any, error) { return c.Setting(ctx, "enable_verification") },
		"returnSetting": func() (any, error) { return nothing(c.ReturnSetting(ctx, "enable_verification")) },
		"claims":        func() (any, error) { return c.Claims(ctx, client.ClaimFilter{State: "open", Limit: 10}) },
		"searchClaims": func() (any, error) {
			return c.SearchClaims(ctx, client.ClaimSearch{ClaimFilter: client.ClaimFilter{Limit: 10}, MobileNumber: mobile})
		},
		"searchPeople": func() (any, error) { return c.SearchPeople(ctx, "anna mei") },
		"claim":        func() (any, error) { return c.Claim(ctx, claimID) },
		"cancelClaim":  func() (any, error) { return nothing(c.CancelClaim(ctx, claimID)) },
		"resendClaim":  func() (any, error) { return nothing(c.ResendClaim(ctx, claimID)) },
		"revealClaim":  func() (any, error) { return c.RevealClaim(ctx, claimID) },
		"texts":        func() (any, error) { return c.Texts(ctx, client.TextFilter{State: "sent", Cursor: "next"}) },
		"traffic": func() (any, error) {
			items, err := c.Traffic(ctx, 48)
			return client.Page[client.CountryTraffic]{Items: items}, err
		},
		"person": func() (any, error) { return c.Person(ctx, "9f425a8d") },
		"alarms": func() (any, error) {
			return c.Alarms(ctx, client.AlarmFilter{Open: true, IdentityID: "9f425a8d", Limit: 10})
		},
		"alarm":         func() (any, error) { return c.Alarm(ctx, claimID) },
		"restoreNumber": func() (any, error) { return nothing(c.RestoreNumber(ctx, claimID)) },
		"endSessions":   func() (any, error) { return nothing(c.EndSessions(ctx, claimID)) },
		"liftBlock":     func() (any, error) { return nothing(c.LiftBlock(ctx, claimID)) },
		"closeAlarm":    func() (any, error) { return nothing(c.CloseAlarm(ctx, claimID)) },
		"suggestions":   func() (any, error) { return c.Suggestions(ctx) },
		"statistics":    func() (any, error) { return c.Statistics(ctx, "7d", "49") },
		"gateways":      func() (any, error) { return c.Gateways(ctx) },
		"sendTestText":  func() (any, error) { return c.SendTestText(ctx, "main", mobile) },
		"tokens": func() (any, error) {
			items, err := c.Tokens(ctx)
			return client.Page[client.Token]{Items: items}, err
		},
		"makeToken": func() (any, error) {
			return c.MakeToken(ctx, client.TokenWish{Name: "desk", Scopes: []string{"claims:manage"}})
		},
		"revokeToken": func() (any, error) { return nothing(c.RevokeToken(ctx, "desk", true)) },
		"audit":       func() (any, error) { return c.Audit(ctx, client.EventFilter{Kind: "open", Cursor: "42"}) },
		"stageHook": func() (any, error) {
			staged, err := c.StageHook(ctx, client.SettingsFlow{
				IdentityID: "9f425a8d", FlowID: "4b1f7e63", NewMobile: &mobile, Traits: map[string]any{"mobile": mobile},
			})
			return map[string]any{"identity": staged}, err
		},
		"activateHook": func() (any, error) {
			return nothing(c.ActivateHook(ctx, client.StoredFlow{IdentityID: "9f425a8d", FlowID: "4b1f7e63", PendingMobile: &mobile}))
		},
		"changedHook": func() (any, error) { return nothing(c.ChangedHook(ctx, "9f425a8d")) },
		"beginTrial":  func() (any, error) { return c.BeginTrial(ctx, "9f425a8d") },
		"trial":       func() (any, error) { return c.Trial(ctx, "9f425a8d") },
		"endTrial":    func() (any, error) { return nothing(c.EndTrial(ctx, "9f425a8d")) },
	}
}

type operation struct {
	*openapi3.Operation
	method, path string
	item         *openapi3.PathItem
}

// document is read once, which takes a while.
var document = sync.OnceValues(func() (*openapi3.T, error) {
	return openapi3.NewLoader().LoadFromFile("../api/openapi.yaml")
})

// operations are the document's, by their ids.
func operations(t *testing.T) (*openapi3.T, map[string]operation) {
	t.Helper()
	doc, err := document()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]operation{}
	for path, item := range doc.Paths.Map() {
		for method, o := range item.Operations() {
			all[o.OperationID] = operation{o, method, path, item}
		}
	}
	return doc, all
}

func TestEveryOperationHasAMethodAndEveryMethodAnOperation(t *testing.T) {
	_, all := operations(t)
	var want []string
	for id, o := range all {
		if leftOut[o.Tags[0]] == "" {
			want = append(want, strings.ToUpper(id[:1])+id[1:])
		}
	}
	slices.Sort(want)
	var got []string
	for method := range reflect.TypeFor[client.Client]().Methods() {
		got = append(got, method.Name)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-document +client\n%s", diff)
	}
	tested := slices.Sorted(maps.Keys(calls(t.Context(), client.Client{})))
	for i, id := range tested {
		tested[i] = strings.ToUpper(id[:1]) + id[1:]
	}
	if diff := cmp.Diff(want, tested); diff != "" {
		t.Errorf("-document +tested\n%s", diff)
	}
	used := map[string]bool{}
	for _, o := range all {
		used[o.Tags[0]] = true
	}
	for tag := range leftOut {
		if !used[tag] {
			t.Errorf("no operation has the tag %s", tag)
		}
	}
}

// answer has a server give one answer to one call, whose request it holds against
// the document.
func answer(t *testing.T, id string, status int, body any) (any, error) {
	t.Helper()
	doc, all := operations(t)
	o, asked := all[id], 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		variables := map[string]string{}
		want, got := strings.Split(o.path, "/"), strings.Split(r.URL.Path, "/")
		for i := range want {
			if name, found := strings.CutPrefix(want[i], "{"); found && i < len(got) {
				variables[strings.TrimSuffix(name, "}")], want[i] = got[i], got[i]
			}
		}
		if r.Method != o.method || !slices.Equal(got, want) {
			t.Errorf("%s asks for %s %s, the document says %s %s", id, r.Method, r.URL.Path, o.method, o.path)
		}
		for name := range r.URL.Query() {
			if o.Parameters.GetByInAndName("query", name) == nil {
				t.Errorf("%s sends the parameter %s, which is not in the document", id, name)
			}
		}
		if text, err := io.ReadAll(r.Body); err != nil || o.RequestBody == nil && len(text) > 0 {
			t.Errorf("%s sends the body %s: %v", id, text, err)
		} else {
			r.Body = io.NopCloser(strings.NewReader(string(text)))
		}
		if err := openapi3filter.ValidateRequest(r.Context(), &openapi3filter.RequestValidationInput{
			Request: r, PathParams: variables,
			Route:   &routers.Route{Spec: doc, Path: o.path, PathItem: o.item, Method: o.method, Operation: o.Operation},
			Options: &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc},
		}); err != nil {
			t.Errorf("%s: %v", id, err)
		}
		w.Header().Set("Content-Type", "application/json")
		if status == http.StatusTooManyRequests {
			w.Header().Set("Retry-After", "30")
		}
		w.WriteHeader(status)
		if body != nil {
			_ = json.NewEncoder(w).Encode(body)
		}
	}))
	defer server.Close()
	value, err := calls(t.Context(), client.Client{URL: server.URL + "/", As: client.Bearer("hlt_x")})[id]()
	if asked != 1 {
		t.Errorf("%s sent %d requests", id, asked)
	}
	return value, err
}

// A value that was read must write the example again: then nothing was lost.
func TestEveryExampleOfAnAnswerIsRead(t *testing.T) {
	_, all := operations(t)
	for id := range calls(t.Context(), client.Client{}) {
		for code, response := range all[id].Responses.Map() {
			status, err := strconv.Atoi(code)
			if err != nil {
				t.Fatal(err)
			}
			if status >= http.StatusBadRequest {
				continue
			}
			media := response.Value.Content.Get("application/json")
			if media == nil {
				if _, err := answer(t, id, status, nil); err != nil {
					t.Errorf("%s %d: %v", id, status, err)
				}
				continue
			}
			for name, example := range media.Examples {
				value, err := answer(t, id, status, example.Value.Value)
				if err != nil {
					t.Errorf("%s %d %s: %v", id, status, name, err)
					continue
				}
				if diff := cmp.Diff(plain(t, example.Value.Value), plain(t, value)); diff != "" {
					t.Errorf("%s %d %s: -document +client\n%s", id, status, name, diff)
				}
			}
		}
	}
}

func TestEveryExampleOfARefusalIsAnError(t *testing.T) {
	_, all := operations(t)
	seen := 0
	for id := range calls(t.Context(), client.Client{}) {
		for code, response := range all[id].Responses.Map() {
			status, err := strconv.Atoi(code)
			if err != nil {
				t.Fatal(err)
			}
			if status < http.StatusBadRequest {
				continue
			}
			for name, example := range response.Value.Content.Get("application/json").Examples {
				seen++
				_, err := answer(t, id, status, example.Value.Value)
				refused, ok := errors.AsType[*client.Error](err)
				if !ok {
					t.Errorf("%s %d %s: %v", id, status, name, err)
					continue
				}
				wait := time.Duration(0)
				if status == http.StatusTooManyRequests {
					wait = 30 * time.Second
				}
				if refused.Status != status || refused.RetryAfter != wait || !strings.Contains(refused.Error(), strconv.Itoa(status)) {
					t.Errorf("%s %d %s: %+v", id, status, name, refused)
				}
				var again any = refused
				if refused.Code == "" {
					again = map[string]any{"messages": refused.Messages}
				}
				got := plain(t, again)
				if refused.Code != "" {
					delete(got.(map[string]any), "messages")
				}
				if diff := cmp.Diff(plain(t, example.Value.Value), got); diff != "" {
					t.Errorf("%s %d %s: -document +client\n%s", id, status, name, diff)
				}
			}
		}
	}
	if seen < 100 {
		t.Errorf("only %d refusals were seen", seen)
	}
}

// plain is a value as JSON has it.
func plain(t *testing.T, value any) any {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	var out any
	if err := json.Unmarshal(text, &out); err != nil {
		t.Fatal(err)
	}
	return out
}
