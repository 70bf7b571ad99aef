package hook_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/holdline/holdline/hook"
	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/ratelimit"
	"github.com/holdline/holdline/internal/web"
)

// The doctor asks hooks with the key and without it. Neither is somebody who is refused:
// not in the log, not in the count of failed authentications, not in the limit of wrong
// keys. Without its proof the same calls are.
func TestTheDoctorsCallsAreItsOwn(t *testing.T) {
	now := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	good := hook.DoctorProof(key, now)
	for name, tt := range map[string]struct {
		proof, key string
		calls      int
		status     int
		own        bool
	}{
		"with the key":                  {good, key, 1, http.StatusBadRequest, true},
		"without a key":                 {good, "", 30, http.StatusUnauthorized, true},
		"by the key that is still good": {hook.DoctorProof(previousKey, now), previousKey, 1, http.StatusBadRequest, true},
		"two minutes off":               {hook.DoctorProof(key, now.Add(-2*time.Minute)), "", 1, http.StatusUnauthorized, true},
		"a key without proof":           {"", key, 1, http.StatusBadRequest, false},
		"nothing at all":                {"", "", 1, http.StatusUnauthorized, false},
		"an old proof":                  {hook.DoctorProof(key, now.Add(-2*time.Minute-time.Second)), "", 1, http.StatusUnauthorized, false},
		"a proof by another key":        {hook.DoctorProof("another-key-of-some-length", now), "", 1, http.StatusUnauthorized, false},
		"a proof of a later time":       {strings.Replace(good, good[:10], "1793534461", 1), "", 1, http.StatusUnauthorized, false},
		"no proof":                      {"true", "", 1, http.StatusUnauthorized, false},
		"guesses beside a proof":        {good, "a-guess-of-some-length", 21, http.StatusTooManyRequests, false},
	} {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			failures := 0
			server := &web.Server{
				Log: slog.New(slog.NewJSONHandler(&log, nil)), NewID: func() string { return "id" }, Now: func() time.Time { return now },
				HookKeys: ratelimit.Limit{Most: 20, Window: 20 * time.Minute},
			}
			server.Failures = &web.Failures{Log: server.Log, Now: server.Now, Count: func(web.Credential, web.Refusal) { failures++ }}
			engine, err := server.Engine()
			if err != nil {
				t.Fatal(err)
			}
			hook.Mount(engine, server, &rulings{}, hook.Options{Key: key, PreviousKey: previousKey, MobileTrait: "mobile", Log: server.Log})
			var last *httptest.ResponseRecorder
			for range tt.calls {
				request := httptest.NewRequestWithContext(t.Context(), http.MethodPost, hook.StagePath, strings.NewReader("{}"))
				request.Header.Set("Content-Type", "application/json")
				request.Header.Set(hook.DoctorHeader, tt.proof)
				request.Header.Set(hook.KeyHeader, tt.key)
				last = httptest.NewRecorder()
				engine.ServeHTTP(last, request)
			}
			if last.Code != tt.status {
				t.Errorf("got %d %s, want %d", last.Code, last.Body, tt.status)
			}
			marked := strings.Count(log.String(), `"doctor":true`)
			refused := strings.Contains(log.String(), "number change refused") || strings.Contains(log.String(), "authentication failed")
			if tt.own && (marked != tt.calls || refused || failures > 0) {
				t.Errorf("not the doctor's: %d failures\n%s", failures, &log)
			}
			if !tt.own && (marked > 0 || !refused) {
				t.Errorf("the doctor's: %s", &log)
			}
		})
	}
}

// announced keeps what was announced.
type announced struct{ ids []string }

func (a *announced) BeginTrial(_ context.Context, id string) (claim.Trial, error) {
	a.ids = append(a.ids, id)
	return claim.Trial{IdentityID: id}, nil
}

func (a *announced) Trial(context.Context, string) (claim.Trial, error) {
	return claim.Trial{}, claim.ErrNoIdentity
}
func (a *announced) EndTrial(context.Context, string) error { return nil }

// A key speaks of its own realm's identities alone.
func TestATrialIsOfTheRealmOfItsKey(t *testing.T) {
	server := &web.Server{Log: slog.New(slog.DiscardHandler), NewID: func() string { return "id" }, Now: time.Now}
	engine, err := server.Engine()
	if err != nil {
		t.Fatal(err)
	}
	trials := &announced{}
	hook.Mount(engine, server, &rulings{}, hook.Options{Key: key, Log: server.Log, Trials: trials}, hook.Options{Realm: "STAFF", Key: staffKey, Log: server.Log, Trials: trials})
	put := func(hookKey, id string, want int) {
		t.Helper()
		request := httptest.NewRequestWithContext(t.Context(), http.MethodPut, hook.TrialPath+"/"+id, nil)
		request.Header.Set(hook.KeyHeader, hookKey)
		recorder := httptest.NewRecorder()
		engine.ServeHTTP(recorder, request)
		if recorder.Code != want {
			t.Errorf("%s: got %d %s, want %d", id, recorder.Code, recorder.Body, want)
		}
	}
	put(key, "i", http.StatusOK)
	put(staffKey, "i", http.StatusOK)
	put(key, "STAFF%2Fi", http.StatusNotFound) // no id has a slash, and no route either
	put("", "i", http.StatusUnauthorized)
	if got := strings.Join(trials.ids, " "); got != "i STAFF/i" {
		t.Errorf("announced %s", got)
	}
}
