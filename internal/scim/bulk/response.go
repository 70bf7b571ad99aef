package bulk

import (
	"net/http"
	"strconv"

	"github.com/holdline/holdline/internal/scim"
)

// The schemas of the messages (RFC 7644, section 8.2). That of requests is not
// insisted on.
const (
	RequestSchema  = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"
	ResponseSchema = "urn:ietf:params:scim:api:messages:2.0:BulkResponse"
	errorSchema    = "urn:ietf:params:scim:api:messages:2.0:Error"
)

// Outcome is what came of an operation.
type Outcome struct {
	Status   int // an HTTP status; an error from 400
	Location string
	Version  string
	Body     any    // the message of an error
	ID       string // of what was made
}

func (o Outcome) failed() bool { return o.Status >= http.StatusBadRequest }

// Response is the answer to a bulk request. It has what ran, in the request's order.
type Response struct {
	Schemas    []string `json:"schemas"`
	Operations []Result `json:"Operations"`
}

// Result is an operation's part of the answer (RFC 7644, section 3.7). It has no
// method if the operation had none that is known.
type Result struct {
	Location string `json:"location,omitempty"`
	Method   string `json:"method,omitempty"`
	BulkID   string `json:"bulkId,omitempty"`
	Version  string `json:"version,omitempty"`
	Status   string `json:"status"`
	Response any    `json:"response,omitempty"`
}

// fault is the message of RFC 7644, section 3.12.
type fault struct {
	Schemas  []string     `json:"schemas"`
	Status   string       `json:"status"`
	ScimType scim.Keyword `json:"scimType,omitempty"`
	Detail   string       `json:"detail"`
}

// refused is the outcome of what did not run.
func refused(err *scim.Error) Outcome {
	return Outcome{
		Status: err.Status,
		Body:   fault{[]string{errorSchema}, strconv.Itoa(err.Status), err.ScimType, err.Detail},
	}
}

// conflict is the outcome of what refers to something that is not there (RFC 7644,
// section 3.7.1). No keyword of the RFC goes with its status.
func conflict(detail string) Outcome {
	return refused(&scim.Error{Status: http.StatusConflict, Detail: detail})
}

func (e entry) result(o Outcome) Result {
	return Result{o.Location, e.Method, e.BulkID, o.Version, strconv.Itoa(o.Status), o.Body}
}
