package console_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"html"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/holdline/holdline/internal/admin"
	"github.com/holdline/holdline/internal/audit"
	"github.com/holdline/holdline/internal/auth"
	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/claim/claimtest"
	"github.com/holdline/holdline/internal/fraud"
	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/internal/otp"
	"github.com/holdline/holdline/internal/people"
	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/internal/ratelimit"
	"github.com/holdline/holdline/internal/settings"
	"github.com/holdline/holdline/internal/storetest"
	"github.com/holdline/holdline/portal/console"
)

const (
	address   = "192.0.2.7"
	kratos    = "ory_kratos_session"
	privately = kratos + "=privileged"
	wanted    = "+491711111111"
	before    = "+491710000000"
)

// world is a console on working fakes, with a clock that stands still until told
// to move.
type world struct {
	t              *testing.T
	opt            console.Options
	admin          *admin.Service
	gateways       []admin.Gateway
	handler        http.Handler
	store          *storetest.Store
	sessions       *storetest.AdminSessions
	kept           *storetest.Tokens
	index          *storetest.People
	identities     *claimtest.Identities
	ended          int    // how often sessions were ended
	privileged     string // the one privileged person
	tests          func(context.Context, string, phone.Number) (string, error)
	directory      *storetest.Directory
	statistics     *storetest.Statistics
	settings       *storetest.Settings
	board          *settings.Service
	administrators *auth.AdminSessions
	token          string // that may manage claims, named ops
	log            *bytes.Buffer

	mu     sync.Mutex
	now    time.Time
	policy claim.Policy
	failed []error // sign-ins and sessions
	ids    int
}

func (w *world) Now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

func (w *world) newID() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ids++
	return fmt.Sprintf("%08x-0000-4000-8000-%012x", w.ids, w.ids)
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{
		t: t, store: storetest.NewStore(), sessions: &storetest.AdminSessions{}, kept: &storetest.Tokens{},
		settings: &storetest.Settings{}, log: &bytes.Buffer{}, now: time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC),
		policy: claim.Policy{
			Enabled: true, Validity: 5 * time.Minute, Removal: claim.RemovalAllow, Resend: claim.ResendNew,
			Lifetime: 24 * time.Hour, Retention: 90 * 24 * time.Hour, SessionAge: 15 * time.Minute,
			MaxAttempts: 5, DayAttempts: 20, Cooldown: 30 * time.Second, MaxTexts: 5,
			Texts:   claim.TextLimits{PerIdentityDay: 10, PerNumberDay: 5, PerAddressHour: 20},
			Traffic: fraud.Policy{Mode: fraud.Record, MinShare: .25, MinTexts: 50, Window: time.Hour},
			Notices: claim.Notices{OldNumber: true, Window: 72 * time.Hour},
		},
	}
	log := slog.New(slog.NewTextHandler(w.log, nil))
	w.board = settings.New(w.settings, w.policy, w.Now, log)
	codes, err := otp.New([]string{strings.Repeat("s", otp.ShortestSecret)}, 6, otp.Numeric)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := people.NewKeys([]string{"a secret"})
	if err != nil {
		t.Fatal(err)
	}
	w.identities = claimtest.NewIdentities()
	w.index, w.directory, w.statistics = &storetest.People{}, &storetest.Directory{}, &storetest.Statistics{}
	plan := phone.Parser{Format: phone.FormatE164, Region: "DE"}
	service := claim.New(claim.Options{
		Store: w.store, Identities: w.identities, EndSessions: func(context.Context, string) error { w.ended++; return nil }, Codes: codes, Plan: plan, Policy: w.board.Policy, Now: w.Now,
		NewID: w.newID, Jitter: func(d time.Duration) time.Duration { return d }, Send: func(message.Text) {}, Log: log,
	})
	clients := auth.New(auth.Options{
		Tokens: w.kept, Failures: ratelimit.Limit{Most: 3, Window: 15 * time.Minute}, Limiter: &storetest.Limiter{},
		HashKey: []byte("addresses"), Now: w.Now, Log: log,
	})
	w.administrators = &auth.AdminSessions{
		Sessions: w.sessions, Clients: clients, Person: w.person,
		Privileged: func(_ context.Context, id string) (bool, error) { return id == "privileged", nil },
		Idle:       30 * time.Minute, NewSecret: rand.Text, Now: w.Now,
	}
	w.token = w.newToken("ops", auth.ScopeClaimsManage)
	w.gateways = []admin.Gateway{{ID: "vonage", State: "closed", Sent: 17}, {ID: "twilio", State: "open", Failed: 5, LastReason: "answered 500"}}
	w.admin = &admin.Service{
		Store: w.store, Claims: service, Plan: plan, Now: w.Now, Directory: w.directory,
		Privileged: func(_ context.Context, id string) (bool, error) { return id == w.privileged, nil },
		Tests: admin.TestTexts{
			Send: func(ctx context.Context, gateway string, to phone.Number) (string, error) {
				return w.tests(ctx, gateway, to)
			},
			Limiter: &storetest.Limiter{},
		},
		People:     &people.Finder{Index: w.index, Claims: w.store, Directory: w.directory, Keys: keys, Plan: plan, Now: w.Now},
		Statistics: w.statistics, Coverage: func() phone.Restrictions { return w.board.Policy().Coverage },
		Gateways: func() []admin.Gateway { return slices.Clone(w.gateways) }, Tokens: w.kept,
		NewToken:   func() (secret auth.TokenSecret) { copy(secret[:], w.newID()); return secret },
		Configured: []auth.Token{{Name: "okta", Scopes: []auth.Scope{auth.ScopeSCIMRead, auth.ScopeSCIMWrite}, Privileged: true}},
	}
	w.opt = console.Options{
		Sessions: w.administrators, Settings: w.board, Admin: w.admin, Archive: w.store,
		Gateways: func() []admin.Gateway { return w.gateways },
		Policy:   w.board.Policy, Alarms: func() map[string]fraud.Alert { return nil },
		Product: "Acme", Replica: "replica-1", KratosCookie: kratos, Now: w.Now, Log: log,
		Address: func(*http.Request) string { return address },
		Failed:  func(_ *http.Request, err error) { w.failed = append(w.failed, err) },
	}
	w.rebuild()
	return w
}

// rebuild makes the console anew, with options that were changed.
func (w *world) rebuild() {
	w.t.Helper()
	handler, err := console.New(w.opt)
	if err != nil {
		w.t.Fatal(err)
	}
	w.handler = handler
}

// person is whom a Kratos cookie is of: its value is their id.
func (w *world) person(_ context.Context, cookie string) (auth.Person, error) {
	id, found := strings.CutPrefix(cookie, kratos+"=")
	if !found || id == "gone" {
		return auth.Person{}, auth.ErrNoSession
	}
	proven := func(context.Context) error { return nil }
	switch id {
	case "old":
		id, proven = "privileged", func(context.Context) error { return claim.ErrSessionTooOld }
	case "one factor":
		id, proven = "privileged", func(context.Context) error { return claim.ErrNeedsSecondFactor }
	}
	return auth.Person{IdentityID: id, Proven: proven}, nil
}

func (w *world) newToken(name string, scopes ...auth.Scope) string {
	w.t.Helper()
	var secret auth.TokenSecret
	copy(secret[:], name)
	text := secret.Mint()
	token := auth.Token{Name: name, Digest: auth.DigestToken(text), Scopes: scopes, CreatedAt: w.Now()}
	if err := w.kept.Create(w.t.Context(), token, audit.Event{}, nil); err != nil {
		w.t.Fatal(err)
	}
	return text
}

// claim keeps an open claim that had a text, changed by what is given.
func (w *world) claim(change func(*claim.Claim)) claim.Claim {
	w.t.Helper()
	now := w.Now()
	c := claim.Claim{
		ID: w.newID(), IdentityID: "4d1cf3a0-5c1e-4a53-9f3a-3c40c5d7b001", Source: claim.SourceSettings, Number: phone.FromStore(wanted),
		Previous: phone.FromStore(before), PreviousVerified: true, State: claim.Open, Version: 1, CodeKey: "key", CodeNumber: 1,
		CodeExpires: now.Add(5 * time.Minute), Texts: 1, NextText: now.Add(30 * time.Second), CreatedAt: now,
		LapsesAt: now.Add(24 * time.Hour), DueAt: now.Add(24 * time.Hour),
	}
	if change != nil {
		change(&c)
	}
	text := message.Text{
		ID: w.newID(), Kind: message.TextCode, Channel: message.ChannelSMS, IdentityID: c.IdentityID, To: c.Number,
		Code: c.Code(), Expires: c.CodeExpires, Validity: 5 * time.Minute, CreatedAt: now, LeaseUntil: now.Add(20 * time.Second),
	}
	err := w.store.Commit(w.t.Context(), claim.Change{
		Create: &c, Text: &text, At: now, Events: []audit.Event{{
			ClaimID: c.ID, IdentityID: c.IdentityID, Kind: string(c.State), Number: c.Number.String(), At: now,
			Actor: audit.Actor{Kind: audit.Owner, ID: c.IdentityID, ClientIP: "203.0.113.9"},
		}},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

// browser keeps cookies, and says that its forms are from the console.
type browser struct {
	*world
	cookies map[string]string
	header  http.Header
}

func (w *world) browser() *browser {
	return &browser{world: w, cookies: map[string]string{}, header: http.Header{"Sec-Fetch-Site": {"same-origin"}}}
}

// administrator is signed in with the token ops.
func (w *world) administrator() *browser {
	w.t.Helper()
	b := w.browser()
	b.get("/console/sign-in")
	if got := b.post("/console/sign-in", url.Values{"token": {w.token}}); got.Code != http.StatusSeeOther {
		w.t.Fatalf("cannot sign in: %d %s", got.Code, got.Body)
	}
	b.get("/console/limits")
	return b
}

func (b *browser) get(path string) *httptest.ResponseRecorder {
	b.t.Helper()
	return b.send(httptest.NewRequestWithContext(b.t.Context(), http.MethodGet, path, nil))
}

func (b *browser) post(path string, fields url.Values) *httptest.ResponseRecorder {
	b.t.Helper()
	if fields == nil {
		fields = url.Values{}
	}
	r := httptest.NewRequestWithContext(b.t.Context(), http.MethodPost, path, strings.NewReader(fields.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return b.send(r)
}

func (b *browser) send(r *http.Request) *httptest.ResponseRecorder {
	b.t.Helper()
	for name, value := range b.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	for name, values := range b.header {
		r.Header[name] = values
	}
	out := httptest.NewRecorder()
	b.handler.ServeHTTP(out, r)
	for _, set := range out.Result().Cookies() {
		b.cookies[set.Name] = set.Value
		if set.MaxAge < 0 {
			delete(b.cookies, set.Name)
		}
	}
	return out
}

// follow shows the page that an answer leads to.
func (b *browser) follow(answer *httptest.ResponseRecorder) *httptest.ResponseRecorder {
	b.t.Helper()
	if answer.Code != http.StatusSeeOther && answer.Code != http.StatusFound {
		b.t.Fatalf("got status %d, want a redirect: %s", answer.Code, answer.Body)
	}
	return b.get(answer.Header().Get("Location"))
}

// says fails the test unless an answer has the status and all of the words.
func says(t *testing.T, got *httptest.ResponseRecorder, status int, words ...string) {
	t.Helper()
	if got.Code != status {
		t.Errorf("got status %d, want %d", got.Code, status)
	}
	body := strings.ReplaceAll(got.Body.String(), "&#43;", "+")
	for _, part := range words {
		if !strings.Contains(body, part) {
			t.Errorf("the page lacks %q: %s", part, visible(got.Body.String()))
		}
	}
}

var tags = regexp.MustCompile(`<[^>]*>|\s+`)

// visible is a page without its tags.
func visible(page string) string {
	return strings.Join(strings.Fields(html.UnescapeString(tags.ReplaceAllString(page, " "))), " ")
}

// alwaysOps lets everybody in.
type alwaysOps struct{ console.AdminSessions }

func (alwaysOps) Check(context.Context, string, string, string) (auth.Administrator, error) {
	return auth.Administrator{Actor: ops, Scopes: []auth.Scope{auth.ScopeClaimsManage}}, nil
}
