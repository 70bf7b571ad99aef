package adminapi

import (
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/holdline/holdline/internal/admin"
	"github.com/holdline/holdline/internal/audit"
	"github.com/holdline/holdline/internal/auth"
	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/internal/web"
)

type textResponse struct {
	ID           string            `json:"id"`
	ClaimID      string            `json:"claim_id,omitempty"`
	Kind         message.TextKind  `json:"kind"`
	Channel      message.Channel   `json:"channel"`
	IdentityID   string            `json:"identity_id"`
	MobileNumber phone.Number      `json:"mobile_number"` // prints itself masked
	State        message.TextState `json:"state"`
	Gateway      string            `json:"gateway,omitempty"`
	Reason       string            `json:"reason,omitempty"`
	Tries        int               `json:"tries"`
	CreatedAt    time.Time         `json:"created_at"`
	DoneAt       *time.Time        `json:"done_at,omitempty"`
	Receipts     []receiptResponse `json:"receipts,omitempty"`
}

type receiptResponse struct {
	State  message.ReceiptState `json:"state"`
	Detail string               `json:"detail,omitempty"`
	At     time.Time            `json:"received_at"`
}

func textOf(t admin.TextRecord) textResponse {
	return textResponse{
		ID: t.ID, ClaimID: t.Code.ClaimID, Kind: t.Kind, Channel: t.Channel, IdentityID: t.IdentityID,
		MobileNumber: t.To, State: t.State, Gateway: t.Gateway, Reason: t.Reason, Tries: t.Tries,
		CreatedAt: t.CreatedAt, DoneAt: known(t.DoneAt),
		Receipts: each(t.Receipts, func(r message.Receipt) receiptResponse { return receiptResponse{r.State, r.Detail, r.At} }),
	}
}

func (h handlers) texts(c *gin.Context, _ auth.Administrator) (page[textResponse], error) {
	after, ok := admin.ParseCursor(c.Query("cursor"))
	state, limit := message.TextState(c.Query("state")), limitOf(c)
	if !ok || limit < 1 || limit > largestPage || state != "" && !state.Kept() {
		return page[textResponse]{}, web.ErrMalformed
	}
	found, err := h.Archive.FindTexts(c.Request.Context(), admin.TextQuery{
		ClaimID: c.Query("claim_id"), State: state, Gateway: c.Query("gateway"), After: after, Limit: limit + 1,
	})
	if err != nil {
		return page[textResponse]{}, err
	}
	return pageOf(found, limit, textOf, func(t admin.TextRecord) string { return admin.Cursor{At: t.CreatedAt, ID: t.ID}.String() }), nil
}

type eventResponse struct {
	ID           int64           `json:"id"`
	At           time.Time       `json:"happened_at"`
	Kind         string          `json:"kind"`
	ClaimID      string          `json:"claim_id,omitempty"`
	IdentityID   string          `json:"identity_id,omitempty"`
	MobileNumber string          `json:"mobile_number,omitempty"` // masked
	Reason       string          `json:"reason,omitempty"`
	ActorKind    audit.ActorKind `json:"actor_kind"`
	ActorID      string          `json:"actor_id,omitempty"`
	ActorAddress string          `json:"actor_address,omitempty"`
}

func eventOf(e admin.EventRecord) eventResponse {
	return eventResponse{
		ID: e.ID, At: e.At, Kind: e.Kind, ClaimID: e.ClaimID, IdentityID: e.IdentityID, MobileNumber: e.Number,
		Reason: e.Reason, ActorKind: e.Actor.Kind, ActorID: e.Actor.ID, ActorAddress: e.Actor.ClientIP,
	}
}

func (h handlers) audit(c *gin.Context, _ auth.Administrator) (page[eventResponse], error) {
	before, err := strconv.ParseInt(c.DefaultQuery("cursor", "0"), 10, 64)
	limit := limitOf(c)
	if err != nil || before < 0 || limit < 1 || limit > largestPage {
		return page[eventResponse]{}, web.ErrMalformed
	}
	found, err := h.Archive.FindEvents(c.Request.Context(), admin.EventQuery{
		ClaimID: c.Query("claim_id"), IdentityID: c.Query("identity_id"), Kind: c.Query("kind"),
		Before: before, Limit: limit + 1,
	})
	if err != nil {
		return page[eventResponse]{}, err
	}
	return pageOf(found, limit, eventOf, func(e admin.EventRecord) string { return strconv.FormatInt(e.ID, 10) }), nil
}
