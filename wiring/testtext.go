package wiring

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/holdline/holdline/config"
	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/smsgateway"
	"github.com/holdline/holdline/smsgateway/delivery"
	"github.com/holdline/holdline/smsgateway/template"
)

// testPatience bounds how long an administrator waits for a gateway.
const testPatience = 15 * time.Second

// testTexts returns what sends a text that tries a gateway: with a code that nobody takes, past the
// outbox and the circuit breaker, since who tries a gateway wants its own answer.
func testTexts(cfg config.Config, texts *template.Templates, routes []delivery.Route) func(context.Context, string, phone.Number) (string, error) {
	gateways := map[string]smsgateway.Gateway{}
	for _, route := range routes {
		gateways[route.ID] = route.Gateway
	}
	return func(ctx context.Context, gateway string, to phone.Number) (string, error) {
		ctx, cancel := context.WithTimeout(ctx, testPatience)
		defer cancel()
		validity := cfg.Feature.Update.Mobile.Validity
		m := smsgateway.Message{
			ID: newID(), Kind: message.TextCode, Channel: message.ChannelSMS, To: to, Validity: validity,
			Code: "9753186420"[:min(cfg.OTP.Length, 10)], IdentityID: uuid.Nil.String(),
		}
		m.Write = func(languages []string) (string, string, error) {
			return texts.RenderIn(m.Kind, "", languages, template.Data{Code: m.Code, Minutes: smsgateway.Minutes(validity)})
		}
		var err error
		if m.Body, m.Written, err = m.Write(nil); err != nil {
			return "", err
		}
		return gateways[gateway].Send(ctx, m)
	}
}
