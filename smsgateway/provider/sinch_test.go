package provider_test

import (
	"fmt"
	"net/http"

	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/smsgateway/provider"
	"github.com/holdline/holdline/smsgateway/smstest"
)

var sinchTest = providerTest{
	gatewayType: "sinch",
	path:        "/xms/v1/plan/batches",
	callback:    callback + "?secret=" + credential,
	settings: provider.Settings{
		"service_plan_id": "plan", "api_token": credential, "from": "447700900000",
	},
	accepted: accepted{201, `{"id":"01FC66621XXXXX119Z8PMV1QPQ","to":["447700900123"],"from":"447700900000","canceled":false,"type":"mt_text"}`, "01FC66621XXXXX119Z8PMV1QPQ"},
	account:  account{"GET /xms/v1/plan/groups", ""},
	answers: []said{
		{400, sinchSays("syntax_invalid_parameter_format"), "refused"},
		{400, sinchSays("syntax_constraint_violation"), "refused"},
		{401, "", "account"},
		{403, sinchSays("blocked_account"), "account"},
		{403, sinchSays("missing_callback_url"), "account"},
		{403, sinchSays("illegal_number_type"), "refused"},
		{404, "", "account"},
		{429, "", "passes after 7s"},
		{201, `{"to":[]}`, "unsure"},
	},
	receipts: map[string]receiptCase{
		"delivered": {func(secret string) *http.Request {
			return smstest.ReceiptRequest(http.MethodPost, "?secret="+secret, `{"type":"recipient_delivery_report_sms","batch_id":"01J06CY78GZ2F74YZNNH2VBWR6",`+
				`"recipient":"447700900000","code":0,"status":"Delivered","at":"2026-01-02T03:04:05.536Z"}`)
		}, nil, message.Receipt{Message: "01J06CY78GZ2F74YZNNH2VBWR6", State: message.ReceiptDelivered, Detail: "delivered"}},
		"rejected": {func(secret string) *http.Request {
			return smstest.ReceiptRequest(http.MethodPost, "?secret="+secret, `{"batch_id":"b","code":402,"status":"Rejected"}`)
		}, nil, message.Receipt{Message: "b", State: message.ReceiptUndelivered, Detail: "rejected 402"}},
		"dispatched": {func(secret string) *http.Request {
			return smstest.ReceiptRequest(http.MethodPost, "?secret="+secret, `{"batch_id":"b","code":401,"status":"Dispatched"}`)
		}, nil, message.Receipt{Message: "b", State: message.ReceiptAccepted, Detail: "dispatched 401"}},
	},
}

func sinchSays(errorCode string) string {
	return fmt.Sprintf(`{"code":%q,"text":"no for %s"}`, errorCode, smstest.Number)
}
