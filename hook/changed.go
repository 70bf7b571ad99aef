package hook

import (
	"context"
	"log/slog"
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/web"
)

// changedBody is what the jsonnet of kratos-config makes of any flow.
type changedBody struct {
	IdentityID string `json:"identity_id"`
}

// changed tells of an identity that a flow made or changed. Kratos does not read
// the answer, but repeats the call after a 5xx. What is missed in spite of that is
// no damage: a reconciler finds it.
func (h handlers) changed(c *gin.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.Request.Context()), patience)
	defer cancel()
	var in changedBody
	err := web.ReadJSON(c.Writer, c.Request, &in, false)
	if err == nil && !isID(in.IdentityID) {
		err = web.ErrMalformed
	}
	if err != nil {
		h.server.Fail(c, err)
		return
	}
	if h.Changed != nil {
		if err := h.Changed(ctx, claim.InRealm(h.Realm, in.IdentityID)); err != nil {
			h.Log.WarnContext(ctx, "a changed identity was not taken up", "identity", in.IdentityID, "error", err)
			logged := *h.server // the line above is enough
			logged.Log = slog.New(slog.DiscardHandler)
			logged.Fail(c, err)
			return
		}
	}
	web.Answer(c, http.StatusNoContent, web.None{})
}
