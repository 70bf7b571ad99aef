package smsgateway

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/holdline/holdline/claim"
)

// custom is the API that a [RequestConfig] describes.
type custom struct {
	config RequestConfig
	body   *bodyTemplate // nil for none
}

// NewHTTP returns a gateway to any provider. It checks the configuration, loads
// its template once, and reports every fault. An answer of 200 to 299 means
// sent, unless it plainly is an error document; 401, 402 and 403 refuse the
// account; 408, 425, 429 and 500 to 599 pass; all others refuse the message.
func NewHTTP(config RequestConfig, options HTTPOptions) (*HTTP, error) {
	return newCustom(config, options, Message{
		ID: "sample", Kind: claim.TextCode, Body: "123456 is a sample.", Code: "123456", Validity: 5 * time.Minute,
	})
}

// newCustom tries the template with samples of what it will get.
func newCustom(config RequestConfig, options HTTPOptions, samples ...Message) (*HTTP, error) {
	client := newClient(options.Transport)
	api := custom{config: config}
	faults := config.check()
	if config.Body != "" {
		source, err := loadBody(client, config.Body)
		if err == nil {
			limit := cmp.Or(options.EvaluationLimit, time.Second)
			api.body, err = parseBody(source, config.mediaType() == typeForm, limit, samples)
		}
		if err != nil {
			faults = append(faults, fmt.Errorf("request_config.body: %w", err))
		}
	}
	if len(faults) > 0 {
		client.CloseIdleConnections()
		return nil, errors.Join(faults...)
	}
	return &HTTP{api: api, client: client, timeout: options.timeout()}, nil
}

// NoticeFault tells why a template that was written for codes fails for notices;
// nil if it does not, and for gateways that have none.
func (h *HTTP) NoticeFault() error {
	c, _ := h.api.(custom)
	if c.body == nil {
		return nil
	}
	_, err := c.body.render(context.Background(), Message{
		ID: "sample", Kind: claim.TextChanged, To: claim.RestoreMobile("+491711111111"), Body: "A sample.",
	})
	return err
}

func (c custom) request(ctx context.Context, m Message) (*http.Request, error) {
	var body []byte
	if c.body != nil {
		var err error
		if body, err = c.body.render(ctx, m); err != nil {
			return nil, err
		}
	}
	req, err := newRequest(ctx, c.config.method(), c.config.URL, "", body)
	if err != nil {
		return nil, err
	}
	c.config.dress(req, m.ID)
	// With an idempotency key net/http would repeat a request by itself on every
	// connection that breaks, which is for the worker to decide.
	req.GetBody = nil
	req.Close = req.Body == nil
	return req, nil
}

func (c custom) verdict(a answer) (string, error) {
	if err := a.byStatus(); err != nil {
		return "", err
	}
	if a.field("message-count") != "" { // Vonage, which says no with 200
		if err := vonageFailure(a); err != nil {
			return "", err
		}
	}
	id := a.id(
		"message_id", "messageId", "id", "sid", "message-uuid", "message_uuid",
		"messages.0.message-id", "messages.0.message_id", "messages.0.messageId", "messages.0.id",
		"data.id", "data.message_id",
	)
	if id == "" && a.isError() {
		return "", a.judge(refusesMessage, fmt.Sprintf("the provider answers %d with an error in it", a.status))
	}
	return id, nil
}

// isError tells whether the answer is an object that names an error.
func (a answer) isError() bool {
	fields, _ := a.json.(map[string]any)
	return slices.ContainsFunc([]string{"error", "errors", "error-text", "error_message"}, func(name string) bool {
		value := fmt.Sprint(fields[name])
		return !slices.Contains([]string{"<nil>", "", "0", "false", "[]", "map[]"}, value)
	})
}
