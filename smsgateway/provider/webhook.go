package provider

import (
	"context"
	"errors"
	"fmt"

	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/smsgateway"
)

// Webhook is a [smsgateway.Gateway] to the operator's own service, which writes e-mails or
// raises alarms. It takes what Kratos takes at courier.http.request_config
// (https://www.ory.sh/docs/kratos/emails-sms/sending-emails-smtp#http).
type Webhook struct {
	http  *HTTP
	email func(ctx context.Context, identityID string) (string, error)
}

// NewWebhook checks the configuration as [NewHTTP] does. Email finds an
// identity's address, blank for none; its errors are those of [claim.Identities].
func NewWebhook(
	config RequestConfig, email func(ctx context.Context, identityID string) (string, error), signing Signing, options HTTPOptions,
) (*Webhook, error) {
	if options.Transport == nil {
		options.Transport = newTransport()
	}
	var err error
	if options.Transport, err = signing.around(options.Transport); err != nil {
		return nil, err
	}
	var samples []smsgateway.Message
	for _, kind := range []message.TextKind{
		message.TextRequested, message.TextChanged, message.TextRemoved, message.TextTaken, message.TextDisputed,
	} {
		samples = append(samples, smsgateway.Message{
			ID: "sample", Kind: kind, Channel: message.ChannelWebhook, To: phone.FromStore("+491711111111"),
			Subject: "A sample", Body: "A sample.", Email: "person@example.org", Link: "https://example.org/",
		})
	}
	h, err := newCustom(config, options, samples...)
	if err != nil {
		return nil, err
	}
	return &Webhook{h, email}, nil
}

// Send calls the service. Nobody can be told about an identity that is gone.
func (w *Webhook) Send(ctx context.Context, m smsgateway.Message) (string, error) {
	email, err := w.email(ctx, m.IdentityID)
	switch {
	case errors.Is(err, claim.ErrNoIdentity):
		return "", fmt.Errorf("%w: the identity is gone", smsgateway.ErrRefused)
	case err != nil:
		return "", fmt.Errorf("%w: the identity's e-mail address cannot be read", smsgateway.ErrLocal)
	}
	m.Email = email
	return w.http.Send(withCallID(ctx, m.ID), m)
}

// mailData is what Kratos gives the templates of its HTTP courier for e-mails.
func mailData(m smsgateway.Message) object {
	return object{
		"recipient":       m.Email,
		"subject":         m.Subject,
		"body":            m.Body,
		"message_type":    "email",
		"template_type":   "mobile_number_" + string(m.Kind),
		"request_headers": object{},
		"template_data": object{
			"to":                m.Email,
			"identity":          object{"id": m.IdentityID},
			"mobile":            m.To.String(), // masked
			"claim":             m.ClaimID,
			"link":              m.Link,
			"request_url":       "",
			"transient_payload": object{},
		},
	}
}
