package provider_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"time"

	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/smsgateway/provider"
	"github.com/holdline/holdline/smsgateway/smstest"
)

var birdTest = providerTest{
	gatewayType: "bird",
	path:        "/workspaces/w-1/channels/c-1/messages",
	settings:    provider.Settings{"access_key": credential, "workspace_id": "w-1", "channel_id": "c-1"},
	accepted:    accepted{202, `{"id":"3f1a4d3e-5d0c-4d7e-8f5c-6b1f1e7a9c10","channelId":"c-1","status":"accepted","reference":"text-1"}`, "3f1a4d3e-5d0c-4d7e-8f5c-6b1f1e7a9c10"},
	account:     account{"GET /workspaces/w-1/channels/c-1", ""},
	answers: []said{
		{401, `{"code":"Unauthorized"}`, "account"},
		{402, `{}`, "account"},
		{403, `{"code":"AccessDenied"}`, "account"},
		{404, `{"code":"ResourceNotFound"}`, "account"},
		{422, `{"code":"InvalidPayload"}`, "refused"},
		{400, `{}`, "refused"},
		{429, `{}`, "passes after 7s"},
		{202, `{"id":"a","status":"rejected"}`, "refused"},
		{202, `{"status":"accepted"}`, "unsure"},
	},
	receipts: map[string]receiptCase{
		"delivered": {func(secret string) *http.Request {
			return birdRequest(secret, smstest.ReceiptsURL, smstest.Start.Add(-24*time.Hour), `{"service":"channels","event":"sms.outbound","payload":`+
				`{"id":"3fa85f64-5717-4562-b3fc-2c963f66afa6","channelId":"2d5cdd3c","status":"delivered","direction":"outgoing"}}`)
		}, whole, message.Receipt{
			Message: "3fa85f64-5717-4562-b3fc-2c963f66afa6", State: message.ReceiptDelivered, Detail: "delivered",
		}},
		"delivery failed": {func(secret string) *http.Request {
			return birdRequest(secret, smstest.ReceiptsURL, smstest.Start, `{"payload":{"id":"m","status":"delivery_failed","reason":"to +447700900000"}}`)
		}, whole, message.Receipt{Message: "m", State: message.ReceiptUndelivered, Detail: "delivery_failed"}},
	},
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
