package provider_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
	"pgregory.net/rapid"

	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/internal/otp"
	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/smsgateway"
	"github.com/holdline/holdline/smsgateway/provider"
	"github.com/holdline/holdline/smsgateway/smstest"
	"github.com/holdline/holdline/smsgateway/template"
)

// ruled is an HTTP gateway with a rule for answers.
func ruled(t *testing.T, endpoint, rule string, options provider.HTTPOptions) *provider.HTTP {
	t.Helper()
	options.Custom.Response = smstest.Inline(rule)
	return smstest.JSONGateway(t, endpoint, options)
}

// wholeRule is what an operator may write for a provider of the kind that most are.
const wholeRule = `function(ctx)
	if std.isObject(ctx.body) && std.get(ctx.body, 'ok') == true then {sent: true, id: ctx.body.id}
	else if std.isObject(ctx.body) && std.get(ctx.body, 'ok') == false then {
		sent: false,
		[if std.objectHas(ctx.body, 'permanent') then 'permanent']: ctx.body.permanent,
		[if std.objectHas(ctx.body, 'account') then 'account']: ctx.body.account,
		reason: std.get(ctx.body, 'why'),
	} else {}`

func TestRulesDecide(t *testing.T) {
	for name, tt := range map[string]struct {
		rule   string
		answer said
		id     string
		reason string
	}{
		"a yes":                       {"", said{200, `{"ok":true,"id":"a"}`, "sent"}, "a", ""},
		"a yes, 202":                  {"", said{202, `{"ok":true,"id":7}`, "sent"}, "7", ""},
		"a yes without an id":         {"", said{200, `{"ok":true,"id":null}`, "sent"}, "", ""},
		"an id beyond doubles":        {"", said{200, `{"ok":true,"id":9007199254740993}`, "sent"}, "9007199254740993", ""},
		"the number is no id":         {"", said{200, `{"ok":true,"id":"` + smstest.Number + `"}`, "sent"}, "", ""},
		"the code is no id":           {"", said{200, `{"ok":true,"id":"` + smstest.Code + `"}`, "sent"}, "", ""},
		"an id is too long":           {"", said{200, `{"ok":true,"id":"` + strings.Repeat("x", 500) + `"}`, "sent"}, "", ""},
		"a yes behind a mark":         {"", said{200, "\uFEFF" + `{"ok":true,"id":"a"}` + "\r\n", "sent"}, "a", ""},
		"a no passes":                 {"", said{200, `{"ok":false,"why":"busy"}`, "passes after 7s"}, "", "busy"},
		"a no that is said to pass":   {"", said{200, `{"ok":false,"permanent":false}`, "passes after 7s"}, "", "answers 200 and says no"},
		"a no for ever":               {"", said{200, `{"ok":false,"permanent":true,"why":"barred"}`, "refused"}, "", "barred"},
		"a no to the account":         {"", said{200, `{"ok":false,"account":true,"why":"no credit"}`, "account"}, "", "no credit"},
		"a no by 400":                 {"", said{400, `{"ok":false,"why":"bad"}`, "refused"}, "", "bad"},
		"a no by 400 that passes":     {"", said{400, `{"ok":false,"permanent":false}`, "passes after 7s"}, "", "answers 400"},
		"a no by 403":                 {"", said{403, `{"ok":false}`, "account"}, "", "answers 403"},
		"a no by 403, of the message": {"", said{403, `{"ok":false,"account":false}`, "refused"}, "", "answers 403"},
		"a no by 429":                 {"", said{429, `{"ok":false}`, "passes after 7s"}, "", "answers 429"},
		"a no by 500":                 {"", said{500, `{"ok":false}`, "passes after 7s"}, "", "answers 500"},
		"a no by 500 for ever":        {"", said{500, `{"ok":false,"permanent":true}`, "refused"}, "", "answers 500"},
		"a yes by 409, to a repeat":   {"", said{409, `{"ok":true,"id":"a"}`, "sent"}, "a", ""},
		"a yes by 500 is no yes":      {"", said{500, `{"ok":true,"id":"a"}`, "passes after 7s"}, "", "answers 500"},
		"a yes by 429 is no yes":      {"", said{429, `{"ok":true,"id":"a"}`, "passes after 7s"}, "", "answers 429"},
		"a yes by 302 is no yes":      {"", said{302, `{"ok":true,"id":"a"}`, "refused"}, "", "answers 302"},
		"nothing clear":               {"", said{200, `{"maybe":1}`, "unsure"}, "", "does not say whether it is sent"},
		"a page":                      {"", said{200, "<html></html>", "unsure"}, "", "does not say"},
		"nothing":                     {"", said{200, "", "unsure"}, "", "does not say"},
		"half a document":             {"", said{200, `{"ok":true,"id":"a"`, "unsure"}, "", "does not say"},
		"a document, and more":        {"", said{200, `{"ok":true,"id":"a"} {"ok":false}`, "unsure"}, "", "does not say"},
		"nothing clear, by 400":       {"", said{400, `<html></html>`, "refused"}, "", "answers 400"},
		"nothing clear, by 503":       {"", said{503, ``, "passes after 7s"}, "", "answers 503"},

		"a rule that fails":          {`function(ctx) {sent: ctx.body.sent}`, said{200, `{}`, "unsure"}, "", "the response rule fails in line 1"},
		"a rule with its own error":  {`function(ctx) if ctx.body == "" then {} else error ctx.body`, said{200, smstest.Number, "unsure"}, "", "the response rule fails"},
		"a rule of null":             {`function(ctx) null`, said{200, ``, "unsure"}, "", "must make an object"},
		"a rule of text":             {`function(ctx) "sent"`, said{200, ``, "unsure"}, "", "must make an object"},
		"sent as text":               {`function(ctx) {sent: "true"}`, said{200, ``, "unsure"}, "", "must make an object"},
		"a deep document":            {`function(ctx) {sent: ctx.status == 200 && ctx.body == "", reason: std.toString(ctx.body)}`, said{200, strings.Repeat("[", 5000) + strings.Repeat("]", 5000), "unsure"}, "", "max stack frames exceeded"},
		"deeper than JSON goes":      {`function(ctx) {sent: ctx.status == 200 && std.startsWith(ctx.body, "[[")}`, said{200, strings.Repeat("[", 20000) + strings.Repeat("]", 20000), "sent"}, "", ""},
		"too much":                   {`function(ctx) if ctx.body == "x" then {sent: true, id: std.repeat("x", 70000)} else {}`, said{200, `x`, "unsure"}, "", "too long"},
		"a body that is text":        {`function(ctx) {sent: ctx.body == "OK 1", id: std.split(ctx.body, " ")[1]}`, said{200, `OK 1`, "sent"}, "1", ""},
		"a number is JSON":           {`function(ctx) {sent: ctx.body == 1}`, said{200, `1`, "sent"}, "", ""},
		"a header":                   {`function(ctx) {sent: ctx.status < 300 && std.startsWith(ctx.headers["content-type"], "text/")}`, said{200, `x`, "sent"}, "", ""},
		"a reason that is a number":  {`function(ctx) {sent: false, permanent: true, reason: 42}`, said{200, ``, "refused"}, "", "says: 42"},
		"a reason that is an object": {`function(ctx) {sent: false, permanent: true, reason: ctx}`, said{200, ``, "refused"}, "", "answers 200"},
	} {
		t.Run(name, func(t *testing.T) {
			rule := tt.rule
			if rule == "" {
				rule = wholeRule
			}
			id, reason := tt.answer.isUnderstood(t, func(t *testing.T, endpoint string, options provider.HTTPOptions) smsgateway.Gateway {
				t.Helper()
				return ruled(t, endpoint, rule, options)
			})
			if id != tt.id || !strings.Contains(reason, tt.reason) {
				t.Errorf("got id %q and %q, want %q and %q", id, reason, tt.id, tt.reason)
			}
		})
	}
}

func TestBadRulesAreFoundAtStart(t *testing.T) {
	for name, tt := range map[string]struct{ rule, want string }{
		"syntax":                {`function(ctx) {secret: "hunter2" "hunter2"}`, "is no jsonnet: line 1"},
		"import":                {`function(ctx) import "/etc/passwd"`, "imports are refused"},
		"endless, tail":         {`local f(n) = f(n + 1) tailstrict; function(ctx) {sent: f(0)}`, "tailstrict is refused"},
		"endless":               {`local f(n) = 1 + f(n + 1); function(ctx) {sent: f(0)}`, "max stack frames exceeded"},
		"other argument":        {`function(answer) {sent: true}`, "must be a function of ctx"},
		"believes everything":   {`function(ctx) {sent: true}`, "says sent to an answer of 500"},
		"believes what is full": {`function(ctx) {sent: ctx.body != ""}`, "says sent to an answer of 500"},
	} {
		t.Run(name, func(t *testing.T) {
			options := smstest.Patient
			options.Custom.Response = smstest.Inline(tt.rule)
			_, err := provider.NewHTTP(provider.RequestConfig{URL: "https://sms.example.com", Body: smstest.Inline("{}")}, options)
			if err == nil || !strings.Contains(err.Error(), "response: ") || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
			saysNothing(t, err)
		})
	}
}

// Whatever an answer is, a gateway with a rule says one of the things that the
// worker knows, and nothing that must not be said.
func TestNoAnswerConfusesARule(t *testing.T) {
	var body []byte
	var status int
	double := smstest.NewServer(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = w.Write(body)
	})
	echo := ruled(t, double.URL, `function(ctx) {sent: ctx.status == 500 && ctx.body == 1, permanent: true, id: ctx.body, reason: std.toString(ctx.body)}`, smstest.Patient)
	rapid.Check(t, func(t *rapid.T) {
		status = rapid.IntRange(200, 599).Draw(t, "status")
		secret := rapid.SampledFrom([]string{
			smstest.Number, smstest.Number[1:], "+44 7700 900123", "(0) 7700-900 123", "%2B447700900123", "٤٤٧٧٠٠٩٠٠١٢٣",
			smstest.Code, "481 516", "481-516", "٤٨١٥١٦", smstest.Code + " is your code.", "Bearer sk_live_a1b2c3d4e5f6", "https://id.example.com/not-me/x",
		}).Draw(t, "secret")
		text := rapid.String().Draw(t, "before") + secret + rapid.String().Draw(t, "after")
		if rapid.Bool().Draw(t, "json") {
			text = rapid.SampledFrom([]string{`{"error":"` + secret + `"}`, `["` + secret + `"]`, `"` + secret + `"`, `{"a":{"b":[1,null,true,1e400,"` + secret + `"]}}`}).Draw(t, "document")
		}
		body = []byte(text)
		id, err := echo.Send(t.Context(), smstest.NewMessage())
		if err == nil || id != "" || errors.Is(err, smsgateway.ErrUnclear) {
			t.Fatalf("got %q, %v", id, err)
		}
		for _, hidden := range []string{smstest.Number[1:], "7700 900123", "7700-900 123", "٤٤٧٧٠٠", smstest.Code, "481 516", "481-516", "٤٨١٥١٦", "sk_live", "not-me"} {
			if strings.Contains(err.Error(), hidden) {
				t.Fatalf("%q is in %q, of %q", hidden, err, text)
			}
		}
	})
}

func TestOneRuleServesManyAnswersAtOnce(t *testing.T) {
	p := smstest.NewProvider(t, smstest.Answer(200, `{"ok":true,"id":"a"}`))
	g := ruled(t, p.URL, wholeRule, smstest.Patient)
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
}

// A provider that registers texts gets the one in the reader's language, or one in a
// language that it has.
func TestRegisteredTextsAreInALanguageThatHasOne(t *testing.T) {
	templates, err := template.New(template.Options{Product: "Holdline", LongestLink: "https://login.example.com/no"})
	if err != nil {
		t.Fatal(err)
	}
	composer := template.Composer{Codes: smstest.Codes{}, Templates: templates, Now: func() time.Time { return smstest.Start }, Link: func(message.Text) (string, error) {
		return "https://login.example.com/no", nil
	}}
	for name, tt := range map[string]struct {
		ids        map[string]string
		reads      string
		kind       message.TextKind
		id, says   string
		otherwords string
	}{
		"own language":        {map[string]string{"en": "T-en", "hi": "T-hi"}, "hi", message.TextCode, "T-hi", "कोड", "expires"},
		"near language":       {map[string]string{"en": "T-en", "hi": "T-hi"}, "hi-IN, ta", message.TextCode, "T-hi", "कोड", "expires"},
		"second language":     {map[string]string{"en": "T-en", "ta": "T-ta"}, "hi, ta", message.TextCode, "T-ta", "OTP", "expires"},
		"none of theirs":      {map[string]string{"en": "T-en", "hi": "T-hi"}, "de", message.TextCode, "T-en", "expires", "gilt"},
		"not the default one": {map[string]string{"hi": "T-hi"}, "de", message.TextCode, "T-hi", "कोड", "gilt"},
		"no language":         {map[string]string{"en": "T-en"}, "", message.TextCode, "T-en", "expires", "gilt"},
		"otherwise written":   {map[string]string{"pt-br": "T-pt", "PT": "T-p"}, "pt", message.TextCode, "T-p", "confirmar", "expires"},
		"no ids":              {nil, "de", message.TextCode, "", "gilt", "expires"},
		"none for notices":    {map[string]string{"en": "T-en"}, "de", message.TextChanged, "", "geändert", "changed"},
	} {
		t.Run(name, func(t *testing.T) {
			p := smstest.NewProvider(t, smstest.Answer(200, `{}`))
			options := smstest.Patient
			options.Custom.TemplateIDs = map[message.TextKind]map[string]string{message.TextCode: tt.ids}
			options.Custom.Data = map[string]string{"entity_id": "E-1"}
			g := smstest.NewHTTP(t, provider.RequestConfig{
				URL: p.URL, Body: smstest.Inline(`function(ctx) [ctx.template_id, ctx.data.entity_id, ctx.id, ctx.language, ctx.body]`),
			}, options)
			text := message.Text{
				ID: "text-1", Kind: tt.kind, Language: tt.reads, To: phone.FromStore(smstest.Number), Code: otp.CodeRef{Key: "n6.key"},
				Expires: smstest.Start.Add(5 * time.Minute), Validity: 5 * time.Minute,
			}
			m, err := composer.Compose(text)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := g.Send(t.Context(), m); err != nil {
				t.Fatal(err)
			}
			got := p.Got()[0].Body
			if !strings.Contains(got, `"`+tt.id+`",`) || !strings.Contains(got, `"E-1"`) || !strings.Contains(got, `"text-1"`) {
				t.Errorf("got %s, want the ids %q, E-1 and text-1", got, tt.id)
			}
			if !strings.Contains(got, tt.says) || strings.Contains(got, tt.otherwords) {
				t.Errorf("got %s, want %q and not %q", got, tt.says, tt.otherwords)
			}
		})
	}
}
