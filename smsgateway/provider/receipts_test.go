package provider_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/internal/storetest"
	"github.com/holdline/holdline/smsgateway/provider"
	"github.com/holdline/holdline/smsgateway/receipt"
	"github.com/holdline/holdline/smsgateway/smstest"
)

// receipts takes the receipts of the gateway main, and of other, which has
// another secret.
func receipts(t *testing.T, gatewayType, secret string) (*receipt.Receiver, *storetest.Store) {
	t.Helper()
	store := storetest.NewStore()
	readers := map[string]receipt.Reader{}
	for id, secret := range map[string]string{"main": secret, "other": "other" + secret} {
		reader := receipt.Reader{Format: formatOf(t, gatewayType), Secret: secret}
		readers[id] = reader
	}
	return receipt.New(receipt.Options{
		Readers: readers, Store: store, Now: func() time.Time { return smstest.Start }, BaseURL: smstest.PublicURL,
	}), store
}

func TestReceiptsOfEachProvider(t *testing.T) {
	for gatewayType, p := range providerTests {
		for name, tt := range p.receipts {
			t.Run(gatewayType+" "+name, func(t *testing.T) { tt.isTaken(t, gatewayType) })
		}
	}
}

func (tt receiptCase) isTaken(t *testing.T, gatewayType string) {
	t.Helper()
	taker, store := receipts(t, gatewayType, smstest.Secret)
	if err := taker.Receive(tt.request(smstest.Secret), "main"); err != nil {
		t.Fatal(err)
	}
	smstest.WantReceipts(t, store, tt.want)
	if err := taker.Receive(tt.request(smstest.Secret), "main"); err != nil {
		t.Errorf("a replay: %v", err)
	}
	smstest.WantReceipts(t, store, tt.want)
	for wrong, refused := range map[string]error{
		"another gateway's secret": taker.Receive(tt.request("other"+smstest.Secret), "main"),
		"another gateway":          taker.Receive(tt.request(smstest.Secret), "other"),
		"no secret":                taker.Receive(tt.request(""), "main"),
	} {
		if !errors.Is(refused, message.ErrReceiptUnproven) {
			t.Errorf("%s: got %v", wrong, refused)
		}
	}
	for _, change := range tt.covered {
		tampered := tt.request(smstest.Secret)
		change(tampered)
		if err := taker.Receive(tampered, "main"); !errors.Is(err, message.ErrReceiptUnproven) {
			t.Errorf("tampered: got %v", err)
		}
	}
	smstest.WantReceipts(t, store, tt.want)
}

func TestProofsThatDoNotHold(t *testing.T) {
	const dlr = `{"messageId":"0A0000000123ABCD1","status":"delivered"}`
	vonage := func(change func(head, claims map[string]any)) *http.Request {
		return smstest.ReceiptRequest(http.MethodPost, "", dlr, "Authorization", "Bearer "+vonageToken(smstest.Secret, dlr, change))
	}
	set := func(part int, name string, value any) func(head, claims map[string]any) {
		return func(head, claims map[string]any) { []map[string]any{head, claims}[part][name] = value }
	}
	const bird = `{"payload":{"id":"m","status":"delivered"}}`
	for name, tt := range map[string]struct {
		gatewayType string
		request     *http.Request
	}{
		"Vonage, no algorithm":       {"vonage", vonage(set(0, "alg", "none"))},
		"Vonage, other algorithm":    {"vonage", vonage(set(0, "alg", "HS512"))},
		"Vonage, too old":            {"vonage", vonage(set(1, "iat", smstest.Start.Add(-11*time.Minute).Unix()))},
		"Vonage, from the future":    {"vonage", vonage(set(1, "iat", smstest.Start.Add(2*time.Minute).Unix()))},
		"Vonage, of no time":         {"vonage", vonage(set(1, "iat", nil))},
		"Vonage, other issuer":       {"vonage", vonage(set(1, "iss", "Somebody"))},
		"Vonage, no payload hash":    {"vonage", vonage(set(1, "payload_hash", nil))},
		"Vonage, other payload hash": {"vonage", vonage(set(1, "payload_hash", strings.Repeat("00", 32)))},
		"Vonage, no signature":       {"vonage", smstest.ReceiptRequest(http.MethodPost, "", dlr, "Authorization", "Bearer e30.e30.")},
		"Vonage, MD5 hash": {"vonage", smstest.ReceiptRequest(http.MethodGet,
			"?messageId=m&status=delivered&sig=0123456789abcdef0123456789abcdef", "")},
		"Vonage, a parameter hidden in a name": {"vonage", smstest.ReceiptRequest(http.MethodGet,
			"?messageId=m&status=delivered&a%3Db%26c=d&sig="+vonageSig(smstest.Secret, "&a=b&c=d&messageId=m&status=delivered"), "")},
		"Twilio, the host that was asked": {"twilio", twilioRequest(smstest.Secret,
			"http://10.0.0.7:4477/sms/receipts/main", "MessageSid", "SM1", "MessageStatus", "delivered")},
		"Twilio, no form":  {"twilio", smstest.ReceiptRequest(http.MethodPost, "", "MessageSid=%zz")},
		"Bird, too old":    {"bird", birdRequest(smstest.Secret, smstest.ReceiptsURL, smstest.Start.Add(-26*time.Hour), bird)},
		"Bird, other host": {"bird", birdRequest(smstest.Secret, "https://10.0.0.7/sms/receipts/main", smstest.Start, bird)},
		"Bird, no time": {"bird", smstest.ReceiptRequest(http.MethodPost, "", bird,
			"MessageBird-Signature", birdSignature(smstest.Secret, "", smstest.ReceiptsURL, bird))},
		"secret in the body":      {"http", smstest.ReceiptRequest(http.MethodPost, "", "id=m&status=delivered&secret="+smstest.Secret)},
		"secret with more to it":  {"http", smstest.ReceiptRequest(http.MethodGet, "?id=m&status=delivered&secret="+smstest.Secret+"1", "")},
		"basic authentication":    {"http", smstest.ReceiptRequest(http.MethodGet, "?id=m&status=delivered", "", "Authorization", "Basic "+smstest.Secret)},
		"wrong one before a good": {"http", smstest.ReceiptRequest(http.MethodGet, "?id=m&status=delivered&secret="+smstest.Secret, "", "X-Receipt-Secret", "x")},
	} {
		t.Run(name, func(t *testing.T) {
			taker, store := receipts(t, tt.gatewayType, smstest.Secret)
			if err := taker.Receive(tt.request, "main"); !errors.Is(err, message.ErrReceiptUnproven) {
				t.Errorf("got %v", err)
			}
			smstest.WantReceipts(t, store)
		})
	}
}

func formatOf(t *testing.T, gatewayType string) receipt.Format {
	t.Helper()
	kind, known := provider.ForType(gatewayType)
	if !known || kind.ReceiptSecret == "" {
		t.Fatalf("%s sends no receipts", gatewayType)
	}
	return kind.Receipts
}

// Without a secret nothing is proven, whatever a request carries.
func TestNothingIsProvenWithoutASecret(t *testing.T) {
	for gatewayType, request := range map[string]func(secret string) *http.Request{
		"http": anyProviderTest.receipts["query"].request, "twilio": twilioTest.receipts["sent"].request,
		"sns": anyProviderTest.receipts["query"].request, "simulator": anyProviderTest.receipts["query"].request,
	} {
		kind, _ := provider.ForType(gatewayType)
		taker := receipt.New(receipt.Options{
			Readers: map[string]receipt.Reader{"main": {Format: kind.Receipts}}, Store: storetest.NewStore(),
			Now: func() time.Time { return smstest.Start }, BaseURL: smstest.PublicURL,
		})
		if err := taker.Receive(request(""), "main"); !errors.Is(err, message.ErrReceiptUnproven) {
			t.Errorf("%s: got %v", gatewayType, err)
		}
	}
}

// receiptCase is a request as its provider documents it, and what cannot be
// changed of it.
type receiptCase struct {
	request func(secret string) *http.Request
	covered []func(*http.Request)
	want    message.Receipt
}

var (
	whole   = []func(*http.Request){tamperBody, tamperQuery}
	payload = []func(*http.Request){tamperBody}
)

// tamperBody adds to a body.
func tamperBody(r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(strings.NewReader(string(body) + "&tampered=1"))
}

func tamperQuery(r *http.Request) { r.URL.RawQuery += "&tampered=1" }
