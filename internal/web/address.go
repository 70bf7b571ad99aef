package web

import (
	"fmt"
	"net/http"
	"net/netip"
	"strings"

	"github.com/gin-gonic/gin"
)

// clientAddressKey is where a request keeps its client's address.
type clientAddressKey struct{}

// ClientAddress returns the address of who sent a request: the one place that
// limits, the log and the audit trail have it from. It is the connection's,
// unless that is a trusted proxy's; then it is the last one in X-Forwarded-For
// that is not a trusted proxy's too. What stands before that was written by the
// client. X-Real-IP and Forwarded (RFC 7239) are never believed: a proxy that
// knows only one of them hands the others on as the client sent them.
func ClientAddress(c *gin.Context) string { return c.GetString(clientAddressKey{}) }

// proxies are the networks whose X-Forwarded-For is believed.
type proxies []netip.Prefix

// parseProxies reads addresses and networks (RFC 4632 notation).
func parseProxies(entries []string) (proxies, error) {
	parsed := make(proxies, len(entries))
	for i, entry := range entries {
		prefix, err := netip.ParsePrefix(entry)
		if err != nil {
			address, err := netip.ParseAddr(entry)
			if err != nil {
				return nil, fmt.Errorf("trusted proxy %q: is neither an address nor a network", entry)
			}
			prefix = netip.PrefixFrom(address, address.BitLen())
		}
		parsed[i] = prefix
	}
	return parsed, nil
}

func (p proxies) trust(address netip.Addr) bool {
	for _, network := range p {
		if network.Contains(address) {
			return true
		}
	}
	return false
}

// client returns the address of who sent a request. An entry that is no address
// ends the way back: whoever wrote it is the last one known.
func (p proxies) client(r *http.Request) string {
	address, ok := ParseAddress(r.RemoteAddr)
	if !ok {
		return ""
	}
	// Proxies add a field or extend the last one; all fields are one list (RFC 9110, section 5.3).
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0 && p.trust(address); i-- {
		before, ok := ParseAddress(strings.TrimSpace(hops[i]))
		if !ok {
			break
		}
		address = before
	}
	return address.String()
}

// ParseAddress reads an address with or without a port, as proxies write it. IPv4 in
// IPv6 becomes IPv4, and a zone is left out.
func ParseAddress(text string) (netip.Addr, bool) {
	if with, err := netip.ParseAddrPort(text); err == nil {
		return with.Addr().Unmap().WithZone(""), true
	}
	address, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(text, "["), "]"))
	return address.Unmap().WithZone(""), err == nil
}
