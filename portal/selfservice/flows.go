package selfservice

import (
	"errors"
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/holdline/holdline/portal/layout"
)

// face is how a kind of flow is shown.
type face struct {
	title string
	forms []part
}

// part is one form of a flow: its heading, and which groups of nodes it has
// beside the default one.
type part struct {
	heading string
	groups  []string
}

func faceOf(kind string) face {
	switch kind {
	case "login":
		return face{"Sign in", []part{{"", []string{"password"}}}}
	case "registration":
		return face{"Create an account", []part{{"", []string{"profile", "password"}}}}
	default:
		return face{"Settings", []part{{"Profile", []string{"profile"}}, {"Password", []string{"password"}}}}
	}
}

type flowPage struct {
	layout.Frame
	Kind     string
	Messages []message
	Forms    []form
	Pending  string
	Verify   string
}

// flow shows the pages of one kind of flow; without a flow the browser is sent
// to Kratos, which begins one and sends it back.
func (d demo) flow(kind string) gin.HandlerFunc {
	return func(c *gin.Context) {
		id := c.Query("flow")
		if id == "" {
			c.Redirect(http.StatusSeeOther, d.kratos.start(kind))
			return
		}
		f, err := d.kratos.flow(c, kind, id)
		switch {
		case errors.Is(err, errFlowGone):
			c.Redirect(http.StatusSeeOther, d.kratos.start(kind))
		case errors.Is(err, errSignedOut):
			c.Redirect(http.StatusSeeOther, d.kratos.start("login"))
		case errors.Is(err, errForeignFlow):
			// Sent back to begin anew, a browser without cookies would go round for ever.
			d.problem(c, http.StatusForbidden, "This form was opened in another browser, or cookies are blocked.")
		case err != nil:
			d.broken(c, "Kratos")
		default:
			d.showFlow(c, kind, f)
		}
	}
}

func (d demo) showFlow(c *gin.Context, kind string, f flow) {
	face := faceOf(kind)
	page := flowPage{
		Frame: d.frame(face.title), Kind: kind, Messages: f.UI.Messages,
		Forms: f.forms(face.forms), Pending: text(f.Identity.MetadataPublic, d.PendingKey), Verify: d.VerifyURL,
	}
	d.pages.Show(c, http.StatusOK, "flow", page)
}

// kratosError shows what Kratos sends browsers away for.
func (d demo) kratosError(c *gin.Context) {
	reason, err := d.kratos.fault(c, c.Query("id"))
	if err != nil || reason == "" {
		reason = "Something went wrong. Try again."
	}
	d.problem(c, http.StatusOK, reason)
}
