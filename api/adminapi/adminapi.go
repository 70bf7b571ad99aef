package adminapi

import (
	"context"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/holdline/holdline/internal/admin"
	"github.com/holdline/holdline/internal/audit"
	"github.com/holdline/holdline/internal/auth"
	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/fraud"
	"github.com/holdline/holdline/internal/settings"
	"github.com/holdline/holdline/internal/web"
)

// Settings are what administrators change while Holdline runs. [settings.Service] is them.
type Settings interface {
	States() []settings.State
	Set(ctx context.Context, values map[settings.Key]*string, who audit.Actor) error
}

// Claims are what administrators see and do. [admin.Service] is it.
type Claims interface {
	FindPeople(ctx context.Context, typed string) (admin.PeopleFound, error)
	Search(ctx context.Context, q admin.ClaimQuery, number string) ([]claim.Claim, error)
	History(ctx context.Context, claimID string) (admin.ClaimHistory, error)
	Reveal(ctx context.Context, claimID string, who audit.Actor) (claim.Claim, error)
	Resend(ctx context.Context, claimID string, who audit.Actor) error
	Cancel(ctx context.Context, claimID string, who auth.Administrator) error
}

// Archive has the lists that have nothing to do with one claim.
type Archive interface {
	FindTexts(ctx context.Context, q admin.TextQuery) ([]admin.TextRecord, error)
	FindEvents(ctx context.Context, q admin.EventQuery) ([]admin.EventRecord, error)
	Traffic(ctx context.Context, since, until time.Time) ([]fraud.Traffic, error)
}

// Options are what the routes need.
type Options struct {
	Settings Settings
	Claims   Claims
	Archive  Archive
	Now      func() time.Time
}

type handlers struct {
	Options
	server *web.Server
}

// Mount adds the routes to an engine.
func Mount(engine *gin.Engine, server *web.Server, o Options) {
	h := handlers{o, server}
	admin := engine.Group("/admin")
	admin.GET("/settings", answer(h, http.StatusOK, h.settings))
	admin.PATCH("/settings", answer(h, http.StatusOK, h.changeSettings))
	admin.GET("/settings/:key", answer(h, http.StatusOK, h.setting))
	admin.DELETE("/settings/:key", answer(h, http.StatusNoContent, h.returnSetting))
	admin.POST("/people/search", answer(h, http.StatusOK, h.findPeople))
	admin.GET("/claims", answer(h, http.StatusOK, h.claims))
	admin.POST("/claims/search", answer(h, http.StatusOK, h.search))
	admin.GET("/claims/:id", answer(h, http.StatusOK, h.history))
	admin.DELETE("/claims/:id", answer(h, http.StatusNoContent, h.cancel))
	admin.POST("/claims/:id/resend", answer(h, http.StatusNoContent, h.resend))
	admin.POST("/claims/:id/reveal", answer(h, http.StatusOK, h.reveal))
	admin.GET("/texts", answer(h, http.StatusOK, h.texts))
	admin.GET("/traffic", answer(h, http.StatusOK, h.traffic))
	admin.GET("/audit", answer(h, http.StatusOK, h.audit))
}

// answer adapts a function that acts for an administrator.
func answer[Out any](h handlers, success int, do func(*gin.Context, auth.Administrator) (Out, error)) gin.HandlerFunc {
	return func(c *gin.Context) {
		token, err := h.server.Client(c, auth.ScopeClaimsManage)
		if err != nil {
			h.server.Fail(c, err)
			return
		}
		out, err := do(c, auth.Administrator{
			Actor:      audit.Actor{Kind: audit.Administrator, ID: token.Name, ClientIP: web.ClientAddress(c)},
			Privileged: token.Privileged, Scopes: token.Scopes,
		})
		if err != nil {
			h.server.Fail(c, err)
			return
		}
		web.Answer(c, success, out)
	}
}
