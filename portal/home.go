package portal

import (
	"errors"
	"net/http"

	"github.com/gin-gonic/gin"
)

type homePage struct {
	frame
	SignedIn bool
	Name     string
	Email    string
	Mobile   string
	Verified bool
	Pending  string
	Logout   string
}

// home tells people who they are.
func (d demo) home(c *gin.Context) {
	who, err := d.kratos.whoami(c)
	if errors.Is(err, errSignedOut) {
		d.pages.show(c, http.StatusOK, "home", homePage{frame: d.frame("Welcome")})
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
		frame: d.frame("Your account"), SignedIn: true, Logout: logout,
		Name: text(who.Traits, "name"), Email: text(who.Traits, "email"),
		Mobile: text(who.Traits, d.MobileTrait), Pending: text(who.MetadataPublic, d.PendingKey),
	}
	page.Verified = who.verified(page.Mobile)
	page.Notice = outcome(c.Query("done"), page.Pending != "")
	d.pages.show(c, http.StatusOK, "home", page)
}

// outcome says what the page before has done.
func outcome(done string, pending bool) notice {
	switch {
	case done == "confirmed" && pending:
		return notice{"info", "The code was right. Your number is being saved."}
	case done == "confirmed":
		return notice{"success", "The code was right. Your number is confirmed."}
	case done == "cancelled":
		return notice{"info", "The change was cancelled. Your number stays as it was."}
	default:
		return notice{}
	}
}
