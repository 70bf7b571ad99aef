package provider_test

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/smsgateway/smstest"
)

// receiptCase is a request as its provider documents it, and what cannot be
// changed of it.
type receiptCase struct {
	gatewayType string
	request     func(secret string) *http.Request
	covered     []func(*http.Request)
	want        message.Receipt
}

var (
	whole   = []func(*http.Request){tamperBody, tamperQuery}
	payload = []func(*http.Request){tamperBody}
)

var receiptCases = map[string]receiptCase{
	"Twilio delivered": {"twilio", func(secret string) *http.Request {
		return twilioRequest(secret, smstest.ReceiptsURL, "AccountSid", "ACXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX", "ApiVersion", "2010-04-01",
			"From", "+15017250604", "MessageSid", "SM1234567890abcdef1234567890abcdef", "MessageStatus", "delivered",
			"SmsSid", "SM1234567890abcdef1234567890abcdef", "SmsStatus", "delivered", "To", "+15558675310")
	}, whole, message.Receipt{Message: "SM1234567890abcdef1234567890abcdef", State: message.ReceiptDelivered, Detail: "delivered"}},
	"Twilio undelivered, to a URL with a query and a port": {"twilio", func(secret string) *http.Request {
		return twilioRequest(secret, smstest.PublicURL+":443/sms/receipts/main?site=a%2Fb",
			"ErrorCode", "30005", "MessageSid", "SM2", "MessageStatus", "undelivered")
	}, whole, message.Receipt{Message: "SM2", State: message.ReceiptUndelivered, Detail: "undelivered 30005"}},
	"Twilio sent": {"twilio", func(secret string) *http.Request {
		return twilioRequest(secret, smstest.ReceiptsURL, "MessageSid", "SM3", "MessageStatus", "sent")
	}, whole, message.Receipt{Message: "SM3", State: message.ReceiptAccepted, Detail: "sent"}},

	"Vonage delivered, with a token": {"vonage", func(secret string) *http.Request {
		const body = `{"msisdn":"447700900000","to":"AcmeInc","network-code":"12345","messageId":"0A0000001234567B",` +
			`"price":"0.03330000","status":"delivered","scts":"2001011400","err-code":"0","api-key":"abcd1234",` +
			`"message-timestamp":"2020-01-01T12:00:00.000+00:00"}`
		return smstest.ReceiptRequest(http.MethodPost, "", body, "Content-Type", "application/json",
			"Authorization", "Bearer "+vonageToken(secret, body, nil))
	}, payload, message.Receipt{Message: "0A0000001234567B", State: message.ReceiptDelivered, Detail: "delivered"}},
	"Vonage Messages API rejected, with a token as old as may be": {"vonage", func(secret string) *http.Request {
		const body = `{"message_uuid":"aaaaaaaa-bbbb-cccc-dddd-0123456789ab","to":"447700900000","status":"rejected"}`
		return smstest.ReceiptRequest(http.MethodPost, "", body, "Authorization", "Bearer "+vonageToken(secret, body,
			func(_, claims map[string]any) { claims["iat"] = smstest.Start.Add(-10 * time.Minute).Unix() }))
	}, payload, message.Receipt{
		Message: "aaaaaaaa-bbbb-cccc-dddd-0123456789ab", State: message.ReceiptUndelivered, Detail: "rejected",
	}},
	"Vonage failed, with sig in the query": {"vonage", func(secret string) *http.Request {
		query := url.Values{
			"msisdn": {"447700900000"}, "to": {"A&B=C"}, "messageId": {"0A0000001234567B"}, "status": {"failed"},
			"err-code": {"6"}, "timestamp": {"1578787200"}, "nonce": {"aaaaaaaa-bbbb-cccc-dddd-0123456789ab"},
		}
		query.Set("sig", vonageSig(secret, "&err-code=6&messageId=0A0000001234567B&msisdn=447700900000"+
			"&nonce=aaaaaaaa-bbbb-cccc-dddd-0123456789ab&status=failed&timestamp=1578787200&to=A_B_C"))
		return smstest.ReceiptRequest(http.MethodGet, "?"+query.Encode(), "")
	}, whole, message.Receipt{Message: "0A0000001234567B", State: message.ReceiptUndelivered, Detail: "failed 6"}},
	"Vonage buffered, with sig in JSON": {"vonage", func(secret string) *http.Request {
		sig := strings.ToUpper(vonageSig(secret, "&err-code=0&messageId=m&status=buffered&timestamp=1578787200"))
		return smstest.ReceiptRequest(http.MethodPost, "", `{"messageId":"m","status":"buffered","err-code":"0","timestamp":1578787200,"sig":"`+sig+`"}`)
	}, whole, message.Receipt{Message: "m", State: message.ReceiptAccepted, Detail: "buffered"}},

	"Bird delivered": {"bird", func(secret string) *http.Request {
		return birdRequest(secret, smstest.ReceiptsURL, smstest.Start.Add(-24*time.Hour), `{"service":"channels","event":"sms.outbound","payload":`+
			`{"id":"3fa85f64-5717-4562-b3fc-2c963f66afa6","channelId":"2d5cdd3c","status":"delivered","direction":"outgoing"}}`)
	}, whole, message.Receipt{
		Message: "3fa85f64-5717-4562-b3fc-2c963f66afa6", State: message.ReceiptDelivered, Detail: "delivered",
	}},
	"Bird delivery failed": {"bird", func(secret string) *http.Request {
		return birdRequest(secret, smstest.ReceiptsURL, smstest.Start, `{"payload":{"id":"m","status":"delivery_failed","reason":"to +447700900000"}}`)
	}, whole, message.Receipt{Message: "m", State: message.ReceiptUndelivered, Detail: "delivery_failed"}},

	"MessageBird delivered": {"messagebird", func(secret string) *http.Request {
		return smstest.ReceiptRequest(http.MethodGet, "?secret="+secret+"&id=efa6405d518d4c0c88cce11f7db775fb&reference=text-1&recipient=31612345678"+
			"&status=delivered&statusDatetime=2026-01-02T03%3A04%3A05%2B00%3A00&statusErrorCode=0", "")
	}, nil, message.Receipt{Message: "efa6405d518d4c0c88cce11f7db775fb", State: message.ReceiptDelivered, Detail: "delivered"}},
	"MessageBird delivery failed": {"messagebird", func(secret string) *http.Request {
		return smstest.ReceiptRequest(http.MethodGet, "?secret="+secret+"&id=m&status=delivery_failed&statusErrorCode=27", "")
	}, nil, message.Receipt{Message: "m", State: message.ReceiptUndelivered, Detail: "delivery_failed 27"}},

	"Sinch delivered": {"sinch", func(secret string) *http.Request {
		return smstest.ReceiptRequest(http.MethodPost, "?secret="+secret, `{"type":"recipient_delivery_report_sms","batch_id":"01J06CY78GZ2F74YZNNH2VBWR6",`+
			`"recipient":"447700900000","code":0,"status":"Delivered","at":"2026-01-02T03:04:05.536Z"}`)
	}, nil, message.Receipt{Message: "01J06CY78GZ2F74YZNNH2VBWR6", State: message.ReceiptDelivered, Detail: "delivered"}},
	"Sinch rejected": {"sinch", func(secret string) *http.Request {
		return smstest.ReceiptRequest(http.MethodPost, "?secret="+secret, `{"batch_id":"b","code":402,"status":"Rejected"}`)
	}, nil, message.Receipt{Message: "b", State: message.ReceiptUndelivered, Detail: "rejected 402"}},
	"Sinch dispatched": {"sinch", func(secret string) *http.Request {
		return smstest.ReceiptRequest(http.MethodPost, "?secret="+secret, `{"batch_id":"b","code":401,"status":"Dispatched"}`)
	}, nil, message.Receipt{Message: "b", State: message.ReceiptAccepted, Detail: "dispatched 401"}},

	"Kannel accepted":  kannelCase("8", message.ReceiptAccepted, "accepted"),
	"Kannel delivered": kannelCase("1", message.ReceiptDelivered, "delivered"),
	"Kannel failed":    kannelCase("2", message.ReceiptUndelivered, "failed"),
	"Kannel buffered":  kannelCase("4", message.ReceiptAccepted, "buffered"),
	"Kannel rejected":  kannelCase("16", message.ReceiptUndelivered, "rejected"),
	"Kannel expired":   kannelCase("34", message.ReceiptUndelivered, "expired"),

	"any provider, JSON and header": {"http", func(secret string) *http.Request {
		return smstest.ReceiptRequest(http.MethodPost, "?status=failed&id=x", `{"id":12345678901234567890,"status":"SENT","code":"E-1 to +447700900000"}`, "X-Receipt-Secret", secret)
	}, nil, message.Receipt{Message: "12345678901234567890", State: message.ReceiptAccepted, Detail: "sent"}},
	"any provider, form and bearer": {"http", func(secret string) *http.Request {
		return smstest.ReceiptRequest(http.MethodPost, "", "text=text-1&status=UNDELIV&code=447700900000", "Authorization", "Bearer "+secret)
	}, nil, message.Receipt{Message: "text-1", State: message.ReceiptUndelivered, Detail: "undeliv"}},
	"any provider, query": {"http", func(secret string) *http.Request {
		return smstest.ReceiptRequest(http.MethodGet, "?id=m&status=Delivered&secret="+secret, "")
	}, nil, message.Receipt{Message: "m", State: message.ReceiptDelivered, Detail: "delivered"}},
}

func kannelCase(value string, state message.ReceiptState, word string) receiptCase {
	return receiptCase{"kannel", func(secret string) *http.Request {
		return smstest.ReceiptRequest(http.MethodGet, "?text=text-1&type="+value+"&secret="+secret, "")
	}, nil, message.Receipt{Message: "text-1", State: state, Detail: word}}
}

// tamperBody adds to a body.
func tamperBody(r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(strings.NewReader(string(body) + "&tampered=1"))
}

func tamperQuery(r *http.Request) { r.URL.RawQuery += "&tampered=1" }

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

// vonageToken is a webhook's token, before it is signed changed if asked for.
func vonageToken(secret, body string, change func(head, claims map[string]any)) string {
	hashed := sha256.Sum256([]byte(body))
	head := map[string]any{"alg": "HS256", "typ": "JWT"}
	claims := map[string]any{
		"iat": smstest.Start.Unix(), "jti": "c5ba8f24-1a14-4c10-bfdf-3fbe8ce511b5", "iss": "Vonage",
		"payload_hash": hex.EncodeToString(hashed[:]), "api_key": "abcd1234",
	}
	if change != nil {
		change(head, claims)
	}
	encode := func(part any) string {
		text, _ := json.Marshal(part)
		return base64.RawURLEncoding.EncodeToString(text)
	}
	unsigned := encode(head) + "." + encode(claims)
	h := hmac.New(sha256.New, []byte(secret))
	switch head["alg"] {
	case "none":
		return unsigned + "."
	case "HS512":
		h = hmac.New(sha512.New, []byte(secret))
	}
	fmt.Fprint(h, unsigned)
	return unsigned + "." + base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}

func vonageSig(secret, parameters string) string {
	h := hmac.New(sha256.New, []byte(secret))
	fmt.Fprint(h, parameters)
	return hex.EncodeToString(h.Sum(nil))
}

func birdSignature(key, stamp, called, body string) string {
	hashed := sha256.Sum256([]byte(body))
	h := hmac.New(sha256.New, []byte(key))
	fmt.Fprintf(h, "%s\n%s\n%s", stamp, called, hashed[:])
	return base64.StdEncoding.EncodeToString(h.Sum(nil))
}

func birdRequest(key, called string, at time.Time, body string) *http.Request {
	stamp := fmt.Sprint(at.Unix())
	return smstest.ReceiptRequest(http.MethodPost, "", body, "Content-Type", "application/json",
		"MessageBird-Request-Timestamp", stamp, "MessageBird-Signature", birdSignature(key, stamp, called, body))
}
