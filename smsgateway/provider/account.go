package provider

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/smsgateway"
)

// accountAPI is an [api] with something to look at that sends nothing and reports
// whether the credentials are good.
type accountAPI interface {
	account(ctx context.Context) (*http.Request, error)
}

// CheckAccount reports whether the provider can be reached and, where it has a resource for
// that, whether it takes the credentials. It sends no text. The error wraps
// [smsgateway.ErrAccount] if the provider refuses the credentials; any other means that it
// cannot be reached. None has credentials in it.
func (h *HTTP) CheckAccount(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, h.timeout)
	defer cancel()
	if api, ok := h.api.(accountAPI); ok {
		req, err := api.account(ctx)
		if err != nil {
			return err
		}
		if req != nil {
			return h.ask(req)
		}
	}
	req, err := h.anyRequest(ctx)
	if err != nil {
		return fmt.Errorf("make a request: %w", err)
	}
	return dial(ctx, req)
}

// anyRequest names the host; it is not sent. An operator's body may be for some
// numbers alone, so none is made.
func (h *HTTP) anyRequest(ctx context.Context) (*http.Request, error) {
	if c, ok := h.api.(custom); ok {
		return newRequest(ctx, c.config.method(), c.config.URL, "", nil)
	}
	return h.api.request(ctx, smsgateway.Message{
		ID: "sample", Kind: message.TextCode, To: phone.FromStore("+491711111111"), Body: "123456 is a sample.", Code: "123456",
		Validity: 5 * time.Minute,
	})
}

// ask looks at the account. Only 401 is a refusal of the credentials: other
// answers may mean that they are for sending alone.
func (h *HTTP) ask(req *http.Request) error {
	res, err := h.client.Do(req)
	if err != nil {
		return describeTransport(err)
	}
	defer res.Body.Close()
	if res.StatusCode == http.StatusUnauthorized {
		return fmt.Errorf("%w: it answers 401", smsgateway.ErrAccount)
	}
	return nil
}

// dial connects to where a request would go, and shakes hands if that is by TLS;
// with a proxy in between it connects to that.
func dial(ctx context.Context, req *http.Request) error {
	to, secure := req.URL, req.URL.Scheme == "https"
	if proxy, err := http.ProxyFromEnvironment(req); err == nil && proxy != nil {
		to, secure = proxy, proxy.Scheme == "https"
	}
	port := cmp.Or(to.Port(), map[string]string{"http": "80", "https": "443"}[to.Scheme])
	address := net.JoinHostPort(to.Hostname(), port)
	var conn net.Conn
	var err error
	if dialer := (&net.Dialer{Timeout: dialTimeout}); secure {
		conn, err = (&tls.Dialer{NetDialer: dialer}).DialContext(ctx, "tcp", address)
	} else {
		conn, err = dialer.DialContext(ctx, "tcp", address)
	}
	if err != nil {
		return describeTransport(err)
	}
	return conn.Close()
}

// besideEndpoint makes a request at a path beside the one that texts are sent to.
func besideEndpoint(ctx context.Context, endpoint, standard, path string) (*http.Request, error) {
	base, err := url.Parse(cmp.Or(endpoint, standard))
	if err != nil {
		return nil, errors.New("the URL cannot be used")
	}
	beside := url.URL{Scheme: base.Scheme, Host: base.Host, Path: path}
	return newRequest(ctx, http.MethodGet, beside.String(), "", nil)
}
