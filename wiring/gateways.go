package wiring

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/holdline/holdline/config"
	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/internal/otp"
	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/smsgateway"
	"github.com/holdline/holdline/smsgateway/delivery"
	"github.com/holdline/holdline/smsgateway/provider"
	"github.com/holdline/holdline/smsgateway/receipt"
	"github.com/holdline/holdline/smsgateway/template"
)

// simulatorKeeps is how many texts the phone simulator remembers.
const simulatorKeeps = 100

// longestPort stands for a free port that is not known yet.
const longestPort = 65535

// Check finds the faults in what texts are sent by (templates, gateways, the
// numbers that are served, calling codes), in codes that are worth guessing and in
// the mapping of attributes. It complements the checks of package config, which knows none of
// them.
func Check(cfg config.Config) error {
	if cfg.Public.BaseURL == "" {
		port := cmp.Or(cfg.Public.Port, longestPort)
		cfg.Public.BaseURL = "http://" + net.JoinHostPort(cfg.Public.Host, strconv.Itoa(port))
	}
	texts, templateFault := Templates(cfg)
	_, _, gatewayFaults := Gateways(cfg)
	_, webhookFault := webhook(cfg, nil, nil)
	codesFault := otp.CheckCodes(cfg.OTP.Length, otp.Alphabet(cfg.OTP.Alphabet), cfg.Feature.Update.Mobile.Validity)
	return errors.Join(templateFault, gatewayFaults, checkTemplateIDs(cfg, texts), webhookFault, codesFault, Coverage(cfg.Mobile).Validate(), checkCallingCodes(cfg), checkMapping(cfg))
}

// checkCallingCodes looks for those that no number has, in routes and budgets.
func checkCallingCodes(cfg config.Config) error {
	var faults []error
	for i, r := range cfg.SMS.Routes {
		if err := phone.CheckBeginnings(r.CallingCodes); err != nil {
			faults = append(faults, fmt.Errorf("sms.routes[%d].calling_codes: %w", i, err))
		}
	}
	for i, b := range cfg.Traffic.Budgets {
		if !phone.IsCallingCode(b.CallingCode) {
			faults = append(faults, fmt.Errorf("traffic.budgets[%d].calling_code: must be a country's calling code without +, as in 49", i))
		}
	}
	return errors.Join(faults...)
}

// checkTemplateIDs looks for registered texts in languages that nothing is written
// in; texts is nil if they are at fault themselves.
func checkTemplateIDs(cfg config.Config, texts *template.Templates) error {
	if texts == nil {
		return nil
	}
	var faults []error
	for i, g := range cfg.SMS.Gateways {
		for _, language := range slices.Sorted(maps.Keys(g.TemplateIDs)) {
			if !texts.Writes(language) {
				faults = append(faults, fmt.Errorf("sms.gateways[%d].template_ids.%s: there are no texts in this language", i, language))
			}
		}
	}
	return errors.Join(faults...)
}

// Templates write texts with the public host in their last line.
func Templates(cfg config.Config) (*template.Templates, error) {
	base, err := url.Parse(cfg.Public.BaseURL)
	if err != nil {
		return nil, errors.New("public.base_url: must be an http or https URL")
	}
	host := base.Hostname()
	if strings.Contains(host, ":") {
		host = "" // an IPv6 address, which a text's last line cannot name
	}
	own := map[string]map[message.TextKind]string{}
	for language, texts := range cfg.SMS.Templates {
		own[language] = map[message.TextKind]string{
			message.TextCode: texts.Code, message.TextChanged: texts.Changed, message.TextRemoved: texts.Removed,
		}
	}
	return template.New(template.Options{
		Product: cfg.SMS.Product, Host: host, Own: own, Default: cfg.SMS.DefaultLanguage,
		CodeLength: cfg.OTP.Length, LongestLink: base.JoinPath(disputePath, strings.Repeat("x", otp.LinkLength)).String(),
		Segments: cfg.SMS.Segments, NoticeSegments: cfg.SMS.NoticeSegments,
	})
}

// Gateways builds the routes, and the phone if one of them leads there.
func Gateways(cfg config.Config) (routes []delivery.Route, phone *provider.Simulator, err error) {
	return ObservedGateways(cfg, nil)
}

// ObservedGateways are gateways whose exchanges, by their place in the
// configuration, are told.
func ObservedGateways(cfg config.Config, observe func(gateway int, e provider.Exchange)) (routes []delivery.Route, phone *provider.Simulator, err error) {
	var faults []error
	for i, g := range cfg.SMS.Gateways {
		if g.Type == "simulator" && phone == nil {
			phone = provider.NewSimulator(simulatorKeeps, time.Now)
		}
		var of func(provider.Exchange)
		if observe != nil {
			of = func(e provider.Exchange) { observe(i, e) }
		}
		gateway, err := gatewayOf(g, cfg.Public.BaseURL, phone, of)
		faults = append(faults, under(fmt.Sprintf("sms.gateways[%d]", i), err))
		routes = append(routes, delivery.Route{ID: g.ID, Gateway: gateway, Rate: g.Rate, Concurrency: g.Concurrency})
	}
	return routes, phone, errors.Join(faults...)
}

// under names the section that faults are in, each of them.
func under(section string, err error) error {
	var named []error
	for _, fault := range config.Each(err) {
		named = append(named, fmt.Errorf("%s.%w", section, fault))
	}
	return errors.Join(named...)
}

// gatewayOf builds a gateway whose provider reports receipts to this server.
func gatewayOf(g config.Gateway, base string, phone *provider.Simulator, observe func(provider.Exchange)) (smsgateway.Gateway, error) {
	if g.Type == "simulator" {
		return phone, nil
	}
	options := provider.HTTPOptions{Timeout: g.Timeout, Observe: observe}
	if g.Type == "http" {
		options.Custom = customOf(g)
	}
	return provider.New(g.Type, provider.Config{
		Settings: settingsOf(g), Request: requestConfig(g.Request), Callback: receiptURL(base, g), Options: options,
	})
}

// settingsOf are a gateway's settings that have one value, by their keys.
func settingsOf(g config.Gateway) provider.Settings {
	settings := provider.Settings{}
	fields := reflect.ValueOf(g)
	for i := range fields.NumField() {
		key := fields.Type().Field(i).Tag.Get("koanf")
		switch value := fields.Field(i).Interface().(type) {
		case string:
			settings[key] = value
		case config.Secret:
			settings[key] = value.Reveal()
		}
	}
	return settings
}

// customOf is what a gateway of type http has beside its requests.
func customOf(g config.Gateway) provider.CustomOptions {
	ids := map[message.TextKind]map[string]string{message.TextCode: {}, message.TextChanged: {}, message.TextRemoved: {}}
	for language, one := range g.TemplateIDs {
		for kind, id := range map[message.TextKind]string{
			message.TextCode: one.Code, message.TextChanged: one.Changed, message.TextRemoved: one.Removed,
		} {
			if id != "" {
				ids[kind][language] = id
			}
		}
	}
	return provider.CustomOptions{
		Preset: g.Preset, Response: g.Response, Data: reveal(g.Data), TemplateIDs: ids, Now: time.Now,
	}
}

// receiptURL is where a gateway's provider reports to; blank for nowhere.
func receiptURL(base string, g config.Gateway) string {
	kind, _ := provider.ForType(g.Type)
	return kind.Callback(strings.TrimSuffix(base, "/")+receipt.Path+g.ID, settingsOf(g))
}

func requestConfig(r config.RequestConfig) provider.RequestConfig {
	return provider.RequestConfig{
		URL: r.URL.Reveal(), Method: r.Method, Headers: reveal(r.Headers), Body: r.Body.Reveal(),
		Auth: provider.Auth{Type: r.Auth.Type, Config: reveal(r.Auth.Config)},
	}
}

func reveal(secrets map[string]config.Secret) map[string]string {
	plain := make(map[string]string, len(secrets))
	for name, secret := range secrets {
		plain[name] = secret.Reveal()
	}
	return plain
}
