package smsgateway_test

import (
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/google/go-cmp/cmp"

	"github.com/holdline/holdline/internal/claim/claimtest"
	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/internal/problem"
	"github.com/holdline/holdline/internal/web"
	"github.com/holdline/holdline/smsgateway"
)

const (
	publicURL = "https://id.example.com"
	mainURL   = publicURL + "/sms/receipts/main"
)

// receipts takes the receipts of the gateway main, and of other, which has
// another secret.
func receipts(t *testing.T, gatewayType, secret string) (*smsgateway.Receipts, *claimtest.Store) {
	t.Helper()
	store := claimtest.NewStore()
	readers := map[string]smsgateway.Reader{}
	for id, secret := range map[string]string{"main": secret, "other": "other" + secret} {
		reader, err := smsgateway.NewReceiptReader(gatewayType, secret)
		if err != nil {
			t.Fatal(err)
		}
		readers[id] = reader
	}
	return smsgateway.NewReceipts(smsgateway.ReceiptOptions{
		Readers: readers, Store: store, Now: func() time.Time { return start }, BaseURL: publicURL,
	}), store
}

// ask is a request to the gateway main. Its Host header is not the public one.
func ask(method, query, body string, header ...string) *http.Request {
	r := httptest.NewRequest(method, "http://10.0.0.7:4477/sms/receipts/main"+query, strings.NewReader(body))
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return r
}

func wantReceipts(t *testing.T, store *claimtest.Store, want ...message.Receipt) {
	t.Helper()
	for i := range want {
		want[i].Gateway, want[i].At = "main", start
	}
	if diff := cmp.Diff(want, store.Receipts()); diff != "" {
		t.Errorf("kept receipts differ (-want +got):\n%s", diff)
	}
}

func TestReceiptsOfEachProvider(t *testing.T) {
	for name, tt := range receiptCases {
		t.Run(name, func(t *testing.T) {
			taker, store := receipts(t, tt.gatewayType, secret)
			if err := taker.Receive(tt.request(secret), "main"); err != nil {
				t.Fatal(err)
			}
			wantReceipts(t, store, tt.want)
			if err := taker.Receive(tt.request(secret), "main"); err != nil {
				t.Errorf("a replay: %v", err)
			}
			wantReceipts(t, store, tt.want)
			for wrong, refused := range map[string]error{
				"another gateway's secret": taker.Receive(tt.request("other"+secret), "main"),
				"another gateway":          taker.Receive(tt.request(secret), "other"),
				"no secret":                taker.Receive(tt.request(""), "main"),
			} {
				if !errors.Is(refused, message.ErrReceiptUnproven) {
					t.Errorf("%s: got %v", wrong, refused)
				}
			}
			for _, change := range tt.covered {
				tampered := tt.request(secret)
				change(tampered)
				if err := taker.Receive(tampered, "main"); !errors.Is(err, message.ErrReceiptUnproven) {
					t.Errorf("tampered: got %v", err)
				}
			}
			wantReceipts(t, store, tt.want)
		})
	}
}

func TestProofsThatDoNotHold(t *testing.T) {
	const dlr = `{"messageId":"0A0000000123ABCD1","status":"delivered"}`
	vonage := func(change func(head, claims map[string]any)) *http.Request {
		return ask(http.MethodPost, "", dlr, "Authorization", "Bearer "+vonageToken(secret, dlr, change))
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
		"Vonage, too old":            {"vonage", vonage(set(1, "iat", start.Add(-11*time.Minute).Unix()))},
		"Vonage, from the future":    {"vonage", vonage(set(1, "iat", start.Add(2*time.Minute).Unix()))},
		"Vonage, of no time":         {"vonage", vonage(set(1, "iat", nil))},
		"Vonage, other issuer":       {"vonage", vonage(set(1, "iss", "Somebody"))},
		"Vonage, no payload hash":    {"vonage", vonage(set(1, "payload_hash", nil))},
		"Vonage, other payload hash": {"vonage", vonage(set(1, "payload_hash", strings.Repeat("00", 32)))},
		"Vonage, no signature":       {"vonage", ask(http.MethodPost, "", dlr, "Authorization", "Bearer e30.e30.")},
		"Vonage, MD5 hash": {"vonage", ask(http.MethodGet,
			"?messageId=m&status=delivered&sig=0123456789abcdef0123456789abcdef", "")},
		"Vonage, a parameter hidden in a name": {"vonage", ask(http.MethodGet,
			"?messageId=m&status=delivered&a%3Db%26c=d&sig="+vonageSig(secret, "&a=b&c=d&messageId=m&status=delivered"), "")},
		"Twilio, the host that was asked": {"twilio", twilioRequest(secret,
			"http://10.0.0.7:4477/sms/receipts/main", "MessageSid", "SM1", "MessageStatus", "delivered")},
		"Twilio, no form":  {"twilio", ask(http.MethodPost, "", "MessageSid=%zz")},
		"Bird, too old":    {"bird", birdRequest(secret, mainURL, start.Add(-26*time.Hour), bird)},
		"Bird, other host": {"bird", birdRequest(secret, "https://10.0.0.7/sms/receipts/main", start, bird)},
		"Bird, no time": {"bird", ask(http.MethodPost, "", bird,
			"MessageBird-Signature", birdSignature(secret, "", mainURL, bird))},
		"secret in the body":      {"http", ask(http.MethodPost, "", "id=m&status=delivered&secret="+secret)},
		"secret with more to it":  {"http", ask(http.MethodGet, "?id=m&status=delivered&secret="+secret+"1", "")},
		"basic authentication":    {"http", ask(http.MethodGet, "?id=m&status=delivered", "", "Authorization", "Basic "+secret)},
		"wrong one before a good": {"http", ask(http.MethodGet, "?id=m&status=delivered&secret="+secret, "", "X-Receipt-Secret", "x")},
	} {
		t.Run(name, func(t *testing.T) {
			taker, store := receipts(t, tt.gatewayType, secret)
			if err := taker.Receive(tt.request, "main"); !errors.Is(err, message.ErrReceiptUnproven) {
				t.Errorf("got %v", err)
			}
			wantReceipts(t, store)
		})
	}
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
			reader, err := smsgateway.NewReceiptReader("twilio", secret)
			if err != nil {
				t.Fatal(err)
			}
			taker := smsgateway.NewReceipts(smsgateway.ReceiptOptions{
				Readers: map[string]smsgateway.Reader{"main": reader}, Store: claimtest.NewStore(),
				Now: func() time.Time { return start }, BaseURL: base,
			})
			err = taker.Receive(twilioRequest(secret, called+"/sms/receipts/main", "MessageSid", "SM1", "MessageStatus", "sent"), "main")
			if got, want := err == nil, slices.Contains(signed, called); got != want {
				t.Errorf("%s for %s: got %v", called, base, err)
			}
		}
	}
}

func TestABodyThatBreaksOff(t *testing.T) {
	taker, store := receipts(t, "http", secret)
	r := ask(http.MethodPost, "?id=m&status=sent&secret="+secret, "")
	r.Body = io.NopCloser(iotest.ErrReader(io.ErrUnexpectedEOF))
	if err := taker.Receive(r, "main"); !errors.Is(err, message.ErrReceiptUnreadable) {
		t.Errorf("got %v", err)
	}
	wantReceipts(t, store)
}

func TestReceiptsThatCannotBeRead(t *testing.T) {
	for name, body := range map[string]string{
		"nothing":            "",
		"no message":         `{"status":"delivered"}`,
		"no status":          `{"id":"m"}`,
		"unknown status":     `{"id":"m","status":"levitating"}`,
		"broken JSON":        `{"id":"m","status":"delivered"`,
		"more than one":      `{"id":"m","status":"delivered"}{}`,
		"a list":             `[{"id":"m","status":"delivered"}]`,
		"a nested id":        `{"id":{"id":"m"},"status":"delivered"}`,
		"a broken form":      "id=%zz&status=delivered",
		"a control in an id": `{"id":"m\u0000","status":"delivered"}`,
		"an id of no text":   "id=%ff&status=delivered",
		"an endless id":      `{"id":"` + strings.Repeat("m", 256) + `","status":"delivered"}`,
	} {
		t.Run(name, func(t *testing.T) {
			taker, store := receipts(t, "http", secret)
			err := taker.Receive(ask(http.MethodPost, "", body, "X-Receipt-Secret", secret), "main")
			if !errors.Is(err, message.ErrReceiptUnreadable) {
				t.Errorf("got %v", err)
			}
			wantReceipts(t, store)
		})
	}
}

func TestReadersNeedASecretAndAProvider(t *testing.T) {
	for gatewayType, secret := range map[string]string{"http": "", "twilio": "", "sns": "secret", "simulator": "secret", "": "secret"} {
		if _, err := smsgateway.NewReceiptReader(gatewayType, secret); err == nil {
			t.Errorf("%q with %q: no error", gatewayType, secret)
		}
	}
}

func TestTheReceiptRouteAnswers(t *testing.T) {
	good := "?id=m&status=delivered&secret=" + secret
	for name, tt := range map[string]struct {
		request *http.Request
		away    error
		status  int
		code    string
	}{
		"kept, by GET":       {ask(http.MethodGet, good, ""), nil, 204, ""},
		"kept, by POST":      {ask(http.MethodPost, "?secret="+secret, "id=m&status=sent"), nil, 204, ""},
		"just small enough":  {ask(http.MethodPost, good, strings.Repeat(" ", 64<<10)), nil, 204, ""},
		"not proven":         {ask(http.MethodGet, good+"x", ""), nil, 401, "HLD-40121"},
		"not readable":       {ask(http.MethodPost, "?secret="+secret, "{"), nil, 400, "HLD-40021"},
		"too large":          {ask(http.MethodPost, good, strings.Repeat(" ", 64<<10+1)), nil, 413, "HLD-41321"},
		"database away":      {ask(http.MethodGet, good, ""), problem.ErrStoreUnavailable, 503, "HLD-50301"},
		"unknown gateway":    {httptest.NewRequest(http.MethodGet, "/sms/receipts/nobody"+good, nil), nil, 404, "HLD-40421"},
		"wrong method":       {ask(http.MethodPut, good, ""), nil, 405, "HLD-40501"},
		"no gateway's route": {httptest.NewRequest(http.MethodPost, "/sms/receipts/", nil), nil, 404, "HLD-40400"},
	} {
		t.Run(name, func(t *testing.T) {
			taker, store := receipts(t, "http", secret)
			store.Fail(tt.away)
			server := &web.Server{
				Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return start },
				NewID: func() string { return "id" },
			}
			engine, err := server.Engine()
			if err != nil {
				t.Fatal(err)
			}
			engine.Match([]string{http.MethodGet, http.MethodPost}, smsgateway.ReceiptsPath+":gateway", func(c *gin.Context) {
				if err := taker.Receive(c.Request, c.Param("gateway")); err != nil {
					server.Fail(c, err)
					return
				}
				web.Answer(c, http.StatusNoContent, web.None{})
			})
			got := httptest.NewRecorder()
			engine.ServeHTTP(got, tt.request)
			if got.Code != tt.status || !strings.Contains(got.Body.String(), tt.code) {
				t.Errorf("got %d %s, want %d %s", got.Code, got.Body, tt.status, tt.code)
			}
			if strings.Contains(got.Body.String(), secret) || got.Code == http.StatusNoContent && got.Body.Len() > 0 {
				t.Errorf("answered %s", got.Body)
			}
		})
	}
}

// An Authorization header that belongs to somebody else's business, such as a
// proxy's, does not stand in the way of the secret.
func TestOtherCredentialsAreLeftAlone(t *testing.T) {
	secret := "0123456789abcdef0123"
	reader, err := smsgateway.NewReceiptReader("http", secret)
	if err != nil {
		t.Fatal(err)
	}
	for authorization, query := range map[string]string{
		"Basic dTpw": "?secret=" + secret, "bearer " + secret: "", "BEARER " + secret: "", "": "?secret=" + secret,
	} {
		taker := smsgateway.NewReceipts(smsgateway.ReceiptOptions{
			Readers: map[string]smsgateway.Reader{"main": reader}, Store: claimtest.NewStore(),
			Now: func() time.Time { return start }, BaseURL: "https://id.example.com",
		})
		request := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/sms/receipts/main"+query, strings.NewReader("id=1&status=delivered"))
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if authorization != "" {
			request.Header.Set("Authorization", authorization)
		}
		if err := taker.Receive(request, "main"); err != nil {
			t.Errorf("%q: got %v", authorization, err)
		}
	}
}
