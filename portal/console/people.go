package console

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/holdline/holdline/internal/admin"
	"github.com/holdline/holdline/internal/people"
)

type peoplePage struct {
	frame
	Typed  string
	Fault  string
	Asked  bool
	Result admin.PeopleFound
}

func (s *console) people(c *gin.Context, v *visit) error {
	s.pages.Show(c, http.StatusOK, "people", peoplePage{frame: s.frame(v, "People")})
	return nil
}

// searchPeople takes the form. What is typed may be a number, which must not get into an address:
// addresses are kept in places that nobody thinks of.
func (s *console) searchPeople(c *gin.Context, v *visit) error {
	p, status := peoplePage{frame: s.frame(v, "People"), Typed: strings.TrimSpace(c.PostForm("who")), Asked: true}, http.StatusOK
	var err error
	p.Result, err = s.Admin.FindPeople(c.Request.Context(), p.Typed)
	switch {
	case errors.Is(err, people.ErrTooLittle):
		status, _, p.Fault = s.words(c, err)
		p.Asked = false
	case err != nil:
		return err
	}
	s.pages.Show(c, status, "people", p)
	return nil
}

type personPage struct {
	frame
	Person   admin.Person
	Timeline []moment
}

func personPath(identityID string) string {
	return Path + "/person?" + url.Values{"id": {identityID}}.Encode()
}

func (s *console) person(c *gin.Context, v *visit) error {
	id := c.Query("id")
	if id == "" {
		c.Redirect(http.StatusFound, Path+"/people")
		return nil
	}
	found, err := s.Admin.Person(c.Request.Context(), id)
	if err != nil {
		return err
	}
	title := found.Profile.Name
	if title == "" {
		title = "Account " + short(id)
	}
	p := personPage{frame: s.frame(v, title).below("People"), Person: found}
	p.Timeline = timeline(admin.ClaimHistory{Events: found.Events, Texts: found.Texts})
	s.pages.Show(c, http.StatusOK, "person", p)
	return nil
}
