package provider_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/smsgateway/provider"
	"github.com/holdline/holdline/smsgateway/smstest"
)

var vonageTest = providerTest{
	gatewayType: "vonage",
	path:        "/sms/json",
	callback:    callback,
	settings:    provider.Settings{"api_key": "key-" + credential, "api_secret": credential, "from": "Holdline"},
	accepted: accepted{200, `{"message-count":"1","messages":[{"to":"447700900123","message-id":"0A0000000123ABCD1","status":"0",
		"remaining-balance":"3.14","message-price":"0.03","network":"12345","client-ref":"text-1"}]}`, "0A0000000123ABCD1"},
	account: account{"GET /account/get-balance", ""},
	answers: []said{
		{200, vonageSays("0", "0"), "sent"},
		{200, vonageSays("1"), "passes"},
		{200, vonageSays("5"), "passes"},
		{200, vonageSays("10"), "passes"},
		{200, vonageSays("2"), "account"},
		{200, vonageSays("4"), "account"},
		{200, vonageSays("8"), "account"},
		{200, vonageSays("9"), "account"},
		{200, vonageSays("11"), "account"},
		{200, vonageSays("14"), "account"},
		{200, vonageSays("32"), "account"},
		{200, vonageSays("3"), "refused"},
		{200, vonageSays("6"), "refused"},
		{200, vonageSays("7"), "refused"},
		{200, vonageSays("15"), "refused"},
		{200, vonageSays("22"), "refused"},
		{200, vonageSays("29"), "refused"},
		{200, vonageSays("33"), "refused"},
		{200, vonageSays("481516"), "refused"},
		{200, vonageSays("0", "7"), "refused"},
		{200, vonageSays("0", "1"), "passes"},
		{200, `{"message-count":"0","messages":[]}`, "unsure"},
		{401, `{"type":"unauthorized"}`, "account"},
		{420, "", "refused"},
	},
	receipts: map[string]receiptCase{
		"delivered, with a token": {func(secret string) *http.Request {
			const body = `{"msisdn":"447700900000","to":"AcmeInc","network-code":"12345","messageId":"0A0000001234567B",` +
				`"price":"0.03330000","status":"delivered","scts":"2001011400","err-code":"0","api-key":"abcd1234",` +
				`"message-timestamp":"2020-01-01T12:00:00.000+00:00"}`
			return smstest.ReceiptRequest(http.MethodPost, "", body, "Content-Type", "application/json",
				"Authorization", "Bearer "+vonageToken(secret, body, nil))
		}, payload, message.Receipt{Message: "0A0000001234567B", State: message.ReceiptDelivered, Detail: "delivered"}},
		"Messages API rejected, with a token as old as may be": {func(secret string) *http.Request {
			const body = `{"message_uuid":"aaaaaaaa-bbbb-cccc-dddd-0123456789ab","to":"447700900000","status":"rejected"}`
			return smstest.ReceiptRequest(http.MethodPost, "", body, "Authorization", "Bearer "+vonageToken(secret, body,
				func(_, claims map[string]any) { claims["iat"] = smstest.Start.Add(-10 * time.Minute).Unix() }))
		}, payload, message.Receipt{
			Message: "aaaaaaaa-bbbb-cccc-dddd-0123456789ab", State: message.ReceiptUndelivered, Detail: "rejected",
		}},
		"failed, with sig in the query": {func(secret string) *http.Request {
			query := url.Values{
				"msisdn": {"447700900000"}, "to": {"A&B=C"}, "messageId": {"0A0000001234567B"}, "status": {"failed"},
				"err-code": {"6"}, "timestamp": {"1578787200"}, "nonce": {"aaaaaaaa-bbbb-cccc-dddd-0123456789ab"},
			}
			query.Set("sig", vonageSig(secret, "&err-code=6&messageId=0A0000001234567B&msisdn=447700900000"+
				"&nonce=aaaaaaaa-bbbb-cccc-dddd-0123456789ab&status=failed&timestamp=1578787200&to=A_B_C"))
			return smstest.ReceiptRequest(http.MethodGet, "?"+query.Encode(), "")
		}, whole, message.Receipt{Message: "0A0000001234567B", State: message.ReceiptUndelivered, Detail: "failed 6"}},
		"buffered, with sig in JSON": {func(secret string) *http.Request {
			sig := strings.ToUpper(vonageSig(secret, "&err-code=0&messageId=m&status=buffered&timestamp=1578787200"))
			return smstest.ReceiptRequest(http.MethodPost, "", `{"messageId":"m","status":"buffered","err-code":"0","timestamp":1578787200,"sig":"`+sig+`"}`)
		}, whole, message.Receipt{Message: "m", State: message.ReceiptAccepted, Detail: "buffered"}},
	},
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

// vonageSays is an answer of Vonage with the statuses of a text's parts.
func vonageSays(statuses ...string) string {
	parts := ""
	for i, status := range statuses {
		if i > 0 {
			parts += ","
		}
		parts += fmt.Sprintf(`{"to":"%s","status":%q,"message-id":"m-%d","error-text":"about %s"}`, smstest.Number, status, i, smstest.Code)
	}
	return fmt.Sprintf(`{"message-count":"%d","messages":[%s]}`, len(statuses), parts)
}
