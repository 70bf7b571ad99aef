package provider_test

import (
	"net/http"

	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/smsgateway/smstest"
)

var anyProviderTest = providerTest{
	gatewayType: "http",
	accepted:    accepted{200, `{"id":"1"}`, "1"},
	answers: []said{
		{401, "", "account"}, {402, "", "account"}, {403, "", "account"}, {404, "", "refused"}, {400, "", "refused"},
	},
	receipts: map[string]receiptCase{
		"JSON and header": {func(secret string) *http.Request {
			return smstest.ReceiptRequest(http.MethodPost, "?status=failed&id=x", `{"id":12345678901234567890,"status":"SENT","code":"E-1 to +447700900000"}`, "X-Receipt-Secret", secret)
		}, nil, message.Receipt{Message: "12345678901234567890", State: message.ReceiptAccepted, Detail: "sent"}},
		"form and bearer": {func(secret string) *http.Request {
			return smstest.ReceiptRequest(http.MethodPost, "", "text=text-1&status=UNDELIV&code=447700900000", "Authorization", "Bearer "+secret)
		}, nil, message.Receipt{Message: "text-1", State: message.ReceiptUndelivered, Detail: "undeliv"}},
		"query": {func(secret string) *http.Request {
			return smstest.ReceiptRequest(http.MethodGet, "?id=m&status=Delivered&secret="+secret, "")
		}, nil, message.Receipt{Message: "m", State: message.ReceiptDelivered, Detail: "delivered"}},
	},
}
