package provider

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // Twilio's choice; as a MAC it is not broken
	"encoding/base64"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/smsgateway"
	"github.com/holdline/holdline/smsgateway/receipt"
)

// twilioAPI is Twilio's Messages resource:
// https://www.twilio.com/docs/messaging/api/message-resource. Its codes:
// https://www.twilio.com/docs/api/errors.
type twilioAPI struct {
	AccountSID, AuthToken     string
	APIKeySID, APIKeySecret   string // instead of the token, if not blank
	From, MessagingServiceSID string // one of them
	Endpoint                  string // the account's at https://api.twilio.com if blank
	Callback                  string // URL for receipts; blank for none
}

// twilio proves its receipts ("Track outbound message status") by the auth token, so that
// they need no setting of their own.
var twilio = Type{
	api: func(s Settings, callback string) api {
		return twilioAPI{
			AccountSID: s["account_sid"], AuthToken: s["auth_token"], APIKeySID: s["api_key_sid"], APIKeySecret: s["api_key_secret"],
			From: s["from"], MessagingServiceSID: s["messaging_service_sid"], Endpoint: s["endpoint"], Callback: callback,
		}
	},
	Receipts: receipt.Format{
		Open: openTwilio, MessageID: []string{"MessageSid"}, Status: "MessageStatus", ErrorCode: "ErrorCode",
	},
	ReceiptSecret: "auth_token", PublicCallback: true,
}

func (t twilioAPI) request(ctx context.Context, m smsgateway.Message) (*http.Request, error) {
	form := url.Values{"To": {m.To.Unmasked()}, "Body": {m.Body}}
	for name, value := range map[string]string{
		"From": t.From, "MessagingServiceSid": t.MessagingServiceSID, "StatusCallback": t.Callback,
	} {
		if value != "" {
			form.Set(name, value)
		}
	}
	standard := "https://api.twilio.com/2010-04-01/Accounts/" + url.PathEscape(t.AccountSID) + "/Messages.json"
	req, err := postForm(ctx, cmp.Or(t.Endpoint, standard), form)
	if err != nil {
		return nil, err
	}
	if t.APIKeySID != "" {
		req.SetBasicAuth(t.APIKeySID, t.APIKeySecret)
	} else {
		req.SetBasicAuth(t.AccountSID, t.AuthToken)
	}
	return req, nil
}

func (t twilioAPI) parseAnswer(_ context.Context, a answer) (string, error) {
	code := cmp.Or(a.field("code"), a.field("error_code"))
	if c := twilioClass(code); c != unknown {
		return "", a.classify(c, "the provider answers code "+code)
	}
	if err := a.byAccountStatus(); err != nil {
		return "", err
	}
	if status := a.field("status"); status == "failed" || status == "undelivered" {
		return "", a.classify(refusesMessage, "the provider gives the message up")
	}
	return a.acceptedID("sid")
}

// twilioClass knows the codes that the status does not tell apart, and those
// that operators meet most.
func twilioClass(code string) class {
	switch code {
	case "20429", "20500", "20503", // too many requests, internal error, away
		"14107", "21611", "30001", "30022": // send rate, the sender's queue is full
		return transient
	case "10001", "20003", "20005", "20006", "20008", "20404", "30002", "63038", // inactive, credentials, access, test credentials, no such account, suspended, daily limit
		"21212", "21267", "21603", "21606", "21607", "21608", "21659", "21660", "21661", "21701", "21703", "21705", // sender, trial
		"21609": // callback
		return refusesAccount
	case "21211", "21214", "21217", "21265", "21266", "21268", "21408", "21604", "21610", "21612", "21614", "21635", // number, region, opted out, unreachable
		"21617", "30003", "30004", "30005", "30006", "30007":
		return refusesMessage
	}
	return unknown
}

// account is the account itself: https://www.twilio.com/docs/iam/api/account. API
// keys may be refused there although they may send, so nothing is asked for them.
func (t twilioAPI) account(ctx context.Context) (*http.Request, error) {
	if t.APIKeySID != "" {
		return nil, nil //nolint:nilnil // nothing to ask is no error
	}
	req, err := besideEndpoint(ctx, t.Endpoint, "https://api.twilio.com", "/2010-04-01/Accounts/"+t.AccountSID+".json")
	if err == nil {
		req.SetBasicAuth(t.AccountSID, t.AuthToken)
	}
	return req, err
}

// openTwilio checks X-Twilio-Signature (Twilio, "Webhooks security"): HMAC-SHA1,
// in base64, of the URL and the form's names and values, sorted. Whether the URL
// has the scheme's usual port in it differs at Twilio, so both are right.
func openTwilio(token string, r receipt.Request) (receipt.Fields, error) {
	form, err := url.ParseQuery(string(r.Body))
	if err != nil {
		return nil, message.ErrReceiptUnproven
	}
	var values strings.Builder
	for _, name := range slices.Sorted(maps.Keys(form)) {
		for _, value := range form[name] {
			values.WriteString(name + value)
		}
	}
	given, err := base64.StdEncoding.DecodeString(r.Header.Get("X-Twilio-Signature"))
	for _, called := range []string{r.URL, otherPort(r.URL)} {
		if err == nil && hmac.Equal(given, receipt.MAC(sha1.New, token, called+values.String())) {
			read := receipt.Fields{}
			read.Add(form)
			read.Add(r.Query)
			return read, nil
		}
	}
	return nil, message.ErrReceiptUnproven
}

// otherPort adds the scheme's usual port to a URL, or takes a port away.
func otherPort(called string) string {
	u, err := url.Parse(called)
	if err != nil {
		return called
	}
	switch {
	case u.Port() != "":
		u.Host = strings.TrimSuffix(u.Host, ":"+u.Port())
	case u.Scheme == "https":
		u.Host += ":443"
	default:
		u.Host += ":80"
	}
	return u.String()
}
