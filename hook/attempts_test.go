package hook_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/holdline/holdline/hook"
	"github.com/holdline/holdline/internal/ratelimit"
	"github.com/holdline/holdline/internal/web"
)

// Hook keys are not found by trying, and nobody keeps Kratos out by trying.
func TestHookKeysAreNotFoundByTrying(t *testing.T) {
	now := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	counts := map[web.Refusal]int{}
	server := &web.Server{
		Log: slog.New(slog.DiscardHandler), NewID: func() string { return "id" }, Now: func() time.Time { return now },
		HookKeys: ratelimit.Limit{Most: 20, Window: 20 * time.Minute},
		Failures: &web.Failures{
			Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return now },
			Count: func(credential web.Credential, refusal web.Refusal) {
				if credential == web.HookKey {
					counts[refusal]++
				}
			},
		},
	}
	engine, err := server.Engine()
	if err != nil {
		t.Fatal(err)
	}
	hook.Mount(engine, server, &rulings{}, hook.Options{Key: key, MobileTrait: "mobile", PendingKey: "pendingMobileNumber", Log: server.Log})
	try := func(from, hookKey string) *httptest.ResponseRecorder {
		request := httptest.NewRequest(http.MethodPost, hook.ActivatePath, strings.NewReader(read(t, "activate-request.json")))
		request.Header.Set("Content-Type", "application/json")
		request.Header.Set(hook.KeyHeader, hookKey)
		request.RemoteAddr = from + ":1"
		recorder := httptest.NewRecorder()
		engine.ServeHTTP(recorder, request)
		return recorder
	}
	want := func(what string, got *httptest.ResponseRecorder, status int) {
		t.Helper()
		if got.Code != status {
			t.Errorf("%s: got %d %s, want %d", what, got.Code, got.Body, status)
		}
	}
	const kratos, stranger = "192.0.2.1", "192.0.2.2"
	want("Kratos", try(kratos, key), http.StatusNoContent)
	for range 20 {
		want("a guess", try(stranger, "a-guess-of-some-length"), http.StatusUnauthorized)
	}
	refused := try(stranger, "a-guess-of-some-length")
	want("one guess more", refused, http.StatusTooManyRequests)
	if got := refused.Header().Get("Retry-After"); got != "60" {
		t.Errorf("Retry-After is %q, want 60", got)
	}
	want("the right key, guessed at the limit", try(stranger, key), http.StatusTooManyRequests)
	want("Kratos meanwhile", try(kratos, key), http.StatusNoContent)
	for range 60 {
		want("a guess beside Kratos", try(kratos, "a-guess-of-some-length"), http.StatusUnauthorized)
	}
	want("Kratos beside guesses", try(kratos, key), http.StatusNoContent)
	now = now.Add(time.Minute)
	want("a try that has come back", try(stranger, "a-guess-of-some-length"), http.StatusUnauthorized)
	want("and no more", try(stranger, "a-guess-of-some-length"), http.StatusTooManyRequests)
	if counts[web.Wrong] != 81 || counts[web.Limited] != 3 {
		t.Errorf("counted %v", counts)
	}
}
