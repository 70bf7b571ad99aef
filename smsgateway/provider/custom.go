package provider

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/smsgateway"
	"github.com/holdline/holdline/smsgateway/receipt"
)

// CustomOptions are what a gateway to any provider has beside its requests.
type CustomOptions struct {
	// Preset names a provider whose body and rule are built in; see [Presets].
	Preset string
	// Response is where the rule for answers is, in jsonnet, as
	// [RequestConfig.Body] says it; blank for the preset's own. It makes
	// {sent, id, permanent, account, reason} of {status, headers, body}.
	Response string
	// Data are values of the operator's for the body.
	Data map[string]string
	// TemplateIDs are the provider's names of texts that were registered with it,
	// by kind and BCP 47 language. A text is written in a language that has one.
	TemplateIDs map[message.TextKind]map[string]string
	// Now is for signatures that hold the time, and needed for auth of type acs3.
	Now func() time.Time
}

// anyProvider's receipts hold what the operator has the provider send.
var anyProvider = Type{
	new: func(c Config) (smsgateway.Gateway, error) { return NewHTTP(c.Request, c.Options) },
	Receipts: receipt.Format{
		Open: receipt.OpenShared, MessageID: []string{"id", "text"}, Status: "status", ErrorCode: "code",
	},
	ReceiptSecret: receiptSecret,
}

// custom is the API that a [RequestConfig] describes.
type custom struct {
	config  RequestConfig
	options CustomOptions
	body    *bodyTemplate // nil for none
	query   bool          // the body's fields belong into the URL
	// templates says that the provider sends registered texts alone.
	templates bool
	rule      *rule // nil for none
	api       api   // whose rule holds if there is none; nil for none
	data      object
}

// NewHTTP returns a gateway to any provider. It checks the configuration, loads
// its template and its rule once, and reports every fault. Without a rule an
// answer of 200 to 299 means sent, unless it plainly is an error document; 401,
// 402 and 403 refuse the account; 408, 425, 429 and 500 to 599 pass; all others
// refuse the message.
func NewHTTP(config RequestConfig, options HTTPOptions) (*HTTP, error) {
	return newCustom(config, options, smsgateway.Message{
		ID: "sample", Kind: message.TextCode, Body: "123456 is a sample.", Code: "123456", Validity: 5 * time.Minute,
	})
}

// newCustom tries the template with samples of what it will get.
func newCustom(config RequestConfig, options HTTPOptions, samples ...smsgateway.Message) (*HTTP, error) {
	client, more := options.client(), options.Custom
	limit := cmp.Or(options.EvaluationLimit, time.Second)
	api := custom{config: config, options: more, data: object{}}
	for name, value := range more.Data {
		api.data[name] = value
	}
	faults := api.usePreset()
	faults = append(faults, api.config.check(api.body != nil || api.config.Body != "")...)
	load := func(key, place string, parse func(source string) error) {
		source, err := loadBody(client, place)
		if err == nil {
			err = parse(string(source))
		}
		if err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", key, err))
		}
	}
	var tried []filled
	for _, sample := range samples {
		tried = append(tried, api.fill(sample))
	}
	if api.config.Body != "" {
		load("request_config.body", api.config.Body, func(source string) (err error) {
			form := api.query || api.config.mediaType() == typeForm
			api.body, err = parseBody(source, form, limit, tried)
			return err
		})
	}
	if more.Response != "" {
		load("response", more.Response, func(source string) (err error) {
			api.rule, err = parseRule(source, limit)
			return err
		})
	}
	faults = append(faults, api.checkTemplateIDs()...)
	if api.config.Auth.Type == "acs3" && more.Now == nil {
		faults = append(faults, errors.New("request_config.auth.type: acs3 is not for this"))
	}
	if len(faults) > 0 {
		client.CloseIdleConnections()
		return nil, errors.Join(faults...)
	}
	return &HTTP{api: api, client: client, timeout: options.timeout()}, nil
}

func (c custom) checkTemplateIDs() []error {
	var faults []error
	for _, kind := range slices.Sorted(maps.Keys(c.options.TemplateIDs)) {
		for _, name := range slices.Sorted(maps.Keys(c.options.TemplateIDs[kind])) {
			if _, err := smsgateway.ParseLanguage(name); err != nil {
				faults = append(faults, fmt.Errorf("template_ids.%s: is not a language (BCP 47)", name))
			}
		}
	}
	return faults
}

// NoticeFault says why a template that was written for codes fails for notices;
// nil if it does not, and for gateways that have none.
func (h *HTTP) NoticeFault() error {
	c, _ := h.api.(custom)
	if c.body == nil {
		return nil
	}
	_, err := c.render(context.Background(), smsgateway.Message{
		ID: "sample", Kind: message.TextChanged, To: phone.FromStore("+491711111111"), Body: "A sample.", Link: "https://example.org/",
	})
	return err
}

// render makes the body of a message's request; nil for none.
func (c custom) render(ctx context.Context, m smsgateway.Message) ([]byte, error) {
	if c.body == nil {
		return nil, nil
	}
	f := c.fill(m)
	if c.templates && f.TemplateID == "" {
		return nil, fmt.Errorf("%w: no text of this kind is in template_ids", smsgateway.ErrRefused)
	}
	return c.body.render(ctx, f)
}

// fill adds what the gateway's own settings say of a message, and writes it anew
// if it is in a language that the provider has no template of.
func (c custom) fill(m smsgateway.Message) filled {
	f := filled{Message: m, Data: c.data}
	ids := c.options.TemplateIDs[cmp.Or(m.Kind, message.TextCode)]
	if len(ids) == 0 {
		return f
	}
	languages := slices.Sorted(maps.Keys(ids))
	if id, ok := idOf(ids, m.Written); ok {
		f.TemplateID = id
		return f
	}
	if m.Write == nil {
		f.TemplateID = ids[languages[0]]
		return f
	}
	if body, written, err := m.Write(languages); err == nil {
		f.Body, f.Written = body, written
		f.TemplateID, _ = idOf(ids, written)
	}
	return f
}

// idOf finds a template by its language, however that is written.
func idOf(ids map[string]string, language string) (string, bool) {
	wanted, err := smsgateway.ParseLanguage(language)
	if err != nil {
		return "", false
	}
	for name, id := range ids {
		if tag, err := smsgateway.ParseLanguage(name); err == nil && tag == wanted {
			return id, true
		}
	}
	return "", false
}

func (c custom) request(ctx context.Context, m smsgateway.Message) (*http.Request, error) {
	body, err := c.render(ctx, m)
	if err != nil {
		return nil, err
	}
	address := c.config.URL
	if c.query {
		address, body = withQuery(address, body), nil
	}
	req, err := newRequest(ctx, c.config.method(), address, "", body)
	if err != nil {
		return nil, err
	}
	c.config.addHeaders(req, m.ID, body, c.options.Now)
	// With an idempotency key net/http would repeat a request by itself on every
	// connection that breaks, which is for the worker to decide.
	req.GetBody = nil
	req.Close = req.Body == nil
	return req, nil
}

func (c custom) parseAnswer(ctx context.Context, a answer) (string, error) {
	switch {
	case c.rule != nil:
		return c.rule.parseAnswer(ctx, a)
	case c.api != nil:
		return c.api.parseAnswer(ctx, a)
	}
	return withoutRule(a)
}

// withoutRule reads an answer by what most providers have in common.
func withoutRule(a answer) (string, error) {
	if err := a.byStatus(); err != nil {
		return "", err
	}
	if a.field("message-count") != "" { // Vonage, which refuses with 200
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
		return "", a.classify(refusesMessage, fmt.Sprintf("the provider answers %d with an error in it", a.status))
	}
	return id, nil
}

// isError reports whether the answer is an object that names an error.
func (a answer) isError() bool {
	fields, _ := a.json.(map[string]any)
	return slices.ContainsFunc([]string{"error", "errors", "error-text", "error_message"}, func(name string) bool {
		value := fmt.Sprint(fields[name])
		return !slices.Contains([]string{"<nil>", "", "0", "false", "[]", "map[]"}, value)
	})
}
