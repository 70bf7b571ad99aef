package provider_test

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/internal/storetest"
	"github.com/holdline/holdline/smsgateway/provider"
	"github.com/holdline/holdline/smsgateway/receipt"
	"github.com/holdline/holdline/smsgateway/smstest"
)

var twilioTest = providerTest{
	gatewayType: "twilio",
	path:        "/2010-04-01/Accounts/AC123/Messages.json",
	callback:    callback,
	settings:    provider.Settings{"account_sid": "AC123", "auth_token": credential, "from": "+15005550006"},
	accepted: accepted{201, `{"sid":"SM1f0e8ae6ade43cb3c0ce4525424e404f","status":"queued","to":"+447700900123","num_segments":"1",
		"error_code":null,"error_message":null}`, "SM1f0e8ae6ade43cb3c0ce4525424e404f"},
	account: account{"GET /2010-04-01/Accounts/AC123.json", ""},
	answers: []said{
		{429, twilioSays(20429), "passes after 7s"},
		{503, twilioSays(20503), "passes after 7s"},
		{400, twilioSays(21611), "passes after 7s"},
		{401, twilioSays(20003), "account"},
		{403, twilioSays(20005), "account"},
		{404, twilioSays(20404), "account"},
		{400, twilioSays(21606), "account"},
		{400, twilioSays(21659), "account"},
		{400, twilioSays(21608), "account"},
		{429, twilioSays(63038), "account"},
		{404, "", "account"},
		{400, twilioSays(21211), "refused"},
		{400, twilioSays(21214), "refused"},
		{403, twilioSays(21408), "refused"},
		{400, twilioSays(21610), "refused"},
		{400, twilioSays(21612), "refused"},
		{400, twilioSays(21614), "refused"},
		{400, twilioSays(99999), "refused"},
		{201, `{"sid":"SM1","status":"failed","error_code":30003}`, "refused"},
		{201, `{"sid":"SM1","status":"failed","error_code":null}`, "refused"},
		{200, `{"status":"queued"}`, "unsure"},
	},
	receipts: map[string]receiptCase{
		"delivered": {func(secret string) *http.Request {
			return twilioRequest(secret, smstest.ReceiptsURL, "AccountSid", "ACXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX", "ApiVersion", "2010-04-01",
				"From", "+15017250604", "MessageSid", "SM1234567890abcdef1234567890abcdef", "MessageStatus", "delivered",
				"SmsSid", "SM1234567890abcdef1234567890abcdef", "SmsStatus", "delivered", "To", "+15558675310")
		}, whole, message.Receipt{Message: "SM1234567890abcdef1234567890abcdef", State: message.ReceiptDelivered, Detail: "delivered"}},
		"undelivered, to a URL with a query and a port": {func(secret string) *http.Request {
			return twilioRequest(secret, smstest.PublicURL+":443/sms/receipts/main?site=a%2Fb",
				"ErrorCode", "30005", "MessageSid", "SM2", "MessageStatus", "undelivered")
		}, whole, message.Receipt{Message: "SM2", State: message.ReceiptUndelivered, Detail: "undelivered 30005"}},
		"sent": {func(secret string) *http.Request {
			return twilioRequest(secret, smstest.ReceiptsURL, "MessageSid", "SM3", "MessageStatus", "sent")
		}, whole, message.Receipt{Message: "SM3", State: message.ReceiptAccepted, Detail: "sent"}},
	},
}

var twilioServiceTest = providerTest{
	gatewayType: "twilio",
	path:        "/2010-04-01/Accounts/AC123/Messages.json",
	settings: provider.Settings{
		"account_sid": "AC123", "api_key_sid": "SK123", "api_key_secret": credential, "messaging_service_sid": "MG123",
	},
	accepted: accepted{201, `{"sid":"SM2","status":"accepted","error_code":null,"error_message":null}`, "SM2"},
}

// The test's own Twilio must sign as Twilio's documentation does by example.
func TestTwiliosPublishedSignature(t *testing.T) {
	got := twilioSignature("12345", "https://mycompany.com/myapp.php?foo=1&bar=2", "CallSid", "CA1234567890ABCDE",
		"Caller", "+14158675309", "Digits", "1234", "From", "+14158675309", "To", "+18005551212")
	if want := "RSOYDt4T1cUTdK1PDd93/VVr8B8="; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// twilioSignature signs names and values that are in order already.
func twilioSignature(token, called string, parameters ...string) string {
	h := hmac.New(sha1.New, []byte(token))
	fmt.Fprint(h, called+strings.Join(parameters, ""))
	return base64.StdEncoding.EncodeToString(h.Sum(nil))
}

func twilioRequest(token, called string, parameters ...string) *http.Request {
	form := url.Values{}
	for i := 0; i < len(parameters); i += 2 {
		form.Set(parameters[i], parameters[i+1])
	}
	query := ""
	if _, rest, is := strings.Cut(called, "?"); is {
		query = "?" + rest
	}
	return smstest.ReceiptRequest(http.MethodPost, query, form.Encode(), "Content-Type", "application/x-www-form-urlencoded",
		"X-Twilio-Signature", twilioSignature(token, called, parameters...))
}

func twilioSays(errorCode int) string {
	return fmt.Sprintf(`{"code":%d,"message":"'To' %s is wrong","more_info":"https://www.twilio.com/docs/errors/%[1]d","status":400}`, errorCode, smstest.Number)
}

// Twilio may sign its URL with the scheme's usual port or without one.
func TestTwiliosPorts(t *testing.T) {
	for base, signed := range map[string][]string{
		"https://id.example.com":      {"https://id.example.com", "https://id.example.com:443"},
		"https://id.example.com:8443": {"https://id.example.com:8443", "https://id.example.com"},
		"http://id.example.com/holdline": {
			"http://id.example.com/holdline", "http://id.example.com:80/holdline",
		},
	} {
		for _, called := range append(signed, "https://id.example.com:4477", "https://elsewhere.example.com") {
			reader := receipt.Reader{Format: formatOf(t, "twilio"), Secret: smstest.Secret}
			taker := receipt.New(receipt.Options{
				Readers: map[string]receipt.Reader{"main": reader}, Store: storetest.NewStore(),
				Now: func() time.Time { return smstest.Start }, BaseURL: base,
			})
			err := taker.Receive(twilioRequest(smstest.Secret, called+"/sms/receipts/main", "MessageSid", "SM1", "MessageStatus", "sent"), "main")
			if got, want := err == nil, slices.Contains(signed, called); got != want {
				t.Errorf("%s for %s: got %v", called, base, err)
			}
		}
	}
}
