package database

import (
	"net/url"
	"strings"
)

// Name says which database a DSN is of, for people: without password and options.
func Name(dsn string) string {
	scheme, rest, _ := strings.Cut(dsn, "://")
	if scheme == "mysql" { // the driver's own form: the last slash is before the name, the last @ before the host
		slash := strings.LastIndexByte(rest, '/') + 1
		name, _, _ := strings.Cut(rest[slash:], "?")
		at := strings.LastIndexByte(rest[:slash], '@')
		user, _, _ := strings.Cut(rest[:max(at, 0)], ":")
		if at < 0 {
			return scheme + "://" + rest[:slash] + name
		}
		return scheme + "://" + user + rest[at:slash] + name
	}
	u, err := url.Parse(dsn)
	if err != nil {
		return scheme + "://"
	}
	named := url.URL{Scheme: scheme, Host: u.Host, Path: u.Path}
	if user := u.User.Username(); user != "" {
		named.User = url.User(user)
	}
	return named.String()
}
