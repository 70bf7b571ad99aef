package console

import (
	"net/http"
	"net/url"
	"slices"

	"github.com/gin-gonic/gin"

	"github.com/holdline/holdline/internal/admin"
	"github.com/holdline/holdline/internal/message"
)

type textsPage struct {
	frame
	State, Gateway string
	States         []message.TextState
	Gateways       []string
	Texts          []admin.TextRecord
	Pager          pager
}

// textStates are those that can be asked for: receipts come later, and lists
// know nothing of them.
var textStates = []message.TextState{message.TextQueued, message.TextSent, message.TextFailed, message.TextDropped}

func (s *console) texts(c *gin.Context, v *visit) error {
	p := textsPage{frame: s.frame(v, "Texts"), State: c.Query("state"), Gateway: c.Query("gateway"), States: textStates}
	after, ok := admin.ParseCursor(c.Query("after"))
	if !ok || p.State != "" && !slices.Contains(textStates, message.TextState(p.State)) {
		return errMalformed
	}
	for _, g := range s.Gateways() {
		p.Gateways = append(p.Gateways, g.ID)
	}
	if p.Gateway != "" && !slices.Contains(p.Gateways, p.Gateway) { // one of the past
		p.Gateways = append(p.Gateways, p.Gateway)
	}
	found, err := s.Archive.FindTexts(c.Request.Context(), admin.TextQuery{
		State: message.TextState(p.State), Gateway: p.Gateway, After: after, Limit: rows + 1,
	})
	if err != nil {
		return err
	}
	var next string
	p.Texts, next = cut(found, func(t admin.TextRecord) string { return admin.Cursor{At: t.CreatedAt, ID: t.ID}.String() })
	p.Pager = pages(Path+"/texts", url.Values{"state": {p.State}, "gateway": {p.Gateway}}, c.Query("after"), next)
	s.pages.Show(c, http.StatusOK, "texts", p)
	return nil
}
