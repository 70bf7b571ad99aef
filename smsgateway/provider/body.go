package provider

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/smsgateway"
)

// bodyTemplate makes the bodies of one gateway's requests.
type bodyTemplate struct {
	*snippet
	form         bool
	preparations preparations
}

// parseBody reads a template, and tries it with made-up messages, so that faults
// show at start rather than with the first user.
func parseBody(source string, form bool, limit time.Duration, samples []filled) (*bodyTemplate, error) {
	parsed, err := parseSnippet("body template", source, limit)
	if err != nil {
		return nil, err
	}
	t := &bodyTemplate{snippet: parsed, form: form}
	for _, sample := range samples {
		_, err = t.render(context.Background(), sample)
		if fault := new(snippetError); errors.Is(err, errSlow) || errors.As(err, &fault) && !fault.chosen {
			return nil, err
		}
	}
	return t, nil
}

// render makes the body of a message's request. A template that fails refuses the
// message: no other try will end differently.
func (t *bodyTemplate) render(ctx context.Context, m filled) ([]byte, error) {
	return t.finish(t.output(ctx, m))
}

// finish makes a body, or its error, of what the template made.
func (t *bodyTemplate) finish(out []byte, err error) ([]byte, error) {
	fault := new(snippetError)
	switch {
	case errors.As(err, &fault):
		return nil, bodyError{fault}
	case errors.Is(err, errNoPlace), errors.Is(err, errSlow):
		return nil, fmt.Errorf("%w: the body template %w", smsgateway.ErrLocal, err)
	case err != nil:
		return nil, fmt.Errorf("wait for the body template: %w", err)
	case t.form:
		return t.encodeForm(out)
	}
	return out, nil
}

// output is what the template makes of a message; the error is that of [snippet.run].
func (t *bodyTemplate) output(ctx context.Context, m filled) ([]byte, error) {
	if m.Channel != message.ChannelWebhook {
		shape, values := taken(m)
		if p := t.of(ctx, shape, m); p != nil {
			out := p.fill(values)
			return out, t.bound(len(out))
		}
	}
	return t.evaluated(ctx, m)
}

// evaluated is what the interpreter makes of the template for one message.
func (t *bodyTemplate) evaluated(ctx context.Context, m filled) ([]byte, error) {
	data, err := bodyData(m)
	if err != nil {
		return nil, err
	}
	out, err := t.run(ctx, data)
	return []byte(out), err
}

// bodyError is a template that fails for a message.
type bodyError struct{ *snippetError }

// Is makes it a refusal.
func (bodyError) Is(target error) bool { return target == smsgateway.ErrRefused }

func (e bodyError) Unwrap() error { return e.snippetError }

// encodeForm makes a form of a flat object of strings.
func (t *bodyTemplate) encodeForm(object []byte) ([]byte, error) {
	fields := map[string]string{}
	if err := json.Unmarshal(object, &fields); err != nil {
		return nil, bodyError{&snippetError{name: t.name, what: "must make a flat object of strings for a form"}}
	}
	form := url.Values{}
	for name, value := range fields {
		form.Set(name, value)
	}
	return []byte(form.Encode()), nil
}
