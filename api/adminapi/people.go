package adminapi

import (
	"github.com/gin-gonic/gin"

	"github.com/holdline/holdline/internal/admin"
	"github.com/holdline/holdline/internal/auth"
	"github.com/holdline/holdline/internal/people"
	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/internal/web"
)

type peopleRequest struct {
	// Query is an e-mail address, user name, name, number or piece of one, or an
	// identity's id.
	Query string `json:"query"`
}

// profileResponse is what Kratos has of a person.
type profileResponse struct {
	IdentityID   string       `json:"identity_id"`
	Name         string       `json:"name,omitempty"`
	Emails       []string     `json:"emails,omitempty"`
	UserNames    []string     `json:"user_names,omitempty"`
	MobileNumber phone.Number `json:"mobile_number"` // prints itself masked
	Verified     bool         `json:"mobile_number_verified"`
	Privileged   bool         `json:"privileged,omitempty"`
}

func profileOf(p people.Profile) profileResponse {
	return profileResponse{
		IdentityID: p.ID, Name: p.Name, Emails: p.Emails, UserNames: p.UserNames,
		MobileNumber: phone.FromStore(p.Mobile), Verified: p.Verified, Privileged: p.Privileged,
	}
}

type personResponse struct {
	profileResponse
	Last *claimResponse `json:"last_claim,omitempty"`
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
	found, err := h.Admin.FindPeople(c.Request.Context(), in.Query)
	return peopleResponse{each(found.People, personOf), found.More, found.Building || found.Away}, err
}

func personOf(p admin.PersonSummary) personResponse {
	shown := personResponse{profileResponse: profileOf(p.Profile)}
	if p.Last != nil {
		last := claimOf(*p.Last)
		shown.Last = &last
	}
	return shown
}

type personFoundResponse struct {
	profileResponse
	Gone   bool            `json:"gone,omitempty"`
	Away   bool            `json:"kratos_away,omitempty"`
	Claims []claimResponse `json:"claims"`   // newest first
	Events []eventResponse `json:"events"`   // oldest first
	Texts  []textResponse  `json:"messages"` // oldest first
	Older  bool            `json:"older"`    // more is kept than this
}

// person shows one person. The id is no part of the path: that of a further realm has a slash.
func (h handlers) person(c *gin.Context, _ auth.Administrator) (personFoundResponse, error) {
	id := c.Query("identity_id")
	if id == "" {
		return personFoundResponse{}, web.ErrMalformed
	}
	p, err := h.Admin.Person(c.Request.Context(), id)
	return personFoundResponse{
		profileOf(p.Profile), p.Gone, p.Away, each(p.Claims, claimOf), each(p.Events, eventOf), each(p.Texts, textOf), p.Older,
	}, err
}
