package provider_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
	"pgregory.net/rapid"

	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/smsgateway"
	"github.com/holdline/holdline/smsgateway/provider"
	"github.com/holdline/holdline/smsgateway/smstest"
)

func TestBadTemplatesAreFoundAtStart(t *testing.T) {
	for name, tt := range map[string]struct{ body, want string }{
		"syntax":            {`function(ctx) {secret: "hunter2" "hunter2"}`, "is no jsonnet: line 1"},
		"import":            {`function(ctx) import "/etc/passwd"`, "imports are refused"},
		"hidden importstr":  {`function(ctx) if ctx.recipient == "" then {} else {a: [importstr "/etc/passwd"]}`, "imports are refused"},
		"endless":           {`local f(n) = 1 + f(n + 1); function(ctx) {a: f(0)}`, "max stack frames exceeded"},
		"endless, tail":     {`local f(n) = f(n + 1) tailstrict; function(ctx) {a: f(0)}`, "tailstrict is refused"},
		"endless object":    {`function(ctx) {a: $}`, "max stack frames exceeded"},
		"unknown variable":  {`function(ctx) {a: recipient}`, "is no jsonnet"},
		"misspelt variable": {`function(ctx) {a: ctx.recipent}`, "line 1, column 19: field does not exist"},
		"native function":   {`function(ctx) {a: std.native("exec")("id")}`, "unexpected type"},
		"other argument":    {`function(data) {a: 1}`, "function has no parameter"},
		"too long":          {`function(ctx) {a: std.foldl(function(s, _) s + s, std.range(1, 17), "x")}`, "too long a body"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := provider.NewHTTP(provider.RequestConfig{URL: "https://sms.example.com", Body: smstest.Inline(tt.body)}, smstest.Patient)
			if err == nil || !strings.Contains(err.Error(), "request_config.body: ") || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
			saysNothing(t, err)
		})
	}
}

// What a template hands on unchanged arrives unchanged, whatever a text says.
func TestTemplatesGetTheTextAsItIs(t *testing.T) {
	p := smstest.NewProvider(t, smstest.Answer(200, ""))
	gateway, err := provider.NewHTTP(provider.RequestConfig{URL: p.URL, Body: smstest.Inline("function(ctx) ctx")}, smstest.Patient)
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		m := smsgateway.Message{
			ID: "t1", Kind: message.TextCode, To: phone.FromStore("+491711234567"), IdentityID: rapid.String().Draw(t, "identity"),
			Code: rapid.String().Draw(t, "code"), Validity: 5 * time.Minute,
			Body: string(rapid.SliceOf(rapid.Byte()).Draw(t, "body")) + rapid.StringMatching(`[\\"$%{}\n\t\x00 ]*`).Draw(t, "signs"),
		}
		if _, err := gateway.Send(t.Context(), m); err != nil {
			t.Fatal(err)
		}
		requests := p.Got()
		var got struct {
			Recipient, Body string
			Template        struct {
				Code     string `json:"verification_code"`
				Minutes  int    `json:"expires_in_minutes"`
				Identity struct{ ID string }
			} `json:"template_data"`
		}
		if err := json.Unmarshal([]byte(requests[len(requests)-1].Body), &got); err != nil {
			t.Fatal(err)
		}
		if got.Recipient != m.To.Unmasked() || got.Body != strings.ToValidUTF8(m.Body, "\uFFFD") ||
			got.Template.Code != m.Code || got.Template.Minutes != 5 || got.Template.Identity.ID != m.IdentityID {
			t.Fatalf("got %+v of %+v", got, m)
		}
	})
}

func TestSlowTemplatesAreAbandoned(t *testing.T) {
	_, err := provider.NewHTTP(provider.RequestConfig{
		URL: "https://sms.example.com", Body: smstest.Inline(`{sum: std.foldl(function(a, b) a + b, std.range(0, 100000), 0)}`),
	}, provider.HTTPOptions{EvaluationLimit: time.Millisecond})
	if err == nil || !strings.Contains(err.Error(), "takes too long") {
		t.Errorf("got %v", err)
	}
}

func TestTemplatesThatFailForOneTextRefuseIt(t *testing.T) {
	p := smstest.NewProvider(t, smstest.Answer(200, ""))
	for name, config := range map[string]provider.RequestConfig{
		"error of its own":     {Body: smstest.Inline(`function(ctx) error "not for " + ctx.recipient`)},
		"missing variable":     {Body: smstest.Inline(`function(ctx) if ctx.recipient == "" then {} else {a: ctx[ctx.recipient]}`)},
		"too long for a text":  {Body: smstest.Inline(`function(ctx) if ctx.recipient == "" then {} else {a: std.repeat(ctx.body, 10000)}`)},
		"no form for one text": {Body: smstest.Inline(`function(ctx) {a: if ctx.recipient == "" then "" else 1}`), Headers: form},
	} {
		t.Run(name, func(t *testing.T) {
			config.URL = p.URL
			_, err := smstest.NewHTTP(t, config, smstest.Patient).Send(t.Context(), smstest.NewMessage())
			if !errors.Is(err, smsgateway.ErrRefused) {
				t.Errorf("got %v, want a refusal", err)
			}
			saysNothing(t, err)
		})
	}
	if got := p.Got(); len(got) != 0 {
		t.Errorf("the provider was asked: %v", got)
	}
}

func TestNoticesAreTexts(t *testing.T) {
	notice := smstest.NewMessage()
	notice.Kind, notice.Code, notice.Body = message.TextChanged, "", "Your number was replaced."
	p := smstest.NewProvider(t, smstest.Answer(200, ""))
	kinds := smstest.NewHTTP(t, provider.RequestConfig{
		URL: p.URL, Body: smstest.Inline(`function(ctx) {type: ctx.template_type, code: std.get(ctx.template_data, "verification_code", "none"), text: ctx.body}`),
	}, smstest.Patient)
	if _, err := kinds.Send(t.Context(), notice); err != nil {
		t.Fatal(err)
	}
	want := "{\n   \"code\": \"none\",\n   \"text\": \"Your number was replaced.\",\n   \"type\": \"mobile_number_changed\"\n}\n"
	if got := p.Got()[0].Body; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	codesOnly := smstest.NewHTTP(t, provider.RequestConfig{
		URL: p.URL, Body: smstest.Inline(`function(ctx) {code: ctx.template_data.verification_code}`),
	}, smstest.Patient)
	_, err := codesOnly.Send(t.Context(), notice)
	if !errors.Is(err, smsgateway.ErrRefused) || !strings.Contains(err.Error(), "the body template fails in line 1") {
		t.Errorf("got %v, want a refusal with the place", err)
	}
}

var form = map[string]string{"Content-Type": "application/x-www-form-urlencoded"}

func TestFormsNeedFlatObjects(t *testing.T) {
	for _, body := range []string{`{a: {b: "c"}}`, `["a"]`, `{a: 1}`, `"a=b"`} {
		_, err := provider.NewHTTP(provider.RequestConfig{
			URL: "https://sms.example.com", Headers: form, Body: smstest.Inline(body),
		}, smstest.Patient)
		if err == nil || !strings.Contains(err.Error(), "flat object of strings") {
			t.Errorf("%s: got %v", body, err)
		}
	}
}

func TestOneTemplateServesManyTextsAtOnce(t *testing.T) {
	p := smstest.NewProvider(t, smstest.Answer(200, ""))
	g := smstest.NewHTTP(t, provider.RequestConfig{
		URL: p.URL, Body: smstest.Inline(`function(ctx) {to: ctx.template_data.to, both: std.join(" ", [ctx.body, ctx.template_data.verification_code])}`),
	}, smstest.Patient)
	var all errgroup.Group
	for range 50 {
		all.Go(func() error {
			_, err := g.Send(t.Context(), smstest.NewMessage())
			return err
		})
	}
	if err := all.Wait(); err != nil {
		t.Fatal(err)
	}
	want := "{\n   \"both\": \"481516 is your code. 481516\",\n   \"to\": \"" + smstest.Number + "\"\n}\n"
	for _, r := range p.Got() {
		if r.Body != want {
			t.Fatalf("got %q, want %q", r.Body, want)
		}
	}
}
