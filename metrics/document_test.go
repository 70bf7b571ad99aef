package metrics_test

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	_ "github.com/go-sql-driver/mysql"
	dto "github.com/prometheus/client_model/go"

	"github.com/holdline/holdline/internal/admin"
	"github.com/holdline/holdline/internal/auth"
	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/internal/storetest"
	"github.com/holdline/holdline/smsgateway"
)

// row is a line of the document's table.
var row = regexp.MustCompile("(?m)^\\| `(holdline_[a-z_]+)` \\| ([a-z]+) \\|([^|]*)\\|")

// documented returns what docs/metrics.md says of each metric.
func documented(t *testing.T) map[string]string {
	t.Helper()
	document, err := os.ReadFile("../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	lines := map[string]string{}
	for _, found := range row.FindAllStringSubmatch(string(document), -1) {
		var labels []string
		for _, label := range strings.Split(found[3], ",") {
			if label = strings.Trim(strings.TrimSpace(label), "`"); label != "" {
				labels = append(labels, label)
			}
		}
		slices.Sort(labels)
		lines[found[1]] = fmt.Sprint(found[2], labels)
	}
	return lines
}

// everything has met each metric once.
func everything(t *testing.T) meter {
	t.Helper()
	w := newWorld(t)
	w.submit(m1)
	pool := pool{conflicts: 1}
	var err error
	if pool.DB, err = sql.Open("mysql", "nobody@tcp(127.0.0.1:1)/none"); err != nil { // it is never asked
		t.Fatal(err)
	}
	t.Cleanup(func() { pool.Close() })
	w.Database(pool)
	w.Waiting(func(context.Context) (admin.Waiting, error) { return admin.Waiting{}, nil }, w.Now)
	w.Traffic(watched{})
	w.Expiring([]auth.Token{{Name: "okta", ExpiresAt: w.Now()}})
	w.GatewayHealth(func() []smsgateway.GatewayHealth { return []smsgateway.GatewayHealth{{ID: "main"}} })
	_, _ = w.Gateway("main", answers{}).Send(t.Context(), smsgateway.Message{})
	if err := w.Receipts(storetest.NewStore()).Record(t.Context(), message.Receipt{Gateway: "main", State: message.ReceiptAccepted}); err != nil {
		t.Fatal(err)
	}
	_, ended := w.KratosCall(t.Context(), "read session")
	ended(nil)
	w.ask(w.serve(), http.MethodGet, "/claims/1")
	return w.meter
}

func TestTheDocumentListsTheMetricsThatThereAre(t *testing.T) {
	documented, exported := documented(t), map[string]string{}
	for name, family := range everything(t).families() {
		if !strings.HasPrefix(name, "holdline_") {
			continue
		}
		var labels []string
		for _, label := range family.GetMetric()[0].GetLabel() {
			labels = append(labels, label.GetName())
		}
		slices.Sort(labels)
		exported[name] = fmt.Sprint(strings.ToLower(family.GetType().String()), labels)
	}
	if len(documented) == 0 {
		t.Fatal("docs/metrics.md has lost its table")
	}
	for name, want := range exported {
		if documented[name] != want {
			t.Errorf("%s is %s, and %q in docs/metrics.md", name, want, documented[name])
		}
	}
	for name := range documented {
		if exported[name] == "" {
			t.Errorf("docs/metrics.md has %s, which is not exported", name)
		}
	}
}

// Names end in what they count (https://prometheus.io/docs/practices/naming/).
func TestNamesFollowTheConventions(t *testing.T) {
	families := everything(t).families()
	for _, name := range slices.Sorted(maps.Keys(families)) {
		counts := families[name].GetType() == dto.MetricType_COUNTER
		if strings.HasPrefix(name, "holdline_") && counts != strings.HasSuffix(name, "_total") {
			t.Errorf("%s is a %s", name, families[name].GetType())
		}
		if families[name].GetType() == dto.MetricType_HISTOGRAM && !strings.HasSuffix(name, "_seconds") {
			t.Errorf("%s has no unit", name)
		}
		if families[name].GetHelp() == "" {
			t.Errorf("%s does not say what it is", name)
		}
	}
}
