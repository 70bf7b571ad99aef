package verify

import (
	"net/url"
	"strings"
)

// ReturnURLs are the addresses that the page may send people on to.
type ReturnURLs struct {
	// Default is where people go who have nothing to confirm; blank for Kratos' settings.
	Default string
	// Allowed are an origin and the beginning of a path each.
	Allowed []string
}

const longestReturn = 2048

// next returns where people go on to: what the request wants and may, else the default,
// else Kratos' settings. The page itself would be no way on.
func (r ReturnURLs) next(wanted, page, settings string) string {
	for _, address := range []string{wanted, r.Default} {
		if address != "" && !samePage(address, page) {
			return address
		}
	}
	return settings
}

// samePage reports whether two addresses differ in their query at most.
func samePage(a, b string) bool {
	one, err := url.Parse(a)
	other, fault := url.Parse(b)
	return err != nil || fault != nil ||
		origin(one) == origin(other) && strings.TrimSuffix(one.Path, "/") == strings.TrimSuffix(other.Path, "/")
}

// allows reports whether an address of the request's own choice is on the list. The
// origin must be the same, and the path the listed one or below it. Whatever two
// programs might read differently is refused.
func (r ReturnURLs) allows(address string) bool {
	if len(address) > longestReturn || strings.ContainsFunc(address, unsafeRune) {
		return false
	}
	wanted, err := url.Parse(address)
	if err != nil || !plain(wanted) {
		return false
	}
	for _, text := range r.Allowed {
		listed, err := url.Parse(text)
		if err == nil && origin(listed) == origin(wanted) && below(wanted.Path, listed.Path) {
			return true
		}
	}
	return false
}

// unsafeRune is for what browsers strip or rewrite before they read an address.
func unsafeRune(r rune) bool { return r <= ' ' || r == '\\' || r >= 0x7f }

// plain tells that an address is a web page's, and that its path means what it
// says: no dots to climb by, no separators in disguise.
func plain(u *url.URL) bool {
	if u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil || u.Opaque != "" {
		return false
	}
	escaped := strings.ToLower(u.EscapedPath())
	for _, trick := range []string{"%2f", "%5c", "%2e", "%25", "%00"} {
		if strings.Contains(escaped, trick) {
			return false
		}
	}
	for segment := range strings.SplitSeq(u.Path, "/") {
		if segment == "." || segment == ".." {
			return false
		}
	}
	return true
}

// origin writes scheme, host and port in one way (RFC 6454).
func origin(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[strings.ToLower(u.Scheme)]
	}
	return strings.ToLower(u.Scheme) + "://" + strings.ToLower(u.Hostname()) + ":" + port
}

func below(path, listed string) bool {
	listed = strings.TrimSuffix(listed, "/")
	return path == listed || strings.HasPrefix(path, listed+"/")
}
