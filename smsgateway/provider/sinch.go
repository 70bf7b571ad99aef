package provider

import (
	"cmp"
	"context"
	"net/http"
	"net/url"

	"github.com/holdline/holdline/smsgateway"
	"github.com/holdline/holdline/smsgateway/receipt"
)

// sinchAPI is Sinch's SMS API, a batch of one for each text:
// https://developers.sinch.com/docs/sms/api-reference/sms/batches. Its codes:
// https://developers.sinch.com/docs/sms/api-reference/status-codes.
type sinchAPI struct {
	ServicePlanID, APIToken, From string
	Region                        string // us if blank
	Endpoint                      string // the plan's at https://REGION.sms.api.sinch.com if blank
	Callback                      string // URL for receipts; blank for none
}

// sinch proves nothing of its receipts ("Recipient delivery report").
var sinch = Type{
	api: func(s Settings, callback string) api {
		return sinchAPI{
			ServicePlanID: s["service_plan_id"], APIToken: s["api_token"], From: s["from"], Region: s["region"],
			Endpoint: s["endpoint"], Callback: callback,
		}
	},
	Receipts: receipt.Format{
		Open: receipt.OpenShared, MessageID: []string{"batch_id"}, Status: "status", ErrorCode: "code",
	},
	ReceiptSecret: receiptSecret,
}

func (s sinchAPI) request(ctx context.Context, m smsgateway.Message) (*http.Request, error) {
	fields := map[string]any{"to": []string{m.To.Unmasked()}, "body": m.Body, "client_reference": m.ID}
	if s.From != "" {
		fields["from"] = s.From
	}
	if s.Callback != "" {
		fields["delivery_report"], fields["callback_url"] = "per_recipient", s.Callback
	}
	standard := "https://" + cmp.Or(s.Region, "us") + ".sms.api.sinch.com/xms/v1/" + url.PathEscape(s.ServicePlanID) + "/batches"
	req, err := postJSON(ctx, cmp.Or(s.Endpoint, standard), fields)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+s.APIToken)
	return req, nil
}

func (s sinchAPI) parseAnswer(_ context.Context, a answer) (string, error) {
	if code := a.field("code"); a.status == http.StatusForbidden && code == "illegal_number_type" {
		return "", a.classify(refusesMessage, "the provider answers "+code)
	}
	if err := a.byAccountStatus(); err != nil {
		return "", err
	}
	return a.acceptedID("id")
}

// account is the list of groups, which holds no texts:
// https://developers.sinch.com/docs/sms/api-reference/sms/groups/listgroups.
func (s sinchAPI) account(ctx context.Context) (*http.Request, error) {
	path := "/xms/v1/" + s.ServicePlanID + "/groups"
	req, err := besideEndpoint(ctx, s.Endpoint, "https://"+cmp.Or(s.Region, "us")+".sms.api.sinch.com", path)
	if err == nil {
		req.Header.Set("Authorization", "Bearer "+s.APIToken)
	}
	return req, err
}
