package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/holdline/holdline/bench/double"
)

// target is a Kratos, and the way in which numbers are changed at it.
type target interface {
	// arrive lets a person have an identity with the old number, verified, and a
	// session. It is not measured where people stay.
	arrive(ctx context.Context, p *person) error
	// request asks for the new number.
	request(ctx context.Context, p person) error
	// done reports whether the identity has the new number, verified, and none pending.
	done(ctx context.Context, p person) (bool, error)
	// leave forgets a person.
	leave(p person)
	// stays reports whether a person changes the number again and again: real accounts
	// take longer to make than numbers to change.
	stays() bool
	// calls are the requests that Kratos has had; zero if nobody counts.
	calls() int64
}

// byHooks is Kratos' double, with numbers changed in its settings flow.
type byHooks struct{ *double.Kratos }

func (w byHooks) arrive(_ context.Context, p *person) error {
	w.Add(p.id, p.token, p.was, time.Now())
	return nil
}

func (w byHooks) request(ctx context.Context, p person) error {
	return w.Save(ctx, p.id, p.flow, p.mobile)
}

func (w byHooks) done(_ context.Context, p person) (bool, error) {
	stored, ok := w.Identity(p.id)
	return ok && stored.Done(p.mobile), nil
}

func (w byHooks) leave(p person) { w.Remove(p.id, p.token) }
func (byHooks) stays() bool      { return false }
func (w byHooks) calls() int64   { return w.Calls() }

// byScim is Kratos' double, with numbers changed by a SCIM client, each person from an
// address of their own.
type byScim struct {
	byHooks
	v *variant
}

func (w byScim) request(ctx context.Context, p person) error {
	body := fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"replace","value":{`+
		`"phoneNumbers":[{"type":"mobile","value":%q}],`+
		`"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"verifyMobile":true}}}]}`, p.mobile)
	return post(ctx, w.v.client, http.MethodPatch, w.v.publicURL()+"/scim2/Users/"+p.id, body, http.StatusOK, http.Header{
		"Content-Type": {"application/scim+json"}, "Authorization": {"Bearer " + scimToken}, "X-Forwarded-For": {address(p)},
	})
}

// address is where a person's client is: in 10.0.0.0/8, by the number.
func address(p person) string {
	var n int
	_, _ = fmt.Sscan(strings.TrimLeft(p.mobile[len(p.mobile)-8:], "0"), &n)
	return fmt.Sprintf("10.%d.%d.%d", n>>16&255, n>>8&255, n&255)
}

// post sends a body; the status of the answer must be the one wanted.
func post(ctx context.Context, client *http.Client, method, url, body string, want int, header http.Header) error {
	_, err := exchange(ctx, client, method, url, strings.NewReader(body), want, header)
	return err
}

// exchange sends a body and reads the answer, whose status must be the one wanted.
func exchange(ctx context.Context, client *http.Client, method, url string, body io.Reader, want int, header http.Header) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, method, url, body)
	if err != nil {
		return nil, err
	}
	request.Header = header
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	said, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != want {
		err = fmt.Errorf("%s %s: %w", method, request.URL.Path, statusError{response.StatusCode, said})
	}
	return said, err
}

// statusError is an answer whose status is not the one wanted.
type statusError struct {
	status int
	said   []byte
}

// Error implements error.
func (e statusError) Error() string { return fmt.Sprintf("status %d: %.500s", e.status, e.said) }
