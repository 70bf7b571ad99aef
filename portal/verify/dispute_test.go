package verify_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/internal/otp"
	"github.com/holdline/holdline/internal/problem"
	"github.com/holdline/holdline/internal/web"
	"github.com/holdline/holdline/portal/verify"
)

// disputes answers as told, and counts what changed something.
type disputes struct {
	outcome claim.Dispute
	err     error
	about   message.TextKind
	made    []string
}

func (d *disputes) Disputable(context.Context, string) (message.TextKind, error) {
	return d.about, d.err
}

func (d *disputes) Dispute(_ context.Context, link, address string) (claim.Dispute, error) {
	d.made = append(d.made, link+" "+address)
	return d.outcome, d.err
}

func dispute(t *testing.T, d *disputes, method, path, language string) *httptest.ResponseRecorder {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	server := &web.Server{Log: log, Now: func() time.Time { return now }, NewID: func() string { return "id" }}
	engine, err := server.Engine()
	if err != nil {
		t.Fatal(err)
	}
	if err := verify.MountDispute(engine, "/not-me", d, verify.Brand{Name: "Acme <b>", Language: "en"}, log); err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequestWithContext(t.Context(), method, "/not-me"+path, nil)
	r.Header.Set("Accept-Language", language)
	got := httptest.NewRecorder()
	engine.ServeHTTP(got, r)
	return got
}

func TestTheLinkOfANotice(t *testing.T) {
	for name, tt := range map[string]struct {
		method string
		d      disputes
		status int
		want   string
		made   int
	}{
		"looking changes nothing": {http.MethodGet, disputes{}, 200, `id="deny"`, 0},
		"looked at by a machine":  {http.MethodHead, disputes{}, 405, "", 0},
		"about a change":          {http.MethodGet, disputes{about: message.TextChanged}, 200, "account was changed, or somebody asked for that", 0},
		"about a removal":         {http.MethodGet, disputes{about: message.TextRemoved}, 200, "account was removed", 0},
		"about a taking":          {http.MethodGet, disputes{about: message.TextTaken}, 200, "Another account has confirmed the mobile number that you had not", 0},
		"a change is reported":    {http.MethodPost, disputes{outcome: claim.Dispute{Reported: true}}, 200, "change your password", 1},
		"a claim is cancelled":    {http.MethodPost, disputes{outcome: claim.Dispute{Cancelled: true}}, 200, "is cancelled", 1},
		"nothing was left":        {http.MethodPost, disputes{}, 200, "Nothing was waiting", 1},
		"a dead link":             {http.MethodGet, disputes{err: otp.ErrLinkDead}, 404, "too old", 0},
		"the store is away":       {http.MethodPost, disputes{err: fmt.Errorf("secret: %w", problem.ErrStoreUnavailable)}, 503, "stays good", 1},
		"a fault of ours":         {http.MethodPost, disputes{err: errors.New("secret")}, 500, "stays good", 1},
		"still being written":     {http.MethodPost, disputes{err: claim.ErrBeingApplied}, 503, "being saved", 1},
	} {
		t.Run(name, func(t *testing.T) {
			got := dispute(t, &tt.d, tt.method, "/abc", "")
			body := got.Body.String()
			if got.Code != tt.status || !strings.Contains(body, tt.want) || strings.Contains(body, "secret") || strings.Contains(body, "<b>") {
				t.Errorf("got %d %s", got.Code, body)
			}
			if len(tt.d.made) != tt.made || tt.made > 0 && tt.d.made[0] != "abc 192.0.2.1" {
				t.Errorf("made %q", tt.d.made)
			}
			if tt.status == 405 {
				return
			}
			if policy := got.Header().Get("Content-Security-Policy"); !strings.Contains(policy, "frame-ancestors 'none'") {
				t.Errorf("policy %q", policy)
			}
		})
	}
}

func TestTheLinkOfANoticeSpeaksTheVisitorsLanguage(t *testing.T) {
	for name, tt := range map[string]struct{ path, accept, want string }{
		"the browser's": {"/abc", "de-CH,en;q=0.5", `<html lang="de" dir="ltr">`},
		"the chosen":    {"/abc?lang=ar", "de", `<html lang="ar" dir="rtl">`},
		"none known":    {"/abc", "xx", `<html lang="en" dir="ltr">`},
	} {
		t.Run(name, func(t *testing.T) {
			if got := dispute(t, &disputes{}, http.MethodGet, tt.path, tt.accept).Body.String(); !strings.Contains(got, tt.want) {
				t.Errorf("%q is not in %s", tt.want, got)
			}
		})
	}
}
