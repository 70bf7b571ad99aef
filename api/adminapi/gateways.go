package adminapi

import (
	"errors"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/holdline/holdline/internal/admin"
	"github.com/holdline/holdline/internal/auth"
	"github.com/holdline/holdline/internal/web"
)

type gatewayResponse struct {
	ID           string     `json:"id"`
	State        string     `json:"state"`
	RestingUntil *time.Time `json:"resting_until,omitempty"`
	InFlight     int        `json:"in_flight"`
	Sent         int        `json:"sent"`
	Unsent       int        `json:"unsent"`
	DelayMS      int64      `json:"average_delay_ms"`
	LastReason   string     `json:"last_fault,omitempty"`
	LastAt       *time.Time `json:"last_answer_at,omitempty"`
}

func gatewayOf(g admin.Gateway) gatewayResponse {
	return gatewayResponse{
		ID: g.ID, State: g.State, RestingUntil: known(g.RestingUntil), InFlight: g.InFlight, Sent: g.Day.Sent, Unsent: g.Day.Unsent,
		DelayMS: g.Day.AverageDelay().Milliseconds(), LastReason: g.LastReason, LastAt: known(g.LastAt),
	}
}

type gatewaysResponse struct {
	Items  []gatewayResponse `json:"items"` // in order of preference
	Queued int               `json:"queued"`
	Oldest int               `json:"oldest_seconds"`
}

func (h handlers) gateways(c *gin.Context, _ auth.Administrator) (gatewaysResponse, error) {
	found, err := h.Admin.FindGateways(c.Request.Context())
	return gatewaysResponse{each(found.Gateways, gatewayOf), found.Waiting.Queued, int(found.Oldest / time.Second)}, err
}

type testRequest struct {
	MobileNumber string `json:"mobile_number"`
}

type testResponse struct {
	Taken     bool   `json:"taken"`
	MessageID string `json:"message_id,omitempty"` // the provider's
	Reason    string `json:"reason,omitempty"`     // why it was not taken
}

// sendTest sends a text with a code that nobody takes. What the gateway answers is the answer, its
// refusal too.
func (h handlers) sendTest(c *gin.Context, who auth.Administrator) (testResponse, error) {
	var in testRequest
	if err := web.ReadJSON(c.Writer, c.Request, &in, true); err != nil {
		return testResponse{}, err
	}
	id, err := h.Admin.SendTest(c.Request.Context(), c.Param("id"), in.MobileNumber, who.Actor)
	if refused := (*admin.GatewayError)(nil); errors.As(err, &refused) {
		return testResponse{Reason: refused.Error()}, nil
	}
	return testResponse{Taken: err == nil, MessageID: id}, err
}
