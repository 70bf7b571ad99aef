package console

import (
	"errors"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/holdline/holdline/internal/auth"
	"github.com/holdline/holdline/internal/web"
	"github.com/holdline/holdline/portal/layout"
)

// The cookies. None of them outlives the browser, and none is for a script.
const (
	sessionCookie = "holdline_console"
	noticeCookie  = "holdline_console_notice" // what the next page says
)

// hostOnly begins the names of cookies that a browser takes over https only, from
// this very host and for all its paths (RFC 6265bis, section 4.1.3.2): so neither
// a neighbouring host nor a page over http can plant one.
const hostOnly = "__Host-"

// visit is one request of somebody who is signed in.
type visit struct {
	who    auth.Administrator
	secret string
	notice layout.Notice
}

// page answers a visit; what it returns is shown in words.
type page func(c *gin.Context, v *visit) error

// inside lets through who has a session.
func (s *console) inside(do page) gin.HandlerFunc {
	return func(c *gin.Context) {
		v, err := s.visit(c)
		switch {
		case errors.Is(err, auth.ErrNoSession):
			s.askSignIn(c, http.StatusUnauthorized, s.returnTo(c), s.whyEnded(c))
			return
		case errors.Is(err, auth.ErrNoScope):
			s.askSignIn(c, http.StatusForbidden, s.returnTo(c), signInFault{notice: "You may not work here any more."})
			return
		case err != nil:
			s.fail(c, &visit{}, err)
			return
		}
		if c.Request.Method == http.MethodGet {
			v.notice = s.takeNotice(c)
		}
		if err := do(c, v); err != nil {
			s.fail(c, v, err)
		}
	}
}

// visit returns who is signed in. Errors: those of [auth.AdminSessions.Check].
func (s *console) visit(c *gin.Context) (*visit, error) {
	secret := s.cookie(c, sessionCookie)
	if secret == "" {
		return nil, auth.ErrNoSession
	}
	check := s.Sessions.Check
	if c.GetHeader("Holdline-Refresh") != "" {
		check = s.Sessions.Watch // a page that looks again by itself keeps nobody signed in
	}
	who, err := check(c.Request.Context(), secret, s.kratosCookie(c), s.Address(c.Request))
	if err != nil {
		s.Failed(c.Request, err)
	}
	return &visit{who: who, secret: secret}, err
}

func (s *console) whyEnded(c *gin.Context) signInFault {
	if s.cookie(c, sessionCookie) == "" {
		return signInFault{}
	}
	s.setCookie(c, sessionCookie, "")
	return signInFault{notice: "Your sign-in has ended, because it was not used for a while or what it was based on is no longer valid. Sign in again to go on."}
}

// kratosCookie is all that Kratos needs of the Cookie header.
func (s *console) kratosCookie(c *gin.Context) string {
	value := cookie(c, s.KratosCookie)
	if value == "" {
		return ""
	}
	return s.KratosCookie + "=" + value
}

func cookie(c *gin.Context, name string) string {
	found, err := c.Request.Cookie(name)
	if err != nil {
		return ""
	}
	return found.Value
}

// cookie returns a cookie of the console.
func (s *console) cookie(c *gin.Context, name string) string {
	if web.IsHTTPS(c.Request) {
		name = hostOnly + name
	}
	return cookie(c, name)
}

// setCookie sets a cookie of the console; a blank value removes it.
func (s *console) setCookie(c *gin.Context, name, value string) {
	set := &http.Cookie{ // over http, as on loopback, a Secure cookie would be lost
		Name: name, Value: value, Path: Path, HttpOnly: true, SameSite: http.SameSiteStrictMode,
	}
	if web.IsHTTPS(c.Request) {
		set.Name, set.Path, set.Secure = hostOnly+name, "/", true
	}
	if value == "" {
		set.MaxAge = -1
	}
	http.SetCookie(c.Writer, set)
}

// notices are what a page may say of the act before it. The cookie holds only
// the name, so that nobody else's words get onto the page.
var notices = map[string]layout.Notice{
	"saved":        {Kind: "success", Text: "Saved. It is in force here now, and on other replicas within a few seconds."},
	"returned":     {Kind: "success", Text: "Returned to the start value. It is in force here now, and on other replicas within a few seconds."},
	"unchanged":    {Kind: "info", Text: "Nothing was changed."},
	"undone":       {Kind: "success", Text: "Taken back. It is in force here now, and on other replicas within a few seconds."},
	"overtaken":    {Kind: "info", Text: "Nothing was changed: the setting has changed again since."},
	"resent":       {Kind: "success", Text: "Another text is on its way."},
	"cancelled":    {Kind: "success", Text: "The claim is cancelled, and its code is dead."},
	"restore":      {Kind: "success", Text: "The number from before is in force again, and the case is closed."},
	"end-sessions": {Kind: "success", Text: "All sessions of the account are ended."},
	"lift":         {Kind: "success", Text: "The number can be changed again."},
	"close":        {Kind: "success", Text: "The case is closed."},
	"revoked":      {Kind: "success", Text: "The token is revoked. Every replica knows within a few seconds."},
}

// done sends the browser to a page that says how it went, so that loading it
// again does nothing twice.
func (s *console) done(c *gin.Context, path, notice string) {
	s.setCookie(c, noticeCookie, notice)
	c.Redirect(http.StatusSeeOther, path)
}

func (s *console) takeNotice(c *gin.Context) layout.Notice {
	name := s.cookie(c, noticeCookie)
	if name != "" {
		s.setCookie(c, noticeCookie, "")
	}
	return notices[name]
}

// returnTo is the page to show after signing in: what was asked for or, if that
// was an act, the page that it belongs to.
func (s *console) returnTo(c *gin.Context) string {
	asked := c.Request.URL
	switch {
	case c.Request.Method == http.MethodGet:
		return asked.RequestURI()
	case s.shown[c.FullPath()]:
		return asked.EscapedPath()
	default:
		path := asked.EscapedPath()
		return path[:strings.LastIndexByte(path, '/')]
	}
}
