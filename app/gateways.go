package app

import (
	"fmt"
	"net/url"
	"time"

	"github.com/holdline/holdline/claim"
	"github.com/holdline/holdline/config"
	"github.com/holdline/holdline/persistence"
	"github.com/holdline/holdline/smsgateway"
)

// simulatorKeeps is how many texts the phone simulator remembers.
const simulatorKeeps = 100

// sender builds the worker with its gateways and templates.
func (p *program) sender(store *persistence.Store, codes *claim.Codes) (*smsgateway.Worker, error) {
	base, err := url.Parse(p.cfg.Public.BaseURL)
	if err != nil {
		return nil, fmt.Errorf("public.base_url: %w", err)
	}
	templates, err := smsgateway.NewTemplates(smsgateway.TemplateOptions{Product: p.cfg.SMS.Product, Host: base.Hostname()})
	if err != nil {
		return nil, fmt.Errorf("sms templates: %w", err)
	}
	var routes []smsgateway.Route
	for i, g := range p.cfg.SMS.Gateways {
		gateway, err := p.gateway(g)
		if err != nil {
			return nil, fmt.Errorf("sms.gateways[%d]: %w", i, err)
		}
		routes = append(routes, smsgateway.Route{ID: g.ID, Gateway: gateway})
	}
	return smsgateway.NewWorker(smsgateway.WorkerOptions{
		Outbox: store, Codes: codes, Routes: routes, Templates: templates,
		Now: p.clock.Now, Jitter: jitter, Log: p.log,
	}), nil
}

func (p *program) gateway(g config.Gateway) (smsgateway.Gateway, error) {
	if g.Type == "simulator" {
		if p.phone == nil {
			p.phone = smsgateway.NewSimulator(simulatorKeeps, time.Now)
		}
		return p.phone, nil
	}
	return smsgateway.NewHTTP(smsgateway.RequestConfig{
		URL: g.Request.URL, Method: g.Request.Method, Headers: g.Request.Headers, Body: g.Request.Body,
		Auth: smsgateway.RequestAuth{Type: g.Request.Auth.Type, Config: g.Request.Auth.Config},
	}, smsgateway.HTTPOptions{Timeout: g.Timeout})
}
