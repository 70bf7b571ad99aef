package console

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/holdline/holdline/internal/auth"
	"github.com/holdline/holdline/internal/claim"
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
	kept, err := s.Tokens.List(c.Request.Context())
	if err != nil {
		return err
	}
	s.pages.Show(c, http.StatusOK, "tokens", tokensPage{s.frame(v, "Tokens"), s.Configured, kept, s.Now()})
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

// personsID is how the audit trail names administrators who have no token.
var personsID = regexp.MustCompile(`^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$`)

// makeToken answers with the token itself, which no other page ever shows. Who loads the answer
// again is told that the name is taken.
func (s *console) makeToken(c *gin.Context, v *visit) error {
	p := s.newTokenForm(v)
	p.Name, p.Expires, p.Privileged = strings.TrimSpace(c.PostForm("name")), strings.TrimSpace(c.PostForm("expires")), c.PostForm("privileged") == "true"
	var scopes []auth.Scope
	for i := range p.Scopes {
		p.Scopes[i].On = slices.Contains(c.PostFormArray("scope"), string(p.Scopes[i].Scope))
	}
	for _, scope := range c.PostFormArray("scope") {
		scopes = append(scopes, auth.Scope(scope))
	}
	if personsID.MatchString(p.Name) {
		return s.refuseToken(c, p, http.StatusBadRequest, "The name must not look like a person's id: the audit trail names administrators by either.")
	}
	now := s.Now()
	text := s.NewToken().Mint()
	token, err := auth.NewToken(p.Name, auth.DigestToken(text), scopes, p.Privileged, now)
	if err != nil {
		return s.refuseToken(c, p, http.StatusBadRequest, strings.ToUpper(err.Error()[:1])+strings.ReplaceAll(err.Error()[1:], "\n", "; ")+".")
	}
	if p.Expires != "" {
		last, err := time.ParseInLocation(time.DateOnly, p.Expires, time.UTC)
		if token.ExpiresAt = last.AddDate(0, 0, 1); err != nil || token.Expired(now) {
			return s.refuseToken(c, p, http.StatusBadRequest, "The last day must be a date to come, such as 2027-06-30, or blank for none.")
		}
		if until := v.who.Until; !until.IsZero() && last.Before(until) && until.Before(token.ExpiresAt) {
			token.ExpiresAt = until // on the day on which the maker's own right ends
		}
	}
	err = v.who.MayGive(token)
	if err == nil && slices.ContainsFunc(s.Configured, func(t auth.Token) bool { return t.Name == token.Name }) {
		err = claim.ErrExists
	}
	if err == nil {
		err = s.Tokens.Create(c.Request.Context(), token, token.Event(auth.TokenCreated, v.who.Actor, now))
	}
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
	Token      auth.Token
	Own        bool // the administrator is signed in with it
	Configured bool // a token of this name goes on, because the configuration has it
}

// askRevoke asks whether it is meant: a service may stand still without its token.
func (s *console) askRevoke(c *gin.Context, v *visit) error {
	name := c.Query("name")
	if name == "" {
		c.Redirect(http.StatusFound, Path+"/tokens")
		return nil
	}
	kept, err := s.Tokens.List(c.Request.Context())
	if err != nil {
		return err
	}
	i := slices.IndexFunc(kept, func(t auth.Token) bool { return t.Name == name && t.RevokedAt.IsZero() })
	if i < 0 {
		return auth.ErrNoToken
	}
	configured := slices.ContainsFunc(s.Configured, func(t auth.Token) bool { return t.Name == name })
	s.pages.Show(c, http.StatusOK, "revoke", revokePage{
		s.frame(v, "Revoke this token?").below("Tokens"), kept[i], v.who.ID == name, configured,
	})
	return nil
}

func (s *console) revoke(c *gin.Context, v *visit) error {
	token := auth.Token{Name: c.PostForm("name")}
	if err := s.Tokens.Revoke(c.Request.Context(), token.Name, token.Event(auth.TokenRevoked, v.who.Actor, s.Now())); err != nil {
		return err
	}
	s.done(c, Path+"/tokens", "revoked")
	return nil
}
