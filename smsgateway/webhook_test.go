package smsgateway_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/internal/otp"
	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/smsgateway"
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
	hook, err := smsgateway.NewWebhook(smsgateway.RequestConfig{
		URL: server.URL, Body: "base64://" + base64.StdEncoding.EncodeToString([]byte("function(ctx) ctx")),
	}, func(_ context.Context, id string) (string, error) {
		if id != "bob" {
			t.Errorf("asked for %q", id)
		}
		return email, failure
	}, smsgateway.HTTPOptions{})
	if err != nil {
		t.Fatal(err)
	}
	m := smsgateway.Message{
		ID: "t", Kind: message.TextChanged, Channel: message.ChannelWebhook, To: phone.FromStore("+491711111111"),
		Subject: "Your number", Body: "It was changed.", Link: "https://id.example.com/not-me/abc", IdentityID: "bob",
	}
	if _, err := hook.Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"recipient": "person@example.org", "subject": "Your number", "body": "It was changed.",
		"message_type": "email", "template_type": "mobile_number_changed", "request_headers": map[string]any{},
		"template_data": map[string]any{
			"to": "person@example.org", "identity": map[string]any{"id": "bob"}, "mobile": "+49********11",
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
	failure = claim.ErrDirectoryAway
	if _, err := hook.Send(t.Context(), m); err == nil || errors.Is(err, smsgateway.ErrRefused) {
		t.Errorf("the directory is away: got %v", err)
	}
}

func TestNoticesAreComposedForTheirChannel(t *testing.T) {
	templates, err := smsgateway.NewTemplates(smsgateway.TemplateOptions{Product: "Acme", LongestLink: "https://acme.test/not-me/abc"})
	if err != nil {
		t.Fatal(err)
	}
	mails, err := smsgateway.NewMails("Acme", "en")
	if err != nil {
		t.Fatal(err)
	}
	var broken error
	composer := smsgateway.Composer{
		Codes: codes{}, Templates: templates, Mails: mails, Now: func() time.Time { return start },
		Link: func(t message.Text) (string, error) { return "https://acme.test/not-me/" + t.Code.ClaimID, broken },
	}
	text := message.Text{ID: "t", Kind: message.TextChanged, To: phone.FromStore("+491711234567"), Language: "de", Code: otp.CodeRef{ClaimID: "abc"}}
	sms, err := composer.Compose(text)
	if err != nil || sms.Subject != "" || !strings.Contains(sms.Body, "geändert") || !strings.Contains(sms.Body, "/not-me/abc") {
		t.Errorf("got %+v, %v", sms, err)
	}
	text.Channel = message.ChannelWebhook
	mail, err := composer.Compose(text)
	if err != nil || mail.Subject != "Ihre Mobilnummer bei Acme" || !strings.Contains(mail.Body, "/not-me/abc") || mail.Link == "" {
		t.Errorf("got %+v, %v", mail, err)
	}
	text.Kind = message.TextDisputed
	if alarm, err := composer.Compose(text); err != nil || alarm.Link != "" || !strings.Contains(alarm.Body, "disputed") {
		t.Errorf("got %+v, %v", alarm, err)
	}
	broken, text.Kind = errors.New("secret"), message.TextRequested
	if _, err := composer.Compose(text); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("got %v", err)
	}
	text.To = phone.Number{}
	if _, err := composer.Compose(text); err == nil {
		t.Error("a text to nobody is composed")
	}
}

// What docs/sms.md#notices lists can be used, and is tried at start.
func TestAWebhooksTemplateIsTriedWithMails(t *testing.T) {
	for body, fault := range map[string]bool{
		"ctx.recipient":                                               false,
		"ctx.template_data.link":                                      false,
		"ctx.template_data.mobile":                                    false,
		"ctx.template_data.identity.id":                               false,
		"ctx.template_data.verification_code":                         true,
		"if ctx.recipient == '' then error 'cancel' else ctx.subject": false,
	} {
		_, err := smsgateway.NewWebhook(smsgateway.RequestConfig{
			URL: "https://mail.example.org", Body: "base64://" + base64.StdEncoding.EncodeToString([]byte("function(ctx) { text: "+body+" }")),
		}, nil, smsgateway.HTTPOptions{})
		if (err != nil) != fault {
			t.Errorf("%s: got %v", body, err)
		}
	}
}

// A text that had to wait says what is left, and one that was sent at once its
// whole time.
func TestTextsSayHowLongTheCodeIsStillGood(t *testing.T) {
	templates, err := smsgateway.NewTemplates(smsgateway.TemplateOptions{Product: "Acme"})
	if err != nil {
		t.Fatal(err)
	}
	for waited, want := range map[time.Duration]string{
		0: "in 5 minutes", 10 * time.Second: "in 5 minutes", time.Minute: "in 4 minutes", 4*time.Minute + 50*time.Second: "in 1 minute.",
	} {
		composer := smsgateway.Composer{Codes: codes{}, Templates: templates, Now: func() time.Time { return start.Add(waited) }}
		m, err := composer.Compose(message.Text{
			To:   phone.FromStore("+491711234567"),
			Code: otp.CodeRef{Key: "n6.key"}, Validity: 5 * time.Minute, Expires: start.Add(5 * time.Minute),
		})
		if err != nil || !strings.Contains(m.Body, want) {
			t.Errorf("after %v: got %q, %v", waited, m.Body, err)
		}
	}
}
