package verify_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"html"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/holdline/holdline/internal/auth"
	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/internal/problem"
	"github.com/holdline/holdline/internal/ratelimit"
	"github.com/holdline/holdline/internal/web"
	"github.com/holdline/holdline/portal/verify"
)

var now = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

const (
	pageURL = "https://id.example.com/verify"
	login   = "https://kratos.example.com/self-service/login/browser?"
	// settings is where Kratos begins its own settings form.
	settings = "https://kratos.example.com/self-service/settings/browser"
	cookie   = "ory_kratos_session=bobs"
	number   = "+447700900456"
	goOn     = "https://app.example.com/profile"
)

// world is the page with claims and sessions that answer as told.
type world struct {
	status   []claim.Status // in turn; the last one stays
	statuses []error
	ended    claim.Outcome
	endedErr error
	err      error // of what a button does
	fresh    error
	seen     claim.Identity
	session  error
	blocked  time.Time
	sign     claim.SignIn // how the person signed in
	calls    []string
	language string // that the last resend was asked in
	log      bytes.Buffer
	options  verify.Options
	engine   *gin.Engine
}

func (w *world) Status(context.Context, claim.Caller) (claim.Status, error) {
	status, err := w.status[0], w.statuses[0]
	if len(w.status) > 1 {
		w.status, w.statuses = w.status[1:], w.statuses[1:]
	}
	return status, err
}

func (w *world) LastOutcome(context.Context, claim.Caller) (claim.Outcome, error) {
	return w.ended, w.endedErr
}

func (w *world) RequireRecentSignIn(time.Time) error { return w.fresh }

func (w *world) Confirm(_ context.Context, who claim.Caller, code string) error {
	w.calls = append(w.calls, who.IdentityID+" confirm "+code)
	return w.err
}

func (w *world) Resend(_ context.Context, who claim.Caller) error {
	w.calls, w.language = append(w.calls, who.IdentityID+" resend"), who.Language
	return w.err
}

func (w *world) Cancel(_ context.Context, who claim.Caller) error {
	w.calls = append(w.calls, who.IdentityID+" cancel")
	return w.err
}

func (w *world) Blocked(context.Context, claim.Caller) (time.Time, error) { return w.blocked, nil }

func (w *world) LiftBlock(_ context.Context, who claim.Caller) error {
	w.calls = append(w.calls, who.IdentityID+" lift")
	return w.err
}

func (w *world) Session(_ context.Context, cookies, token string) (claim.Caller, error) {
	if w.session != nil {
		return claim.Caller{}, w.session
	}
	if !strings.Contains(cookies, cookie) || token != "" {
		return claim.Caller{}, auth.ErrNoSession
	}
	seen := w.seen
	return claim.Caller{IdentityID: "bob", AuthenticatedAt: now, Assurance: w.sign.Assurance, Factors: w.sign.Factors, Seen: &seen}, nil
}

func (w *world) Login(context.Context, string, string) (claim.Caller, error) {
	return claim.Caller{IdentityID: "bob"}, nil
}

func mobile(t *testing.T) phone.Number {
	t.Helper()
	m, err := phone.Parse(phone.Parser{Format: "e164"}, number)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// waiting is an open claim whose code was sent.
func waiting(t *testing.T) claim.Status {
	t.Helper()
	return claim.Status{
		State: claim.Open, Number: mobile(t), LapsesAt: now.Add(24 * time.Hour), CodeExpires: now.Add(270 * time.Second),
		NextText: now.Add(-time.Second), AttemptsLeft: 4, Text: message.TextSent,
	}
}

func newWorld(t *testing.T, change func(*world)) *world {
	t.Helper()
	w := &world{status: []claim.Status{waiting(t)}, statuses: []error{nil}}
	log := slog.New(slog.NewTextHandler(&w.log, nil))
	w.options = verify.Options{
		Claims: w, Brand: verify.Brand{Name: "Acme <b>", SupportURL: "https://example.com/help", Language: "en"},
		URL: pageURL, KratosURL: func(string) string { return "https://kratos.example.com" },
		EndOtherSessions: func(_ context.Context, id, cookies string) error {
			w.calls = append(w.calls, id+" ends others but "+cookies)
			return w.err
		},
		Plan: phone.Parser{Format: "e164"}, Code: verify.CodeForm{Length: 6, Numeric: true}, Returns: verify.ReturnURLs{Allowed: []string{"https://app.example.com"}}, Log: log,
	}
	if change != nil {
		change(w)
	}
	server := &web.Server{Log: log, Now: func() time.Time { return now }, NewID: func() string { return "id" }, Sessions: w}
	var err error
	if server.Origins, err = web.NewOrigins(pageURL); err != nil {
		t.Fatal(err)
	}
	if w.engine, err = server.Engine(); err != nil {
		t.Fatal(err)
	}
	if err := verify.Mount(w.engine, server, w.options); err != nil {
		t.Fatal(err)
	}
	return w
}

func nothingPending(w *world) {
	w.status, w.statuses = []claim.Status{{}}, []error{claim.ErrNothingPending}
}

func (w *world) do(r *http.Request) *httptest.ResponseRecorder {
	out := httptest.NewRecorder()
	w.engine.ServeHTTP(out, r)
	return out
}

func (w *world) get(query string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, "/verify"+query, nil)
	r.Header.Set("Cookie", cookie)
	return w.do(r)
}

// post presses a button of a form that was got before, as a browser does.
func (w *world) post(t *testing.T, query, action, code string) *httptest.ResponseRecorder {
	t.Helper()
	return w.do(w.form(t, query, action, code))
}

func (w *world) form(t *testing.T, query, action, code string) *http.Request {
	t.Helper()
	w.status, w.statuses = append([]claim.Status{waiting(t)}, w.status...), append([]error{nil}, w.statuses...)
	fresh := w.fresh
	w.fresh = nil
	shown := w.get("").Body.String()
	w.fresh = fresh
	if !strings.Contains(shown, `method="post"`) {
		t.Fatal("no form")
	}
	return formRequest(query, url.Values{"action": {action}, "code": {code}})
}

func formRequest(query string, values url.Values) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/verify"+query, strings.NewReader(values.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	r.Header.Set("Cookie", cookie)
	return r
}

// wants checks the status, the state, and what the page has and has not.
func wants(t *testing.T, got *httptest.ResponseRecorder, status int, state string, has []string, not ...string) {
	t.Helper()
	body := html.UnescapeString(got.Body.String())
	if strings.Contains(got.Body.String(), "<b>") {
		t.Error("a name is markup")
	}
	if got.Code != status || !strings.Contains(body, `data-state="`+state+`"`) {
		t.Errorf("got status %d, want %d and the state %s", got.Code, status, state)
	}
	for _, part := range has {
		if !strings.Contains(body, part) {
			t.Errorf("the page lacks %q", part)
		}
	}
	for _, part := range not {
		if strings.Contains(body, part) {
			t.Errorf("the page has %q", part)
		}
	}
	if t.Failed() {
		t.Log(body)
	}
}

func leadsTo(t *testing.T, got *httptest.ResponseRecorder, want string) {
	t.Helper()
	if got.Code != http.StatusSeeOther || got.Header().Get("Location") != want {
		t.Errorf("got %d to %q, want 303 to %q", got.Code, got.Header().Get("Location"), want)
	}
}

func TestThePageShowsTheClaim(t *testing.T) {
	const shown = `<bdi dir="ltr" class="number" id="mobile-pending">` + number + `</bdi>`
	change := func(f func(*claim.Status)) func(*world) { return func(w *world) { f(&w.status[0]) } }
	for name, tt := range map[string]struct {
		change  func(*world)
		query   string
		status  int
		state   string
		has     []string
		not     []string
		retryIn string
	}{
		"waiting": {nil, "", 200, "waiting", []string{
			shown, "We sent a code", `inputmode="numeric"`, `autocomplete="one-time-code"`, "autofocus", `<label for="code">`, `pattern="[\p{Nd}\p{White_Space}`,
			`id="confirm"`, `id="resend"`, `id="cancel"`, `id="attempts">4 tries left.<`, `>5 minutes</span>`, "The code has 6 digits.", `<h1>Confirm your mobile number</h1>`,
		}, []string{"aria-invalid", "next-resend", `role="alert"`, `http-equiv="refresh"`}, ""},
		"letters": {func(w *world) { w.options.Code.Numeric = false }, "", 200, "waiting", []string{"6 letters and digits"}, []string{"inputmode", "pattern="}, ""},
		"resend later": {
			change(func(s *claim.Status) { s.NextText = now.Add(24 * time.Second) }), "", 200, "waiting",
			[]string{`id="next-resend" data-seconds="24"`, "in <span class=\"wait\">24 seconds</span>"},
			nil, "",
		},
		"no more texts":      {change(func(s *claim.Status) { s.NextText = time.Time{} }), "", 200, "waiting", []string{"No more codes"}, []string{`id="resend"`}, ""},
		"no limit on tries":  {change(func(s *claim.Status) { s.AttemptsLeft = 1 << 30 }), "", 200, "waiting", nil, []string{`id="attempts"`}, ""},
		"one try left":       {change(func(s *claim.Status) { s.AttemptsLeft = 1 }), "", 200, "waiting", []string{"1 try left"}, nil, ""},
		"text queued":        {change(func(s *claim.Status) { s.Text = message.TextQueued }), "", 200, "waiting", []string{"is on its way to"}, nil, ""},
		"text delivered":     {change(func(s *claim.Status) { s.Text = message.TextDelivered }), "", 200, "waiting", []string{"has arrived"}, nil, ""},
		"text failed":        {change(func(s *claim.Status) { s.Text = message.TextFailed }), "", 200, "waiting", []string{"could not send a text"}, nil, ""},
		"text not delivered": {change(func(s *claim.Status) { s.Text = message.TextUndelivered }), "", 200, "waiting", []string{"could not send a text"}, nil, ""},
		"wrong": {nil, "?said=wrong", 400, "wrong", []string{
			`aria-invalid="true"`, `aria-describedby="message `, `id="message" role="alert">This code is not valid. <span id="attempts">4 tries left.<`,
		}, nil, ""},
		"no whole code": {nil, "?said=no-code", 400, "no-code", []string{`aria-invalid="true"`, "whole code"}, nil, ""},
		"no code yet": {
			change(func(s *claim.Status) { s.Text, s.CodeExpires = message.TextNone, time.Time{} }), "", 200, "untexted",
			[]string{"No code has been sent to " + shown + " yet", `id="resend" name="action" value="resend" formnovalidate data-busy="One moment …">Send a code<`, `id="cancel"`},
			[]string{`id="code"`, `id="confirm"`, "expired"},
			"",
		},
		"no code yet, nor now": {
			change(func(s *claim.Status) {
				s.Text, s.CodeExpires, s.NextText = message.TextNone, time.Time{}, now.Add(5*time.Hour)
			}), "?said=too-many-texts", 429, "too-many-texts",
			[]string{"No code has been sent to", "5 hours"},
			[]string{`id="code"`},
			"18000",
		},
		"sent again":     {nil, "?said=resent", 200, "resent", []string{`class="notice success" role="status"`}, nil, ""},
		"expired":        {change(func(s *claim.Status) { s.CodeExpires = now }), "?said=expired", 200, "expired", []string{"<h1>The code has expired", shown, `id="resend"`}, []string{`id="code"`, `id="confirm"`}, ""},
		"too soon":       {change(func(s *claim.Status) { s.NextText = now.Add(24 * time.Second) }), "?said=too-soon", 429, "too-soon", []string{"only a moment ago", "24 seconds"}, nil, "24"},
		"too many texts": {change(func(s *claim.Status) { s.NextText = now.Add(5 * time.Hour) }), "?said=too-many-texts", 429, "too-many-texts", []string{"Too many codes", "5 hours"}, nil, "18000"},
		"country full":   {nil, "?said=country-full", 429, "country-full", []string{"to this country"}, nil, ""},
		"not served":     {nil, "?said=not-served", 400, "not-served", []string{"of this kind or country"}, nil, ""},
		"failed":         {nil, "?said=away", 503, "failed-now", []string{"just now", `id="code"`}, nil, "5"},
		"said nonsense":  {nil, "?said=<script>", 200, "waiting", nil, []string{"<script>"}, ""},
		"locked for the day": {
			change(func(s *claim.Status) { s.AttemptsLeft, s.TriesAgain = 0, now.Add(3*time.Hour) }), "", 429, "locked",
			[]string{"Too many tries", "3 hours", `id="cancel"`},
			[]string{`id="code"`, `id="resend"`},
			"10800",
		},
		"an old session": {
			func(w *world) { w.fresh = claim.ErrSessionTooOld }, "?return_to=" + goOn, 403, "sign-in",
			[]string{`id="sign-in" href="` + login + "refresh=true&return_to=" + url.QueryEscape(pageURL+"?return_to="+url.QueryEscape(goOn)+"&said=back"), shown, `id="cancel"`},
			[]string{`id="code"`},
			"",
		},
		"being saved": {
			change(func(s *claim.Status) { s.State = claim.Verified }), "?said=done", 200, "saving",
			[]string{`http-equiv="refresh" content="3"`, shown},
			[]string{`id="code"`, "<form"},
			"",
		},
		"store away":  {func(w *world) { w.statuses[0] = fmt.Errorf("secret: %w", problem.ErrStoreUnavailable) }, "", 503, "away", []string{`http-equiv="refresh"`, "Nothing is lost"}, []string{"secret"}, "5"},
		"a fault":     {func(w *world) { w.statuses[0] = errors.New("secret") }, "", 500, "away", []string{"Nothing is lost"}, []string{"secret"}, ""},
		"Kratos away": {func(w *world) { w.session = claim.ErrIdentitiesUnavailable }, "", 503, "away", nil, nil, "5"},
	} {
		t.Run(name, func(t *testing.T) {
			got := newWorld(t, tt.change).get(tt.query)
			wants(t, got, tt.status, tt.state, tt.has, tt.not...)
			if got := got.Header().Get("Retry-After"); got != tt.retryIn {
				t.Errorf("got Retry-After %q, want %q", got, tt.retryIn)
			}
		})
	}
}

func TestThePageTellsHowAClaimEnded(t *testing.T) {
	for name, tt := range map[string]struct {
		ended  claim.Outcome
		status int
		state  string
	}{
		"done":                 {claim.Outcome{State: claim.Applied}, 200, "done"},
		"cancelled":            {claim.Outcome{State: claim.Cancelled}, 200, "cancelled"},
		"locked":               {claim.Outcome{State: claim.Locked}, 429, "locked"},
		"lapsed":               {claim.Outcome{State: claim.Lapsed}, 410, "lapsed"},
		"taken":                {claim.Outcome{State: claim.Conflict, Conflict: claim.ErrNumberTaken}, 409, "taken"},
		"taken, proved":        {claim.Outcome{State: claim.Conflict, Conflict: claim.ErrNumberProved}, 409, "taken-proved"},
		"taken, an identifier": {claim.Outcome{State: claim.Conflict, Conflict: claim.ErrNumberBound}, 409, "taken-bound"},
		"removed":              {claim.Outcome{State: claim.Applied, Direct: true}, 200, ""},
		"changed elsewhere":    {claim.Outcome{State: claim.Conflict, Conflict: claim.ErrChangedElsewhere}, 409, "changed"},
		"refused":              {claim.Outcome{State: claim.Conflict, Conflict: claim.ErrNumberRefused}, 409, "refused"},
		"superseded":           {claim.Outcome{State: claim.Superseded}, 200, ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, nothingPending)
			w.ended = tt.ended
			w.ended.At = now.Add(-time.Minute)
			if tt.state == "" { // nothing to tell; a form's answer must not lead elsewhere
				wants(t, w.get("?said=done"), http.StatusOK, "nothing", []string{`id="continue" href="` + settings + `"`})
			} else {
				wants(t, w.get("?said=done"), tt.status, tt.state, []string{`class="button" id="`, `href="` + settings + `"`}, `id="code"`)
				wants(t, w.get("?said=done&return_to="+goOn), tt.status, tt.state, []string{`id="continue" href="` + goOn + `"`})
			}
			leadsTo(t, w.get(""), settings)
		})
	}
	w := newWorld(t, nothingPending)
	w.ended = claim.Outcome{State: claim.Applied, At: now.Add(-2 * time.Hour)}
	wants(t, w.get("?said=done"), http.StatusOK, "nothing", nil)
	w.endedErr = problem.ErrStoreUnavailable
	wants(t, w.get("?said=done"), 503, "away", nil)
}

// The number that stays in force is said in every state of who is signed in, the new
// one in full, and a way back to where it can be corrected.
func TestThePageSaysWhichNumberStays(t *testing.T) {
	w := newWorld(t, func(w *world) { w.seen.Mobile = "+49 171 0000000" })
	wants(t, w.get(""), 200, "waiting", []string{
		`id="in-force"><bdi dir="ltr" class="number">+49********00</bdi> stays in force.`, `id="wrong-number" href="` + settings + `"`, number,
	}, "1710000000")
	w = newWorld(t, nil)
	wants(t, w.get(""), 200, "waiting", []string{"No mobile number is in force."})
	w = newWorld(t, func(w *world) {
		nothingPending(w)
		w.seen.Mobile = number
		w.ended = claim.Outcome{State: claim.Applied, At: now}
	})
	wants(t, w.get("?said=done"), 200, "done", []string{"+44********56</bdi> is in force."}, number)
}

// What came to nothing can be begun again by the main button; a script that looks
// again, and who comes to look, are told why.
func TestLockedAndLapsedKeepTheirReason(t *testing.T) {
	for state, ended := range map[string]claim.State{"locked": claim.Locked, "lapsed": claim.Lapsed} {
		w := newWorld(t, func(w *world) { nothingPending(w); w.ended = claim.Outcome{State: ended, At: now.Add(-time.Minute)} })
		status := map[string]int{"locked": 429, "lapsed": 410}[state]
		for name, got := range map[string]*httptest.ResponseRecorder{"a script": w.get("?said=look"), "who comes": w.look("")} {
			wants(t, got, status, state, []string{`class="button" id="anew" href="` + settings + `"`}, `id="continue"`)
			if t.Failed() {
				t.Fatal(name)
			}
		}
		leadsTo(t, w.get(""), settings) // Kratos leads everybody here who has saved their profile
	}
}

func TestOtherSessionsAreEndedAfterAChange(t *testing.T) {
	w := newWorld(t, func(w *world) { nothingPending(w); w.ended = claim.Outcome{State: claim.Applied, At: now} })
	wants(t, w.get("?said=done"), 200, "done", []string{`id="sign-out-others"`, `id="continue"`})
	leadsTo(t, w.post(t, "", "sign-out-others", ""), "?said=signed-out-others")
	if w.calls[len(w.calls)-1] != "bob ends others but "+cookie {
		t.Errorf("called %v", w.calls)
	}
	w.status, w.statuses = []claim.Status{{}}, []error{claim.ErrNothingPending}
	wants(t, w.get("?said=signed-out-others"), 200, "signed-out-others", []string{"signed out everywhere else", `id="continue"`}, `id="sign-out-others"`)
	w.err = claim.ErrIdentitiesUnavailable
	leadsTo(t, w.post(t, "", "sign-out-others", ""), "?said=others-signed-in")
	w.status, w.statuses = []claim.Status{{}}, []error{claim.ErrNothingPending}
	wants(t, w.get("?said=others-signed-in"), 503, "others-signed-in", []string{"could not be ended", "is in force", `id="sign-out-others"`})
}

// Who may not change their number hears until when, and how to end that earlier.
func TestABlockIsSaidAndCanBeLifted(t *testing.T) {
	factor := func(context.Context) ([]string, error) { return []string{"totp"}, nil }
	none := func(context.Context) ([]string, error) { return nil, nil }
	for name, tt := range map[string]struct {
		in  claim.SignIn
		has []string
		not []string
	}{
		"with a second factor":     {claim.SignIn{Assurance: claim.AAL2}, []string{`id="lift"`}, []string{`id="sign-in"`}},
		"who has one":              {claim.SignIn{Assurance: claim.AAL1, Factors: factor}, []string{`id="sign-in" href="` + login + "aal=aal2&", "second factor"}, []string{`id="lift"`}},
		"who has none":             {claim.SignIn{Assurance: claim.AAL1, Factors: none}, []string{`class="button" id="continue"`}, []string{`id="lift"`, `id="sign-in"`}},
		"where Kratos says little": {claim.SignIn{}, []string{`class="button" id="continue"`}, []string{`id="lift"`}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, func(w *world) { nothingPending(w); w.blocked, w.sign = now.Add(5*time.Hour), tt.in })
			wants(t, w.look(""), 429, "blocked", append(tt.has, "for another <span class=\"wait\">5 hours</span>"), tt.not...)
			leadsTo(t, w.get(""), settings)
			w = newWorld(t, func(w *world) { w.blocked, w.sign = now.Add(5*time.Hour), tt.in })
			wants(t, w.get("?said=blocked"), 429, "blocked", tt.has, tt.not...)
		})
	}
	w := newWorld(t, func(w *world) {
		nothingPending(w)
		w.blocked, w.ended = now.Add(5*time.Hour), claim.Outcome{State: claim.Applied, At: now}
	})
	wants(t, w.get("?said=blocked"), 429, "blocked", nil) // and not how an earlier change ended
	w = newWorld(t, func(w *world) {                      // a client's number that is held meanwhile has no code, and cannot have one yet
		w.blocked, w.status[0].Text, w.status[0].CodeExpires = now.Add(5*time.Hour), message.TextNone, time.Time{}
	})
	wants(t, w.get(""), 429, "blocked", []string{"5 hours", `id="continue"`}, "send one")
	w = newWorld(t, nil)
	wants(t, w.get("?said=blocked"), 200, "waiting", nil)
	leadsTo(t, w.post(t, "", "lift", ""), "?said=lifted")
	w = newWorld(t, nothingPending)
	wants(t, w.get("?said=lifted"), 200, "lifted", []string{"can be changed again"})
	w = newWorld(t, func(w *world) {
		w.err = &problem.LimitError{Reason: claim.ErrChangesBlocked, Until: now.Add(time.Hour)}
	})
	leadsTo(t, w.post(t, "", "resend", ""), "?said=blocked")
}

func TestWithNothingPendingThePageSendsPeopleOn(t *testing.T) {
	w := newWorld(t, nothingPending)
	leadsTo(t, w.get("?return_to="+goOn), goOn)
	leadsTo(t, w.get("?return_to=https://evil.example.com/"), settings)
	if log := w.log.String(); !strings.Contains(log, "return_to is not on the list") || strings.Contains(log, "evil") {
		t.Errorf("logged %s", log)
	}
	w = newWorld(t, func(w *world) { nothingPending(w); w.options.Returns.Default = "https://example.com/account" })
	leadsTo(t, w.get(""), "https://example.com/account")
	leadsTo(t, w.get("?said=back"), "https://example.com/account")
	leadsTo(t, w.get("?return_to="+goOn), goOn)
}

// look opens the page as a browser does whose owner typed its address.
func (w *world) look(query string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, "/verify"+query, nil)
	r.Header.Set("Cookie", cookie)
	r.Header.Set("Sec-Fetch-Site", "none")
	return w.do(r)
}

func TestWhoComesToLookSeesThatNothingIsPending(t *testing.T) {
	w := newWorld(t, nothingPending)
	wants(t, w.look(""), 200, "nothing", []string{`id="continue" href="` + settings + `"`})
	wants(t, w.look("?return_to=https://evil.example.com/"), 200, "nothing", nil, "evil")
	leadsTo(t, w.look("?return_to="+goOn), goOn)
	w = newWorld(t, func(w *world) { nothingPending(w); w.options.Returns.Default = "https://example.com/account" })
	wants(t, w.look(""), 200, "nothing", []string{`id="continue" href="https://example.com/account"`})
}

// A page that leads here for a pending number is not led back to, and this page leads
// nobody to itself.
func TestThePageIsNoPartOfALoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, func(w *world) { nothingPending(w); w.seen.Pending = number })
		wants(t, w.get(""), 200, "nothing", []string{`id="continue" href="` + settings + `"`})
		wants(t, w.get("?return_to="+goOn), 200, "nothing", []string{`id="continue" href="` + goOn + `"`})
	})
	for _, own := range []string{pageURL, pageURL + "/?lang=de", "HTTPS://id.example.com:443/verify?return_to=" + pageURL} {
		w := newWorld(t, func(w *world) { nothingPending(w); w.options.Returns.Default = own })
		leadsTo(t, w.get(""), settings)
		w = newWorld(t, func(w *world) { nothingPending(w); w.options.Returns.Allowed = []string{"https://id.example.com"} })
		leadsTo(t, w.get("?return_to="+url.QueryEscape(own)), settings)
	}
}

func TestAnAcceptedNumberThatIsNotSavedYetLeadsToTheEnd(t *testing.T) {
	w := newWorld(t, func(w *world) { w.status[0].State = claim.Verified })
	leadsTo(t, w.get("?return_to="+goOn), "?return_to="+url.QueryEscape(goOn)+"&said=done")
}

func TestAnAnnouncedClaimIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, func(w *world) {
			w.seen.Pending = number
			w.status = []claim.Status{{}, {}, {}, waiting(t)}
			w.statuses = []error{claim.ErrNothingPending, claim.ErrNothingPending, claim.ErrNothingPending, nil}
		})
		wants(t, w.get(""), 200, "waiting", nil)
		begun := time.Now()
		nothingPending(w)
		wants(t, w.get(""), 200, "nothing", nil)
		if waited := time.Since(begun); waited < 2*time.Second || waited > 4*time.Second {
			t.Errorf("waited %s", waited)
		}
	})
}

func TestWithoutASessionThePageLeadsThroughTheLogin(t *testing.T) {
	w := newWorld(t, func(w *world) { w.session = auth.ErrNoSession })
	leadsTo(t, w.get(""), login+"return_to="+url.QueryEscape(pageURL+"?said=back"))
	leadsTo(t, w.get("?lang=de&return_to="+goOn), login+"return_to="+
		url.QueryEscape(pageURL+"?lang=de&return_to="+url.QueryEscape(goOn)+"&said=back"))
	wants(t, w.get("?said=back"), 401, "signed-out", []string{`id="sign-in"`, "cookies"}) // does not go round
	leadsTo(t, w.do(formRequest("", url.Values{"action": {"cancel"}})), "?said=signed-out")
	if len(w.calls) > 0 {
		t.Errorf("called %q", w.calls)
	}
}

func TestOnlyTheSessionCookieCounts(t *testing.T) {
	w := newWorld(t, nil)
	for name, value := range map[string]string{"X-Session-Token": "bobs-token", "Authorization": "Bearer bobs-token", "authorization": "Basic Ym9iOnBhc3M="} {
		r := httptest.NewRequest(http.MethodGet, "/verify", nil)
		r.Header.Set(name, value)
		if got := w.do(r); got.Code != http.StatusSeeOther {
			t.Errorf("%s: got status %d, want the way to the login", name, got.Code)
		}
	}
}

func TestButtonsEndInARedirect(t *testing.T) {
	limit := func(err error) error { return &problem.LimitError{Reason: err, Until: now.Add(time.Minute)} }
	for name, tt := range map[string]struct {
		action, code string
		err          error
		said         string
		calls        []string
	}{
		"the right code":             {"confirm", "123456", nil, "done", []string{"bob confirm 123456"}},
		"a code as it was typed":     {"confirm", " ١٢٣–4 5-6\u200f", nil, "done", []string{"bob confirm  ١٢٣–4 5-6\u200f"}},
		"no action":                  {"", "123456", nil, "done", []string{"bob confirm 123456"}},
		"a wrong code":               {"confirm", "000000", claim.ErrWrongCode, "wrong", []string{"bob confirm 000000"}},
		"half a code":                {"confirm", "123", claim.ErrMalformedCode, "no-code", []string{"bob confirm 123"}},
		"an expired code":            {"confirm", "123456", claim.ErrCodeExpired, "expired", []string{"bob confirm 123456"}},
		"too many tries":             {"confirm", "123456", limit(ratelimit.ErrTooManyTries), "locked", []string{"bob confirm 123456"}},
		"an old session":             {"confirm", "123456", claim.ErrSessionTooOld, "sign-in", []string{"bob confirm 123456"}},
		"a taken number":             {"confirm", "123456", claim.ErrNumberTaken, "over", []string{"bob confirm 123456"}},
		"a broken store":             {"confirm", "123456", errors.New("secret"), "away", []string{"bob confirm 123456"}},
		"resend":                     {"resend", "", nil, "resent", []string{"bob resend"}},
		"resend too soon":            {"resend", "", limit(claim.ErrTooSoon), "too-soon", []string{"bob resend"}},
		"too many texts":             {"resend", "", limit(claim.ErrTooManyTexts), "too-many-texts", []string{"bob resend"}},
		"no budget":                  {"resend", "", limit(claim.ErrCallingCodeFull), "country-full", []string{"bob resend"}},
		"no longer served":           {"resend", "", phone.ErrNumberNotServed, "not-served", []string{"bob resend"}},
		"resend of nothing":          {"resend", "", claim.ErrNothingPending, "over", []string{"bob resend"}},
		"cancel":                     {"cancel", "", nil, "cancelled", []string{"bob cancel"}},
		"cancel what is being saved": {"cancel", "", claim.ErrBeingApplied, "done", []string{"bob cancel"}},
		"a claim of the form's own":  {"cancel&identity=alice&claim=1", "", nil, "done", []string{"bob confirm "}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, nil)
			w.err = tt.err
			got := w.post(t, "?lang=ta&return_to="+goOn, tt.action, tt.code)
			leadsTo(t, got, "?lang=ta&return_to="+url.QueryEscape(goOn)+"&said="+tt.said)
			if !slices.Equal(w.calls, tt.calls) {
				t.Errorf("called %q, want %q", w.calls, tt.calls)
			}
			if log := w.log.String(); strings.Contains(log, "123456") || strings.Contains(log, number) {
				t.Errorf("logged %s", log)
			}
			if tt.said == "resent" && w.language != "ta" {
				t.Errorf("the text is asked for in %q, want ta", w.language)
			}
		})
	}
}

func TestFormsOfOtherPagesChangeNothing(t *testing.T) {
	for name, change := range map[string]func(*http.Request){
		"from nowhere":             func(*http.Request) {},
		"from another site":        func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") },
		"from a neighbour":         func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "same-site") },
		"an older browser's other": func(r *http.Request) { r.Header.Set("Origin", "https://evil.example.com") },
		"a sandboxed frame's":      func(r *http.Request) { r.Header.Set("Origin", "null") },
		"one at http, on the way":  func(r *http.Request) { r.Header.Set("Origin", "http://id.example.com") },
		"too large": func(r *http.Request) {
			r.Header.Set("Sec-Fetch-Site", "same-origin")
			r.Body = io.NopCloser(strings.NewReader("action=cancel&code=" + strings.Repeat("1", 1<<20)))
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, nil)
			for _, action := range []string{"confirm", "resend", "cancel"} {
				r := formRequest("", url.Values{"action": {action}, "code": {"123456"}})
				r.Host = "id.example.com"
				r.Header.Del("Sec-Fetch-Site")
				change(r)
				wants(t, w.do(r), 403, "forbidden", []string{`id="again"`})
			}
			if len(w.calls) > 0 {
				t.Errorf("called %q", w.calls)
			}
		})
	}
	// A proxy that names another host changes nothing for browsers that say less.
	r := formRequest("", url.Values{"action": {"cancel"}})
	r.Host = "holdline:8080"
	r.Header.Del("Sec-Fetch-Site")
	page, _ := url.Parse(pageURL)
	r.Header.Set("Origin", page.Scheme+"://"+page.Host)
	leadsTo(t, newWorld(t, nil).do(r), "?said=cancelled")
}

func TestThePageIsSafeToShow(t *testing.T) {
	w := newWorld(t, nil)
	inline := regexp.MustCompile(`(?i)<style|\sstyle=|\son[a-z]+=|<script>|<script [^>]*>[^<]`)
	got := w.get("")
	want := "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; frame-src 'none'; " +
		"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
	header := got.Header()
	if header.Get("Content-Security-Policy") != want || header.Get("Cache-Control") != "no-store" ||
		header.Get("Referrer-Policy") != "same-origin" || header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("got headers %v", header)
	}
	if found := inline.FindString(got.Body.String()); found != "" {
		t.Errorf("inline script or style %q", found)
	}
	framed := newWorld(t, func(w *world) { w.options.FramedBy = "http://127.0.0.1:4455" }).get("")
	if policy := framed.Header().Get("Content-Security-Policy"); !strings.HasSuffix(policy, "frame-ancestors http://127.0.0.1:4455") {
		t.Errorf("got policy %q", policy)
	}
	for _, found := range regexp.MustCompile(`(?:href|src)="(verify/assets/[^"]+)"`).FindAllStringSubmatch(got.Body.String(), -1) {
		if asset := w.do(httptest.NewRequest(http.MethodGet, "/"+html.UnescapeString(found[1]), nil)); asset.Code != http.StatusOK {
			t.Errorf("%s: got %d", found[1], asset.Code)
		}
	}
}

func TestThePageBearsTheOperatorsBrand(t *testing.T) {
	got := newWorld(t, func(w *world) {
		w.options.Brand = verify.Brand{Name: "Acme", Logo: []byte("<svg/>"), LogoFile: "logo.svg", Accent: "#a4161a", SupportURL: "mailto:help@example.com"}
	}).get("")
	wants(t, got, 200, "waiting", []string{`src="verify/assets/logo.svg?v=`, `href="verify/assets/theme.css?v=`, `id="support" href="mailto:help@example.com"`})
}
