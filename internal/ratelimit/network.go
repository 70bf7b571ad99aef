package ratelimit

import "net/netip"

// Network returns what an address counts as in the limits: itself, or in IPv6 the
// /64 that one customer has to himself (RFC 6177).
func Network(address string) string {
	parsed, err := netip.ParseAddr(address)
	if err != nil {
		return address
	}
	parsed = parsed.Unmap().WithZone("")
	if parsed.Is4() {
		return parsed.String()
	}
	prefix, err := parsed.Prefix(64)
	if err != nil {
		return address
	}
	return prefix.String()
}
