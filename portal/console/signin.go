package console

import (
	"errors"
	"net/http"
	"net/url"
	"path"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/holdline/holdline/internal/auth"
	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/problem"
)

// signInFault is what was wrong, above the form or at its field.
type signInFault struct{ notice, field string }

type signInPage struct {
	frame
	Return     string
	Field      string // what is wrong with the token
	Kratos     bool   // the browser has a Kratos session
	FromAbroad bool   // a link on another site led here, so that no cookie came along
}

func (s *console) signInPage(c *gin.Context) {
	if _, err := s.visit(c); err == nil {
		c.Redirect(http.StatusFound, Path+"/")
		return
	}
	s.askSignIn(c, http.StatusOK, local(c.Query("return")), signInFault{})
}

func (s *console) askSignIn(c *gin.Context, status int, back string, fault signInFault) {
	c.Abort()
	p := signInPage{
		frame: s.frame(nil, "Sign in"), Return: local(back), Field: fault.field, Kratos: s.kratosCookie(c) != "",
		FromAbroad: c.GetHeader("Sec-Fetch-Site") == "cross-site",
	}
	if fault.notice != "" {
		p.Notice.Kind, p.Notice.Text = "error", fault.notice
	}
	s.pages.Show(c, status, "sign-in", p)
}

// signIn begins a session with a secret of its own, whatever the browser had.
func (s *console) signIn(c *gin.Context) {
	back := local(c.PostForm("return"))
	ctx, address := c.Request.Context(), s.Address(c.Request)
	byKratos, token := c.PostForm("by") == "kratos", strings.TrimSpace(c.PostForm("token"))
	var secret string
	var err error
	switch {
	case byKratos:
		secret, err = s.Sessions.SignInByCookie(ctx, s.kratosCookie(c), address)
	case token == "":
		s.askSignIn(c, http.StatusBadRequest, back, signInFault{field: "Enter a token."})
		return
	default:
		secret, err = s.Sessions.SignInByToken(ctx, token, address)
	}
	if err != nil {
		s.Failed(c.Request, err)
		s.refuse(c, back, byKratos, err)
		return
	}
	if before, err := s.visit(c); err == nil {
		if err := s.Sessions.SignOut(ctx, before.secret, before.who.Actor); err != nil {
			_ = c.Error(err)
		}
	}
	s.setCookie(c, sessionCookie, secret)
	c.Redirect(http.StatusSeeOther, back)
}

// refuse says why somebody was not let in.
func (s *console) refuse(c *gin.Context, back string, byKratos bool, err error) {
	limit := (*problem.LimitError)(nil)
	switch {
	case errors.Is(err, auth.ErrNoToken):
		s.askSignIn(c, http.StatusUnauthorized, back, signInFault{field: "This token is invalid or has expired."})
	case errors.Is(err, auth.ErrNoScope) && byKratos:
		s.askSignIn(c, http.StatusForbidden, back, signInFault{notice: "You are signed in to your account, but it is not one of a privileged person."})
	case errors.Is(err, auth.ErrNoScope):
		s.askSignIn(c, http.StatusForbidden, back, signInFault{field: "This token is good, but it lacks the scope claims:manage, which the console needs."})
	case errors.Is(err, auth.ErrNoSession):
		s.askSignIn(c, http.StatusUnauthorized, back, signInFault{notice: "The sign-in of your account has ended. Sign in there again, or use a token."})
	case errors.Is(err, claim.ErrSessionTooOld):
		s.askSignIn(c, http.StatusForbidden, back, signInFault{notice: "The sign-in of your account is too old for the console. Sign in there again, or use a token."})
	case errors.Is(err, claim.ErrNeedsSecondFactor):
		s.askSignIn(c, http.StatusForbidden, back, signInFault{notice: "The console needs the second factor of your account. Sign in there with it, or use a token."})
	case errors.As(err, &limit):
		s.retryAfter(c, limit.Until)
		s.askSignIn(c, http.StatusTooManyRequests, back, signInFault{notice: "Too many wrong tokens came from your address. Try again after " + s.clock(limit.Until) + "."})
	default:
		status, _, text := s.words(c, err)
		s.askSignIn(c, status, back, signInFault{notice: text})
	}
}

func (s *console) signOut(c *gin.Context, v *visit) error {
	if err := s.Sessions.SignOut(c.Request.Context(), v.secret, v.who.Actor); err != nil {
		return err
	}
	s.setCookie(c, sessionCookie, "")
	c.Redirect(http.StatusSeeOther, Path+"/sign-in")
	return nil
}

// local returns an address if it is a page of the console, written plainly, and
// otherwise the first one: who signs in must not be sent elsewhere.
func local(address string) string {
	home := Path + "/"
	u, err := url.Parse(address)
	if err != nil || u.IsAbs() || u.Host != "" || u.Opaque != "" || u.User != nil || u.Fragment != "" ||
		strings.ContainsFunc(address, func(r rune) bool { return r <= ' ' || r == '\\' || r == 0x7f }) {
		return home
	}
	clean := path.Clean(u.Path)
	if u.RawPath != "" || clean != u.Path || !strings.HasPrefix(clean, home) ||
		strings.HasPrefix(clean, home+"sign-") || strings.HasPrefix(clean, home+"assets/") {
		return home
	}
	return (&url.URL{Path: clean, RawQuery: u.RawQuery}).String()
}
