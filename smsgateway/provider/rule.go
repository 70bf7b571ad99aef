package provider

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/holdline/holdline/smsgateway"
)

// rule says by an answer whether the provider took the text. It is jsonnet, a
// function of {status, headers, body}: the body as a value if it is JSON, else as
// text; headers by their names in small letters.
type rule struct{ *snippet }

// ruling is what a rule says.
type ruling struct {
	Sent *bool `json:"sent"`
	// ID is the provider's, a string or a number.
	ID any `json:"id"`
	// Permanent says whether trying again is in vain; by the status if not given.
	Permanent *bool `json:"permanent"`
	// Account says whether the operator is refused, and not the message; by the
	// status if not given.
	Account *bool `json:"account"`
	Reason  any   `json:"reason"`
}

// samples are answers that every rule meets some day.
var samples = []answer{
	{status: http.StatusOK},
	{status: http.StatusOK, body: []byte("<!DOCTYPE html><html><title>Sign in</title></html>")},
	{status: http.StatusInternalServerError, body: []byte("Internal Server Error")},
}

// parseRule reads a rule, and tries it with made-up answers. It may fail for any
// of them, but must not believe a server that says that it is broken.
func parseRule(source string, limit time.Duration) (*rule, error) {
	parsed, err := parseSnippet("response rule", source, limit)
	if err != nil {
		return nil, err
	}
	r := &rule{parsed}
	for _, sample := range samples {
		said, err := r.ask(context.Background(), sample)
		fault := new(snippetError)
		switch {
		case errors.Is(err, errSlow):
			return nil, errors.New("takes too long")
		case errors.As(err, &fault) && strings.HasSuffix(fault.what, "function has no parameter"):
			return nil, errors.New("must be a function of ctx")
		case errors.As(err, &fault) && strings.HasSuffix(fault.what, "max stack frames exceeded"):
			return nil, fault
		case err == nil && !sample.ok() && said.Sent != nil && *said.Sent:
			return nil, fmt.Errorf("says sent to an answer of %d: it must look at the answer", sample.status)
		}
	}
	return r, nil
}

// ask evaluates the rule.
func (r *rule) ask(ctx context.Context, a answer) (ruling, error) {
	headers := object{}
	for name, values := range a.header {
		headers[strings.ToLower(name)] = strings.Join(values, ", ")
	}
	body := a.json
	if body == nil {
		body = string(a.body)
	}
	data, err := literal(object{"status": a.status, "headers": headers, "body": body})
	if err != nil {
		return ruling{}, err
	}
	out, err := r.run(ctx, data)
	if err != nil {
		return ruling{}, err
	}
	var said ruling
	decoder := json.NewDecoder(strings.NewReader(out))
	decoder.UseNumber()
	if err := decoder.Decode(&said); err != nil || bytes.HasPrefix(bytes.TrimSpace([]byte(out)), []byte("null")) {
		return ruling{}, &snippetError{name: r.name, what: "must make an object: sent, permanent and account are true or false"}
	}
	return said, nil
}

// parseAnswer asks the rule. It is not asked to believe that a server which is broken
// or overloaded, or which sends elsewhere, took the text.
func (r *rule) parseAnswer(ctx context.Context, a answer) (string, error) {
	byStatus := a.byStatus()
	said, err := r.ask(ctx, a)
	switch {
	case err == nil && said.Sent == nil:
		err = &snippetError{name: r.name, what: "does not say whether it is sent"}
	case err == nil && *said.Sent && byStatus == nil:
		return a.givenID(said.ID), nil
	case err == nil && *said.Sent && errors.Is(byStatus, smsgateway.ErrRefused) && a.status >= http.StatusBadRequest:
		return a.givenID(said.ID), nil // such as a repeat that the provider knows
	}
	switch {
	case err != nil && byStatus != nil:
		return "", byStatus
	case err != nil:
		return "", fmt.Errorf("%w: %s", smsgateway.ErrUnsure, r.describeFailure(err))
	case *said.Sent:
		return "", byStatus
	}
	return "", a.classify(said.class(a, byStatus), said.reason(a))
}

// describeFailure keeps what evaluation says to our own words.
func (r *rule) describeFailure(err error) string {
	fault := new(snippetError)
	switch {
	case errors.As(err, &fault):
		return fault.Error()
	case errors.Is(err, errSlow), errors.Is(err, errNoPlace):
		return "the " + r.name + " " + err.Error()
	}
	return "the " + r.name + " cannot be asked"
}

// class is what a refusal means: what the rule says, and else the status.
func (r ruling) class(a answer, byStatus error) class {
	status := slices.Contains([]int{http.StatusUnauthorized, http.StatusPaymentRequired, http.StatusForbidden}, a.status)
	account := status
	if r.Account != nil {
		account = *r.Account
	}
	switch {
	case r.Permanent != nil && !*r.Permanent:
		return transient
	case account:
		return refusesAccount
	case r.Permanent != nil, errors.Is(byStatus, smsgateway.ErrRefused):
		return refusesMessage
	}
	return transient
}

// reason is the rule's, with nothing in it that must not be shown.
func (r ruling) reason(a answer) string {
	given, _ := r.Reason.(string)
	if number, ok := r.Reason.(json.Number); ok {
		given = number.String()
	}
	reason := redact(a.asked, given)
	if reason == "" {
		return fmt.Sprintf("the provider answers %d and says no", a.status)
	}
	return "the provider says: " + reason
}

// givenID is an id that a rule gives; blank if it cannot be one.
func (a answer) givenID(id any) string {
	var text string
	switch id := id.(type) {
	case string:
		text = usableID(id)
	case json.Number:
		text = usableID(id.String())
	}
	// A rule may mistake the number, or the text, for an id.
	if number := onlyDigits(a.asked.To.Unmasked()); number != "" && strings.Contains(onlyDigits(text), number) ||
		a.asked.Code != "" && strings.EqualFold(text, a.asked.Code) || text != "" && text == a.asked.Body {
		return ""
	}
	return text
}
