// Package client calls Holdline from Go: the user API on the public listener, the
// admin API and the hooks on the admin one. It follows api/openapi.yaml, and
// its tests hold it to that document; docs/api.md says what the calls mean.
//
//	me := client.Client{URL: "https://id.example.com", As: client.SessionToken(token)}
//	err := me.ValidateCode(ctx, "123456")
//
// Every refusal is an [Error], which has Holdline's code:
//
//	var refused *client.Error
//	if errors.As(err, &refused) && refused.Code == "18002" { // expired
//		err = me.ResendCode(ctx)
//	}
//
// SCIM is not here: any SCIM client will do.
package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// Client calls one listener of one Holdline. It may be used by several goroutines
// at once, as long as nobody changes its fields.
type Client struct {
	// URL is the listener's base URL, such as https://id.example.com for the public
	// or http://127.0.0.1:4478 for the admin one.
	URL string
	// As says who calls; nil is nobody, whom no method here is for.
	As Credentials
	// HTTP sends the requests; nil is http.DefaultClient. A time limit is its
	// business, or the context's. Redirects are not followed, whatever it says of
	// them: credentials and numbers would go along.
	HTTP *http.Client
}

// Credentials put who calls into a request.
type Credentials func(*http.Request)

// SessionToken is a person, by the token of a Kratos session (of the API kind).
func SessionToken(token string) Credentials { return header("X-Session-Token", token) }

// Cookie is a person, by the cookie of a Kratos session (of the browser kind): its
// name, which is ory_kratos_session unless Kratos was told otherwise, and value.
func Cookie(name, value string) Credentials {
	return func(r *http.Request) { r.AddCookie(&http.Cookie{Name: name, Value: value}) } //nolint:gosec // a request's cookie has no attributes
}

// Basic is a person, by the name and password of Kratos' login.
func Basic(name, password string) Credentials {
	return func(r *http.Request) { r.SetBasicAuth(name, password) }
}

// Bearer is a client or an administrator, by a token of `holdline token create`;
// or a person, by the token of a Kratos session.
func Bearer(token string) Credentials { return header("Authorization", "Bearer "+token) }

// HookKey is Kratos, by the key of hooks.api_key.
func HookKey(key string) Credentials { return header("X-Hook-Key", key) }

func header(name, value string) Credentials {
	return func(r *http.Request) { r.Header.Set(name, value) }
}

// maxAnswer is the most bytes of an answer that are read. A page of 500 claims
// has less than half a megabyte.
const maxAnswer = 8 << 20

// call sends a request, with a JSON body unless in is nil, and reads the answer
// into out unless that is nil.
func (c Client) call(ctx context.Context, method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		text, err := json.Marshal(in)
		if err != nil {
			return fmt.Errorf("holdline: write the request: %w", err)
		}
		body = bytes.NewReader(text)
	}
	request, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(c.URL, "/")+path, body)
	if err != nil {
		return fmt.Errorf("holdline: %w", err)
	}
	request.Header.Set("Accept", "application/json")
	if in != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	if c.As != nil {
		c.As(request)
	}
	sender := *http.DefaultClient
	if c.HTTP != nil {
		sender = *c.HTTP
	}
	sender.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	response, err := sender.Do(request)
	if err != nil {
		return fmt.Errorf("holdline: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	if err == nil && len(answer) > maxAnswer {
		err = errors.New("it is too long")
	}
	if err != nil {
		return fmt.Errorf("holdline: read the answer: %w", err)
	}
	if response.StatusCode < 200 || response.StatusCode > 299 {
		return refusal(response, answer)
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(answer, out); err != nil {
		return fmt.Errorf("holdline: read the answer: %w", err)
	}
	return nil
}

// query appends what is given to a path.
func query(path string, values url.Values) string {
	for name, list := range values {
		if len(list) == 1 && (list[0] == "" || list[0] == "0") {
			delete(values, name)
		}
	}
	if len(values) == 0 {
		return path
	}
	return path + "?" + values.Encode()
}
