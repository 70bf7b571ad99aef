package provider

import (
	"errors"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/holdline/holdline/smsgateway"
	"github.com/holdline/holdline/smsgateway/receipt"
)

// providers are those that have a type of gateway of their own. A new one is a file of
// this package and its name here.
var providers = map[string]Type{
	"bird": bird, "kannel": kannel, "messagebird": messageBird, "sinch": sinch, "sns": amazonSNS, "twilio": twilio,
	"vonage": vonage,
}

// ForType returns what is known of a type of gateway. That of type http is any
// provider.
func ForType(name string) (Type, bool) {
	if name == "http" {
		return anyProvider, true
	}
	t, known := providers[name]
	return t, known
}

// Types are the names of the types of gateway, in order. The simulator is none: it sends
// nothing.
func Types() []string {
	return slices.Sorted(slices.Values(append(slices.Collect(maps.Keys(providers)), "http")))
}

// Type is what this package knows of a type of gateway. It has an API, or else New.
type Type struct {
	// api returns the provider's API with an operator's settings. A callback is the URL
	// that receipts are to be sent to; blank for none, or for the account's own.
	api func(s Settings, callback string) api
	new func(c Config) (smsgateway.Gateway, error)

	// Receipts is how receipts are proven and read; the zero value if there are none.
	Receipts receipt.Format
	// ReceiptSecret names the setting that proves receipts.
	ReceiptSecret string
	// PublicCallback says that texts with a callback which the provider cannot call
	// are refused.
	PublicCallback bool
}

// Settings are an operator's for one gateway, by their keys in the configuration.
type Settings map[string]string

// Config is what a gateway is made of.
type Config struct {
	Settings Settings
	Request  RequestConfig // of type http
	Callback string        // URL for receipts; blank for none
	Options  HTTPOptions
}

// New returns a gateway, or every fault of its configuration.
func New(name string, c Config) (smsgateway.Gateway, error) {
	t, known := ForType(name)
	switch {
	case !known:
		return nil, errors.New("type: is none of " + strings.Join(Types(), ", "))
	case t.new != nil:
		return t.new(c)
	}
	return newGateway(t.api(c.Settings, c.Callback), c.Options), nil
}

// Callback returns the URL for receipts under the one at which this server takes
// them; blank if they could not be proven, or if the provider could not call it.
func (t Type) Callback(receipts string, s Settings) string {
	secret := s[t.ReceiptSecret]
	if secret == "" || t.PublicCallback && !strings.HasPrefix(receipts, "https://") {
		return ""
	}
	if t.ReceiptSecret == receiptSecret {
		receipts += "?secret=" + url.QueryEscape(secret)
	}
	return receipts
}

// receiptSecret is the setting of providers that sign nothing: the URL for receipts
// carries it.
const receiptSecret = "receipt_secret"
