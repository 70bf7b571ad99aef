package adminapi

import (
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/holdline/holdline/internal/admin"
	"github.com/holdline/holdline/internal/auth"
	"github.com/holdline/holdline/internal/web"
)

type tokenResponse struct {
	Name       string       `json:"name"`
	Scopes     []auth.Scope `json:"scopes"`
	Privileged bool         `json:"privileged"`
	Configured bool         `json:"configured,omitempty"`
	InForce    bool         `json:"in_force"`
	CreatedAt  *time.Time   `json:"created_at,omitempty"`
	CreatedBy  string       `json:"created_by,omitempty"`
	LastUsedAt *time.Time   `json:"last_used_at,omitempty"`
	ExpiresAt  *time.Time   `json:"expires_at,omitempty"`
	RevokedAt  *time.Time   `json:"revoked_at,omitempty"`
}

func (h handlers) tokenOf(configured bool) func(auth.Token) tokenResponse {
	return func(t auth.Token) tokenResponse {
		return tokenResponse{
			Name: t.Name, Scopes: t.Scopes, Privileged: t.Privileged, Configured: configured, InForce: t.InForce(h.Now()), CreatedAt: known(t.CreatedAt),
			CreatedBy: t.CreatedBy, LastUsedAt: known(t.LastUsed), ExpiresAt: known(t.ExpiresAt), RevokedAt: known(t.RevokedAt),
		}
	}
}

type tokensResponse struct {
	Items []tokenResponse `json:"items"`
}

func (h handlers) tokens(c *gin.Context, _ auth.Administrator) (tokensResponse, error) {
	configured, kept, err := h.Admin.FindTokens(c.Request.Context())
	return tokensResponse{append(each(configured, h.tokenOf(true)), each(kept, h.tokenOf(false))...)}, err
}

type tokenRequest struct {
	Name       string       `json:"name"`
	Scopes     []auth.Scope `json:"scopes"`
	Privileged bool         `json:"privileged"`
	ExpiresAt  time.Time    `json:"expires_at"`
}

type tokenMadeResponse struct {
	tokenResponse
	Token string `json:"token"` // shown this once
}

func (h handlers) makeToken(c *gin.Context, who auth.Administrator) (tokenMadeResponse, error) {
	var in tokenRequest
	if err := web.ReadJSON(c.Writer, c.Request, &in, true); err != nil {
		return tokenMadeResponse{}, err
	}
	text, made, err := h.Admin.MakeToken(c.Request.Context(), admin.TokenWish(in), who)
	return tokenMadeResponse{h.tokenOf(false)(made), text}, err
}

func (h handlers) revokeToken(c *gin.Context, who auth.Administrator) (web.None, error) {
	withMade, err := strconv.ParseBool(c.DefaultQuery("with_made", "false"))
	if err != nil {
		return web.None{}, web.ErrMalformed
	}
	return web.None{}, h.Admin.RevokeToken(c.Request.Context(), c.Param("name"), withMade, who.Actor)
}
