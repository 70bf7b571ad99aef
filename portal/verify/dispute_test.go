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
	"github.com/holdline/holdline/internal/otp"
	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/internal/problem"
	"github.com/holdline/holdline/internal/web"
	"github.com/holdline/holdline/portal/verify"
)

// disputes answers as told, and counts what changed something.
type disputes struct {
	denial claim.Denial
	err    error
	made   []string
}

func (d *disputes) Disputable(context.Context, string) (claim.Denial, error) {
	return d.denial, d.err
}

func (d *disputes) Dispute(_ context.Context, link, address string) (claim.Denial, error) {
	d.made = append(d.made, link+" "+address)
	return d.denial, d.err
}

func dispute(t *testing.T, d *disputes, method, path, language string) *httptest.ResponseRecorder {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	server := &web.Server{Log: log, Now: func() time.Time { return now }, NewID: func() string { return "id" }}
	engine, err := server.Engine()
	if err != nil {
		t.Fatal(err)
	}
	if err := verify.MountDispute(engine, "/not-me", verify.DisputeOptions{
		Claims: d, Brand: verify.Brand{Name: "Acme <b>", Language: "en"}, KratosURL: func(string) string { return "https://kratos.example.com" },
		Block: func() time.Duration { return 24 * time.Hour }, Now: func() time.Time { return now }, Log: log,
	}); err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequestWithContext(t.Context(), method, "/not-me"+path, nil)
	r.Header.Set("Accept-Language", language)
	got := httptest.NewRecorder()
	engine.ServeHTTP(got, r)
	return got
}

// denial is one about a number, an hour ago.
func denial(c claim.DenialCase) claim.Denial {
	return claim.Denial{Case: c, Number: phone.FromStore(number), At: now.Add(-time.Hour)}
}

// denied is a denial that has been made.
func denied(c claim.DenialCase, change func(*claim.Denial)) claim.Denial {
	d := denial(c)
	d.Alarm = &claim.Alarm{IdentityID: "bob", RaisedAt: now, SessionsEndedAt: now, BlockedUntil: now.Add(24 * time.Hour)}
	if change != nil {
		change(&d)
	}
	return d
}

const hourAgo = "2026-11-01 11:00 UTC"

// Each case is told as it is, before and after the button; a number is masked, since
// whoever has the phone now may read it.
func TestTheLinkOfANotice(t *testing.T) {
	later := func(d *claim.Denial) { d.Later = true }
	for name, tt := range map[string]struct {
		d      disputes
		status int
		state  string
		has    []string
		not    []string
	}{
		"a number that waits": {
			disputes{denial: denial(claim.DenialPending)},
			200, "ask",
			[]string{"+44********56", "Nothing has changed yet", `id="deny"`, "change that is waiting is cancelled", "24 hours", "no account with"},
			[]string{`id="later"`, hourAgo},
		},
		"a change":                    {disputes{denial: denial(claim.DenialChanged)}, 200, "ask", []string{"was changed to", hourAgo, `id="deny"`}, []string{"waiting"}},
		"a change, and another waits": {disputes{denial: func() claim.Denial { d := denial(claim.DenialChanged); d.Later = true; return d }()}, 200, "ask", []string{`id="later"`, "change that is waiting is cancelled"}, nil},
		"a change, and one since":     {disputes{denial: func() claim.Denial { d := denial(claim.DenialChanged); d.Again = true; return d }()}, 200, "ask", []string{`id="again"`}, nil},
		"a removal":                   {disputes{denial: denial(claim.DenialRemoved)}, 200, "ask", []string{"account was removed"}, nil},
		"a taking":                    {disputes{denial: denial(claim.DenialTaken)}, 200, "ask", []string{"Another account has confirmed the mobile number that you had not"}, nil},
		"denied: a number that waited": {
			disputes{denial: denied(claim.DenialPending, nil)},
			200, "done",
			[]string{`id="cancelled"`, `id="paused"`, "2026-11-02 12:00 UTC", "have been ended", "case is open", `href="` + settings + `"`},
			[]string{`id="deny"`, `id="stays"`},
		},
		"denied: a change":                      {disputes{denial: denied(claim.DenialChanged, nil)}, 200, "done", []string{`id="stays"`, "was changed to"}, []string{`id="cancelled"`}},
		"denied: a change while another waited": {disputes{denial: denied(claim.DenialChanged, later)}, 200, "done", []string{`id="stays"`, `id="cancelled"`}, nil},
		"denied, and Kratos is away":            {disputes{denial: denied(claim.DenialChanged, func(d *claim.Denial) { d.Alarm.SessionsEndedAt = time.Time{} })}, 200, "done", []string{"are being ended"}, []string{"have been ended"}},
		"denied long ago":                       {disputes{denial: denied(claim.DenialChanged, func(d *claim.Denial) { d.Alarm.BlockedUntil = now })}, 200, "done", nil, []string{`id="paused"`}},
		"taken back":                            {disputes{denial: denial(claim.DenialTakenBack)}, 200, "taken_back", []string{"came to nothing on", hourAgo}, []string{`id="deny"`}},
		"too late":                              {disputes{err: claim.ErrLinkLate}, 410, "late", []string{"too old"}, []string{`id="deny"`}},
		"a dead link":                           {disputes{err: otp.ErrLinkDead}, 404, "dead", []string{"too old"}, nil},
		"the store is away":                     {disputes{err: fmt.Errorf("secret: %w", problem.ErrStoreUnavailable)}, 503, "away", []string{"stays good"}, nil},
		"a fault of ours":                       {disputes{err: errors.New("secret")}, 500, "away", []string{"stays good"}, nil},
		"still being written":                   {disputes{err: claim.ErrBeingApplied}, 503, "busy", []string{"being saved"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			got := dispute(t, &tt.d, http.MethodGet, "/abc", "")
			if len(tt.d.made) > 0 {
				t.Errorf("looking made %q", tt.d.made)
			}
			wants(t, got, tt.status, tt.state, tt.has, append(tt.not, "secret", number)...)
			if policy := got.Header().Get("Content-Security-Policy"); !strings.Contains(policy, "frame-ancestors 'none'") {
				t.Errorf("policy %q", policy)
			}
			pressed := dispute(t, &tt.d, http.MethodPost, "/abc?lang=de", "")
			if len(tt.d.made) != 1 || tt.d.made[0] != "abc 192.0.2.1" {
				t.Errorf("made %q", tt.d.made)
			}
			if tt.state == "away" {
				wants(t, pressed, tt.status, "away", nil, "secret")
			} else {
				leadsTo(t, pressed, "?lang=de") // loading it again denies nothing again
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
