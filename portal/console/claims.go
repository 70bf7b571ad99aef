package console

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/holdline/holdline/internal/admin"
	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/phone"
)

type claimsPage struct {
	frame
	Asked  claimsAsked
	Fault  string // at the number
	Means  string // the state that is asked for
	States []claim.State
	Claims []claim.Claim
	Pager  pager
	After  string // the cursor of the next page, where a number is asked for
}

// claimsAsked is what is asked for. A number is never part of an address,
// because addresses are kept in places that nobody thinks of.
type claimsAsked struct{ Number, Identity, State, After string }

func (s *console) claims(c *gin.Context, v *visit) error {
	return s.findClaims(c, v, claimsAsked{Identity: c.Query("identity"), State: c.Query("state"), After: c.Query("after")})
}

// searchClaims takes the form. What it asks for without a number has an address,
// which can be kept and shared.
func (s *console) searchClaims(c *gin.Context, v *visit) error {
	asked := claimsAsked{
		Number: strings.TrimSpace(c.PostForm("number")), Identity: strings.TrimSpace(c.PostForm("identity")),
		State: c.PostForm("state"), After: c.PostForm("after"),
	}
	if asked.Number == "" {
		c.Redirect(http.StatusSeeOther, pages(Path+"/claims", asked.values(), "again", "").Newest)
		return nil
	}
	return s.findClaims(c, v, asked)
}

// values are what an address may hold.
func (a claimsAsked) values() url.Values {
	return url.Values{"identity": {a.Identity}, "state": {a.State}}
}

func (s *console) findClaims(c *gin.Context, v *visit, asked claimsAsked) error {
	after, ok := admin.ParseCursor(asked.After)
	if !ok || asked.State != "" && stateMeans[claim.State(asked.State)] == "" {
		return errMalformed
	}
	p, status := claimsPage{frame: s.frame(v, "Claims"), Asked: asked, States: states, Means: stateMeans[claim.State(asked.State)]}, http.StatusOK
	found, err := s.Admin.Search(c.Request.Context(), admin.ClaimQuery{
		State: claim.State(asked.State), IdentityIDs: only(asked.Identity), After: after, Limit: rows + 1,
	}, asked.Number)
	switch {
	case errors.Is(err, phone.ErrBadNumber):
		status, _, p.Fault = s.words(c, err)
	case err != nil:
		return err
	}
	var next string
	p.Claims, next = cut(found, func(c claim.Claim) string { return admin.Cursor{At: c.CreatedAt, ID: c.ID}.String() })
	if asked.Number == "" {
		p.Pager = pages(Path+"/claims", asked.values(), asked.After, next)
	} else {
		p.After = next
	}
	s.pages.Show(c, status, "claims", p)
	return nil
}
