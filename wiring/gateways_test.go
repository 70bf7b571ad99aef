package wiring_test

import (
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/holdline/holdline/config"
	"github.com/holdline/holdline/smsgateway/provider"
	"github.com/holdline/holdline/wiring"
)

func TestProvidersReportWhereReceiptsCanBeProven(t *testing.T) {
	const public, plain = "https://login.example.com/", "http://127.0.0.1:4477"
	for name, tt := range map[string]struct {
		base    string
		gateway config.Gateway
		want    string
	}{
		"Twilio signs with the token":      {public, config.Gateway{ID: "t", Type: "twilio", AuthToken: "x"}, "https://login.example.com/sms/receipts/t"},
		"Twilio cannot call this machine":  {plain, config.Gateway{ID: "t", Type: "twilio", AuthToken: "x"}, ""},
		"Twilio signs not with an API key": {public, config.Gateway{ID: "t", Type: "twilio", APIKeySID: "x"}, ""},
		"Vonage signs with its secret":     {plain, config.Gateway{ID: "v", Type: "vonage", SignatureSecret: "x"}, "http://127.0.0.1:4477/sms/receipts/v"},
		"Vonage without one":               {public, config.Gateway{ID: "v", Type: "vonage"}, ""},
		"others bring theirs along":        {public, config.Gateway{ID: "k", Type: "kannel", ReceiptSecret: "a-b_c"}, "https://login.example.com/sms/receipts/k?secret=a-b_c"},
		"others without one":               {public, config.Gateway{ID: "k", Type: "kannel"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			if got := wiring.ReceiptURL(tt.base, tt.gateway); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestSNSNeedsCredentialsFromSomewhere(t *testing.T) {
	cfg := config.Default()
	cfg.SMS.Gateways = []config.Gateway{{ID: "a", Type: "sns", Region: "eu-west-1"}}
	t.Setenv("AWS_ACCESS_KEY_ID", "")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "")
	if err := wiring.Check(cfg); err == nil || !strings.Contains(err.Error(), "sms.gateways[0].access_key_id: is missing") {
		t.Errorf("got %v", err)
	}
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIA")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "x")
	if err := wiring.Check(cfg); err != nil {
		t.Errorf("got %v with AWS' variables", err)
	}
}

func TestTheFirstLookNamesItsOwnAddress(t *testing.T) {
	for _, host := range []string{"127.0.0.1", "localhost", "::1"} {
		for _, port := range []int{0, 4477} {
			cfg := config.Default()
			cfg.Public.Host, cfg.Public.Port = host, port
			cfg.SMS.Gateways = []config.Gateway{{ID: "phone", Type: "simulator"}}
			if err := wiring.Check(cfg); err != nil {
				t.Errorf("%s, port %d: %v", host, port, err)
			}
		}
	}
}

func TestCodesWorthGuessingAreRefusedAtStart(t *testing.T) {
	cfg := config.Default()
	cfg.SMS.Gateways = []config.Gateway{{ID: "phone", Type: "simulator"}}
	cfg.OTP.Length = 4
	if err := wiring.Check(cfg); err != nil {
		t.Errorf("four digits for 5 minutes: %v", err)
	}
	cfg.Feature.Update.Mobile.Validity = 24 * time.Hour
	err := wiring.Check(cfg)
	if err == nil || !strings.Contains(err.Error(), "otp.length: ") || !strings.Contains(err.Error(), "verification_sms_otp_validity") {
		t.Errorf("four digits for a day: %v, want both settings named", err)
	}
	cfg.OTP.Length, cfg.Mobile.AllowedCodes = 6, []string{"881"}
	if err := wiring.Check(cfg); err == nil || !strings.Contains(err.Error(), "mobile.denied_types") {
		t.Errorf("satellites allowed and denied: %v", err)
	}
}

// Package config refuses types of gateway, and keys of theirs, by a list of its own.
func TestTheConfigurationKnowsTheTypesOfGateway(t *testing.T) {
	want := append(provider.Types(), "simulator")
	slices.Sort(want)
	if got := config.GatewayTypes(); !slices.Equal(got, want) {
		t.Errorf("the configuration knows %q, there are %q", got, want)
	}
	field, _ := reflect.TypeFor[config.Gateway]().FieldByName("Type")
	named := regexp.MustCompile(`[a-z]{3,}`).FindAllString(strings.ReplaceAll(field.Tag.Get("usage"), " or ", " "), -1)
	slices.Sort(named)
	if !slices.Equal(named, want) {
		t.Errorf("the reference names %q, there are %q", named, want)
	}
}

func TestRoutesAndBudgetsAreForCallingCodesThatThereAre(t *testing.T) {
	check := func(routed []string, budget string) error {
		cfg := config.Default()
		cfg.SMS.Gateways = []config.Gateway{{ID: "phone", Type: "simulator"}}
		cfg.SMS.Routes = []config.Route{{CallingCodes: routed, Gateways: []string{"phone"}}}
		cfg.Traffic.Budgets = []config.TrafficBudget{{CallingCode: budget}}
		return wiring.Check(cfg)
	}
	if err := check([]string{"1", "1876", "882", "4475123"}, "882"); err != nil {
		t.Error(err)
	}
	for _, code := range []string{"", "999", "+49", "049", "4x", "4915112345678"} {
		err := check([]string{"1", code}, code)
		if err == nil || !strings.Contains(err.Error(), "sms.routes[0].calling_codes: ") || !strings.Contains(err.Error(), "traffic.budgets[0].calling_code: ") {
			t.Errorf("%q: got %v, want faults of the route and of the budget", code, err)
		}
		if err != nil && strings.Contains(err.Error(), "4915112") {
			t.Errorf("%v repeats a number", err)
		}
	}
	if err := check([]string{"1876"}, "1876"); err == nil || strings.Contains(err.Error(), "routes") {
		t.Errorf("a budget for a part of a calling code: got %v", err)
	}
}
