package smsgateway

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode"
)

const (
	longestAnswer     = 64 << 10
	longestProviderID = 128
	longestRetryAfter = time.Hour
)

// HTTPOptions tune an [HTTP] gateway. The zero value is good.
type HTTPOptions struct {
	Timeout time.Duration // of one send; 10 s if zero
	// EvaluationLimit is how long the body template may take; 1 s if zero.
	EvaluationLimit time.Duration
	// Transport carries the requests; a pool of its own if nil.
	Transport http.RoundTripper
}

// HTTP sends texts by requests to a provider. An answer of 200 to 299 means
// sent; 408, 425, 429 and 500 to 599 are failures that pass; all others refuse.
type HTTP struct {
	config  RequestConfig
	body    *bodyTemplate // nil for none
	client  *http.Client
	timeout time.Duration
}

// NewHTTP checks the configuration, loads its template once, and reports every
// fault.
func NewHTTP(config RequestConfig, options HTTPOptions) (*HTTP, error) {
	if options.Transport == nil {
		options.Transport = &http.Transport{
			Proxy:                  http.ProxyFromEnvironment,
			ForceAttemptHTTP2:      true,
			MaxIdleConnsPerHost:    32,
			IdleConnTimeout:        90 * time.Second,
			TLSHandshakeTimeout:    10 * time.Second,
			MaxResponseHeaderBytes: longestAnswer,
		}
	}
	h := &HTTP{
		config:  config,
		timeout: cmp.Or(options.Timeout, 10*time.Second),
		client: &http.Client{
			Transport:     options.Transport,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
	faults := config.check()
	if config.Body != "" {
		source, err := loadBody(h.client, config.Body)
		if err == nil {
			limit := cmp.Or(options.EvaluationLimit, time.Second)
			h.body, err = parseBody(source, config.mediaType() == typeForm, limit)
		}
		if err != nil {
			faults = append(faults, fmt.Errorf("request_config.body: %w", err))
		}
	}
	if len(faults) > 0 {
		h.Close()
		return nil, errors.Join(faults...)
	}
	return h, nil
}

// Close lets go of idle connections.
func (h *HTTP) Close() { h.client.CloseIdleConnections() }

// Send makes one request.
func (h *HTTP) Send(ctx context.Context, m Message) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, h.timeout)
	defer cancel()
	var body io.Reader
	if h.body != nil {
		rendered, err := h.body.render(ctx, m)
		if err != nil {
			return "", err
		}
		body = bytes.NewReader(rendered)
	}
	req, err := http.NewRequestWithContext(ctx, h.config.method(), h.config.URL, body)
	if err != nil {
		return "", fmt.Errorf("%w: the URL cannot be used", ErrRefused)
	}
	h.config.dress(req, m.ID)
	res, err := h.client.Do(req)
	if err != nil {
		return "", describeTransport(err)
	}
	defer res.Body.Close()
	if err := verdict(res); err != nil {
		return "", err
	}
	return providerID(res.Body), nil
}

// verdict reads what the status says. Kratos asks no more of a provider.
func verdict(res *http.Response) error {
	reason := fmt.Sprintf("the provider answers %d", res.StatusCode)
	switch status := res.StatusCode; {
	case status >= 200 && status <= 299:
		return nil
	case status == http.StatusRequestTimeout, status == http.StatusTooEarly,
		status == http.StatusTooManyRequests, status >= 500:
		return &RetryError{Reason: reason, After: retryAfter(res.Header)}
	default:
		return fmt.Errorf("%w: %s", ErrRefused, reason)
	}
}

// retryAfter reads a delay in seconds, or a date by the provider's own clock.
func retryAfter(h http.Header) time.Duration {
	text := h.Get("Retry-After")
	if seconds, err := strconv.Atoi(text); err == nil {
		return time.Duration(min(max(0, seconds), int(longestRetryAfter/time.Second))) * time.Second
	}
	then, err := http.ParseTime(text)
	if err != nil {
		return 0
	}
	now, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		return 0
	}
	return min(max(0, then.Sub(now)), longestRetryAfter)
}

// providerID finds the provider's name for the text in its answer, if that can
// be read: the text was taken in any case.
func providerID(body io.Reader) string {
	var fields map[string]any
	answer, err := io.ReadAll(io.LimitReader(body, longestAnswer))
	if err != nil || json.Unmarshal(answer, &fields) != nil {
		return ""
	}
	for _, name := range []string{"message_id", "messageId", "id", "sid", "message-uuid", "message_uuid"} {
		id, ok := fields[name].(string)
		if ok && id != "" && len(id) <= longestProviderID && !strings.ContainsFunc(id, unicode.IsControl) {
			return id
		}
	}
	return ""
}
