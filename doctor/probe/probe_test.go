package probe_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/holdline/holdline/config"
	"github.com/holdline/holdline/doctor/probe"
)

// Codes and numbers go to gateways and to the webhook, so these are the addresses
// that matter most.
func TestAddressesWithoutTLSAreNamed(t *testing.T) {
	request := config.RequestConfig{URL: "http://user:hunter2@sms.example.com/a-token-in-the-path?key=secret"}
	cfg := config.Default()
	cfg.Hooks.APIKey = "the hook key of the doctor's tests"
	cfg.SMS.Gateways = []config.Gateway{
		{ID: "own", Type: "http", Request: request},
		{ID: "kannel", Type: "kannel", Endpoint: "http://kannel.example.com:13013"},
		{ID: "vonage", Type: "vonage"},
		{ID: "local", Type: "http", Request: config.RequestConfig{URL: "http://127.0.0.1:9/"}},
		{ID: "ruled", Type: "http", Response: "base64://", Request: config.RequestConfig{URL: "http://127.0.0.1:9/"}},
		{ID: "preset", Type: "http", Preset: "twilio", Request: config.RequestConfig{URL: "http://127.0.0.1:9/"}},
	}
	cfg.Notices.Webhook.Request = request
	cfg.Tracing.Endpoint = "http://collector.example.com:4318"
	report, err := probe.Examine(t.Context(), cfg, probe.Options{Offline: true})
	if err != nil {
		t.Fatal(err)
	}
	var named []string
	for _, f := range report.Findings {
		if f.ID == "plain-http" {
			named = append(named, f.Place.Key)
		}
	}
	slices.Sort(named)
	if want := []string{
		"notices.webhook.request_config.url", "sms.gateways[0].request_config.url", "sms.gateways[1].endpoint", "tracing.otlp_endpoint",
	}; !slices.Equal(named, want) {
		t.Errorf("named %q, want %q", named, want)
	}
	var withoutRule []string
	for _, f := range report.Findings {
		if f.ID == "gateway-without-response" {
			withoutRule = append(withoutRule, f.Place.Key)
		}
	}
	if want := []string{"sms.gateways[0]", "sms.gateways[3]"}; !slices.Equal(withoutRule, want) {
		t.Errorf("without a rule %q, want %q", withoutRule, want)
	}
	var printed strings.Builder
	if err := report.WriteJSON(&printed); err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"hunter2", "a-token-in-the-path", "key=secret"} {
		if strings.Contains(printed.String(), secret) {
			t.Errorf("%q is in the report", secret)
		}
	}
}
