package console

import (
	"net/http"
	"net/url"

	"github.com/gin-gonic/gin"

	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/portal/layout"
)

type claimPage struct {
	frame
	Claim    claim.Claim
	Timeline []moment
	Full     *full // on the answer to who asked for it only
}

// full are the numbers unmasked.
type full struct{ Number, Was string }

func (s *console) claim(c *gin.Context, v *visit) error {
	return s.showClaim(c, v, http.StatusOK, nil)
}

func (s *console) showClaim(c *gin.Context, v *visit, status int, shown *full) error {
	found, err := s.Admin.History(c.Request.Context(), c.Param("id"))
	if err != nil {
		return err
	}
	s.pages.Show(c, status, "claim", claimPage{
		frame: s.frame(v, "Claim "+short(found.Claim.ID)).below("Claims"),
		Claim: found.Claim, Timeline: timeline(found), Full: shown,
	})
	return nil
}

func claimPath(c *gin.Context) string { return Path + "/claims/" + url.PathEscape(c.Param("id")) }

// afterAct is where the address of an act leads if it is merely loaded again.
func (s *console) afterAct(c *gin.Context, _ *visit) error {
	switch c.Param("act") {
	case "resend", "reveal":
		c.Redirect(http.StatusFound, claimPath(c))
		return nil
	default:
		return errNoPage
	}
}

type cancelPage struct {
	frame
	Claim claim.Claim
}

// askCancel asks whether it is meant: a person may be about to type the code.
func (s *console) askCancel(c *gin.Context, v *visit) error {
	found, err := s.Admin.History(c.Request.Context(), c.Param("id"))
	if err != nil {
		return err
	}
	if found.Claim.State != claim.Open {
		c.Redirect(http.StatusFound, claimPath(c))
		return nil
	}
	s.pages.Show(c, http.StatusOK, "cancel", cancelPage{s.frame(v, "Cancel this claim?").below("Claims"), found.Claim})
	return nil
}

func (s *console) resend(c *gin.Context, v *visit) error {
	return s.afterwards(c, v, "resent", s.Admin.Resend(c.Request.Context(), c.Param("id"), v.who.Actor))
}

func (s *console) cancel(c *gin.Context, v *visit) error {
	return s.afterwards(c, v, "cancelled", s.Admin.Cancel(c.Request.Context(), c.Param("id"), v.who))
}

// afterwards says on the claim's page how an act went. Where there is no such
// page the error has one of its own.
func (s *console) afterwards(c *gin.Context, v *visit, notice string, err error) error {
	if err == nil {
		s.done(c, claimPath(c), notice)
		return nil
	}
	status, title, text := s.words(c, err)
	if status == http.StatusNotFound || status >= http.StatusInternalServerError {
		s.problem(c, v, status, title, text)
		return nil
	}
	v.notice = layout.Notice{Kind: "error", Text: text}
	return s.showClaim(c, v, status, nil)
}

// reveal shows the full numbers, after the audit trail has noted to whom.
func (s *console) reveal(c *gin.Context, v *visit) error {
	found, err := s.Admin.Reveal(c.Request.Context(), c.Param("id"), v.who.Actor)
	if err != nil {
		return err
	}
	v.notice = layout.Notice{Kind: "warning", Text: "The full numbers are shown on this page only. The audit trail has noted that you looked at them."}
	return s.showClaim(c, v, http.StatusOK, &full{found.Number.Unmasked(), found.Previous.Unmasked()})
}
