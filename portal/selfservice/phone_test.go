package selfservice_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/holdline/holdline/portal/selfservice"
)

var arrived = []selfservice.PhoneText{
	{ID: "1", To: "+447700900123", Body: "first", At: time.Date(2026, 1, 2, 3, 4, 5, 0, time.FixedZone("", 3600))},
	{ID: "2", To: "<b>to</b>", Body: "123456 is your code.\n<script>alert(1)</script>", At: time.Date(2026, 1, 2, 3, 5, 0, 0, time.UTC)},
}

func phone(t *testing.T, path string, texts ...selfservice.PhoneText) *httptest.ResponseRecorder {
	t.Helper()
	out := httptest.NewRecorder()
	handler := http.StripPrefix("/simulator", selfservice.Phone(func() []selfservice.PhoneText { return texts }, ""))
	handler.ServeHTTP(out, httptest.NewRequest(http.MethodGet, "/simulator"+path, nil))
	return out
}

func TestPhoneShowsTheNewestTextLast(t *testing.T) {
	got := phone(t, "/", arrived...)
	wants(t, got, http.StatusOK, []string{
		`<li class="text" data-id="1">`, `<p class="body" dir="auto">first</p>`, "02:04:05 UTC", "&lt;b&gt;to", "&lt;script&gt;alert",
		`<noscript><meta http-equiv="refresh"`, `src="assets/phone.js?v=`, `href="assets/style.css?v=`,
	}, "<script>alert", "<b>to", `"/assets`, `class="bar"`)
	body := got.Body.String()
	if strings.Index(body, "first") > strings.Index(body, "123456") {
		t.Error("the newest text is not the last")
	}
	policy := got.Header().Get("Content-Security-Policy")
	if !strings.Contains(policy, "default-src 'none'; script-src 'self'; style-src 'self'") || !strings.Contains(policy, "connect-src 'self'; frame-src 'none'; form-action 'none'") {
		t.Errorf("got policy %q", policy)
	}
	if got.Header().Get("Cache-Control") != "no-store" {
		t.Error("codes may be kept by a cache")
	}
}

func TestPhoneTextsAsJSON(t *testing.T) {
	got := phone(t, "/texts", arrived...)
	var texts []struct {
		ID, To, Body string
		At           time.Time
	}
	if err := json.Unmarshal(got.Body.Bytes(), &texts); err != nil {
		t.Fatal(err)
	}
	if len(texts) != 2 || texts[0].To != "+447700900123" || texts[1].Body != arrived[1].Body || !texts[0].At.Equal(arrived[0].At) {
		t.Errorf("got %+v", texts)
	}
	if got := phone(t, "/texts").Body.String(); got != "[]" {
		t.Errorf("without texts: got %s, want []", got)
	}
}

func TestPhoneServesWhatItsPageNeeds(t *testing.T) {
	for path, kind := range map[string]string{
		"/assets/phone.js": "text/javascript", "/assets/style.css": "text/css", "/assets/icon.svg": "image/svg+xml",
	} {
		got := phone(t, path)
		if got.Code != http.StatusOK || !strings.HasPrefix(got.Header().Get("Content-Type"), kind) {
			t.Errorf("%s: got %d %s", path, got.Code, got.Header().Get("Content-Type"))
		}
	}
	if got := phone(t, "/assets/"); got.Code != http.StatusNotFound {
		t.Errorf("the folder of assets: got %d, want 404", got.Code)
	}
	wants(t, phone(t, "/"), http.StatusOK, []string{"No texts yet"}, `hidden>No texts`)
}
