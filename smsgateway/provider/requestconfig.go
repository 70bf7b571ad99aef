package provider

import (
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// RequestConfig describes a provider as Kratos' courier.channels[].request_config
// does, so that what works there can be pasted here.
type RequestConfig struct {
	URL    string `koanf:"url" json:"url"`
	Method string `koanf:"method" json:"method"` // blank is POST
	// Headers may name the Content-Type: application/json is the default;
	// application/x-www-form-urlencoded makes a form of a flat object of strings.
	Headers map[string]string `koanf:"headers" json:"headers"`
	// Body is where the jsonnet template is: base64://…, file://… or http(s)://….
	Body string `koanf:"body" json:"body"`
	Auth Auth   `koanf:"auth" json:"auth"`
}

// Auth says how requests prove who they come from. Type is blank, api_key (with
// name, value and in: header or cookie), basic_auth (with user and password) or,
// beyond what Kratos has, acs3 (with access_key_id and access_key_secret).
type Auth struct {
	Type   string            `koanf:"type" json:"type"`
	Config map[string]string `koanf:"config" json:"config"`
}

const (
	typeForm = "application/x-www-form-urlencoded"
	typeJSON = "application/json"
)

// check finds what is wrong with everything but the body.
func (c RequestConfig) check(hasBody bool) []error {
	var faults []error
	if u, err := url.Parse(c.URL); err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Hostname() == "" {
		faults = append(faults, errors.New("request_config.url: must be an absolute http or https URL"))
	}
	methods := []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}
	if !slices.Contains(methods, c.method()) {
		faults = append(faults, fmt.Errorf("request_config.method: must be one of %s", strings.Join(methods, ", ")))
	}
	for _, name := range slices.Sorted(maps.Keys(c.Headers)) {
		if !isToken(name) || !isFieldValue(c.Headers[name]) {
			faults = append(faults, fmt.Errorf("request_config.headers: %q is no HTTP header", name))
		}
	}
	if media := c.mediaType(); media != typeForm && media != typeJSON && !strings.HasSuffix(media, "+json") {
		faults = append(faults, fmt.Errorf("request_config.headers: Content-Type must be %s or %s", typeJSON, typeForm))
	}
	if !hasBody && c.method() != http.MethodGet {
		faults = append(faults, errors.New("request_config.body: is missing"))
	}
	return append(faults, c.Auth.check()...)
}

func (a Auth) check() []error {
	var faults []error
	known := map[string][]string{"": nil, "api_key": {"name", "value", "in"}, "basic_auth": {"user", "password"}, "acs3": {"access_key_id", "access_key_secret"}}
	keys, ok := known[a.Type]
	if !ok {
		return append(faults, errors.New("request_config.auth.type: must be api_key, basic_auth or acs3"))
	}
	for _, key := range slices.Sorted(maps.Keys(a.Config)) {
		if !slices.Contains(keys, key) {
			faults = append(faults, fmt.Errorf("request_config.auth.config.%s: unknown key", key))
		}
	}
	need := func(key string, valid bool, complaint string) {
		if !valid {
			faults = append(faults, fmt.Errorf("request_config.auth.config.%s: %s", key, complaint))
		}
	}
	switch a.Type {
	case "api_key":
		need("name", isToken(a.Config["name"]), "must be the name of a header or cookie")
		need("value", a.Config["value"] != "" && isFieldValue(a.Config["value"]), "must be a value without line breaks")
		need("in", slices.Contains([]string{"", "header", "cookie"}, a.Config["in"]), "must be header or cookie")
	case "basic_auth":
		need("user", a.Config["user"] != "", "is missing")
		need("password", a.Config["password"] != "", "is missing")
	case "acs3":
		need("access_key_id", a.Config["access_key_id"] != "" && isFieldValue(a.Config["access_key_id"]), "is missing")
		need("access_key_secret", a.Config["access_key_secret"] != "", "is missing")
	}
	return faults
}

func (c RequestConfig) method() string {
	if c.Method == "" {
		return http.MethodPost
	}
	return strings.ToUpper(c.Method)
}

// mediaType is what the body is sent as, without parameters.
func (c RequestConfig) mediaType() string {
	for name, value := range c.Headers {
		if strings.EqualFold(name, "Content-Type") {
			media, _, _ := mime.ParseMediaType(value)
			return media
		}
	}
	return typeJSON
}

// addHeaders gives a request its headers and credentials.
func (c RequestConfig) addHeaders(req *http.Request, messageID string, body []byte, now func() time.Time) {
	req.Header.Set("Idempotency-Key", messageID)
	if req.Body != nil {
		req.Header.Set("Content-Type", typeJSON)
	}
	for name, value := range c.Headers {
		req.Header.Set(name, value)
		if strings.EqualFold(name, "Host") {
			req.Host = value
		}
	}
	switch auth := c.Auth.Config; {
	case c.Auth.Type == "acs3":
		signACS3(req, body, auth["access_key_id"], auth["access_key_secret"], now().UTC(), rand.Text())
	case c.Auth.Type == "basic_auth":
		req.SetBasicAuth(auth["user"], auth["password"])
	case c.Auth.Type == "api_key" && auth["in"] == "cookie":
		req.AddCookie(&http.Cookie{Name: auth["name"], Value: auth["value"]}) //nolint:gosec // Only a response's cookies have attributes.
	case c.Auth.Type == "api_key":
		req.Header.Set(auth["name"], auth["value"])
	}
}

// isToken reports whether text can name a header (RFC 9110, section 5.6.2).
func isToken(text string) bool {
	return text != "" && !strings.ContainsFunc(text, func(r rune) bool {
		return r <= ' ' || r >= 0x7f || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, r)
	})
}

// isFieldValue reports whether text can be a header's value.
func isFieldValue(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return (r < ' ' && r != '\t') || r == 0x7f })
}
