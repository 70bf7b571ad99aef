package app

import (
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/holdline/holdline/config"
	"github.com/holdline/holdline/smsgateway"
)

// simulatorKeeps is how many texts the phone simulator remembers.
const simulatorKeeps = 100

// Check finds the faults in what texts are sent by: templates and gateways. It
// complements the checks of package config, which knows neither.
func Check(cfg config.Config) error {
	if cfg.Public.BaseURL == "" {
		cfg.Public.BaseURL = "http://" + cfg.Public.Host
	}
	_, templateFault := templates(cfg)
	_, _, gatewayFaults := gateways(cfg)
	return errors.Join(templateFault, gatewayFaults)
}

// templates write texts with the public host in their last line.
func templates(cfg config.Config) (*smsgateway.Templates, error) {
	base, err := url.Parse(cfg.Public.BaseURL)
	if err != nil {
		return nil, errors.New("public.base_url: must be an http or https URL")
	}
	t, err := smsgateway.NewTemplates(smsgateway.TemplateOptions{Product: cfg.SMS.Product, Host: base.Hostname()})
	if err != nil {
		return nil, fmt.Errorf("sms: %w", err)
	}
	return t, nil
}

// gateways builds the routes, and the phone if one of them leads there.
func gateways(cfg config.Config) (routes []smsgateway.Route, phone *smsgateway.Simulator, err error) {
	var faults []error
	for i, g := range cfg.SMS.Gateways {
		var gateway smsgateway.Gateway
		switch g.Type {
		case "simulator":
			if phone == nil {
				phone = smsgateway.NewSimulator(simulatorKeeps, time.Now)
			}
			gateway = phone
		case "http":
			gateway, err = smsgateway.NewHTTP(requestConfig(g.Request), smsgateway.HTTPOptions{Timeout: g.Timeout})
			if err != nil {
				faults = append(faults, fmt.Errorf("sms.gateways[%d]: %w", i, err))
			}
		}
		routes = append(routes, smsgateway.Route{ID: g.ID, Gateway: gateway})
	}
	return routes, phone, errors.Join(faults...)
}

func requestConfig(r config.RequestConfig) smsgateway.RequestConfig {
	return smsgateway.RequestConfig{
		URL: r.URL, Method: r.Method, Headers: r.Headers, Body: r.Body,
		Auth: smsgateway.Auth{Type: r.Auth.Type, Config: r.Auth.Config},
	}
}
