package hook_test

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/holdline/holdline/hook"
	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/internal/problem"
	"github.com/holdline/holdline/internal/web"
)

var update = flag.Bool("update", false, "rewrite the golden files")

const (
	key         = "a-hook-key-of-some-length"
	previousKey = "the-hook-key-until-yesterday"
	staffKey    = "the-hook-key-of-a-further-realm"
)

// rulings is a service that rules as it is told.
type rulings struct {
	answer claim.Answer
	err    error
	staged []claim.SettingsChange
	stored []claim.StoredFlow
}

func (r *rulings) Stage(_ context.Context, c claim.SettingsChange) (claim.Answer, error) {
	r.staged = append(r.staged, c)
	return r.answer, r.err
}

func (r *rulings) Activate(_ context.Context, f claim.StoredFlow) error {
	r.stored = append(r.stored, f)
	return r.err
}

func serve(t *testing.T, claims hook.Claims) http.Handler {
	t.Helper()
	return mounted(t, claims, slog.New(slog.DiscardHandler), nil)
}

func mounted(t *testing.T, claims hook.Claims, log *slog.Logger, changed func(context.Context, string) error) http.Handler {
	t.Helper()
	return mountedWith(t, claims, log, changed, func(context.Context, string) (hook.Documents, error) {
		return hook.Documents{Traits: json.RawMessage(`{"age":12345678901234567890}`)}, nil // of stage-request.json
	})
}

func mountedWith(
	t *testing.T, claims hook.Claims, log *slog.Logger, changed func(context.Context, string) error,
	documents func(context.Context, string) (hook.Documents, error),
) http.Handler {
	t.Helper()
	server := &web.Server{
		Log: log, NewID: func() string { return "id" },
		Now: func() time.Time { return time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC) },
	}
	engine, err := server.Engine()
	if err != nil {
		t.Fatal(err)
	}
	hook.Mount(engine, server, claims, hook.Options{
		Key: key, PreviousKey: previousKey, MobileTrait: "mobile", PendingKey: "pendingMobileNumber", Log: server.Log, Documents: documents, Changed: changed,
		Page: "https://id.example.com/verify",
	}, hook.Options{
		Realm: "STAFF", Key: staffKey, MobileTrait: "mobile", PendingKey: "pendingMobileNumber", Log: server.Log, Documents: documents, Changed: changed,
	})
	return engine
}

func post(t *testing.T, handler http.Handler, path, hookKey, body string) *httptest.ResponseRecorder {
	t.Helper()
	request := httptest.NewRequestWithContext(t.Context(), http.MethodPost, path, strings.NewReader(body))
	request.Header.Set("Content-Type", "application/json")
	if hookKey != "" {
		request.Header.Set(hook.KeyHeader, hookKey)
	}
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, request)
	return recorder
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

func read(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func TestAnswersToKratos(t *testing.T) {
	pending := phone.FromStore("+491722222222")
	limit := &problem.LimitError{Reason: claim.ErrTooManyTexts, Until: time.Date(2026, 11, 2, 12, 0, 0, 0, time.UTC)}
	for name, tt := range map[string]struct {
		claims rulings
		status int
	}{
		"challenge":        {rulings{answer: claim.Answer{Decision: claim.Challenge, Pending: pending}}, http.StatusOK},
		"keep-pending":     {rulings{answer: claim.Answer{Decision: claim.KeepPending, Pending: pending}}, http.StatusOK},
		"leave":            {rulings{answer: claim.Answer{Decision: claim.NoChange}}, http.StatusOK},
		"write":            {rulings{answer: claim.Answer{Decision: claim.WriteDirectly}}, http.StatusOK},
		"interrupt":        {rulings{answer: claim.Answer{Decision: claim.Challenge, Pending: pending, Interrupt: true}}, http.StatusBadRequest},
		"bad-number":       {rulings{err: phone.ErrBadNumber}, http.StatusBadRequest},
		"too-short":        {rulings{err: &phone.Error{Fault: phone.TooShort, CallingCode: "49"}}, http.StatusBadRequest},
		"removal-denied":   {rulings{err: claim.ErrRemovalDenied}, http.StatusBadRequest},
		"too-many-texts":   {rulings{err: limit}, http.StatusBadRequest},
		"store-away":       {rulings{err: problem.ErrStoreUnavailable}, http.StatusBadRequest},
		"anything-unheard": {rulings{err: errors.New("what")}, http.StatusBadRequest},
	} {
		t.Run(name, func(t *testing.T) {
			got := post(t, serve(t, &tt.claims), hook.StagePath, key, read(t, "stage-request.json"))
			if got.Code != tt.status {
				t.Errorf("status %d, want %d", got.Code, tt.status)
			}
			golden(t, "stage-"+name+".json", got.Body.String()+"\n")
		})
	}
}

func TestWhatTheDomainIsTold(t *testing.T) {
	claims := &rulings{}
	handler := serve(t, claims)
	post(t, handler, hook.StagePath, key, read(t, "stage-request.json"))
	post(t, handler, hook.ActivatePath, key, read(t, "activate-request.json"))
	issued := time.Date(2026, 11, 1, 11, 59, 0, 0, time.UTC)
	want := rulings{
		staged: []claim.SettingsChange{{
			IdentityID: "8e2c9a3e-0000-4000-8000-000000000001", FlowID: "8e2c9a3e-0000-4000-8000-00000000000f", FlowIssued: issued, SchemaID: "default",
			Stored: "+49 171 1111111", Wanted: "+491722222222", StoredVerified: true, ShownPending: "", Language: "pt-BR,de-CH,de", ClientIP: "192.0.2.7",
			SignedIn: time.Date(2026, 11, 1, 11, 58, 0, 0, time.UTC), Assurance: claim.AAL2,
		}},
		stored: []claim.StoredFlow{{
			IdentityID: "8e2c9a3e-0000-4000-8000-000000000001", FlowID: "8e2c9a3e-0000-4000-8000-00000000000f", FlowIssued: issued,
			Mobile: "+49 171 1111111", ShownPending: "+491722222222", Language: "de-CH,de",
		}},
	}
	if diff := cmp.Diff(want.staged, claims.staged); diff != "" {
		t.Errorf("staged (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want.stored, claims.stored); diff != "" {
		t.Errorf("stored (-want +got):\n%s", diff)
	}
}

// Kratos keeps no blank number, whatever becomes of the request: an address ” is
// one that a single person can have.
func TestABlankNumberIsLeftOut(t *testing.T) {
	const request, email = `{"identity_id":"a","flow_id":"f","old_mobile":%s,"new_mobile":%s,"traits":{"mobile":%s},"metadata_public":{},"verifiable_addresses":%s}`,
		`{"value":"a@example.org","via":"email","verified":true}`
	for _, tt := range []struct {
		old, wanted, addresses string
		ruling                 claim.Decision
		want                   string
	}{
		{`"+49 1"`, `""`, `[` + email + `]`, claim.Remove, `{"identity":{"traits":{},"metadata_public":{}}}`},
		{`"+49 1"`, `null`, `[]`, claim.Remove, `{"identity":{"traits":{},"metadata_public":{}}}`},
		{`"+49 1"`, `" \u200b"`, `[]`, claim.WriteDirectly, `{"identity":{"traits":{},"metadata_public":{}}}`},
		{`null`, `""`, `[` + email + `]`, claim.NoChange, `{"identity":{"traits":{},"metadata_public":{},"verifiable_addresses":[` + email + `]}}`},
		{`""`, `null`, `[{"value":"","via":"sms"},` + email + `]`, claim.NoChange, `{"identity":{"traits":{},"metadata_public":{},"verifiable_addresses":[` + email + `]}}`},
		{`""`, `"\u2060"`, `[{"value":"","via":"sms"}]`, claim.NoChange, `{"identity":{"traits":{},"metadata_public":{}}}`},
		{`""`, `"+49 2"`, `[{"value":"","via":"sms"}]`, claim.Challenge, `{"identity":{"traits":{},"metadata_public":{}}}`},
	} {
		claims := &rulings{answer: claim.Answer{Decision: tt.ruling}}
		got := post(t, serve(t, claims), hook.StagePath, key, fmt.Sprintf(request, tt.old, tt.wanted, tt.wanted, tt.addresses))
		if got.Code != http.StatusOK || got.Body.String() != tt.want {
			t.Errorf("%s to %s: got %d %s, want %s", tt.old, tt.wanted, got.Code, got.Body, tt.want)
		}
	}
}

// No bad call may have an answer that lets the new number through: not 2xx, and
// not 429 or 5xx, which Kratos would repeat.
func TestBadStageCallsAreRefused(t *testing.T) {
	good := read(t, "stage-request.json")
	for name, tt := range map[string]struct{ key, body string }{
		"no key":                  {"", good},
		"wrong key":               {"wrong", good},
		"empty":                   {key, ""},
		"not JSON":                {key, "mobile"},
		"a list":                  {key, "[]"},
		"two values":              {key, good + good},
		"no traits":               {key, strings.Replace(good, `"traits"`, `"other"`, 1)},
		"no identity":             {key, strings.Replace(good, `"identity_id"`, `"other"`, 1)},
		"rules on another number": {key, strings.Replace(good, `"new_mobile": "+491722222222"`, `"new_mobile": "+491733333333"`, 1)},
		"bad addresses":           {key, strings.Replace(good, `"verifiable_addresses": [`, `"verifiable_addresses": [1, `, 1)},
		"too large":               {key, `{"a":"` + strings.Repeat("x", 100_000) + `"}`},
	} {
		t.Run(name, func(t *testing.T) {
			claims := &rulings{answer: claim.Answer{Decision: claim.WriteDirectly}}
			got := post(t, serve(t, claims), hook.StagePath, tt.key, tt.body)
			if got.Code != http.StatusBadRequest && got.Code != http.StatusUnauthorized {
				t.Errorf("status %d", got.Code)
			}
			if len(claims.staged) > 0 {
				t.Error("the domain was asked")
			}
			if strings.Contains(got.Body.String(), "+49") {
				t.Error("a number is repeated")
			}
		})
	}
}

func FuzzStage(f *testing.F) {
	content, err := os.ReadFile(filepath.Join("testdata", "stage-request.json"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(content))
	f.Add(`{"identity_id":"a","flow_id":"b","traits":{"mobile":"1"},"new_mobile":"1"}`)
	f.Fuzz(func(t *testing.T, body string) {
		claims := &rulings{answer: claim.Answer{Decision: claim.Challenge, Pending: phone.FromStore("+491722222222")}}
		got := post(t, serve(t, claims), hook.StagePath, key, body)
		switch {
		case got.Code == http.StatusOK && len(claims.staged) == 1:
			if wanted := claims.staged[0].Wanted; len(wanted) > 5 && wanted != claims.staged[0].Stored &&
				strings.Contains(got.Body.String(), `"mobile":"`+wanted+`"`) {
				t.Errorf("the new number went through: %s", got.Body)
			}
		case got.Code == http.StatusBadRequest && len(claims.staged) == 0:
		default:
			t.Errorf("status %d after %d rulings", got.Code, len(claims.staged))
		}
	})
}
