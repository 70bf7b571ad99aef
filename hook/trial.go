package hook

import (
	"context"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/web"
)

// TrialPath is the path, on the admin listener, of the trials that `holdline doctor --try`
// announces: under it each has its identity's id.
const TrialPath = "/hooks/trials"

// Trials is what the doctor asks. [claim.Service] does it.
type Trials interface {
	BeginTrial(ctx context.Context, identityID string) (claim.Trial, error)
	Trial(ctx context.Context, identityID string) (claim.Trial, error)
	EndTrial(ctx context.Context, identityID string) error
}

// TrialAnswer is what Holdline knows of a trial.
type TrialAnswer struct {
	Expires   time.Time `json:"expires"`
	Staged    int       `json:"staged"`    // calls of the stage hook
	Activated int       `json:"activated"` // calls of the activate hook
	Held      bool      `json:"held"`      // the number was held back
}

// mountTrials adds the routes of trials, behind the keys of the hooks.
func (d realms) mountTrials(r gin.IRouter) {
	const one = TrialPath + "/:identity"
	r.PUT(one, d.authenticate(trialRoute(http.StatusOK, Trials.BeginTrial)))
	r.GET(one, d.authenticate(trialRoute(http.StatusOK, Trials.Trial)))
	r.DELETE(one, d.authenticate(trialRoute(http.StatusNoContent, func(t Trials, ctx context.Context, id string) (claim.Trial, error) {
		return claim.Trial{}, t.EndTrial(ctx, id)
	})))
}

// trialRoute does something with the trial of the identity in the path.
func trialRoute(status int, do func(Trials, context.Context, string) (claim.Trial, error)) func(handlers, *gin.Context) {
	return func(h handlers, c *gin.Context) {
		c.Set(doctorKey{}, true)
		id, err := h.trialOf(c)
		var t claim.Trial
		if err == nil {
			t, err = do(h.Trials, c.Request.Context(), id)
		}
		switch {
		case err != nil:
			h.server.Fail(c, err)
		case status == http.StatusNoContent:
			web.Answer(c, status, web.None{})
		default:
			web.Answer(c, status, TrialAnswer{Expires: t.Expires, Staged: t.Staged, Activated: t.Activated, Held: t.Held})
		}
	}
}

// longestID is that of the column.
const longestID = 64

// trialOf reads whose trial is meant: an identity of the realm that the key is of.
func (h handlers) trialOf(c *gin.Context) (string, error) {
	id := claim.InRealm(h.Realm, c.Param("identity"))
	if !isID(c.Param("identity")) || len(id) > longestID {
		return "", web.ErrMalformed
	}
	return id, nil
}
