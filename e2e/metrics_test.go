package e2e_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
	"go.yaml.in/yaml/v3"

	"github.com/holdline/holdline/e2e/harness"
)

// One change is counted at each station, and what watches Holdline asks for what
// is counted.
func TestMetricsTellOfAChangeAndNothingOfThePerson(t *testing.T) {
	t.Parallel()
	s := harness.NewStack(t, harness.Options{
		Holdline: harness.Overlay{
			"traffic": harness.Overlay{"mode": "record", "min_texts": 1, "min_confirmed_share": 1.0},
			"otp":     harness.Overlay{"length": 10, "alphabet": "alphanumeric"}, // no number is one by chance
		},
		Gateway: harness.Overlay{"receipt_secret": "receipts-of-the-test"},
	})
	bob, eve := s.NewPerson(t, m0), s.NewPerson(t, m3)
	eve.Ask(t, m4)
	text := bob.Ask(t, m1)
	wantFault(t, bob.Confirm(t, "WRQNGCQDE2"), http.StatusBadRequest, "18001")
	wantEmpty(t, bob.Confirm(t, text.Code), http.StatusAccepted)
	wantEmpty(t, eve.Me(t, http.MethodDelete, "mobile-claim", ""), http.StatusNoContent)
	harness.Send(t, http.MethodGet, s.Holdline.PublicURL+"/"+m1+"?code="+text.Code, "")

	// Only codes that have had their time to come back count as traffic.
	s.Database.Server.Exec(t, "UPDATE "+s.Database.Name+".texts SET created_at = created_at - INTERVAL '10' MINUTE")
	var found harness.Samples
	var answer string
	harness.Eventually(t, "both codes count in the traffic", func() error {
		found, answer = s.Holdline.Scrape(t)
		sent := found.Sum("holdline_traffic_window_codes_sent")
		if sent < 2 || found.Sum("holdline_texts_total", "kind=changed", "state=sent") == 0 {
			return fmt.Errorf("%v so far", sent)
		}
		return nil
	})
	for _, want := range []struct {
		value  float64
		name   string
		labels []string
	}{
		{2, "holdline_hook_decisions_total", []string{"hook=stage", "outcome=challenge"}},
		{2, "holdline_hook_decisions_total", []string{"hook=activate", "outcome=done"}},
		{2, "holdline_claims_total", []string{"outcome=open"}},
		{1, "holdline_claims_total", []string{"outcome=verified"}},
		{1, "holdline_claims_total", []string{"outcome=applied"}},
		{1, "holdline_claims_total", []string{"outcome=cancelled"}},
		{0, "holdline_claims_total", []string{"outcome=conflict"}},
		{0, "holdline_claims_pending", []string{"state=verified"}},
		{1, "holdline_code_tries_total", []string{"outcome=right"}},
		{1, "holdline_code_tries_total", []string{"outcome=wrong"}},
		{2, "holdline_texts_total", []string{"kind=code", "state=sent"}},
		{2, "holdline_text_wait_seconds_count", []string{"kind=code"}},
		{3, "holdline_gateway_sends_total", []string{"gateway=provider", "outcome=sent"}},
		{1, "holdline_gateway_state", []string{"gateway=provider", "state=closed"}},
		{2, "holdline_traffic_window_codes_sent", []string{"calling_code=49"}},
		{1, "holdline_traffic_window_codes_confirmed", []string{"calling_code=49"}},
		{1, "holdline_traffic_alarm", []string{"calling_code=49", "alarm=share"}},
		{1, "holdline_kratos_requests_total", []string{"operation=write_number", "outcome=done"}},
		{1, "holdline_http_requests_total", []string{"route=" + harness.UserAPI + "/me/validate-code", "method=POST", "status=2xx"}},
		{1, "holdline_http_requests_total", []string{"route=" + harness.UserAPI + "/me/validate-code", "method=POST", "status=4xx"}},
		{2, "holdline_http_request_duration_seconds_count", []string{"route=" + stagePath, "listener=admin"}},
		{0, "holdline_http_requests_total", []string{"status=5xx"}},
	} {
		if got := found.Sum(want.name, want.labels...); got != want.value {
			t.Errorf("%s %v is %v, want %v", want.name, want.labels, got, want.value)
		}
	}
	for what, secret := range map[string]string{
		"code": text.Code, "old number": m0[3:], "new number": m1[3:], "another's number": m4[3:], "e-mail": bob.Email, "identity": bob.ID,
	} {
		if strings.Contains(answer, secret) {
			t.Errorf("the metrics have the %s", what)
		}
	}
	t.Run("alerts", func(t *testing.T) { alertsAreSound(t, found) })
	t.Run("dashboard", func(t *testing.T) { dashboardIsSound(t, found) })
}

// byPrometheus are metrics and labels that Prometheus adds itself.
var byPrometheus = map[string]bool{"up": true, "job": true, "instance": true}

// asked parses an expression, and wants each of its selectors to find something of
// what is exported, whatever its job and instance.
func asked(t *testing.T, where, expression string, exported harness.Samples) {
	t.Helper()
	expr, err := parser.NewParser(parser.Options{}).ParseExpr(strings.ReplaceAll(expression, "$__rate_interval", "5m"))
	if err != nil {
		t.Errorf("%s: %v", where, err)
		return
	}
	parser.Inspect(expr, func(node parser.Node, _ []parser.Node) error {
		selector, ok := node.(*parser.VectorSelector)
		if !ok || byPrometheus[selector.Name] {
			return nil
		}
		found := slices.ContainsFunc(exported[selector.Name], func(sample harness.Sample) bool {
			return !slices.ContainsFunc(selector.LabelMatchers, func(m *labels.Matcher) bool {
				return m.Name != "__name__" && !byPrometheus[m.Name] && !m.Matches(sample.Labels[m.Name])
			})
		})
		if !found {
			t.Errorf("%s asks for %s, which nothing is", where, selector)
		}
		return nil
	})
}

func alertsAreSound(t *testing.T, exported harness.Samples) {
	var file struct {
		Groups []struct {
			Rules []struct {
				Alert, Expr, For    string
				Labels, Annotations map[string]string
			}
		}
	}
	if err := yaml.Unmarshal(read(t, "../deploy/prometheus/alerts.yml"), &file); err != nil {
		t.Fatal(err)
	}
	explained := regexp.MustCompile(`(?m)^### (\w+)$`).FindAllStringSubmatch(string(read(t, "../docs/metrics.md")), -1)
	var headings, alerts []string
	for _, heading := range explained {
		headings = append(headings, heading[1])
	}
	for _, group := range file.Groups {
		for _, rule := range group.Rules {
			alerts = append(alerts, rule.Alert)
			asked(t, rule.Alert, rule.Expr, exported)
			if rule.Annotations["summary"] == "" || rule.Labels["severity"] == "" || rule.For == "" {
				t.Errorf("%s lacks a summary, a severity or a duration", rule.Alert)
			}
			if want := "/docs/metrics.md#" + strings.ToLower(rule.Alert); !strings.HasSuffix(rule.Annotations["runbook_url"], want) {
				t.Errorf("%s leads to %q, want …%s", rule.Alert, rule.Annotations["runbook_url"], want)
			}
		}
	}
	if slices.Sort(headings); len(alerts) == 0 || !slices.Equal(slices.Sorted(slices.Values(alerts)), headings) {
		t.Errorf("alerts %v, and docs/metrics.md explains %v", alerts, headings)
	}
}

func dashboardIsSound(t *testing.T, exported harness.Samples) {
	var dashboard struct {
		UID    string
		Panels []struct {
			ID          int
			Title, Type string
			Targets     []struct{ Expr, LegendFormat string }
		}
	}
	if err := json.Unmarshal(read(t, "../deploy/grafana/holdline.json"), &dashboard); err != nil {
		t.Fatal(err)
	}
	seen := map[int]bool{}
	for _, panel := range dashboard.Panels {
		if seen[panel.ID] || panel.Title == "" {
			t.Errorf("panel %d %q: no title, or an id that is another's", panel.ID, panel.Title)
		}
		seen[panel.ID] = true
		if panel.Type != "row" && len(panel.Targets) == 0 {
			t.Errorf("panel %q shows nothing", panel.Title)
		}
		for _, target := range panel.Targets {
			asked(t, panel.Title, target.Expr, exported)
		}
	}
	if dashboard.UID == "" || len(seen) < 10 {
		t.Errorf("a dashboard %q of %d panels", dashboard.UID, len(seen))
	}
}

func read(t *testing.T, name string) []byte {
	t.Helper()
	content, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return content
}
