package client

import (
	"context"
	"net/http"
	"net/url"
	"time"
)

// Gateway is the health of an SMS gateway: its texts of the last 24 hours over all replicas, and
// what the replica that answers knows since it started.
type Gateway struct {
	ID string `json:"id"`
	// State is as of a circuit breaker: closed (works), open (left alone), half-open (being tried); or
	// resting.
	State          string    `json:"state"`
	RestingUntil   time.Time `json:"resting_until,omitzero"`
	InFlight       int       `json:"in_flight"`
	Sent           int       `json:"sent"`
	Unsent         int       `json:"unsent"`
	AverageDelayMS int       `json:"average_delay_ms"`
	LastFault      string    `json:"last_fault,omitempty"`
	LastAnswerAt   time.Time `json:"last_answer_at,omitzero"`
}

// Gateways are all gateways, in order of preference, and what waits for them.
type Gateways struct {
	Items         []Gateway `json:"items"`
	Queued        int       `json:"queued"`
	OldestSeconds int       `json:"oldest_seconds"`
}

// Gateways returns the health of all gateways.
func (c Client) Gateways(ctx context.Context) (Gateways, error) {
	var found Gateways
	err := c.call(ctx, http.MethodGet, "/admin/gateways", nil, &found)
	return found, err
}

// TestText is what a gateway answered to a test text.
type TestText struct {
	Taken     bool   `json:"taken"`
	MessageID string `json:"message_id,omitempty"` // the provider's
	Reason    string `json:"reason,omitempty"`     // why it was not taken
}

// SendTestText sends a text with a code that nobody takes. It costs what a text costs.
func (c Client) SendTestText(ctx context.Context, gateway, mobileNumber string) (TestText, error) {
	var answer TestText
	err := c.call(ctx, http.MethodPost, "/admin/gateways/"+url.PathEscape(gateway)+"/test", map[string]string{"mobile_number": mobileNumber}, &answer)
	return answer, err
}
