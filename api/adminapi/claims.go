package adminapi

import (
	"time"

	"github.com/gin-gonic/gin"

	"github.com/holdline/holdline/internal/admin"
	"github.com/holdline/holdline/internal/auth"
	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/internal/web"
)

type claimResponse struct {
	ID                 string       `json:"id"`
	IdentityID         string       `json:"identity_id"`
	State              claim.State  `json:"state"`
	Reason             string       `json:"reason,omitempty"`
	Origin             claim.Source `json:"origin"`
	MobileNumber       phone.Number `json:"mobile_number"` // prints itself masked
	FormerMobileNumber phone.Number `json:"former_mobile_number"`
	FormerVerified     bool         `json:"former_verified"`
	Direct             bool         `json:"direct,omitempty"`
	Attempts           int          `json:"attempts"`
	Texts              int          `json:"texts"`
	Untexted           bool         `json:"untexted,omitempty"`
	CreatedAt          time.Time    `json:"created_at"`
	CodeExpiresAt      *time.Time   `json:"code_expires_at,omitempty"`
	NextResendAt       *time.Time   `json:"next_resend_at,omitempty"`
	ExpiresAt          *time.Time   `json:"expires_at,omitempty"`
	EndedAt            *time.Time   `json:"ended_at,omitempty"`
}

func claimOf(c claim.Claim) claimResponse {
	return claimResponse{
		ID: c.ID, IdentityID: c.IdentityID, State: c.State, Reason: c.Reason, Origin: c.Source,
		MobileNumber: c.Number, FormerMobileNumber: c.Previous, FormerVerified: c.PreviousVerified, Direct: c.Direct,
		Attempts: c.Attempts, Texts: c.Texts, Untexted: c.Untexted(), CreatedAt: c.CreatedAt, CodeExpiresAt: known(c.CodeExpires),
		NextResendAt: known(c.NextText), ExpiresAt: known(c.LapsesAt), EndedAt: known(c.EndedAt),
	}
}

// known leaves a moment out that never comes.
func known(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// claims lists by state and identity. A number is not asked for here, because
// addresses of requests are kept in places that nobody thinks of.
func (h handlers) claims(c *gin.Context, _ auth.Administrator) (page[claimResponse], error) {
	return h.find(c, searchRequest{
		State: claim.State(c.Query("state")), IdentityID: c.Query("identity_id"),
		Cursor: c.Query("cursor"), Limit: limitOf(c),
	})
}

type searchRequest struct {
	State      claim.State `json:"state"`
	IdentityID string      `json:"identity_id"`
	// MobileNumber is in full, or masked as it is shown.
	MobileNumber string `json:"mobile_number"`
	Cursor       string `json:"cursor"`
	Limit        int    `json:"limit"`
}

func (h handlers) search(c *gin.Context, _ auth.Administrator) (page[claimResponse], error) {
	in := searchRequest{Limit: usualPage}
	if err := web.ReadJSON(c.Writer, c.Request, &in, true); err != nil {
		return page[claimResponse]{}, err
	}
	return h.find(c, in)
}

func (h handlers) find(c *gin.Context, in searchRequest) (page[claimResponse], error) {
	after, ok := admin.ParseCursor(in.Cursor)
	if !ok || in.Limit < 1 || in.Limit > largestPage || in.State != "" && !in.State.Known() {
		return page[claimResponse]{}, web.ErrMalformed
	}
	found, err := h.Admin.Search(c.Request.Context(), admin.ClaimQuery{
		State: in.State, IdentityIDs: only(in.IdentityID), After: after, Limit: in.Limit + 1,
	}, in.MobileNumber)
	if err != nil {
		return page[claimResponse]{}, err
	}
	return pageOf(found, in.Limit, claimOf, func(c claim.Claim) string { return admin.Cursor{At: c.CreatedAt, ID: c.ID}.String() }), nil
}

type historyResponse struct {
	claimResponse
	Events []eventResponse `json:"events"`
	Sent   []textResponse  `json:"messages"`
}

func (h handlers) history(c *gin.Context, _ auth.Administrator) (historyResponse, error) {
	found, err := h.Admin.History(c.Request.Context(), c.Param("id"))
	if err != nil {
		return historyResponse{}, err
	}
	return historyResponse{
		claimResponse: claimOf(found.Claim), Events: each(found.Events, eventOf), Sent: each(found.Texts, textOf),
	}, nil
}

type revealResponse struct {
	MobileNumber       string `json:"mobile_number"`
	FormerMobileNumber string `json:"former_mobile_number"`
}

// reveal shows the full numbers, and the audit trail tells to whom.
func (h handlers) reveal(c *gin.Context, who auth.Administrator) (revealResponse, error) {
	found, err := h.Admin.Reveal(c.Request.Context(), c.Param("id"), who.Actor)
	if err != nil {
		return revealResponse{}, err
	}
	return revealResponse{found.Number.Unmasked(), found.Previous.Unmasked()}, nil
}

func (h handlers) resend(c *gin.Context, who auth.Administrator) (web.None, error) {
	return web.None{}, h.Admin.Resend(c.Request.Context(), c.Param("id"), who.Actor)
}

func (h handlers) cancel(c *gin.Context, who auth.Administrator) (web.None, error) {
	return web.None{}, h.Admin.Cancel(c.Request.Context(), c.Param("id"), who)
}
