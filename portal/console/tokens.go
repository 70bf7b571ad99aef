package console

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/holdline/holdline/internal/admin"
	"github.com/holdline/holdline/internal/auth"
	"github.com/holdline/holdline/portal/layout"
)

type tokensPage struct {
	frame
	Configured []auth.Token
	Tokens     []auth.Token
	Now        time.Time
}

// Soon reports whether a token ends within thirty days.
func (p tokensPage) Soon(t auth.Token) bool {
	return t.InForce(p.Now) && !t.ExpiresAt.IsZero() && t.ExpiresAt.Before(p.Now.Add(30*day))
}

func (s *console) tokens(c *gin.Context, v *visit) error {
	configured, kept, err := s.Admin.FindTokens(c.Request.Context())
	if err != nil {
		return err
	}
	s.pages.Show(c, http.StatusOK, "tokens", tokensPage{s.frame(v, "Tokens"), configured, kept, s.Now()})
	return nil
}

type newTokenPage struct {
	frame
	Name, Expires, Fault string
	Scopes               []scopeChoice
	Privileged           bool
	MayBePrivileged      bool
	Made                 string // the token, on the one page that shows it
}

// scopeChoice is a scope that the administrator may give.
type scopeChoice struct {
	Scope auth.Scope
	Means string
	On    bool
}

var scopeMeans = map[auth.Scope]string{
	auth.ScopeSCIMRead:     "read users and groups",
	auth.ScopeSCIMWrite:    "make, change and delete them",
	auth.ScopeClaimsManage: "act for people, and open this console",
}

func (s *console) newTokenForm(v *visit) newTokenPage {
	last := s.Now().UTC().AddDate(1, 0, 0)
	if until := v.who.Until; !until.IsZero() && until.Before(last) {
		last = until.UTC().Add(-time.Nanosecond) // of midnight the day before
	}
	p := newTokenPage{
		frame: s.frame(v, "New token").below("Tokens"), MayBePrivileged: v.who.Privileged, Expires: last.Format(time.DateOnly),
	}
	for _, scope := range v.who.Scopes {
		p.Scopes = append(p.Scopes, scopeChoice{Scope: scope, Means: scopeMeans[scope]})
	}
	return p
}

func (s *console) askToken(c *gin.Context, v *visit) error {
	s.pages.Show(c, http.StatusOK, "token", s.newTokenForm(v))
	return nil
}

// makeToken answers with the token itself, which no other page ever shows. Who loads the answer
// again is told that the name is taken.
func (s *console) makeToken(c *gin.Context, v *visit) error {
	p := s.newTokenForm(v)
	p.Name, p.Expires, p.Privileged = strings.TrimSpace(c.PostForm("name")), strings.TrimSpace(c.PostForm("expires")), c.PostForm("privileged") == "true"
	wish := admin.TokenWish{Name: p.Name, Privileged: p.Privileged}
	for i := range p.Scopes {
		p.Scopes[i].On = slices.Contains(c.PostFormArray("scope"), string(p.Scopes[i].Scope))
	}
	for _, scope := range c.PostFormArray("scope") {
		wish.Scopes = append(wish.Scopes, auth.Scope(scope))
	}
	if p.Expires != "" {
		last, err := time.ParseInLocation(time.DateOnly, p.Expires, time.UTC)
		if wish.ExpiresAt = last.AddDate(0, 0, 1); err != nil || !s.Now().Before(wish.ExpiresAt) {
			return s.refuseToken(c, p, http.StatusBadRequest, "The last day must be a date to come, such as 2027-06-30, or blank for none.")
		}
		if until := v.who.Until; !until.IsZero() && last.Before(until) && until.Before(wish.ExpiresAt) {
			wish.ExpiresAt = until // on the day on which the maker's own right ends
		}
	}
	text, _, err := s.Admin.MakeToken(c.Request.Context(), wish, v.who)
	if err != nil {
		status, _, words := s.words(c, err)
		if status >= http.StatusInternalServerError {
			return err
		}
		return s.refuseToken(c, p, status, words)
	}
	p.Title, p.Made = "Token "+p.Name, text
	s.pages.Show(c, http.StatusCreated, "token", p)
	return nil
}

func (s *console) refuseToken(c *gin.Context, p newTokenPage, status int, words string) error {
	p.Notice = layout.Notice{Kind: "error", Text: words}
	s.pages.Show(c, status, "token", p)
	return nil
}

type revokePage struct {
	frame
	admin.TokenFound
	Own bool // the administrator is signed in with it
}

// askRevoke asks whether it is meant: a service may stand still without its token.
func (s *console) askRevoke(c *gin.Context, v *visit) error {
	name := c.Query("name")
	if name == "" {
		c.Redirect(http.StatusFound, Path+"/tokens")
		return nil
	}
	found, err := s.Admin.FindToken(c.Request.Context(), name)
	if err != nil {
		return err
	}
	s.pages.Show(c, http.StatusOK, "revoke", revokePage{s.frame(v, "Revoke this token?").below("Tokens"), found, v.who.ID == name})
	return nil
}

func (s *console) revoke(c *gin.Context, v *visit) error {
	if err := s.Admin.RevokeToken(c.Request.Context(), c.PostForm("name"), c.PostForm("made") == "yes", v.who.Actor); err != nil {
		return err
	}
	s.done(c, Path+"/tokens", "revoked")
	return nil
}
