package console

import (
	"net/http"
	"slices"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/holdline/holdline/internal/auth"
)

type tokensPage struct {
	frame
	Configured []auth.Token
	Tokens     []auth.Token
	Scopes     []auth.Scope
	Now        time.Time
}

func (s *console) tokens(c *gin.Context, v *visit) error {
	kept, err := s.Tokens.List(c.Request.Context())
	if err != nil {
		return err
	}
	s.pages.Show(c, http.StatusOK, "tokens", tokensPage{s.frame(v, "Tokens"), s.Configured, kept, auth.Scopes(), s.Now()})
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
	if err := s.Tokens.Revoke(c.Request.Context(), token.Name, token.Event(auth.TokenRevoked, v.who, s.Now())); err != nil {
		return err
	}
	s.done(c, Path+"/tokens", "revoked")
	return nil
}
