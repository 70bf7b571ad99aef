package kratos

import (
	"net"
	"net/http"
	"time"
)

const (
	longestAnswer = 4 << 20
	longestHeader = 256 << 10
	mostIdle      = 64
)

// newHTTP returns the client that all requests go through: it keeps connections,
// sends no cookies by itself (Kratos refuses native flows that carry some),
// follows no redirect, since a session token must not go elsewhere, and reads no
// answer without end.
func newHTTP(given *http.Client, around func(http.RoundTripper) http.RoundTripper) *http.Client {
	if given == nil {
		given = &http.Client{Transport: newTransport()}
	}
	next := given.Transport
	if next == nil {
		next = http.DefaultTransport
	}
	if around != nil {
		next = around(next)
	}
	return &http.Client{
		Transport:     capped{next},
		Timeout:       given.Timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

func newTransport() *http.Transport {
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            (&net.Dialer{Timeout: 3 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		ForceAttemptHTTP2:      true,
		MaxIdleConns:           2 * mostIdle,
		MaxIdleConnsPerHost:    mostIdle,
		IdleConnTimeout:        90 * time.Second,
		TLSHandshakeTimeout:    3 * time.Second,
		MaxResponseHeaderBytes: longestHeader,
	}
}

// capped cuts answers off, because the client reads them whole. It also keeps their
// type from the client, which would decode them twice, into all that its models have;
// [fetch] reads from the body what is needed.
type capped struct{ next http.RoundTripper }

func (c capped) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := c.next.RoundTrip(req)
	if err == nil {
		resp.Body = http.MaxBytesReader(nil, resp.Body, longestAnswer)
		resp.Header.Del("Content-Type")
	}
	return resp, err
}

// CloseIdleConnections passes on what http.Client asks for.
func (c capped) CloseIdleConnections() {
	if closer, ok := c.next.(interface{ CloseIdleConnections() }); ok {
		closer.CloseIdleConnections()
	}
}
