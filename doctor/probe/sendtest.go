package probe

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/holdline/holdline/config"
	"github.com/holdline/holdline/doctor"
	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/internal/web"
	"github.com/holdline/holdline/smsgateway"
	"github.com/holdline/holdline/smsgateway/provider"
	"github.com/holdline/holdline/smsgateway/template"
	"github.com/holdline/holdline/wiring"
)

// SendTest sends one text with a code that nobody takes, by the gateway that is
// named, or as a text to this number goes otherwise: by the first gateway that
// takes it. The error is about the number and the name.
func SendTest(ctx context.Context, cfg config.Config, number, gateway string) (doctor.Report, error) {
	to, err := phone.Parse(wiring.NumberPlan(cfg), number)
	if err != nil {
		return doctor.Report{}, fmt.Errorf("--send-test: %s", web.ProblemFor(err, "en").Description)
	}
	if err := wiring.Coverage(cfg.Mobile).Check(to); err != nil {
		return doctor.Report{}, fmt.Errorf("--send-test: %s", web.ProblemFor(err, "en").Description)
	}
	msg, err := testMessage(cfg, to)
	if err != nil {
		return doctor.Report{}, err
	}
	var mu sync.Mutex
	exchanges := make([][]provider.Exchange, len(cfg.SMS.Gateways))
	routes, _, err := wiring.ObservedGateways(cfg, func(i int, e provider.Exchange) {
		mu.Lock()
		defer mu.Unlock()
		exchanges[i] = append(exchanges[i], e)
	})
	if err != nil {
		return doctor.Report{}, err
	}
	all := make([]string, len(routes))
	for i, route := range routes {
		all[i] = route.ID
	}
	ids := []string{gateway}
	switch {
	case gateway == "":
		if ids, err = wiring.Routing(cfg.SMS).Order(to, all); err != nil {
			return doctor.Report{}, err
		}
	case !slices.Contains(all, gateway):
		return doctor.Report{}, fmt.Errorf("--gateway: must be one of %s", strings.Join(all, ", "))
	}
	var attempts []doctor.Attempt
	for _, id := range ids {
		i := slices.Index(all, id)
		providerID, err := routes[i].Gateway.Send(ctx, msg)
		mask := doctor.NewMask(secretsOf(cfg.SMS.Gateways[i]), to.Unmasked())
		a := doctor.Attempt{
			Key: gatewayKey(i), Gateway: id, Type: cfg.SMS.Gateways[i].Type, Outcome: outcomeOf(err),
			ProviderID: providerID, Exchanges: []doctor.Exchange{},
		}
		if err != nil {
			a.Reason = mask.Text(err.Error())
		}
		mu.Lock()
		for _, e := range exchanges[i] {
			a.Exchanges = append(a.Exchanges, maskedExchange(mask, e))
		}
		mu.Unlock()
		attempts = append(attempts, a)
		if err == nil || ctx.Err() != nil {
			break
		}
	}
	var tried []string
	for _, a := range attempts {
		tried = append(tried, a.Key)
	}
	setup := setupOf(cfg)
	findings := append(doctor.TestText(attempts), doctor.CheckConfig(doctor.Setup{
		AdminHost:  "localhost", // not looked at here
		Simulators: among(setup.Simulators, tried), WithoutRule: among(setup.WithoutRule, tried),
	})...)
	report := doctor.NewReport(findings, []string{"the answers of SMS gateways to a test text"})
	report.Attempts = attempts
	return report, nil
}

func among(keys, some []string) []string {
	return slices.DeleteFunc(keys, func(key string) bool { return !slices.Contains(some, key) })
}

// testMessage is a text with a code, as a person without a language gets it.
func testMessage(cfg config.Config, to phone.Number) (smsgateway.Message, error) {
	if cfg.Public.BaseURL == "" {
		cfg.Public.BaseURL = "http://" + cfg.Public.Host
	}
	texts, err := wiring.Templates(cfg)
	if err != nil {
		return smsgateway.Message{}, err
	}
	validity := cfg.Feature.Update.Mobile.Validity
	code := "9753186420"[:min(cfg.OTP.Length, 10)]
	m := smsgateway.Message{
		ID: uuid.NewString(), Kind: message.TextCode, Channel: message.ChannelSMS, To: to, Code: code, Validity: validity,
		IdentityID: "00000000-0000-0000-0000-000000000000",
	}
	m.Write = func(languages []string) (string, string, error) {
		return texts.RenderIn(m.Kind, "", languages, template.Data{Code: code, Minutes: max(1, int(validity/time.Minute))})
	}
	m.Body, m.Written, err = m.Write(nil)
	return m, err
}

func outcomeOf(err error) doctor.Outcome {
	switch {
	case err == nil:
		return doctor.OutcomeSent
	case errors.Is(err, smsgateway.ErrAccount):
		return doctor.OutcomeAccount
	case errors.Is(err, smsgateway.ErrRefused):
		return doctor.OutcomeRefused
	case errors.Is(err, smsgateway.ErrUnsure):
		return doctor.OutcomeUnsure
	case errors.Is(err, smsgateway.ErrUnclear):
		return doctor.OutcomeUnclear
	}
	return doctor.OutcomeLater
}

func maskedExchange(mask doctor.Mask, e provider.Exchange) doctor.Exchange {
	out := doctor.Exchange{
		Method: e.Method, URL: mask.Text(e.URL), Headers: mask.Headers(e.Header), Body: mask.Body(e.Body),
	}
	if e.Status != 0 {
		out.Response = &doctor.Answer{Status: e.Status, Headers: mask.Headers(e.AnswerHeader), Body: mask.Body(e.Answer)}
	}
	return out
}

// longPathPart is as long as a part of a URL is that may be a token.
const longPathPart = 16

// secretName tells values of the operator's that are credentials from senders and
// names of variables.
var secretName = regexp.MustCompile(`(?i)key|secret|token|pass|pwd|auth|credential|pin`)

// secretsOf are the credentials of a gateway, each value.
func secretsOf(g config.Gateway) []string {
	var secrets []string
	fields := reflect.ValueOf(g)
	for i := range fields.NumField() {
		if secret, ok := fields.Field(i).Interface().(config.Secret); ok {
			secrets = append(secrets, secret.Reveal())
		}
	}
	for name, value := range g.Data {
		if secretName.MatchString(name) {
			secrets = append(secrets, value.Reveal())
		}
	}
	for name, value := range g.Request.Auth.Config {
		if name != "name" && name != "in" {
			secrets = append(secrets, value.Reveal())
			_, bare, _ := strings.Cut(value.Reveal(), " ") // "Bearer …"
			secrets = append(secrets, bare)
		}
	}
	if address, err := url.Parse(g.Request.URL.Reveal()); err == nil {
		for _, values := range address.Query() {
			secrets = append(secrets, values...)
		}
		for part := range strings.SplitSeq(address.Path, "/") {
			if len(part) >= longPathPart && strings.ContainsAny(part, "0123456789") {
				secrets = append(secrets, part)
			}
		}
	}
	for name, value := range g.Request.Headers {
		if !slices.Contains([]string{"content-type", "accept", "host", "user-agent"}, strings.ToLower(name)) {
			secrets = append(secrets, value.Reveal())
		}
	}
	return secrets
}
