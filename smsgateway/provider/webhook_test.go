package provider_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/smsgateway"
	"github.com/holdline/holdline/smsgateway/provider"
)

func TestTheWebhookGetsWhatKratosGivesItsCourier(t *testing.T) {
	var got map[string]any
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if err := json.Unmarshal(body, &got); err != nil {
			t.Errorf("%v in %s", err, body)
		}
	}))
	defer server.Close()
	email, failure := "person@example.org", error(nil)
	hook, err := provider.NewWebhook(provider.RequestConfig{
		URL: server.URL, Body: "base64://" + base64.StdEncoding.EncodeToString([]byte("function(ctx) ctx")),
	}, func(_ context.Context, id string) (string, error) {
		if id != "bob" {
			t.Errorf("asked for %q", id)
		}
		return email, failure
	}, provider.Signing{}, provider.HTTPOptions{})
	if err != nil {
		t.Fatal(err)
	}
	m := smsgateway.Message{
		ID: "t", Kind: message.TextChanged, Channel: message.ChannelWebhook, To: phone.FromStore("+491711111111"),
		Subject: "Your number", Body: "It was changed.", Link: "https://id.example.com/not-me/abc", IdentityID: "bob", ClaimID: "claim-1",
	}
	if _, err := hook.Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"recipient": "person@example.org", "subject": "Your number", "body": "It was changed.",
		"message_type": "email", "template_type": "mobile_number_changed", "request_headers": map[string]any{},
		"template_data": map[string]any{
			"to": "person@example.org", "identity": map[string]any{"id": "bob"}, "mobile": "+49********11", "claim": "claim-1",
			"link": "https://id.example.com/not-me/abc", "request_url": "", "transient_payload": map[string]any{},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}

	failure = fmt.Errorf("gone: %w", claim.ErrNoIdentity)
	if _, err := hook.Send(t.Context(), m); !errors.Is(err, smsgateway.ErrRefused) {
		t.Errorf("nobody to tell: got %v", err)
	}
	failure = claim.ErrIdentitiesUnavailable
	if _, err := hook.Send(t.Context(), m); err == nil || errors.Is(err, smsgateway.ErrRefused) {
		t.Errorf("the directory is away: got %v", err)
	}
}

// What docs/sms.md#notices lists can be used, and is tried at start.
func TestAWebhooksTemplateIsTriedWithMails(t *testing.T) {
	for body, fault := range map[string]bool{
		"ctx.recipient":                                               false,
		"ctx.template_data.link":                                      false,
		"ctx.template_data.mobile":                                    false,
		"ctx.template_data.identity.id":                               false,
		"ctx.template_data.claim":                                     false,
		"ctx.template_data.verification_code":                         true,
		"if ctx.recipient == '' then error 'cancel' else ctx.subject": false,
	} {
		_, err := provider.NewWebhook(provider.RequestConfig{
			URL: "https://mail.example.org", Body: "base64://" + base64.StdEncoding.EncodeToString([]byte("function(ctx) { text: "+body+" }")),
		}, nil, provider.Signing{}, provider.HTTPOptions{})
		if (err != nil) != fault {
			t.Errorf("%s: got %v", body, err)
		}
	}
}
