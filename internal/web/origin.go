package web

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/holdline/holdline/internal/problem"
)

// ErrCrossOrigin says that a page of another origin made a browser send the request.
var ErrCrossOrigin = problem.New(problem.Forbidden, "HLD-40305", "The request comes from a page of another site.", "web: cross-origin request")

// Origins tell requests of trusted pages from those that another site's page makes a
// browser send (cross-site request forgery). Nil trusts the server's own pages only.
type Origins struct {
	protection http.CrossOriginProtection
	trusted    []string
}

// NewOrigins trusts pages of the origins of some URLs beside the server's own.
func NewOrigins(urls ...string) (*Origins, error) {
	o := &Origins{}
	for _, address := range urls {
		origin, err := originOf(address)
		if err == nil {
			err = o.protection.AddTrustedOrigin(origin)
		}
		if err != nil {
			return nil, fmt.Errorf("trust the origin of %q: %w", address, err)
		}
		o.trusted = append(o.trusted, origin)
	}
	return o, nil
}

// originOf returns a URL's origin as browsers write it (RFC 6454, section 6.2).
func originOf(address string) (string, error) {
	u, err := url.Parse(address)
	if err != nil {
		return "", err
	}
	scheme, host := strings.ToLower(u.Scheme), strings.ToLower(u.Host)
	for _, usual := range []struct{ scheme, port string }{{"https", ":443"}, {"http", ":80"}} {
		if scheme == usual.scheme {
			host = strings.TrimSuffix(host, usual.port)
		}
	}
	return scheme + "://" + host, nil
}

// Check returns ErrCrossOrigin for a request that may change something and that a
// browser sends for a page of another origin. Browsers say so in Sec-Fetch-Site, and
// older ones, and those without TLS, in Origin. What says neither is no browser.
func (o *Origins) Check(r *http.Request) error {
	if o == nil {
		o = &Origins{}
	}
	if o.protection.Check(r) != nil || !isSafe(r.Method) && o.pretends(r) {
		return ErrCrossOrigin
	}
	return nil
}

// CheckForm is Check for the forms of pages, which only browsers send: what does not
// say where it comes from is refused as well.
func (o *Origins) CheckForm(r *http.Request) error {
	if !isSafe(r.Method) && r.Header.Get("Sec-Fetch-Site") == "" && r.Header.Get("Origin") == "" {
		return ErrCrossOrigin
	}
	return o.Check(r)
}

// pretends reports whether an older browser's Origin has the server's host but is not
// its origin. The standard library compares hosts alone, so it takes a page that
// somebody on the way put at http for one of ours at https, and the origin "null" for
// that of a server that is addressed by no name.
func (o *Origins) pretends(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	switch {
	case r.Header.Get("Sec-Fetch-Site") != "" || origin == "" || slices.Contains(o.trusted, origin):
		return false
	case origin == "null":
		return true
	default:
		return !strings.HasPrefix(origin, "https://") && (IsHTTPS(r) || slices.Contains(o.trusted, "https://"+strings.ToLower(r.Host)))
	}
}

func isSafe(method string) bool {
	return method == http.MethodGet || method == http.MethodHead || method == http.MethodOptions
}

// IsHTTPS reports whether a browser speaks https, to this process or to a proxy. Who
// makes that up harms nobody but themselves: a page cannot set the header.
func IsHTTPS(r *http.Request) bool {
	return r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https"
}
