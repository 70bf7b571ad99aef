package console

import (
	"crypto/subtle"
	"net/http"
	"sync/atomic"

	"github.com/gin-gonic/gin"
)

// Invitation signs in whoever has its link, once. It is for the demo, which prints the
// link; blank is for none.
type Invitation struct {
	Key   string // what nobody can guess of the link
	Token string // that the session stands on
}

// Path is where the link leads to.
func (i Invitation) Path() string { return Path + "/enter/" + i.Key }

// enter lets the first in who has the link; later ones are asked for the token.
func (s *console) enter() gin.HandlerFunc {
	var used atomic.Bool
	return func(c *gin.Context) {
		home := Path + "/"
		if _, err := s.visit(c); err == nil {
			c.Redirect(http.StatusSeeOther, home)
			return
		}
		right := subtle.ConstantTimeCompare([]byte(c.Param("key")), []byte(s.Invitation.Key)) == 1
		if !right || used.Swap(true) {
			s.askSignIn(c, http.StatusForbidden, home, signInFault{notice: "This link was good for one sign-in. The token that the demo printed is good for more."})
			return
		}
		secret, err := s.Sessions.SignInByToken(c.Request.Context(), s.Invitation.Token, s.Address(c.Request))
		if err != nil {
			s.refuse(c, home, false, err)
			return
		}
		s.setCookie(c, sessionCookie, secret)
		c.Redirect(http.StatusSeeOther, home)
	}
}
