package config

import (
	"fmt"
	"maps"
	"math"
	"net/netip"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Gateway is one way to send texts. Its further keys are those of its type, and
// named as the provider names them; each secret also comes as KEY_file, the name
// of a file.
type Gateway struct {
	ID          string        `koanf:"id" usage:"its name, in routes, in the log and in the URL for receipts"`
	Type        string        `koanf:"type" usage:"http, vonage, twilio, messagebird, bird, sinch, kannel, sns or simulator"`
	Timeout     time.Duration `koanf:"timeout" usage:"longest wait for one answer, at most 15s; 10s if not given"`
	Rate        float64       `koanf:"rate" usage:"texts a second from one process; 0 for no limit"`
	Concurrency int           `koanf:"concurrency" usage:"texts at once from one process, at most 4096; 1024 if not given"`

	Endpoint        string        `koanf:"endpoint" usage:"URL to send to instead of the provider's own: https, or http on this machine; for kannel any"`
	ReceiptSecret   Secret        `koanf:"receipt_secret" usage:"secret in the URL for receipts, at least 16 letters, digits, - . _ ~; without it no receipts are taken"`
	SignatureSecret Secret        `koanf:"signature_secret" usage:"secret that receipts are signed with (bird: the signing key of the webhook); without it no receipts are taken"`
	Request         RequestConfig `koanf:"request_config" usage:"as in Kratos' courier.channels: url, method, headers, body (jsonnet at base64://, file:// or http(s)://), auth"`
	Preset          string        `koanf:"preset" usage:"provider whose answers are understood, and whose requests are made unless request_config has a body; see [sms.md](sms.md#presets)"`
	Response        string        `koanf:"response" usage:"rule for the provider's answers (jsonnet at base64://, file:// or http(s)://), a function of status, headers and body that makes sent, id, permanent, account and reason"`

	// Data are the operator's values for bodies. Some may be secret.
	Data        map[string]Secret      `koanf:"data" usage:"own values by name, for the body; any NAME also as NAME_file"`
	TemplateIDs map[string]TemplateIDs `koanf:"template_ids" usage:"by language (BCP 47): the provider's id of the registered text with a code, or code, changed and removed for each text"`

	APIKey              Secret `koanf:"api_key" usage:"API key"`
	APISecret           Secret `koanf:"api_secret" usage:"API secret"`
	AccountSID          string `koanf:"account_sid" usage:"account SID, AC…"`
	AuthToken           Secret `koanf:"auth_token" usage:"the account's auth token; receipts are signed with it"`
	APIKeySID           string `koanf:"api_key_sid" usage:"SID of an API key, SK…, to send with instead of the auth token"`
	APIKeySecret        Secret `koanf:"api_key_secret" usage:"the API key's secret"`
	MessagingServiceSID string `koanf:"messaging_service_sid" usage:"messaging service, MG…, instead of from"`
	AccessKey           Secret `koanf:"access_key" usage:"access key"`
	Originator          string `koanf:"originator" usage:"sender"`
	WorkspaceID         string `koanf:"workspace_id" usage:"workspace"`
	ChannelID           string `koanf:"channel_id" usage:"channel of type SMS"`
	ServicePlanID       string `koanf:"service_plan_id" usage:"service plan"`
	APIToken            Secret `koanf:"api_token" usage:"the service plan's API token"`
	Region              string `koanf:"region" usage:"sinch: us (if not given), eu, au, br or ca; sns: the AWS region"`
	Username            string `koanf:"username" usage:"user of the sendsms-user group"`
	Password            Secret `koanf:"password" usage:"the user's password"`
	AccessKeyID         string `koanf:"access_key_id" usage:"AWS access key; with its secret from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY if not given"`
	SecretAccessKey     Secret `koanf:"secret_access_key" usage:"the access key's secret"`
	SenderID            string `koanf:"sender_id" usage:"sender, where the country allows one"`
	From                string `koanf:"from" usage:"sender: a number or a name"`
}

// TemplateIDs name texts of one language that are registered with a provider. Text
// in their place is the id of the text with a code.
type TemplateIDs struct {
	Code    string `koanf:"code"`
	Changed string `koanf:"changed"`
	Removed string `koanf:"removed"`
}

// RequestConfig is Kratos' courier.channels[].request_config. Any part of it may
// hold credentials, so none prints.
type RequestConfig struct {
	URL     Secret            `koanf:"url" usage:"URL to call"`
	Method  string            `koanf:"method" usage:"POST if not given"`
	Headers map[string]Secret `koanf:"headers" usage:"headers by name, as JSON"`
	Body    Secret            `koanf:"body" usage:"jsonnet at base64://, file:// or http(s)://"`
	Auth    RequestAuth       `koanf:"auth"`
}

// RequestAuth is Kratos' request_config.auth.
type RequestAuth struct {
	Type   string            `koanf:"type" usage:"api_key, basic_auth or acs3; blank for none"`
	Config map[string]Secret `koanf:"config" usage:"name, value and in: header or cookie; or user and password; or access_key_id and access_key_secret, as JSON"`
}

// Route is a choice of gateways for the numbers of some calling codes.
type Route struct {
	CallingCodes []string `koanf:"calling_codes" usage:"calling codes, or beginnings of numbers of up to 7 digits such as 1876, in quotes; the longest that fits a number wins"`
	Gateways     []string `koanf:"gateways" usage:"ids of gateways, in order of preference"`
}

// gatewayKeys are the keys that a type of gateway has beside those of all.
type gatewayKeys struct{ needs, may []string }

var (
	commonKeys   = []string{"id", "type", "timeout", "rate", "concurrency"}
	gatewayTypes = map[string]gatewayKeys{
		"simulator":   {},
		"http":        {[]string{"request_config"}, []string{"receipt_secret", "preset", "response", "data", "template_ids"}},
		"vonage":      {[]string{"api_key", "api_secret", "from"}, []string{"signature_secret", "endpoint"}},
		"twilio":      {[]string{"account_sid"}, []string{"auth_token", "api_key_sid", "api_key_secret", "from", "messaging_service_sid", "endpoint"}},
		"messagebird": {[]string{"access_key", "originator"}, []string{"receipt_secret", "endpoint"}},
		"bird":        {[]string{"access_key", "workspace_id", "channel_id"}, []string{"signature_secret", "endpoint"}},
		"sinch":       {[]string{"service_plan_id", "api_token"}, []string{"region", "from", "receipt_secret", "endpoint"}},
		"kannel":      {[]string{"username", "password"}, []string{"from", "receipt_secret", "endpoint"}},
		"sns":         {[]string{"region"}, []string{"access_key_id", "secret_access_key", "sender_id", "endpoint"}},
	}
	sinchRegions = []string{"", "us", "eu", "au", "br", "ca"}

	gatewayID     = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$`)
	regionName    = regexp.MustCompile(`^[a-z0-9-]*$`)
	receiptSecret = regexp.MustCompile(`^[A-Za-z0-9._~-]{16,256}$`)
)

const (
	longestTimeout     = 15 * time.Second
	highestConcurrency = 4096
)

func (c Config) checkGateways(f *faults) {
	f.unless(len(c.SMS.Gateways) > 0, "sms.gateways", "is missing: at least one gateway; type simulator shows texts in place of sending them")
	f.unless(c.SMS.Product != "", "sms.product", "is missing")
	seen := map[string]bool{}
	for i, g := range c.SMS.Gateways {
		at := fmt.Sprintf("sms.gateways[%d].", i)
		f.unless(gatewayID.MatchString(g.ID), at+"id", "must be a name of letters, digits, - and _")
		f.unless(!seen[g.ID], at+"id", "is used twice")
		seen[g.ID] = true
		f.unless(g.Timeout >= 0 && g.Timeout <= longestTimeout, at+"timeout", "must be at most 15s")
		f.unless(g.Rate >= 0 && !math.IsInf(g.Rate, 1), at+"rate", "must not be negative")
		f.unless(g.Concurrency >= 0 && g.Concurrency <= highestConcurrency, at+"concurrency", fmt.Sprintf("must be at most %d", highestConcurrency))
		g.checkKeys(f, at)
		g.checkValues(f, at)
		receipts := g.ReceiptSecret != "" || g.SignatureSecret != ""
		f.unless(!receipts || c.Public.BaseURL != "", at+"type", "receipts need public.base_url")
	}
	c.checkRoutes(f, seen)
}

// checkKeys compares the keys that are set with those of the type.
func (g Gateway) checkKeys(f *faults, at string) {
	keys, known := gatewayTypes[g.Type]
	if !known {
		f.unless(false, at+"type", unknownType(g.Type))
		return
	}
	fields := reflect.ValueOf(g)
	for i := range fields.NumField() {
		key := fields.Type().Field(i).Tag.Get("koanf")
		set := !fields.Field(i).IsZero()
		if slices.Contains(commonKeys, key) {
			continue
		}
		needed := slices.Contains(keys.needs, key)
		f.unless(set || !needed, at+key, "is missing")
		f.unless(!set || needed || slices.Contains(keys.may, key), at+key, "is no key of type "+g.Type)
	}
}

// GatewayTypes are the names of the types of gateway.
func GatewayTypes() []string { return slices.Sorted(maps.Keys(gatewayTypes)) }

// unknownType says which types there are, and which one was probably meant.
func unknownType(name string) string {
	known := strings.Join(GatewayTypes(), ", ")
	switch near := Nearest(strings.ToLower(name), GatewayTypes()); {
	case name == "":
		return "is missing: one of " + known
	case gatewayKnown(strings.ToLower(name)):
		return "must be in small letters: " + strings.ToLower(name)
	case near != "":
		return "is none of " + known + "; did you mean " + near + "?"
	default:
		return "is none of " + known + "; a provider with a plain HTTP API is an http gateway"
	}
}

func gatewayKnown(name string) bool {
	_, known := gatewayTypes[name]
	return known
}

// checkValues looks at what the keys hold, and at those that go together.
func (g Gateway) checkValues(f *faults, at string) {
	fields := reflect.ValueOf(g)
	for i := range fields.NumField() {
		text := fields.Field(i)
		if text.Kind() == reflect.String {
			f.unless(!strings.ContainsFunc(text.String(), func(r rune) bool { return r < ' ' || r == 0x7f }),
				at+fields.Type().Field(i).Tag.Get("koanf"), "must be one line")
		}
	}
	f.unless(g.Endpoint == "" || isURL(g.Endpoint) && (g.Type == "kannel" || isPrivate(g.Endpoint)),
		at+"endpoint", "must be an https URL, or an http URL of this machine")
	f.unless(g.ReceiptSecret == "" || receiptSecret.MatchString(g.ReceiptSecret.Reveal()),
		at+"receipt_secret", "must have at least 16 letters, digits, - . _ ~")
	switch g.Type {
	case "twilio":
		f.unless(g.AuthToken != "" || g.APIKeySID != "", at+"auth_token", "is missing, and so is api_key_sid")
		f.unless((g.APIKeySID == "") == (g.APIKeySecret == ""), at+"api_key_secret", "goes together with api_key_sid")
		f.unless((g.From == "") != (g.MessagingServiceSID == ""), at+"from", "or messaging_service_sid: one of them is needed")
	case "sinch":
		f.unless(slices.Contains(sinchRegions, g.Region), at+"region", "must be us, eu, au, br or ca")
	case "sns":
		f.unless(regionName.MatchString(g.Region), at+"region", "must be the name of an AWS region")
		f.unless((g.AccessKeyID == "") == (g.SecretAccessKey == ""), at+"secret_access_key", "goes together with access_key_id")
	}
}

// checkRoutes looks for what no gateway or more than one route answers to.
func (c Config) checkRoutes(f *faults, gateways map[string]bool) {
	taken := map[string]bool{}
	for i, r := range c.SMS.Routes {
		at := fmt.Sprintf("sms.routes[%d].", i)
		f.unless(len(r.CallingCodes) > 0, at+"calling_codes", "is missing")
		for _, code := range r.CallingCodes {
			f.unless(!taken[code], at+"calling_codes", "has one that was named before")
			taken[code] = true
		}
		f.unless(len(r.Gateways) > 0, at+"gateways", "is missing")
		for j, id := range r.Gateways {
			f.unless(gateways[id], at+"gateways", "must be ids of gateways")
			f.unless(!slices.Contains(r.Gateways[:j], id), at+"gateways", "names one twice")
		}
	}
}

// isPrivate reports whether nobody on the way can read what is sent to a URL.
func isPrivate(text string) bool {
	u, err := url.Parse(text)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(u.Hostname())
	return u.Scheme == "https" || u.Hostname() == "localhost" || err == nil && ip.IsLoopback()
}
