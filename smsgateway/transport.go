package smsgateway

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"syscall"
)

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
