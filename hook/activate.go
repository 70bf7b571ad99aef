package hook

import (
	"context"
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/web"
)

// activate tells of a stored flow. Kratos does not read the answer.
func (h handlers) activate(c *gin.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.Request.Context()), patience)
	defer cancel()
	var in settingsBody
	if err := web.ReadJSON(c.Writer, c.Request, &in, false); err != nil {
		h.server.Fail(c, err)
		return
	}
	flow, err := in.flow(h.Realm)
	if err == nil {
		flow.Language = in.language()
		err = h.claims.Activate(ctx, flow)
	}
	if err != nil {
		h.server.Fail(c, err)
		return
	}
	web.Answer(c, http.StatusNoContent, web.None{})
}

// flow reads the body of an activate call. The error is web.ErrMalformed.
func (b settingsBody) flow(realm string) (claim.StoredFlow, error) {
	if !isID(b.IdentityID) || b.FlowID == "" {
		return claim.StoredFlow{}, web.ErrMalformed
	}
	return claim.StoredFlow{
		IdentityID: claim.InRealm(realm, b.IdentityID), FlowID: b.FlowID, FlowIssued: b.FlowIssued, Mobile: text(b.NewMobile), ShownPending: text(b.Pending),
		ClientIP: b.address(),
	}, nil
}
