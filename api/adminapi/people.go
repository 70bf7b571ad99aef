package adminapi

import (
	"github.com/gin-gonic/gin"

	"github.com/holdline/holdline/internal/admin"
	"github.com/holdline/holdline/internal/auth"
	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/internal/web"
)

type peopleRequest struct {
	// Query is an e-mail address, user name, name, number or piece of one, or an
	// identity's id.
	Query string `json:"query"`
}

type personResponse struct {
	IdentityID   string         `json:"identity_id"`
	Name         string         `json:"name,omitempty"`
	Emails       []string       `json:"emails,omitempty"`
	UserNames    []string       `json:"user_names,omitempty"`
	MobileNumber phone.Number   `json:"mobile_number"` // prints itself masked
	Verified     bool           `json:"mobile_number_verified"`
	Privileged   bool           `json:"privileged,omitempty"`
	Last         *claimResponse `json:"last_claim,omitempty"`
}

type peopleResponse struct {
	Items []personResponse `json:"items"`
	// More says that others fit too, Incomplete that the index is still being built or
	// Kratos does not answer, so that some may be missing.
	More       bool `json:"more"`
	Incomplete bool `json:"incomplete"`
}

// findPeople answers with whom somebody means. What is asked for stands in the body: addresses of
// requests are kept in places that nobody thinks of.
func (h handlers) findPeople(c *gin.Context, _ auth.Administrator) (peopleResponse, error) {
	var in peopleRequest
	if err := web.ReadJSON(c.Writer, c.Request, &in, true); err != nil {
		return peopleResponse{}, err
	}
	found, err := h.Claims.FindPeople(c.Request.Context(), in.Query)
	return peopleResponse{each(found.People, personOf), found.More, found.Building || found.Away}, err
}

func personOf(p admin.PersonSummary) personResponse {
	shown := personResponse{
		IdentityID: p.IdentityID, Name: p.Profile.Name, Emails: p.Profile.Emails, UserNames: p.Profile.UserNames,
		MobileNumber: phone.FromStore(p.Profile.Mobile), Verified: p.Profile.Verified, Privileged: p.Profile.Privileged,
	}
	if p.Last != nil {
		last := claimOf(*p.Last)
		shown.Last = &last
	}
	return shown
}
