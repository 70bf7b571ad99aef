package console

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/holdline/holdline/internal/admin"
)

type auditPage struct {
	frame
	Claim, Identity, Kind string
	Kinds                 []eventKind
	Events                []admin.EventRecord
	Pager                 pager
}

func (s *console) audit(c *gin.Context, v *visit) error {
	before, err := strconv.ParseInt(c.DefaultQuery("after", "0"), 10, 64)
	if err != nil || before < 0 {
		return errMalformed
	}
	p := auditPage{
		frame: s.frame(v, "Audit"), Claim: strings.TrimSpace(c.Query("claim")),
		Identity: strings.TrimSpace(c.Query("identity")), Kind: c.Query("kind"), Kinds: eventKinds,
	}
	known := slices.ContainsFunc(eventKinds, func(k eventKind) bool { return k.Kind == p.Kind })
	if p.Kind != "" && !known { // one of another release
		p.Kinds = append(slices.Clone(eventKinds), eventKind{p.Kind, p.Kind})
	}
	found, err := s.Archive.FindEvents(c.Request.Context(), admin.EventQuery{
		ClaimID: p.Claim, IdentityID: p.Identity, Kind: p.Kind, Before: before, Limit: rows + 1,
	})
	if err != nil {
		return err
	}
	var next string
	p.Events, next = cut(found, func(e admin.EventRecord) string { return strconv.FormatInt(e.ID, 10) })
	asked := url.Values{"claim": {p.Claim}, "identity": {p.Identity}, "kind": {p.Kind}}
	p.Pager = pages(Path+"/audit", asked, c.Query("after"), next)
	s.pages.Show(c, http.StatusOK, "audit", p)
	return nil
}
