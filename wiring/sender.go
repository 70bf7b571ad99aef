package wiring

import (
	"context"
	"net/url"
	"strings"
	"time"

	"github.com/holdline/holdline/config"
	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/smsgateway/delivery"
	"github.com/holdline/holdline/smsgateway/provider"
	"github.com/holdline/holdline/smsgateway/receipt"
	"github.com/holdline/holdline/smsgateway/template"
)

// webhookID names the operator's webhook among the gateways. No gateway of the
// configuration can be called so.
const webhookID = "notices.webhook"

// buildSender builds the worker that sends texts and notices.
func (p *program) buildSender() error {
	texts, err := Templates(p.cfg)
	if err != nil {
		return err
	}
	routes, phone, err := Gateways(p.cfg)
	if err != nil {
		return err
	}
	p.phone = phone
	routing := Routing(p.cfg.SMS)
	mails, err := template.NewMails(p.cfg.SMS.Product, p.cfg.SMS.DefaultLanguage)
	if err != nil {
		return err
	}
	hook, err := webhook(p.cfg, p.realms.Email, p.clock.Now)
	if err != nil {
		return err
	}
	if hook != nil {
		routes = append(routes, delivery.Route{ID: webhookID, Gateway: hook})
		routing.Webhook = []string{webhookID}
	}
	for _, route := range routes {
		gateway, _ := route.Gateway.(interface{ NoticeFault() error })
		if gateway != nil && p.cfg.Notices.OldNumber && gateway.NoticeFault() != nil {
			p.log.Warn("this gateway cannot send notices: its template is for codes alone, see docs/sms.md#notices",
				"gateway", route.ID, "reason", gateway.NoticeFault())
		}
	}
	compose := template.Composer{Codes: p.codes, Templates: texts, Mails: mails, Now: p.clock.Now, Link: func(t message.Text) (string, error) {
		link, err := p.codes.Link(t.Code.ClaimID)
		if err != nil {
			return "", err
		}
		return disputePage(p.cfg.Public.BaseURL, link)
	}}
	p.routes(routes)
	p.tests = testTexts(p.cfg, texts, routes)
	p.worker, err = delivery.New(delivery.Options{
		Outbox: p.store, Compose: compose.Compose, Routes: routes, Routing: routing, Now: p.clock.Now, Log: p.log,
		OnDone: p.metrics.TextEnded,
	})
	return err
}

// webhook builds the way to the operator's service; nil if there is none.
func webhook(
	cfg config.Config, email func(context.Context, string) (string, error), now func() time.Time,
) (*provider.Webhook, error) {
	if !hasWebhook(cfg) {
		return nil, nil //nolint:nilnil // no webhook is no error
	}
	hook, err := provider.NewWebhook(requestConfig(cfg.Notices.Webhook.Request), email,
		provider.Signing{Secret: cfg.Notices.Webhook.Secret.Reveal(), Now: now},
		provider.HTTPOptions{Timeout: cfg.Notices.Webhook.Timeout})
	if err != nil {
		return nil, under("notices.webhook", err)
	}
	return hook, nil
}

func hasWebhook(cfg config.Config) bool { return cfg.Notices.Webhook.Request.URL != "" }

// disputePath is where the page behind a notice's link is.
const disputePath = "/not-me"

func disputePage(base, link string) (string, error) { return url.JoinPath(base, disputePath, link) }

// Routing is which gateways a number goes to.
func Routing(sms config.SMS) delivery.Routing {
	byCode := map[string][]string{}
	for _, route := range sms.Routes {
		for _, code := range route.CallingCodes {
			byCode[code] = route.Gateways
		}
	}
	return delivery.Routing{ByCode: byCode}
}

// buildReceipts builds what takes the receipts of the gateways that can prove them.
func (p *program) buildReceipts() {
	readers := map[string]receipt.Reader{}
	for _, g := range p.cfg.SMS.Gateways {
		kind, _ := provider.ForType(g.Type)
		if secret := settingsOf(g)[kind.ReceiptSecret]; secret != "" {
			readers[g.ID] = receipt.Reader{Format: kind.Receipts, Secret: secret}
		}
	}
	p.receipts = receipt.New(receipt.Options{
		Readers: readers, Store: p.metrics.Receipts(p.store), Now: p.clock.Now, BaseURL: strings.TrimSuffix(p.cfg.Public.BaseURL, "/"),
	})
}
