package console

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"log/slog"
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
	"github.com/holdline/holdline/portal/layout"
)

//go:embed templates assets
var files embed.FS

// AdminSessions are the sign-ins at the console. [auth.AdminSessions] is it.
type AdminSessions interface {
	SignInByToken(ctx context.Context, token, address string) (string, error)
	SignInByCookie(ctx context.Context, cookie, address string) (string, error)
	Check(ctx context.Context, secret, cookie, address string) (auth.Administrator, error)
	Watch(ctx context.Context, secret, cookie, address string) (auth.Administrator, error)
	SignOut(ctx context.Context, secret string, who audit.Actor) error
}

// Settings are what administrators change while Holdline runs. [settings.Service] is them.
type Settings interface {
	States() []settings.State
	// Once looks at what other replicas have set.
	Once(ctx context.Context) error
	// With returns the policy that values would make.
	With(values map[settings.Key]*string) (claim.Policy, error)
	Set(ctx context.Context, values map[settings.Key]*string, who audit.Actor) error
}

// Admin is what administrators see and do. [admin.Service] is it.
type Admin interface {
	FindPeople(ctx context.Context, typed string) (admin.PeopleFound, error)
	Person(ctx context.Context, identityID string) (admin.Person, error)
	Search(ctx context.Context, q admin.ClaimQuery, number string) ([]claim.Claim, error)
	History(ctx context.Context, claimID string) (admin.ClaimHistory, error)
	Reveal(ctx context.Context, claimID string, who audit.Actor) (claim.Claim, error)
	Alarm(ctx context.Context, id string) (admin.AlarmFound, error)
	RestoreNumber(ctx context.Context, alarmID string, who auth.Administrator) error
	EndSessions(ctx context.Context, alarmID string, who auth.Administrator) error
	LiftBlock(ctx context.Context, alarmID string, who auth.Administrator) error
	CloseAlarm(ctx context.Context, alarmID string, who auth.Administrator) error
	SendTest(ctx context.Context, gateway, number string, who audit.Actor) (providerID string, err error)
	Resend(ctx context.Context, claimID string, who audit.Actor) error
	Cancel(ctx context.Context, claimID string, who auth.Administrator) error
	Suggest(ctx context.Context) (admin.Suggestion, error)
	Outside(ctx context.Context, next phone.Restrictions) (admin.Outside, error)
	Series(ctx context.Context, span statistics.Span, callingCode string) (statistics.Series, error)
	FindGateways(ctx context.Context) (admin.Gateways, error)
	FindTokens(ctx context.Context) (configured, kept []auth.Token, err error)
	FindToken(ctx context.Context, name string) (admin.TokenFound, error)
	MakeToken(ctx context.Context, wish admin.TokenWish, who auth.Administrator) (text string, made auth.Token, err error)
	RevokeToken(ctx context.Context, name string, withMade bool, who audit.Actor) error
}

// Archive has the lists that have nothing to do with one claim. A [admin.Store]
// is it.
type Archive interface {
	FindTexts(ctx context.Context, q admin.TextQuery) ([]admin.TextRecord, error)
	FindEvents(ctx context.Context, q admin.EventQuery) ([]admin.EventRecord, error)
	FindAlarms(ctx context.Context, q admin.AlarmQuery) ([]claim.Alarm, error)
	Traffic(ctx context.Context, since, until time.Time) ([]fraud.Traffic, error)
}

// Limit is a limit in force, by its key in the configuration.
type Limit struct{ Name, Key, Value string }

// Options are what the console needs.
type Options struct {
	Sessions AdminSessions
	Settings Settings
	Admin    Admin
	Archive  Archive
	Gateways func() []admin.Gateway
	Policy   func() claim.Policy
	Alarms   func() map[string]fraud.Alert
	// Limits are those that the policy does not have.
	Limits []Limit
	// Invitation is the demo's way in.
	Invitation Invitation

	Product string
	Replica string // names this process, whose view of the gateways is shown
	// KratosCookie is the name of Kratos' session cookie; blank if only tokens
	// open the console.
	KratosCookie string
	Now          func() time.Time
	Log          *slog.Logger
	// Address returns where the browser is.
	Address func(*http.Request) string
	// Failed hears of errors of signing in, and of invalid sessions.
	Failed func(*http.Request, error)
}

// Path is where the console is.
const Path = "/console"

type console struct {
	Options
	pages *layout.Pages
	// shown are the routes that can be returned to.
	shown map[string]bool
}

// New returns the console; its routes are those below [Path].
func New(o Options) (http.Handler, error) {
	s := &console{Options: o, shown: map[string]bool{}}
	words := funcs(o.Now)
	words["undoes"] = func(e admin.EventRecord) bool { _, _, ok := s.lastStep(e); return ok }
	var err error
	if s.pages, err = layout.New(layout.Options{Base: Path + "/", Files: files, Funcs: words}); err != nil {
		return nil, fmt.Errorf("console: %w", err)
	}
	engine := layout.Engine(layout.Policy{Forms: "'self'", Connect: "'self'"})
	engine.Use(s.bound)
	engine.NoRoute(s.inside(func(*gin.Context, *visit) error { return errNoPage }))
	engine.GET(Path, func(c *gin.Context) { c.Redirect(http.StatusFound, Path+"/") })
	s.mount(engine)
	for _, route := range engine.Routes() {
		s.shown[route.Path] = s.shown[route.Path] || route.Method == http.MethodGet
	}
	return engine, nil
}

func (s *console) mount(engine *gin.Engine) {
	routes := engine.Group(Path)
	s.pages.Mount(routes)
	own := layout.OwnForms(nil, func(c *gin.Context) { s.fail(c, &visit{}, errForged) })
	show := func(path string, do page) { routes.GET(path, s.inside(do)) }
	act := func(path string, do page) { routes.POST(path, own, s.inside(withForm(do))) }

	routes.GET("/sign-in", s.signInPage)
	routes.POST("/sign-in", own, s.signIn)
	if s.Invitation.Key != "" {
		routes.GET("/enter/:key", s.enter())
	}
	act("/sign-out", s.signOut)

	show("/", s.overview)
	show("/settings", s.settings)
	act("/settings", s.saveSettings)
	act("/settings/return", s.returnSetting)
	act("/settings/undo", s.undoSetting)

	show("/people", s.people)
	act("/people", s.searchPeople)
	show("/person", s.person)

	show("/alarms", s.alarmList)
	show("/alarms/:id", s.alarm)
	show("/alarms/:id/restore", s.askRestore)
	act("/alarms/:id/:act", s.actOnAlarm)

	show("/claims", s.claims)
	act("/claims", s.searchClaims)
	show("/claims/:id", s.claim)
	show("/claims/:id/cancel", s.askCancel)
	show("/claims/:id/:act", s.afterAct)
	act("/claims/:id/resend", s.resend)
	act("/claims/:id/cancel", s.cancel)
	act("/claims/:id/reveal", s.reveal)

	show("/texts", s.texts)
	show("/activity", s.activity)
	show("/traffic", s.traffic)
	show("/gateways", s.gateways)
	act("/gateways", s.sendTest)
	show("/limits", s.limits)
	show("/audit", s.audit)
	show("/tokens", s.tokens)
	show("/tokens/new", s.askToken)
	act("/tokens/new", s.makeToken)
	show("/tokens/revoke", s.askRevoke)
	act("/tokens/revoke", s.revoke)
}

// What only pages refuse.
var (
	errNoPage    = errors.New("console: there is no such page")
	errForged    = errors.New("console: the form is not from the console")
	errMalformed = errors.New("console: the request cannot be read")
)

// withForm answers a form that can be read.
func withForm(do page) page {
	return func(c *gin.Context, v *visit) error {
		if err := c.Request.ParseForm(); err != nil {
			return errMalformed
		}
		return do(c, v)
	}
}

// largestForm is far more than any form has.
const largestForm = 64 << 10

// bound reads forms, which have a bound, and logs what went wrong on our side,
// unless the browser has left meanwhile.
func (s *console) bound(c *gin.Context) {
	c.Request.Body = http.MaxBytesReader(c.Writer, c.Request.Body, largestForm)
	c.Next()
	for _, fault := range c.Errors {
		web.LogError(c, s.Log, "console page failed", fault.Err)
	}
}
