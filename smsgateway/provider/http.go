// Package provider sends texts by the APIs of SMS providers, and knows how they prove
// their delivery receipts: a file for each provider that has a type of its own, a file
// in presets for each that an operator's request describes.
package provider

import (
	"cmp"
	"context"
	"net"
	"net/http"
	"time"

	"github.com/holdline/holdline/smsgateway"
)

// dialTimeout bounds what outlives the request that it was begun for.
const dialTimeout = 10 * time.Second

// idleConnections is how many are kept for the next texts.
const idleConnections = smsgateway.DefaultConcurrency

// connectionBuffer is enough for a text and its answer, in bytes. A slow provider
// holds hundreds of connections.
const connectionBuffer = 2 << 10

// HTTPOptions tune an [HTTP] gateway. The zero value is good.
type HTTPOptions struct {
	Timeout time.Duration // of one send; 10 s if zero
	// EvaluationLimit is how long the body template may take; 1 s if zero.
	EvaluationLimit time.Duration
	// Transport carries the requests; a pool of its own if nil.
	Transport http.RoundTripper
	// Observe hears of each request and its answer, of no body that is longer than
	// a text's. It hears secrets, and is for the doctor alone; nil for nobody.
	Observe func(Exchange)
	Custom  CustomOptions // for [NewHTTP]
}

// HTTP sends texts by requests to a provider.
type HTTP struct {
	api     api
	client  *http.Client
	timeout time.Duration
}

// api is a provider's, or the one that a [RequestConfig] describes. It makes a request
// of a message and reads the answer; connections and their faults are none of its
// concern.
type api interface {
	request(ctx context.Context, m smsgateway.Message) (*http.Request, error)
	parseAnswer(ctx context.Context, a answer) (providerID string, err error)
}

func newGateway(of api, options HTTPOptions) *HTTP {
	return &HTTP{api: of, client: options.client(), timeout: options.timeout()}
}

// client follows no redirects: they would carry codes and credentials to
// places that nobody configured.
func (o HTTPOptions) client() *http.Client {
	transport := o.Transport
	if transport == nil {
		transport = newTransport()
	}
	if o.Observe != nil {
		transport = observed{transport, o.Observe}
	}
	return &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

func (o HTTPOptions) timeout() time.Duration { return cmp.Or(o.Timeout, 10*time.Second) }

func newTransport() *http.Transport {
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            (&net.Dialer{Timeout: dialTimeout}).DialContext,
		ForceAttemptHTTP2:      true,
		MaxIdleConnsPerHost:    idleConnections,
		ReadBufferSize:         connectionBuffer,
		WriteBufferSize:        connectionBuffer,
		IdleConnTimeout:        90 * time.Second,
		TLSHandshakeTimeout:    10 * time.Second,
		MaxResponseHeaderBytes: longestAnswer,
	}
}

// Close lets go of idle connections.
func (h *HTTP) Close() { h.client.CloseIdleConnections() }

// Send makes one request; two if the first answer is not understood.
func (h *HTTP) Send(ctx context.Context, m smsgateway.Message) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, h.timeout)
	defer cancel()
	return untilUnderstood(ctx, func(ctx context.Context) (string, error) { return h.sendOnce(ctx, m) })
}

func (h *HTTP) sendOnce(ctx context.Context, m smsgateway.Message) (string, error) {
	req, err := h.api.request(ctx, m)
	if err != nil {
		return "", err
	}
	traced, unclearIfSent := traceSending(ctx)
	res, err := h.client.Do(req.WithContext(traced))
	if err != nil {
		return "", unclearIfSent(describeTransport(err))
	}
	defer res.Body.Close()
	a, err := readAnswer(res)
	if err != nil {
		return "", err
	}
	a.asked = m
	return h.api.parseAnswer(ctx, a)
}
