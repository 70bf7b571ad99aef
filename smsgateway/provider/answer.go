package provider

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/holdline/holdline/smsgateway"
)

const (
	longestAnswer     = 64 << 10
	longestProviderID = 128
	longestRetryAfter = time.Hour
)

// class is what a provider's own code means.
type class int

const (
	unknown class = iota
	transient
	refusesMessage
	refusesAccount
)

// answer is what a provider said.
type answer struct {
	status int
	header http.Header
	body   []byte
	json   any // nil if the body is something else
	asked  smsgateway.Message
}

// readAnswer reads an answer to its end. The error is ErrUnclear if one of 200 to 299
// breaks off.
func readAnswer(res *http.Response) (answer, error) {
	a := answer{status: res.StatusCode, header: res.Header}
	body, err := io.ReadAll(io.LimitReader(res.Body, longestAnswer))
	if err != nil {
		if a.ok() {
			return a, fmt.Errorf("%w: %w", smsgateway.ErrUnclear, describeTransport(err))
		}
		return a, nil
	}
	a.body = bytes.TrimPrefix(body, []byte("\uFEFF"))
	decoder := json.NewDecoder(bytes.NewReader(a.body))
	decoder.UseNumber()
	if decoder.Decode(&a.json) != nil || len(bytes.Trim(a.body[decoder.InputOffset():], " \t\r\n")) > 0 {
		a.json = nil
	}
	return a, nil
}

func (a answer) ok() bool { return a.status >= 200 && a.status <= 299 }

// notUnderstood is the error of an answer of 200 to 299 that lacks what the provider
// always says.
func (a answer) notUnderstood() error {
	return fmt.Errorf("%w: it lacks what the provider always says", smsgateway.ErrUnsure)
}

// byStatus is what the status alone says: nil for 200 to 299.
func (a answer) byStatus() error {
	reason := fmt.Sprintf("the provider answers %d", a.status)
	switch {
	case a.ok():
		return nil
	case slices.Contains([]int{http.StatusUnauthorized, http.StatusPaymentRequired, http.StatusForbidden}, a.status):
		return a.classify(refusesAccount, reason)
	case slices.Contains([]int{http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests}, a.status), a.status >= 500:
		return a.classify(transient, reason)
	default:
		return a.classify(refusesMessage, reason)
	}
}

// byAccountStatus is byStatus for an API whose paths name the operator's account:
// what is not found there is the account.
func (a answer) byAccountStatus() error {
	if a.status == http.StatusNotFound {
		return a.classify(refusesAccount, "the provider answers 404")
	}
	return a.byStatus()
}

// classify makes the error of a failure. The reason is in words of our own.
func (a answer) classify(c class, reason string) error {
	switch c {
	case transient:
		return &smsgateway.RetryError{Reason: reason, After: retryAfter(a.header)}
	case refusesAccount:
		return fmt.Errorf("%w: %s", smsgateway.ErrAccount, reason)
	default:
		return fmt.Errorf("%w: %s", smsgateway.ErrRefused, reason)
	}
}

// field finds a string or a number in a JSON answer, by a path such as
// messages.0.status; blank if there is none.
func (a answer) field(path string) string {
	value := a.json
	for step := range strings.SplitSeq(path, ".") {
		switch v := value.(type) {
		case map[string]any:
			value = v[step]
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i < 0 || i >= len(v) {
				return ""
			}
			value = v[i]
		default:
			return ""
		}
	}
	switch v := value.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	}
	return ""
}

// id is the first of some fields that can be a provider's id.
func (a answer) id(paths ...string) string {
	for _, path := range paths {
		if id := usableID(a.field(path)); id != "" {
			return id
		}
	}
	return ""
}

// usableID is an id that can be kept, else blank.
func usableID(id string) string {
	if len(id) > longestProviderID || strings.ContainsFunc(id, unicode.IsControl) {
		return ""
	}
	return id
}

// acceptedID is the id with which the provider accepts a text: it always gives one.
func (a answer) acceptedID(path string) (string, error) {
	if id := a.id(path); id != "" {
		return id, nil
	}
	return "", a.notUnderstood()
}

// retryAfter reads a delay in seconds, or a date by the provider's own clock.
func retryAfter(h http.Header) time.Duration {
	text := h.Get("Retry-After")
	if seconds, err := strconv.Atoi(text); err == nil {
		return time.Duration(min(max(0, seconds), int(longestRetryAfter/time.Second))) * time.Second
	}
	then, err := http.ParseTime(text)
	if err != nil {
		return 0
	}
	now, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		return 0
	}
	return min(max(0, then.Sub(now)), longestRetryAfter)
}
