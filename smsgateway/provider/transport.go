package provider

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http/httptrace"
	"sync/atomic"
	"syscall"

	"github.com/holdline/holdline/smsgateway"
)

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
