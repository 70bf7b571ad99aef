package wiring_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/holdline/holdline/config"
	"github.com/holdline/holdline/internal/kratostest"
	"github.com/holdline/holdline/internal/scim/scimtest"
	"github.com/holdline/holdline/persistence"
	"github.com/holdline/holdline/persistence/database"
	"github.com/holdline/holdline/persistence/migration"
	"github.com/holdline/holdline/wiring"
)

// clockOf moves when it is told to.
type clockOf struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clockOf) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clockOf) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// phones take the texts of an SMS provider.
type phones struct {
	mu    sync.Mutex
	codes map[string][]string // by number, oldest first
}

func (p *phones) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	var in struct{ To, Code string }
	if json.NewDecoder(r.Body).Decode(&in) != nil || in.Code == "" {
		return // a notice
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.codes[in.To] = append(p.codes[in.To], in.Code)
}

func (p *phones) to(number string) []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.codes[number])
}

// holdlineWorld is the assembled program with a Kratos double and an SMS provider.
type holdlineWorld struct {
	*wiring.Holdline
	resync func(context.Context) error
	t      testing.TB
	clock  *clockOf
	kratos *kratostest.Double
	phones *phones
	store  *persistence.Store
}

const (
	hookKey    = "the hook key of the cycles"
	oktaToken  = "okta's token, of some length"
	entraToken = "entra's token, of some length"
)

func digest(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// gatewayTo is a gateway that sends codes and what goes with them as JSON.
func gatewayTo(url string) config.Gateway {
	const body = `function(ctx) {to: ctx.recipient, code: std.get(ctx.template_data, 'verification_code', '')}`
	return config.Gateway{ID: "provider", Type: "http", Request: config.RequestConfig{
		URL: config.Secret(url), Method: http.MethodPost,
		Body: config.Secret("base64://" + base64.StdEncoding.EncodeToString([]byte(body))),
	}}
}

// newWorld assembles Holdline with default limits; numbers from SCIM are verified
// whatever a request says, as the documents recommend.
func newWorld(t *testing.T) *holdlineWorld {
	t.Helper()
	w := &holdlineWorld{t: t, clock: &clockOf{now: time.Date(2026, 1, 1, 8, 0, 0, 0, time.UTC)}, phones: &phones{codes: map[string][]string{}}}
	w.kratos = kratostest.NewDouble(w.clock.Now)
	kratos, provider := httptest.NewServer(w.kratos), httptest.NewServer(w.phones)
	t.Cleanup(kratos.Close)
	t.Cleanup(provider.Close)
	cfg := config.Default()
	cfg.Secrets.OTP = []config.Secret{"a secret of the cycles, of at least 32 characters"}
	cfg.Hooks.APIKey = hookKey
	cfg.Kratos.PublicURL, cfg.Kratos.AdminURL = kratos.URL, kratos.URL
	cfg.Public.BaseURL = "https://id.example.com"
	cfg.Feature.Update.UseVerifyClaim = false
	cfg.SMS.Gateways = []config.Gateway{gatewayTo(provider.URL)}
	for name, token := range map[string]string{"okta": oktaToken, "entra": entraToken} {
		cfg.Tokens = append(cfg.Tokens, config.Token{Name: name, SHA256: digest(token), Scopes: []string{"scim:read", "scim:write"}})
	}
	db, err := database.Open(t.Context(), "sqlite://:memory:", database.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	w.store = persistence.NewStore(db)
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	if err := migration.Up(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	clock, err := database.NewClock(t.Context(), db, w.clock.Now)
	if err != nil {
		t.Fatal(err)
	}
	w.resync = clock.Sync
	observers, err := wiring.Observe(t.Context(), cfg, "test", log)
	if err != nil {
		t.Fatal(err)
	}
	if w.Holdline, err = wiring.Assemble(cfg, wiring.Parts{Database: db, Clock: clock, Observers: observers, Release: "test", Log: log}); err != nil {
		t.Fatal(err)
	}
	if err := w.Reconcile(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	go func() { done <- w.Send(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return w
}

func (w *holdlineWorld) client(product scimtest.Product, token string) *scimtest.Client {
	return &scimtest.Client{Product: product, Token: token, BaseURL: "http://id.example.com/scim2", HTTP: &http.Client{Transport: w}}
}

// RoundTrip lets clients call the public listener from an address of their own.
func (w *holdlineWorld) RoundTrip(r *http.Request) (*http.Response, error) {
	return w.ask(w.Public, r, "198.51.100.7:40000"), nil
}

func (w *holdlineWorld) ask(handler http.Handler, r *http.Request, from string) *http.Response {
	recorder := httptest.NewRecorder()
	r.RemoteAddr = from
	if r.Body == nil {
		r.Body = http.NoBody
	}
	handler.ServeHTTP(recorder, r)
	return recorder.Result()
}

func (w *holdlineWorld) post(handler http.Handler, path, from string, header http.Header, body any) (int, []byte, error) {
	text, err := json.Marshal(body)
	if err != nil {
		return 0, nil, err
	}
	r := httptest.NewRequest(http.MethodPost, path, bytes.NewReader(text))
	maps.Copy(r.Header, header)
	r.Header.Set("Content-Type", "application/json")
	recorder := httptest.NewRecorder()
	r.RemoteAddr = from
	handler.ServeHTTP(recorder, r)
	return recorder.Code, recorder.Body.Bytes(), nil
}

// home is the address that a person calls from.
func home(userName string) string {
	sum := sha256.Sum256([]byte(userName))
	return fmt.Sprintf("203.0.%d.%d:40000", sum[0], sum[1])
}

const userAPI = "/api/identity/user/v1.0/me/"

func (w *holdlineWorld) Confirm(userName, code string) (int, error) {
	status, _, err := w.post(w.Public, userAPI+"validate-code", home(userName), http.Header{"X-Session-Token": {userName}}, map[string]string{"code": code})
	return status, err
}

func (w *holdlineWorld) Resend(userName string) (int, error) {
	body := map[string]any{"properties": []map[string]string{{"key": "RecoveryScenario", "value": "MOBILE_VERIFICATION_ON_UPDATE"}}}
	status, text, err := w.post(w.Public, userAPI+"resend-code", home(userName), http.Header{"X-Session-Token": {userName}}, body)
	if err == nil && status != http.StatusCreated {
		err = fmt.Errorf("%s", text)
	}
	return status, err
}

// Save is a settings form.
func (w *holdlineWorld) Save(userName, number string) error {
	before, ok := w.kratos.Named(userName)
	if !ok {
		return fmt.Errorf("nobody is called %s", userName)
	}
	return w.kratos.SaveForm(func(path string, body []byte) (int, []byte, error) {
		return w.post(w.Admin, path, home(userName), http.Header{"X-Hook-Key": {hookKey}}, json.RawMessage(body))
	}, before.ID, uuid.NewString(), number)
}

func (w *holdlineWorld) Seen(userName string) (scimtest.Seen, error) {
	d, ok := w.kratos.Named(userName)
	if !ok {
		return scimtest.Seen{}, fmt.Errorf("nobody is called %s", userName)
	}
	number, verified := d.Mobile()
	name, _ := d.Traits["display_name"].(string)
	email, _ := d.Traits["email"].(string)
	return scimtest.Seen{
		Mobile: number, Verified: verified, Pending: d.Pending(), DisplayName: name, Email: email, Active: d.State == "active",
	}, nil
}

func (w *holdlineWorld) Codes(number string) []string { return w.phones.to(number) }

func (w *holdlineWorld) Rest() error {
	for {
		waiting, err := w.store.Waiting(w.t.Context())
		if err != nil || waiting.Queued == 0 {
			return err
		}
		if err := w.t.Context().Err(); err != nil {
			return err
		}
		<-time.After(time.Millisecond)
	}
}

func (w *holdlineWorld) Pass(d time.Duration) error {
	w.clock.add(d)
	for {
		n, err := w.Claims.RunDue(w.t.Context())
		if err != nil || n == 0 {
			return err
		}
	}
}

// TestProvisioningNeverStandsStill plays a few days of hourly cycles;
// HOLDLINE_CYCLES and HOLDLINE_CYCLE_PEOPLE play more (`make cycles`: 60 days and 200
// people), and HOLDLINE_SEED plays a run once more.
func TestProvisioningNeverStandsStill(t *testing.T) {
	number := func(name string, otherwise uint64) uint64 {
		n, err := strconv.ParseUint(os.Getenv(name), 10, 64)
		if err != nil {
			return otherwise
		}
		return n
	}
	w := newWorld(t)
	cycles := number("HOLDLINE_CYCLES", 72)
	report := scimtest.Run(t, scimtest.Options{
		Seed:   number("HOLDLINE_SEED", uint64(time.Now().UnixNano())),
		People: int(number("HOLDLINE_CYCLE_PEOPLE", 20)), Cycles: int(cycles), Every: time.Hour, Lifetime: 24 * time.Hour,
		Pace:    1 + 720/float64(cycles), // a short run sees as much of everything as a long one
		Clients: []*scimtest.Client{w.client(scimtest.Okta, oktaToken), w.client(scimtest.Entra, entraToken)}, World: w,
	})
	t.Log("\n" + report.String())
}
