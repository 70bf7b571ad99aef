package wiring

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/google/uuid"

	"github.com/holdline/holdline/api"
	"github.com/holdline/holdline/api/adminapi"
	"github.com/holdline/holdline/api/userapi"
	"github.com/holdline/holdline/hook"
	"github.com/holdline/holdline/internal/ratelimit"
	"github.com/holdline/holdline/internal/web"
	"github.com/holdline/holdline/portal/selfservice"
	"github.com/holdline/holdline/scimbridge"
	"github.com/holdline/holdline/smsgateway/provider"
	"github.com/holdline/holdline/smsgateway/receipt"
)

// origins trusts Holdline's own pages and Kratos', and those of some sites more.
func (p *program) origins(sites ...string) (*web.Origins, error) {
	pages := append([]string{p.cfg.Public.BaseURL}, sites...)
	for _, kratos := range p.everyKratos() {
		pages = append(pages, kratos.Browser())
	}
	return web.NewOrigins(pages...)
}

func (p *program) server(listener string) (*web.Server, error) {
	var cookies []string
	for _, kratos := range p.everyKratos() {
		cookies = append(cookies, kratos.SessionCookie)
	}
	origins, err := p.origins()
	if err != nil {
		return nil, err
	}
	proxies := p.cfg.Public.TrustedProxies
	if listener == adminListener {
		proxies = p.cfg.Admin.TrustedProxies
	}
	return &web.Server{
		Log: p.log, Now: p.clock.Now, NewID: uuid.NewString, Sessions: p.realms, Clients: p.clients, Privileged: p.realms.Privileged, NoPasswords: !p.cfg.Public.HTTPBasic, Assured: p.claims.Assured,
		Failures: p.failures, Passwords: p.passwords,
		HookKeys: ratelimit.Limit{Most: p.cfg.Limits.TokenFailures, Window: p.cfg.Limits.LoginWindow},
		Origins:  origins, SessionCookies: cookies,
		TrustedProxies: proxies, Middleware: p.around(listener), AccessLog: p.cfg.Log.Access, MonotonicNow: time.Now,
	}, nil
}

// checks are what readiness depends on. Kratos is not among them: without it
// Holdline still answers hooks and accepts codes.
func (p *program) checks() map[string]func(context.Context) error {
	return map[string]func(context.Context) error{"database": p.db.Ready}
}

// getAndPost are the methods of receipts: providers have their own ideas.
var getAndPost = []string{http.MethodGet, http.MethodPost}

func (p *program) publicRoutes() (http.Handler, error) {
	server, err := p.server(publicListener)
	if err != nil {
		return nil, err
	}
	engine, err := server.Engine()
	if err != nil {
		return nil, err
	}
	if err := p.front(engine, server, publicListener); err != nil {
		return nil, err
	}
	server.Health(engine, p.release, p.checks(), p.indexState)
	api.Mount(engine)
	owners, sites := *server, p.cfg.Public.CORS.AllowedOrigins
	if owners.Origins, err = p.origins(sites...); err != nil {
		return nil, err
	}
	userapi.Mount(engine, &owners, server, p.counted, p.realms, p.cfg.OTP.Length)
	engine.Match(getAndPost, receipt.Path+":gateway", func(c *gin.Context) {
		if err := p.receipts.Receive(c.Request, c.Param("gateway")); err != nil {
			server.Fail(c, server.Failed(c, web.Receipt, err))
			return
		}
		web.Answer(c, http.StatusNoContent, web.None{})
	})
	if err := p.pages(engine, server); err != nil {
		return nil, err
	}
	public, err := web.ShareWith(sites, userapi.OwnersPath, engine)
	if err != nil {
		return nil, err
	}
	if !p.cfg.SCIM.Enabled {
		return web.Head(public), nil
	}
	scim, err := p.scimRoutes()
	if err != nil {
		return nil, err
	}
	return web.Head(below(scimbridge.Path, scim, public)), nil
}

// below gives one handler what is below a path, and the other one the rest.
func below(path string, under, rest http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == path || strings.HasPrefix(r.URL.Path, path+"/") {
			under.ServeHTTP(w, r)
			return
		}
		rest.ServeHTTP(w, r)
	})
}

func (p *program) adminRoutes() (http.Handler, error) {
	server, err := p.server(adminListener)
	if err != nil {
		return nil, err
	}
	engine, err := server.Engine()
	if err != nil {
		return nil, err
	}
	if err := p.front(engine, server, adminListener); err != nil {
		return nil, err
	}
	server.Health(engine, p.release, p.checks(), p.indexState)
	api.Mount(engine)
	hooks, err := p.hooks()
	if err != nil {
		return nil, err
	}
	hook.Mount(engine, server, p.counted, hooks...)
	service := p.admin()
	adminapi.Mount(engine, server, adminapi.Options{Settings: p.settings, Admin: service, Archive: p.store, Now: p.clock.Now})
	if err := p.console(engine, service); err != nil {
		return nil, err
	}
	engine.GET("/metrics", gin.WrapH(p.metrics.Handler()))
	if p.phone != nil {
		phone := http.StripPrefix("/simulator", selfservice.Phone(func() []selfservice.PhoneText { return screen(p.phone) }, p.framedBy))
		engine.GET("/simulator/*page", gin.WrapH(phone))
	}
	return web.Head(engine), nil
}

// screen shows what arrived at the simulator, newest last.
func screen(s *provider.Simulator) []selfservice.PhoneText {
	var texts []selfservice.PhoneText
	for _, text := range slices.Backward(s.Texts()) {
		texts = append(texts, selfservice.PhoneText{ID: text.ID, To: text.To, Body: text.Body, At: text.At})
	}
	return texts
}
