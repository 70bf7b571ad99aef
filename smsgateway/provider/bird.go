package provider

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/smsgateway"
	"github.com/holdline/holdline/smsgateway/receipt"
)

// birdAPI is Bird's Channels API for a channel of type SMS:
// https://docs.bird.com/api/quickstarts/send-an-sms-message. The channel has the
// sender, and the workspace the address for receipts.
type birdAPI struct {
	AccessKey, WorkspaceID, ChannelID string
	Endpoint                          string // the channel's at https://api.bird.com if blank
}

// bird proves its receipts ("Message status and interactions") by signature_secret, the
// signing key of the webhook that the workspace has for them.
var bird = Type{
	api: func(s Settings, _ string) api {
		return birdAPI{AccessKey: s["access_key"], WorkspaceID: s["workspace_id"], ChannelID: s["channel_id"], Endpoint: s["endpoint"]}
	},
	Receipts:      receipt.Format{Open: openBird, MessageID: []string{"payload.id"}, Status: "payload.status"},
	ReceiptSecret: "signature_secret",
}

func (b birdAPI) request(ctx context.Context, m smsgateway.Message) (*http.Request, error) {
	type object = map[string]any
	standard := "https://api.bird.com/workspaces/" + url.PathEscape(b.WorkspaceID) + "/channels/" + url.PathEscape(b.ChannelID) + "/messages"
	req, err := postJSON(ctx, cmp.Or(b.Endpoint, standard), object{
		"receiver":  object{"contacts": []object{{"identifierKey": "phonenumber", "identifierValue": m.To.Unmasked()}}},
		"body":      object{"type": "text", "text": object{"text": m.Body}},
		"reference": m.ID,
	})
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "AccessKey "+b.AccessKey)
	return req, nil
}

func (b birdAPI) parseAnswer(_ context.Context, a answer) (string, error) {
	if err := a.byAccountStatus(); err != nil {
		return "", err
	}
	switch a.field("status") {
	case "rejected", "sending_failed", "delivery_failed":
		return "", a.classify(refusesMessage, "the provider gives the message up")
	}
	return a.acceptedID("id")
}

// account is the channel: https://docs.bird.com/api/channels-api.
func (b birdAPI) account(ctx context.Context) (*http.Request, error) {
	path := "/workspaces/" + b.WorkspaceID + "/channels/" + b.ChannelID
	req, err := besideEndpoint(ctx, b.Endpoint, "https://api.bird.com", path)
	if err == nil {
		req.Header.Set("Authorization", "AccessKey "+b.AccessKey)
	}
	return req, err
}

// birdAge is how old a receipt's proof may be: Bird repeats a failed delivery for a
// day with the first time stamp.
const birdAge = 25 * time.Hour

// openBird checks MessageBird-Signature (Bird, "Verifying a webhook
// subscription"): HMAC-SHA256, in base64, of the time, the URL and the body's
// hash, a line each.
func openBird(key string, r receipt.Request) (receipt.Fields, error) {
	stamp := r.Header.Get("MessageBird-Request-Timestamp")
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	age := r.Now.Sub(time.Unix(seconds, 0))
	if err != nil || age > birdAge || age < -clockSkew {
		return nil, message.ErrReceiptUnproven
	}
	body := sha256.Sum256(r.Body)
	given, err := base64.StdEncoding.DecodeString(r.Header.Get("MessageBird-Signature"))
	if err != nil || !hmac.Equal(given, receipt.MAC(sha256.New, key, stamp+"\n"+r.URL+"\n"+string(body[:]))) {
		return nil, message.ErrReceiptUnproven
	}
	return r.BodyFields()
}
