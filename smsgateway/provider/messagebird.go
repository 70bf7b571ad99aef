package provider

import (
	"cmp"
	"context"
	"net/http"

	"github.com/holdline/holdline/smsgateway"
	"github.com/holdline/holdline/smsgateway/receipt"
)

// messageBirdAPI is MessageBird's SMS API:
// https://developers.messagebird.com/api/sms-messaging/. Accounts made since it
// is called Bird use [birdAPI] instead.
type messageBirdAPI struct {
	AccessKey, Originator string
	Endpoint              string // https://rest.messagebird.com/messages if blank
	Callback              string // URL for receipts; blank for the account's own
}

// messageBird proves nothing of its receipts ("Handle a status report").
var messageBird = Type{
	api: func(s Settings, callback string) api {
		return messageBirdAPI{AccessKey: s["access_key"], Originator: s["originator"], Endpoint: s["endpoint"], Callback: callback}
	},
	Receipts: receipt.Format{
		Open: receipt.OpenShared, MessageID: []string{"id"}, Status: "status", ErrorCode: "statusErrorCode",
	},
	ReceiptSecret: receiptSecret,
}

func (b messageBirdAPI) request(ctx context.Context, m smsgateway.Message) (*http.Request, error) {
	fields := map[string]any{
		"originator": b.Originator, "recipients": []string{digits(m)}, "body": m.Body, "reference": m.ID,
	}
	if isUnicode(m) {
		fields["datacoding"] = "unicode"
	}
	if b.Callback != "" {
		fields["reportUrl"] = b.Callback
	}
	req, err := postJSON(ctx, cmp.Or(b.Endpoint, "https://rest.messagebird.com/messages"), fields)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "AccessKey "+b.AccessKey)
	return req, nil
}

func (b messageBirdAPI) parseAnswer(_ context.Context, a answer) (string, error) {
	switch code := a.field("errors.0.code"); code {
	case "2", "25": // access key, no balance
		return "", a.classify(refusesAccount, "the provider answers code "+code)
	case "99": // internal error
		return "", a.classify(transient, "the provider answers code "+code)
	}
	if err := a.byStatus(); err != nil {
		return "", err
	}
	if a.field("recipients.items.0.status") == "delivery_failed" {
		return "", a.classify(refusesMessage, "the provider gives the message up")
	}
	return a.acceptedID("id")
}

// account is the balance: https://developers.messagebird.com/api/balance/.
func (b messageBirdAPI) account(ctx context.Context) (*http.Request, error) {
	req, err := besideEndpoint(ctx, b.Endpoint, "https://rest.messagebird.com", "/balance")
	if err == nil {
		req.Header.Set("Authorization", "AccessKey "+b.AccessKey)
	}
	return req, err
}
