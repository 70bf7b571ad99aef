package provider_test

import (
	"fmt"
	"net/http"

	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/smsgateway/provider"
	"github.com/holdline/holdline/smsgateway/smstest"
)

var messageBirdTest = providerTest{
	gatewayType: "messagebird",
	path:        "/messages",
	callback:    callback + "?secret=" + credential,
	settings:    provider.Settings{"access_key": credential, "originator": "Holdline"},
	accepted: accepted{
		201, `{"id":"e8077d803532c0b5937c639b60216938","href":"https://rest.messagebird.com/messages/e8077d803532c0b5937c639b60216938",
		"direction":"mt","type":"sms","recipients":{"totalCount":1,"totalSentCount":1,"items":[{"recipient":447700900123,"status":"sent"}]}}`,
		"e8077d803532c0b5937c639b60216938",
	},
	account: account{"GET /balance", ""},
	answers: []said{
		{401, messageBirdSays(2), "account"},
		{402, messageBirdSays(25), "account"},
		{422, messageBirdSays(25), "account"},
		{422, messageBirdSays(9), "refused"},
		{422, messageBirdSays(10), "refused"},
		{422, messageBirdSays(99), "passes after 7s"},
		{429, "", "passes after 7s"},
		{500, "", "passes after 7s"},
		{201, `{"id":"a","recipients":{"items":[{"status":"delivery_failed"}]}}`, "refused"},
		{201, `{}`, "unsure"},
	},
	receipts: map[string]receiptCase{
		"delivered": {func(secret string) *http.Request {
			return smstest.ReceiptRequest(http.MethodGet, "?secret="+secret+"&id=efa6405d518d4c0c88cce11f7db775fb&reference=text-1&recipient=31612345678"+
				"&status=delivered&statusDatetime=2026-01-02T03%3A04%3A05%2B00%3A00&statusErrorCode=0", "")
		}, nil, message.Receipt{Message: "efa6405d518d4c0c88cce11f7db775fb", State: message.ReceiptDelivered, Detail: "delivered"}},
		"delivery failed": {func(secret string) *http.Request {
			return smstest.ReceiptRequest(http.MethodGet, "?secret="+secret+"&id=m&status=delivery_failed&statusErrorCode=27", "")
		}, nil, message.Receipt{Message: "m", State: message.ReceiptUndelivered, Detail: "delivery_failed 27"}},
	},
}

func messageBirdSays(errorCode int) string {
	return fmt.Sprintf(`{"errors":[{"code":%d,"description":"no for %s","parameter":null}]}`, errorCode, smstest.Number)
}
