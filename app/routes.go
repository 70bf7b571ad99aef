package app

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/google/uuid"

	"github.com/holdline/holdline/hook"
	"github.com/holdline/holdline/portal"
	"github.com/holdline/holdline/scimbridge"
	"github.com/holdline/holdline/smsgateway"
	"github.com/holdline/holdline/userapi"
	"github.com/holdline/holdline/web"
)

func (p *program) edge() *web.Edge {
	return &web.Edge{
		Log: p.log, Now: p.clock.Now, NewID: uuid.NewString, Sessions: p.directory, Clients: p.clients,
		TrustedProxies: p.cfg.Public.TrustedProxies,
	}
}

// checks are what readiness depends on. Kratos is not among them: without it
// Holdline still answers hooks and accepts codes.
func (p *program) checks() map[string]func(context.Context) error {
	return map[string]func(context.Context) error{"database": p.db.Ping}
}

// getAndPost are the methods of pages with a form, and of receipts: providers
// have their own ideas.
var getAndPost = []string{http.MethodGet, http.MethodPost}

func (p *program) publicRoutes() (http.Handler, error) {
	edge := p.edge()
	engine, err := edge.Engine()
	if err != nil {
		return nil, err
	}
	edge.Health(engine, p.release, p.checks())
	userapi.Mount(engine, edge, p.claims)
	engine.Match(getAndPost, smsgateway.ReceiptsPath+":gateway", func(c *gin.Context) {
		if err := p.receipts.Receive(c.Request, c.Param("gateway")); err != nil {
			edge.Fail(c, err)
			return
		}
		web.Answer(c, http.StatusNoContent, web.None{})
	})
	denial := http.StripPrefix(disputePath, portal.Dispute(portal.DisputeOptions{
		Claims: p.claims, Product: p.cfg.SMS.Product, Address: client,
	}))
	engine.Match(getAndPost, disputePath+"/*page", func(c *gin.Context) {
		c.Request.RemoteAddr = c.ClientIP()
		denial.ServeHTTP(c.Writer, c.Request)
	})
	if !p.cfg.SCIM.Enabled {
		return engine, nil
	}
	scim, err := p.scimRoutes()
	if err != nil {
		return nil, err
	}
	return below(scimbridge.Path, scim, engine), nil
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
	edge := p.edge()
	engine, err := edge.Engine()
	if err != nil {
		return nil, err
	}
	edge.Health(engine, p.release, p.checks())
	hook.Mount(engine, edge, p.claims, hook.Options{
		Key: p.cfg.Hooks.APIKey.Reveal(), MobileTrait: p.cfg.Kratos.MobileTrait,
		PendingKey: p.cfg.Kratos.PendingKey, Plan: planOf(p.cfg), Log: p.log, Changed: p.changed(),
	})
	engine.GET("/metrics", gin.WrapH(p.metrics.handler()))
	if p.phone != nil {
		phone := http.StripPrefix("/simulator", portal.Phone(func() []portal.PhoneText { return screen(p.phone) }))
		engine.GET("/simulator/*page", gin.WrapH(phone))
	}
	return engine, nil
}

// screen shows what arrived at the simulator.
func screen(s *smsgateway.Simulator) []portal.PhoneText {
	var texts []portal.PhoneText
	for _, text := range s.Texts() {
		texts = append(texts, portal.PhoneText{ID: text.ID, To: text.To, Body: text.Body, At: text.At})
	}
	return texts
}

// serve answers on one listener until ctx ends, then drains.
func serve(ctx context.Context, listener net.Listener, handler http.Handler) error {
	server := &http.Server{
		Handler: handler, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 15 * time.Second,
		WriteTimeout: 30 * time.Second, IdleTimeout: 90 * time.Second, MaxHeaderBytes: 32 << 10,
	}
	drained := make(chan error, 1)
	stop := context.AfterFunc(ctx, func() {
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTime)
		defer cancel()
		drained <- server.Shutdown(grace)
	})
	err := server.Serve(listener)
	if !errors.Is(err, http.ErrServerClosed) {
		stop()
		return err
	}
	return <-drained
}
