// Package provider sends texts by the APIs of SMS providers, and knows how they prove
// their delivery receipts: a file for each provider that has a type of its own, a file
// in presets for each that an operator's request describes.
package provider

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"syscall"
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
	ctx, unclearIfSent := traceSending(ctx)
	req, err := h.api.request(ctx, m)
	if err != nil {
		return "", err
	}
	res, err := h.client.Do(req)
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

// untilUnderstood sends a message, and once more if nobody can tell what the provider
// answered: with the same id and the same code, after half of the time that ctx
// leaves. Only when that time is over it gives up, so that no other gateway is
// asked before.
func untilUnderstood(ctx context.Context, send func(context.Context) (string, error)) (string, error) {
	id, err := send(ctx)
	if !errors.Is(err, smsgateway.ErrUnsure) {
		return id, err
	}
	until, limited := ctx.Deadline()
	if !limited {
		return "", err
	}
	pause := time.NewTimer(time.Until(until) / 2)
	defer pause.Stop()
	select {
	case <-ctx.Done():
		return "", err
	case <-pause.C:
	}
	if id, again := send(ctx); again == nil {
		return id, nil
	}
	<-ctx.Done()
	return "", err
}

// traceSending learns whether the provider may have got the request, so that no answer
// to it is unclear: the second result makes such an error of a failure to answer.
func traceSending(ctx context.Context) (context.Context, func(error) error) {
	var written atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		WroteHeaders: func() { written.Store(true) }, // WroteRequest may come later than a broken answer
	})
	return ctx, func(err error) error {
		if written.Load() {
			return fmt.Errorf("%w: %w", smsgateway.ErrUnclear, err)
		}
		return err
	}
}

// describeTransport says in fixed words why there is no answer: what net/http
// says may hold the URL's credentials or parts of an answer.
func describeTransport(err error) error {
	var lookup *net.DNSError
	var certificate *tls.CertificateVerificationError
	var timeout net.Error
	switch {
	case errors.Is(err, context.Canceled):
		return fmt.Errorf("no answer: %w", context.Canceled)
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return fmt.Errorf("no answer in time: %w", context.DeadlineExceeded)
	case errors.As(err, &lookup):
		return errors.New("the host's address cannot be found")
	case errors.As(err, &certificate):
		return errors.New("the host's certificate is not trusted")
	case errors.Is(err, syscall.ECONNREFUSED):
		return errors.New("the connection is refused")
	default:
		return errors.New("the connection breaks, or the answer is not HTTP")
	}
}
