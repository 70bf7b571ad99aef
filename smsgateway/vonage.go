package smsgateway

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
)

// Vonage is Vonage's (once Nexmo's) SMS API:
// https://developer.vonage.com/en/api/sms. Its no comes with 200 and a status in
// the answer: https://developer.vonage.com/en/messaging/sms/guides/troubleshooting-sms.
type Vonage struct {
	APIKey, APISecret, From string
	Endpoint                string // https://rest.nexmo.com/sms/json if blank
	Callback                string // URL for receipts; blank for the account's own
}

func (v Vonage) request(ctx context.Context, m Message) (*http.Request, error) {
	fields := map[string]any{
		"api_key": v.APIKey, "api_secret": v.APISecret, "from": v.From,
		"to": digits(m), "text": m.Body, "client-ref": m.ID,
	}
	if isUnicode(m) {
		fields["type"] = "unicode"
	}
	if v.Callback != "" {
		fields["callback"] = v.Callback
	}
	return postJSON(ctx, cmp.Or(v.Endpoint, "https://rest.nexmo.com/sms/json"), fields)
}

func (v Vonage) verdict(_ context.Context, a answer) (string, error) {
	if err := a.byStatus(); err != nil {
		return "", err
	}
	if err := vonageFailure(a); err != nil {
		return "", err
	}
	return a.taken("messages.0.message-id")
}

// vonageFailure finds a part of the text that was not taken.
func vonageFailure(a answer) error {
	for i := 0; ; i++ {
		switch status := a.field(fmt.Sprintf("messages.%d.status", i)); status {
		case "":
			return nil
		case "0":
		case "1", "5", "10": // throttled, internal error, too many binds
			return a.judge(passes, "the provider answers status "+status)
		case "2", "4", "8", "9", "11", "14", "23", "32": // parameters, credentials, barred, no credit, no access, signature, callback
			return a.judge(refusesAccount, "the provider answers status "+status)
		case "3", "6", "7", "12", "15", "22", "29", "33": // invalid, unroutable, barred, too long, sender, network, not allowed, deactivated
			return a.judge(refusesMessage, "the provider answers status "+status)
		default:
			return a.judge(refusesMessage, "the provider answers a status that is not known")
		}
	}
}
