package selfservice

import (
	"errors"
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/holdline/holdline/portal/layout"
)

type homePage struct {
	layout.Frame
	SignedIn bool
	Name     string
	Email    string
	Mobile   string
	Verified bool
	Pending  string
	Logout   string
	Verify   string
}

// home tells people who they are.
func (d demo) home(c *gin.Context) {
	who, err := d.kratos.whoami(c)
	if errors.Is(err, errSignedOut) {
		d.pages.Show(c, http.StatusOK, "home", homePage{Frame: d.frame("Welcome")})
		return
	}
	if err != nil {
		d.broken(c, "Kratos")
		return
	}
	logout, err := d.kratos.logout(c)
	if err != nil {
		d.broken(c, "Kratos")
		return
	}
	page := homePage{
		Frame: d.frame("Your account"), SignedIn: true, Logout: logout, Verify: d.VerifyURL,
		Name: text(who.Traits, "name"), Email: text(who.Traits, "email"),
		Mobile: text(who.Traits, d.MobileTrait), Pending: text(who.MetadataPublic, d.PendingKey),
	}
	page.Verified = who.verified(page.Mobile)
	d.pages.Show(c, http.StatusOK, "home", page)
}
