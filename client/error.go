package client

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// Error is an answer with a status other than 2xx.
type Error struct {
	// Status is the answer's HTTP status.
	Status int `json:"-"`
	// Code is Holdline's, such as 18001 or HLD-42901; docs/api.md lists them.
	// It is blank where something else answered, such as a proxy, and where Kratos
	// is refused a form: see Messages.
	Code string `json:"code"`
	// Message is the text of the status.
	Message string `json:"message"`
	// Description is for people. It never repeats what was sent.
	Description string `json:"description"`
	// TraceID is the request's id, as in the server's log.
	TraceID string `json:"traceId"`
	// RetryAfter is how long to wait before the next try; 0 if that was not said.
	RetryAfter time.Duration `json:"-"`
	// Messages are what Kratos is to show at the form's fields, where [Client.StageHook]
	// is refused.
	Messages []FieldMessages `json:"messages,omitempty"`
}

// Error says the status, the code and the description.
func (e *Error) Error() string {
	text := fmt.Sprintf("holdline: %d %s", e.Status, http.StatusText(e.Status))
	if e.Code != "" {
		text += " " + e.Code
	}
	if e.Description != "" {
		text += ": " + e.Description
	}
	return text
}

// refusal reads an answer that is no success. A body that is not Holdline's leaves
// all but the status blank.
func refusal(response *http.Response, body []byte) error {
	refused := &Error{}
	if json.Unmarshal(body, refused) != nil {
		refused = &Error{}
	}
	refused.Status = response.StatusCode
	if seconds, err := strconv.Atoi(response.Header.Get("Retry-After")); err == nil {
		refused.RetryAfter = time.Duration(seconds) * time.Second
	}
	return refused
}
