package smsgateway

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
)

// Bird is Bird's Channels API for a channel of type SMS:
// https://docs.bird.com/api/quickstarts/send-an-sms-message. The channel has the
// sender, and the workspace the address for receipts.
type Bird struct {
	AccessKey, WorkspaceID, ChannelID string
	Endpoint                          string // the channel's at https://api.bird.com if blank
}

func (b Bird) request(ctx context.Context, m Message) (*http.Request, error) {
	type object = map[string]any
	standard := "https://api.bird.com/workspaces/" + url.PathEscape(b.WorkspaceID) + "/channels/" + url.PathEscape(b.ChannelID) + "/messages"
	req, err := postJSON(ctx, cmp.Or(b.Endpoint, standard), object{
		"receiver":  object{"contacts": []object{{"identifierKey": "phonenumber", "identifierValue": m.To.Reveal()}}},
		"body":      object{"type": "text", "text": object{"text": m.Body}},
		"reference": m.ID,
	})
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "AccessKey "+b.AccessKey)
	return req, nil
}

func (b Bird) verdict(_ context.Context, a answer) (string, error) {
	if err := a.byStatusOf(); err != nil {
		return "", err
	}
	switch a.field("status") {
	case "rejected", "sending_failed", "delivery_failed":
		return "", a.judge(refusesMessage, "the provider gives the message up")
	}
	return a.taken("id")
}
