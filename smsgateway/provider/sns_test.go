package provider_test

import (
	"fmt"

	"github.com/holdline/holdline/smsgateway/provider"
	"github.com/holdline/holdline/smsgateway/smstest"
)

var snsTest = providerTest{
	gatewayType: "sns",
	settings: provider.Settings{
		"region": "eu-west-1", "access_key_id": "AKIA" + credential, "secret_access_key": credential, "sender_id": "Holdline",
	},
	accepted: accepted{200, `<PublishResponse xmlns="https://sns.amazonaws.com/doc/2010-03-31/"><PublishResult><MessageId>567910cd-659e-55d4-8ccb-5aaf14679dc0</MessageId></PublishResult>
		<ResponseMetadata><RequestId>d74b8436-ae13-5ab4-a9ff-ce54dfea72a0</RequestId></ResponseMetadata></PublishResponse>`, "567910cd-659e-55d4-8ccb-5aaf14679dc0"},
	account: account{"POST /", `<ErrorResponse><Error><Type>Sender</Type><Code>SignatureDoesNotMatch</Code>
		<Message>no</Message></Error><RequestId>1</RequestId></ErrorResponse>`},
	answers: []said{
		{429, snsSays("Throttled"), "passes after 7s"},
		{400, snsSays("Throttling"), "passes after 7s"},
		{500, snsSays("InternalError"), "passes after 7s"},
		{403, snsSays("AuthorizationError"), "account"},
		{403, snsSays("InvalidClientTokenId"), "account"},
		{403, snsSays("SignatureDoesNotMatch"), "account"},
		{400, snsSays("OptInRequired"), "account"},
		{400, snsSays("InvalidParameter"), "refused"},
		{400, snsSays("OptedOut"), "refused"},
		{400, snsSays("ValidationError"), "refused"},
		{400, snsSays(smstest.Code), "refused"},
		{502, "<html>", "passes after 7s"},
		{200, "<PublishResponse/>", "unsure"},
	},
}

func snsSays(errorCode string) string {
	return fmt.Sprintf(`<ErrorResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><Error><Type>Sender</Type><Code>%s</Code>
		<Message>no for %s</Message></Error><RequestId>r-1</RequestId></ErrorResponse>`, errorCode, smstest.Number)
}
