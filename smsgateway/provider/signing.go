package provider

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// Signing signs calls after Standard Webhooks (https://www.standardwebhooks.com), so
// that whoever gets one knows where it is from, and that it is no old one.
type Signing struct {
	// Secret is whsec_ and a key in base64; blank signs nothing.
	Secret string
	// Now is the moment of signing.
	Now func() time.Time
}

// callID is the key of a message's id in a call's context.
type callID struct{}

// around returns a transport that signs what goes through it.
func (s Signing) around(next http.RoundTripper) (http.RoundTripper, error) {
	if s.Secret == "" {
		return next, nil
	}
	key, err := standardwebhooks.NewWebhook(s.Secret)
	if err != nil {
		return nil, fmt.Errorf("signing_secret: %w", err)
	}
	return signed{next, key, s.Now}, nil
}

type signed struct {
	next http.RoundTripper
	key  *standardwebhooks.Webhook
	now  func() time.Time
}

// RoundTrip implements [http.RoundTripper]. A call that is repeated has the same id, and
// a timestamp of its own.
func (s signed) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		var err error
		body, err = io.ReadAll(r.Body)
		r.Body.Close()
		if err != nil {
			return nil, err
		}
	}
	id, _ := r.Context().Value(callID{}).(string)
	at := s.now()
	signature, err := s.key.Sign(id, at, body)
	if err != nil {
		return nil, err
	}
	r = r.Clone(r.Context())
	if r.Body != nil {
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	r.Header.Set(standardwebhooks.HeaderWebhookID, id)
	r.Header.Set(standardwebhooks.HeaderWebhookTimestamp, strconv.FormatInt(at.Unix(), 10))
	r.Header.Set(standardwebhooks.HeaderWebhookSignature, signature)
	return s.next.RoundTrip(r)
}

// withCallID names the message that a call is about.
func withCallID(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, callID{}, id)
}
