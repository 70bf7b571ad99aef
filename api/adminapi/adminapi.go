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
	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/internal/settings"
	"github.com/holdline/holdline/internal/statistics"
	"github.com/holdline/holdline/internal/web"
)

// Settings are what administrators change while Holdline runs. [settings.Service] is them.
type Settings interface {
	States() []settings.State
	Set(ctx context.Context, values map[settings.Key]*string, who audit.Actor) error
}

// Admin is what administrators see and do. [admin.Service] is it.
type Admin interface {
	FindPeople(ctx context.Context, typed string) (admin.PeopleFound, error)
	Person(ctx context.Context, identityID string) (admin.Person, error)
	Search(ctx context.Context, q admin.ClaimQuery, number string) ([]claim.Claim, error)
	History(ctx context.Context, claimID string) (admin.ClaimHistory, error)
	Reveal(ctx context.Context, claimID string, who audit.Actor) (claim.Claim, error)
	Resend(ctx context.Context, claimID string, who audit.Actor) error
	Cancel(ctx context.Context, claimID string, who auth.Administrator) error
	Alarm(ctx context.Context, id string) (admin.AlarmFound, error)
	RestoreNumber(ctx context.Context, alarmID string, who auth.Administrator) error
	EndSessions(ctx context.Context, alarmID string, who auth.Administrator) error
	LiftBlock(ctx context.Context, alarmID string, who auth.Administrator) error
	CloseAlarm(ctx context.Context, alarmID string, who auth.Administrator) error
	Suggest(ctx context.Context) (admin.Suggestion, error)
	Outside(ctx context.Context, next phone.Restrictions) (admin.Outside, error)
	Series(ctx context.Context, span statistics.Span, callingCode string) (statistics.Series, error)
	FindGateways(ctx context.Context) (admin.Gateways, error)
	SendTest(ctx context.Context, gateway, number string, who audit.Actor) (providerID string, err error)
	FindTokens(ctx context.Context) (configured, kept []auth.Token, err error)
	MakeToken(ctx context.Context, wish admin.TokenWish, who auth.Administrator) (text string, made auth.Token, err error)
	RevokeToken(ctx context.Context, name string, withMade bool, who audit.Actor) error
}

// Archive has the lists that have nothing to do with one claim.
type Archive interface {
	FindTexts(ctx context.Context, q admin.TextQuery) ([]admin.TextRecord, error)
	FindEvents(ctx context.Context, q admin.EventQuery) ([]admin.EventRecord, error)
	FindAlarms(ctx context.Context, q admin.AlarmQuery) ([]claim.Alarm, error)
	Traffic(ctx context.Context, since, until time.Time) ([]fraud.Traffic, error)
}

// Options are what the routes need.
type Options struct {
	Settings Settings
	Admin    Admin
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
	admin.GET("/person", answer(h, http.StatusOK, h.person))
	admin.GET("/alarms", answer(h, http.StatusOK, h.alarms))
	admin.GET("/alarms/:id", answer(h, http.StatusOK, h.alarm))
	admin.POST("/alarms/:id/restore", answer(h, http.StatusNoContent, h.onAlarm(Admin.RestoreNumber)))
	admin.POST("/alarms/:id/end-sessions", answer(h, http.StatusNoContent, h.onAlarm(Admin.EndSessions)))
	admin.POST("/alarms/:id/lift-block", answer(h, http.StatusNoContent, h.onAlarm(Admin.LiftBlock)))
	admin.POST("/alarms/:id/close", answer(h, http.StatusNoContent, h.onAlarm(Admin.CloseAlarm)))
	admin.GET("/traffic", answer(h, http.StatusOK, h.traffic))
	admin.GET("/suggestions", answer(h, http.StatusOK, h.suggestions))
	admin.GET("/statistics", answer(h, http.StatusOK, h.statistics))
	admin.GET("/gateways", answer(h, http.StatusOK, h.gateways))
	admin.POST("/gateways/:id/test", answer(h, http.StatusOK, h.sendTest))
	admin.GET("/tokens", answer(h, http.StatusOK, h.tokens))
	admin.POST("/tokens", answer(h, http.StatusCreated, h.makeToken))
	admin.DELETE("/tokens/:name", answer(h, http.StatusNoContent, h.revokeToken))
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
			Privileged: token.Privileged, Scopes: token.Scopes, Until: token.ExpiresAt,
		})
		if err != nil {
			h.server.Fail(c, err)
			return
		}
		web.Answer(c, success, out)
	}
}
