package metrics_test

import (
	"crypto/rand"
	"database/sql"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/claim/claimtest"
	"github.com/holdline/holdline/internal/fraud"
	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/internal/otp"
	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/internal/storetest"
	"github.com/holdline/holdline/metrics"
)

const (
	bob = "bob"
	m0  = "+491710000000"
	m1  = "+491711111111"
)

var noon = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

// meter is metrics with a clock that each look moves by ten milliseconds.
type meter struct {
	*testing.T
	*metrics.Metrics
}

func newMeter(t *testing.T) meter {
	t.Helper()
	var looks atomic.Int64
	return meter{t, metrics.New("v1", func() time.Time { return noon.Add(time.Duration(looks.Add(1)) * 10 * time.Millisecond) })}
}

// families returns what a scrape sees, by name.
func (m meter) families() map[string]*dto.MetricFamily {
	m.Helper()
	recorder := httptest.NewRecorder()
	m.Handler().ServeHTTP(recorder, httptest.NewRequestWithContext(m.Context(), http.MethodGet, "/metrics", nil))
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(recorder.Body)
	if err != nil || recorder.Code != http.StatusOK {
		m.Fatalf("scrape: %d, %v", recorder.Code, err)
	}
	return families
}

// want looks at one metric: its value or, of a histogram, how much was observed.
// Labels are pairs of name and value; all must be named.
func (m meter) want(value float64, name string, labels ...string) {
	m.Helper()
	family := m.families()[name]
	for _, metric := range family.GetMetric() {
		if !fits(metric, labels) {
			continue
		}
		got := metric.GetCounter().GetValue() + metric.GetGauge().GetValue() + float64(metric.GetHistogram().GetSampleCount())
		if got != value {
			m.Errorf("%s %v is %v, want %v", name, labels, got, value)
		}
		return
	}
	m.Errorf("there is no %s %v in %v", name, labels, family)
}

func fits(metric *dto.Metric, labels []string) bool {
	given := map[string]string{}
	for i := 0; i < len(labels); i += 2 {
		given[labels[i]] = labels[i+1]
	}
	for _, pair := range metric.GetLabel() {
		if given[pair.GetName()] != pair.GetValue() {
			return false
		}
	}
	return len(metric.GetLabel()) == len(given)
}

// world is a service that counts, with working fakes behind it.
type world struct {
	meter
	metrics.Claims
	codes *otp.Codes
	dir   *claimtest.Identities
	store *storetest.Store
	texts []message.Text
}

func newWorld(t *testing.T) *world {
	t.Helper()
	codes, err := otp.New([]string{strings.Repeat("s", 32)}, 6, otp.Numeric)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{
		meter: newMeter(t), codes: codes, store: storetest.NewStore(),
		dir: claimtest.NewIdentities(claim.Identity{ID: bob, Mobile: m0, Verified: true}),
	}
	now := noon
	w.Claims = w.Metrics.Claims(claim.New(claim.Options{
		Store: w.store, OnCommit: w.OnCommit, Identities: w.dir, Codes: codes, Plan: phone.Parser{Format: phone.FormatE164},
		Policy: func() claim.Policy {
			return claim.Policy{
				Enabled: true, Validity: 5 * time.Minute, Lifetime: 24 * time.Hour, Retention: 2160 * time.Hour,
				MaxAttempts: 5, Cooldown: 30 * time.Second, MaxTexts: 5,
			}
		},
		Now: func() time.Time { now = now.Add(time.Millisecond); return now }, NewID: rand.Text,
		Jitter: func(d time.Duration) time.Duration { return d },
		Send:   func(text message.Text) { w.texts = append(w.texts, text) }, Log: slog.New(slog.DiscardHandler),
	}))
	return w
}

// submit is what Kratos does with a form that changes the number.
func (w *world) submit(number string) {
	w.Helper()
	ctx := w.Context()
	answer, err := w.Stage(ctx, claim.SettingsChange{IdentityID: bob, FlowID: "f", Stored: m0, StoredVerified: true, Wanted: number})
	if err != nil {
		w.Fatal(err)
	}
	w.dir.Put(claim.Identity{ID: bob, Mobile: m0, Verified: true, Pending: answer.Pending.Unmasked()})
	flow := claim.StoredFlow{IdentityID: bob, FlowID: "f", Mobile: m0, ShownPending: answer.Pending.Unmasked()}
	if err := w.Activate(ctx, flow); err != nil {
		w.Fatal(err)
	}
}

// code is the one that was texted last.
func (w *world) code() string {
	w.Helper()
	code, err := w.codes.Code(w.texts[len(w.texts)-1].Code)
	if err != nil {
		w.Fatal(err)
	}
	return code
}

// pool is a database's.
type pool struct {
	*sql.DB
	conflicts, connections uint64
}

func (p pool) Pool() *sql.DB                            { return p.DB }
func (p pool) Repeats() (conflicts, connections uint64) { return p.conflicts, p.connections }

// watched is traffic that was looked at.
type watched struct{}

func (watched) Alerts() map[string]fraud.Alert {
	return map[string]fraud.Alert{"882": {Alarm: fraud.AlarmShare, Texts: 60, Confirmed: 2}, "49": {Alarm: fraud.AlarmBudget, Texts: 100}}
}

func (watched) Settled() []fraud.Traffic {
	return []fraud.Traffic{{CallingCode: "882", Texts: 61, Sent: 60, Confirmed: 2}, {Texts: 1, Sent: 1}}
}
