package wiring

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/holdline/holdline/internal/admin"
	"github.com/holdline/holdline/internal/auth"
	"github.com/holdline/holdline/internal/people"
	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/internal/web"
	"github.com/holdline/holdline/persistence"
	"github.com/holdline/holdline/portal/console"
)

// admin is what administrators do.
func (p *program) admin() *admin.Service {
	index, plan := persistence.NewPeople(p.db), p.plan
	return &admin.Service{
		Store: p.store, Claims: p.counted, Directory: p.realms, Privileged: p.realms.Privileged, Plan: plan, Now: p.clock.Now,
		Tests:      admin.TestTexts{Send: p.tests, Limiter: persistence.NewLimiter(p.db)},
		Statistics: persistence.NewStatistics(p.db), Coverage: func() phone.Restrictions { return p.settings.Policy().Coverage },
		Gateways: p.gatewayHealth, Tokens: persistence.NewTokens(p.db), NewToken: newToken, Configured: p.clients.Configured(),
		People: &people.Finder{Index: index, Claims: p.store, Directory: p.realms, Keys: p.peopleKeys, Plan: plan, Now: p.clock.Now},
	}
}

// indexer keeps what people are found by.
func (p *program) indexer() *people.Indexer {
	return &people.Indexer{
		Index: persistence.NewPeople(p.db), Claims: p.store, Directory: p.realms, Keys: p.peopleKeys,
		Leases: p.store, Owner: p.id, Now: p.clock.Now,
	}
}

// newToken makes the random part of a token.
func newToken() (secret auth.TokenSecret) {
	_, _ = rand.Read(secret[:]) // never fails, see crypto/rand
	return secret
}

// console adds the administrators' pages.
func (p *program) console(r gin.IRouter, service *admin.Service) error {
	cookie := ""
	if p.cfg.Kratos.PrivilegedKey != "" {
		cookie = p.cfg.Kratos.SessionCookie
	}
	handler, err := console.New(console.Options{
		Sessions: p.administrators(), Settings: p.settings, Admin: service, Archive: service.Store, Gateways: p.gatewayHealth,
		Policy: p.settings.Policy, Alarms: p.monitor.Alerts,
		Limits: []console.Limit{
			{Name: "Wrong passwords per user name", Key: "limits.login_failures_per_user", Value: within(p.cfg.Limits.LoginFailures, p.cfg.Limits.LoginWindow)},
			{Name: "Wrong passwords per client address", Key: "limits.login_failures_per_address", Value: within(p.cfg.Limits.AddressFailures, p.cfg.Limits.LoginWindow)},
			{Name: "Wrong tokens, and wrong hook keys, per client address", Key: "limits.token_failures_per_address", Value: within(p.cfg.Limits.TokenFailures, p.cfg.Limits.LoginWindow)},
		},
		Invitation: p.invitation, Product: p.cfg.SMS.Product, Replica: p.id, KratosCookie: cookie, Now: p.clock.Now, Log: p.log,
		Address: client,
		Failed:  func(r *http.Request, err error) { _ = p.failures.Note(r.Context(), web.Console, client(r), err) },
	})
	if err != nil {
		return err
	}
	serve := func(c *gin.Context) {
		c.Request.RemoteAddr = web.ClientAddress(c)
		handler.ServeHTTP(c.Writer, c.Request)
	}
	r.Any(console.Path, serve)
	r.Any(console.Path+"/*page", serve)
	return nil
}

func (p *program) gatewayHealth() []admin.Gateway {
	health := p.worker.Health()
	shown := make([]admin.Gateway, len(health))
	for i, h := range health {
		shown[i] = admin.Gateway{
			ID: h.ID, State: string(h.State), RestingUntil: h.RestingUntil, InFlight: h.InFlight,
			Sent: h.Sent, Refused: h.Refused, Failed: h.Failed, LastReason: h.LastReason, LastAt: h.LastAt,
		}
	}
	return shown
}

// within says how often something may happen in a time.
func within(most int, window time.Duration) string {
	if most == 0 {
		return "any number"
	}
	return fmt.Sprintf("%d in %s", most, window)
}

// client is the address that the route has put there.
func client(r *http.Request) string { return r.RemoteAddr }
