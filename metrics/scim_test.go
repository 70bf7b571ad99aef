package metrics_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/holdline/holdline/internal/scim/reconcile"
	"github.com/holdline/holdline/metrics"
)

// scraped expects lines in what Prometheus is answered.
func scraped(t *testing.T, m *metrics.Metrics, lines ...string) {
	t.Helper()
	recorder := httptest.NewRecorder()
	m.Handler().ServeHTTP(recorder, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil))
	got := "\n" + recorder.Body.String()
	for _, line := range lines {
		if recorder.Code != http.StatusOK || !strings.Contains(got, "\n"+line) {
			t.Errorf("status %d without %q", recorder.Code, line)
		}
	}
	if t.Failed() {
		t.Log(got)
	}
}

func TestMetricsFollowThePasses(t *testing.T) {
	m := metrics.New("test", time.Now)
	now := time.Unix(1_800_000_000, 0)
	scraped(
		t, m, "go_goroutines ", "process_start_time_seconds ", "holdline_scim_reconcile_running 0\n",
		"holdline_scim_reconcile_last_success_timestamp_seconds 0\n", "holdline_scim_reconcile_changed_total 0\n",
	)
	p := reconcile.Progress{Identities: 250, Changed: 3, Pages: 1, Began: now}
	m.Reconciled(p, false, now)
	p.Identities, p.Changed = 500, 5
	m.Reconciled(p, false, now)
	scraped(
		t, m, "holdline_scim_reconcile_running 1\n", "holdline_scim_reconcile_identities 500\n",
		"holdline_scim_reconcile_changed_total 5\n", "holdline_scim_reconcile_last_success_timestamp_seconds 0\n",
	)
	p.Deleted = 2
	m.Reconciled(p, true, now)
	scraped(
		t, m, "holdline_scim_reconcile_running 0\n", "holdline_scim_reconcile_deleted_total 2\n",
		"holdline_scim_reconcile_changed_total 5\n", "holdline_scim_reconcile_last_success_timestamp_seconds 1.8e+09\n",
	)
	next := reconcile.Progress{Identities: 250, Changed: 1, Began: now.Add(time.Hour)}
	m.Reconciled(next, false, now)
	m.Unreconciled(next)
	scraped(
		t, m, "holdline_scim_reconcile_running 0\n", "holdline_scim_reconcile_changed_total 6\n",
		"holdline_scim_reconcile_identities 250\n", "holdline_scim_reconcile_last_success_timestamp_seconds 1.8e+09\n",
	)
}
