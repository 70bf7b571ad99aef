package adminapi

import (
	"context"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/holdline/holdline/internal/admin"
	"github.com/holdline/holdline/internal/auth"
	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/internal/web"
)

type alarmResponse struct {
	ID                 string             `json:"id"` // that of the claim
	IdentityID         string             `json:"identity_id"`
	Denied             message.TextKind   `json:"denied"`
	MobileNumber       phone.Number       `json:"mobile_number"` // prints itself masked
	FormerMobileNumber phone.Number       `json:"former_mobile_number"`
	FormerVerified     bool               `json:"former_verified"`
	CancelledClaimID   string             `json:"cancelled_claim_id,omitempty"`
	RaisedAt           time.Time          `json:"raised_at"`
	RaisedFrom         string             `json:"raised_from,omitempty"`
	SessionsEndedAt    *time.Time         `json:"sessions_ended_at,omitempty"`
	BlockedUntil       *time.Time         `json:"blocked_until,omitempty"`
	LiftedAt           *time.Time         `json:"lifted_at,omitempty"`
	LiftedBy           string             `json:"lifted_by,omitempty"`
	Outcome            claim.AlarmOutcome `json:"outcome,omitempty"` // blank while it is open
	ClosedAt           *time.Time         `json:"closed_at,omitempty"`
	ClosedBy           string             `json:"closed_by,omitempty"`
}

func alarmOf(a claim.Alarm) alarmResponse {
	return alarmResponse{
		ID: a.ID, IdentityID: a.IdentityID, Denied: a.Denied, MobileNumber: a.Number, FormerMobileNumber: a.Previous,
		FormerVerified: a.PreviousVerified, CancelledClaimID: a.CancelledID, RaisedAt: a.RaisedAt, RaisedFrom: a.ClientIP,
		SessionsEndedAt: known(a.SessionsEndedAt), BlockedUntil: known(a.BlockedUntil), LiftedAt: known(a.LiftedAt), LiftedBy: a.LiftedBy,
		Outcome: a.Outcome, ClosedAt: known(a.ClosedAt), ClosedBy: a.ClosedBy,
	}
}

func (h handlers) alarms(c *gin.Context, _ auth.Administrator) (page[alarmResponse], error) {
	after, ok := admin.ParseCursor(c.Query("cursor"))
	open, err := strconv.ParseBool(c.DefaultQuery("open", "false"))
	limit := limitOf(c)
	if !ok || err != nil || limit < 1 || limit > largestPage {
		return page[alarmResponse]{}, web.ErrMalformed
	}
	found, err := h.Archive.FindAlarms(c.Request.Context(), admin.AlarmQuery{
		IdentityID: c.Query("identity_id"), Open: open, After: after, Limit: limit + 1,
	})
	if err != nil {
		return page[alarmResponse]{}, err
	}
	return pageOf(found, limit, alarmOf, func(a claim.Alarm) string { return admin.Cursor{At: a.RaisedAt, ID: a.ID}.String() }), nil
}

type alarmFoundResponse struct {
	alarmResponse
	// Person is who they are now; missing where they are gone, or Kratos does not answer.
	Person *profileResponse `json:"person,omitempty"`
	Away   bool             `json:"kratos_away,omitempty"`
}

func (h handlers) alarm(c *gin.Context, _ auth.Administrator) (alarmFoundResponse, error) {
	found, err := h.Admin.Alarm(c.Request.Context(), c.Param("id"))
	if err != nil {
		return alarmFoundResponse{}, err
	}
	response := alarmFoundResponse{alarmResponse: alarmOf(found.Alarm), Away: found.Away}
	if !found.Away && !found.Gone {
		person := profileOf(found.Profile)
		response.Person = &person
	}
	return response, nil
}

// onAlarm adapts one of the acts on an alarm.
func (h handlers) onAlarm(act func(Admin, context.Context, string, auth.Administrator) error) func(*gin.Context, auth.Administrator) (web.None, error) {
	return func(c *gin.Context, who auth.Administrator) (web.None, error) {
		return web.None{}, act(h.Admin, c.Request.Context(), c.Param("id"), who)
	}
}
