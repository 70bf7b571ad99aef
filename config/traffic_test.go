package config_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/holdline/holdline/config"
)

func TestTrafficIsRead(t *testing.T) {
	c, err := load(t, "holdline.yml", good+`
traffic:
  mode: enforce
  texts_per_calling_code_per_hour: 500
  budgets: [{calling_code: "882", texts_per_hour: 20}, {calling_code: "44"}]
  min_confirmed_share: 0.3
`, []string{"HOLDLINE_TRAFFIC_MIN_CONFIRMED_SHARE=0.4"}, []string{"--traffic-window", "2h"})
	if err != nil {
		t.Fatal(err)
	}
	budgets := []config.TrafficBudget{{CallingCode: "882", TextsPerHour: 20}, {CallingCode: "44"}}
	got := c.Traffic
	if got.Mode != "enforce" || got.TextsPerHour != 500 || !slices.Equal(got.Budgets, budgets) ||
		got.MinShare != 0.4 || got.MinTexts != 50 || got.Window != 2*time.Hour {
		t.Errorf("got %+v", got)
	}
}

func TestImpossibleTrafficIsRefused(t *testing.T) {
	for name, tt := range map[string]struct{ content, want string }{
		"mode":                   {"{mode: alarm}", "traffic.mode"},
		"negative budget":        {"{texts_per_calling_code_per_hour: -1}", "traffic.texts_per_calling_code_per_hour"},
		"more than all":          {"{min_confirmed_share: 25}", "traffic.min_confirmed_share"},
		"negative share":         {"{min_confirmed_share: -0.1}", "traffic.min_confirmed_share"},
		"negative number":        {"{min_texts: -1}", "traffic.min_texts"},
		"no time for a code":     {"{mode: record, window: 5m}", "traffic.window"},
		"more than is kept":      {"{mode: record, window: 25h}", "traffic.window"},
		"a code's second budget": {"{budgets: [{calling_code: '49'}, {calling_code: '49'}]}", "traffic.budgets[1].calling_code"},
		"a code's negative one":  {"{budgets: [{calling_code: '49', texts_per_hour: -1}]}", "traffic.budgets[0].texts_per_hour"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := load(t, "holdline.yml", good+"traffic: "+tt.content+"\n", nil, nil)
			if err == nil || !strings.Contains(err.Error(), tt.want+": ") || strings.Count(err.Error(), "\n") > 0 {
				t.Errorf("got %v, want one fault of %s", err, tt.want)
			}
		})
	}
	// A watch that is off does not mind how long codes are good.
	if _, err := load(t, "holdline.yml", good+"traffic: {window: 5m}\n", nil, nil); err != nil {
		t.Error(err)
	}
}

func TestLoginLimitsAreChecked(t *testing.T) {
	for content, want := range map[string]string{
		"{login_failures_per_user: -1}": "limits.login_failures_per_user",
		"{login_window: 0}":             "limits.login_window",
	} {
		if _, err := load(t, "holdline.yml", good+"limits: "+content+"\n", nil, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want a fault of %s", err, want)
		}
	}
	c, err := load(t, "holdline.yml", good+"limits: {login_failures_per_user: 0}\n", nil, nil)
	if err != nil || c.Limits.LoginFailures != 0 || c.Limits.LoginWindow != 15*time.Minute {
		t.Errorf("got %+v, %v", c.Limits, err)
	}
}
