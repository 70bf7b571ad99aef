package provider_test

import (
	"bytes"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/smsgateway"
	"github.com/holdline/holdline/smsgateway/provider"
	"github.com/holdline/holdline/smsgateway/smstest"
)

// compareWays fails if a template that is prepared for a shape of message makes
// something else of one than it does by itself.
func compareWays(t interface {
	Helper()
	Fatalf(format string, args ...any)
}, source string, template provider.HandedOn, m smsgateway.Message, templateID string, data map[string]string,
) (prepared bool) {
	t.Helper()
	got, want, gotErr, wantErr, prepared := template.BothWays(m, templateID, data)
	if !bytes.Equal(got, want) || fmt.Sprint(gotErr) != fmt.Sprint(wantErr) {
		t.Fatalf("template %s\nfor %#v, template id %q, data %q\nprepared %t:\n%s (%v)\nalone:\n%s (%v)",
			source, reflect.ValueOf(m), templateID, data, prepared, got, gotErr, want, wantErr)
	}
	return prepared
}

// numbers, kinds and texts are what messages are drawn from: what JSON escapes, what
// jsonnet formats, what is no UTF-8, what marks might be taken for.
var (
	numbers = rapid.OneOf(rapid.StringMatching(`\+[1-9][0-9]{6,14}`), rapid.SampledFrom([]string{"", "+", "++49", "+ 1", "0171", "+\xff", "+\"\\"}), rapid.String())
	kinds   = rapid.SampledFrom([]message.TextKind{"", message.TextCode, message.TextChanged, message.TextRemoved})
	texts   = rapid.OneOf(
		rapid.String(), rapid.Just(""), rapid.StringMatching(`[\\"'$%{}<>&\n\t\r\x00-\x1f\x7f-\x9f +-]*`),
		rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) }),
		rapid.SampledFrom([]string{"ABCDEFGHIJKLMNOPQRSTUVWXYZ0", "%s %(to)s", "${ctx.body}", "\u2028\ufeff\ufffd", "\ud7ff\U0010ffff", "null", "1", "+"}),
	)
)

// messages fills all fields, those too that nobody has thought of here.
var messages = rapid.Custom(func(t *rapid.T) smsgateway.Message {
	m := smsgateway.Message{
		Kind: kinds.Draw(t, "kind"), To: phone.FromStore(numbers.Draw(t, "number")),
		Validity: time.Duration(rapid.IntRange(0, 3).Draw(t, "minutes")) * time.Minute,
	}
	fields := reflect.ValueOf(&m).Elem()
	for i := range fields.NumField() {
		if field := fields.Field(i); field.Type() == reflect.TypeFor[string]() {
			field.SetString(texts.Draw(t, fields.Type().Field(i).Name))
		}
	}
	return m
})

// expression draws an expression: most of them only hand on what differs between texts,
// some compute with it.
func expression(t *rapid.T, depth int) string {
	draw := func(options ...string) string { return rapid.SampledFrom(options).Draw(t, "choice") }
	leaf := func() string {
		return draw(
			"ctx.recipient", "ctx.body", "ctx.id", "ctx.template_data.to", "ctx.template_data.identity.id", "ctx['body']",
			"ctx.template_data.verification_code", "ctx.template_data.link", "ctx.template_data.expires_in_minutes", "ctx.language",
			"ctx.template_type", "ctx.template_id", "ctx.data.from", "ctx.data", "ctx.template_data", "ctx", "ctx.missing",
			"std.get(ctx.template_data, 'verification_code', '')", "std.get(ctx.template_data, 'link')", "std.get(ctx, 'body', ctx.id)",
			"std.lstripChars(ctx.recipient, '+')", "std.lstripChars(ctx.body, '+')", "x", "x.to", "f(ctx.body)", "f(1)", "self.a", "$.a",
			"'text'", "'\"\\n\u00e9'", "1", "null", "true", "[]", "{}", "error 'no'", "o.b", "g('a')",
		)
	}
	if depth == 0 {
		return leaf()
	}
	inner := func() string { return expression(t, depth-1) }
	switch rapid.IntRange(0, 15).Draw(t, "form") {
	case 0, 1:
		return leaf()
	case 2, 3, 4:
		return fmt.Sprintf("{a: %s, b%s %s}", inner(), draw(":", "::", "+:"), inner())
	case 5:
		return fmt.Sprintf("[%s, %s]", inner(), inner())
	case 6, 7, 8:
		return fmt.Sprintf("(%s + %s)", inner(), inner())
	case 9:
		return fmt.Sprintf("(if %s then %s else %s)", condition(t, inner), inner(), inner())
	case 10:
		return fmt.Sprintf("(local x = %s; %s)", inner(), inner())
	case 11:
		return fmt.Sprintf("{local o = %s, [if %s then 'a']: %s, c: %s}", inner(), condition(t, inner), inner(), inner())
	case 12:
		return fmt.Sprintf("%s.%s", inner(), draw("a", "b", "to", "body"))
	case 13:
		return fmt.Sprintf("(local f(y) = %s; %s)", strings.ReplaceAll(inner(), "x", "y"), inner())
	case 14:
		return fmt.Sprintf("std.%s(%s)", draw("toString", "length", "asciiUpper", "manifestJsonMinified", "md5", "isString"), inner())
	default:
		return fmt.Sprintf("std.%s(%s, %s)", draw("join", "get", "objectHas", "lstripChars", "member", "mergePatch", "equals"), inner(),
			draw("'body'", "'+'", inner()))
	}
}

func condition(t *rapid.T, inner func() string) string {
	switch rapid.IntRange(0, 5).Draw(t, "condition") {
	case 0:
		return "'link' in ctx.template_data"
	case 1:
		return "std.objectHas(ctx.template_data, 'verification_code')"
	case 2:
		return "ctx.template_type == 'verification_code_valid'"
	case 3:
		return "ctx.template_id != ''"
	case 4:
		return "ctx.recipient == ctx.template_data.to"
	default:
		return inner() + " == " + inner()
	}
}

// handsOnProperty holds for any template: whatever was prepared, each text is what it
// would be if it were the only one.
func handsOnProperty(met, prepared *atomic.Int64) func(t *rapid.T) {
	return func(t *rapid.T) {
		source := fmt.Sprintf("local x = {to: 'x'}, f(y) = [y], g(y) = y + 'z', o = {b: 'b'}; function(ctx) %s",
			expression(t, rapid.IntRange(1, 4).Draw(t, "depth")))
		form := rapid.Bool().Draw(t, "form")
		parsed, err := provider.ParseHandedOn(source, form)
		if err != nil {
			t.Skip(err) // such as self outside of an object
		}
		data := map[string]string{"from": texts.Draw(t, "from")}
		templateID := rapid.SampledFrom([]string{"", "t1"}).Draw(t, "template id")
		first := messages.Draw(t, "message")
		again := messages.Draw(t, "again") // of the same shape
		again.Kind, again.Validity, again.Written = first.Kind, first.Validity, first.Written
		for _, m := range []smsgateway.Message{first, again, messages.Draw(t, "other")} {
			met.Add(1)
			if compareWays(t, source, parsed, m, templateID, data) {
				prepared.Add(1)
			}
		}
	}
}

func TestTextsAreTheSameWhetherPreparedOrEvaluated(t *testing.T) {
	var met, prepared atomic.Int64
	rapid.Check(t, handsOnProperty(&met, &prepared))
	t.Logf("%d of %d messages by what was prepared", prepared.Load(), met.Load())
	if prepared.Load()*10 < met.Load() {
		t.Errorf("only %d of %d messages show anything", prepared.Load(), met.Load())
	}
}

func FuzzTextsAreTheSameWhetherPreparedOrEvaluated(f *testing.F) {
	f.Fuzz(rapid.MakeFuzz(handsOnProperty(new(atomic.Int64), new(atomic.Int64))))
}

// Every character is escaped as jsonnet escapes it.
func TestPreparedTextsEscapeAsJsonnetDoes(t *testing.T) {
	const source = "function(ctx) ctx.body"
	template, err := provider.ParseHandedOn(source, false)
	if err != nil {
		t.Fatal(err)
	}
	for from := rune(0); from <= 0x10ffff; from += 0x2000 {
		if from == 0x20000 {
			from = 0xe0000 // what lies between are ideographs and nothing
		}
		var all []rune
		for r := from; r < from+0x2000; r++ {
			all = append(all, r)
		}
		m := smstest.NewMessage()
		m.Body = string(all)
		if !compareWays(t, source, template, m, "", nil) {
			t.Fatal("was evaluated")
		}
	}
}

// What most operators paste needs no interpreter for each text.
func TestWhichTemplatesAreEvaluatedOnce(t *testing.T) {
	type known struct {
		name, source string
		form, want   bool
	}
	all := []known{
		{name: "to and body", source: `function(ctx) { to: ctx.recipient, text: ctx.body }`, want: true},
		{name: "as Kratos' own stub", want: true, source: `function(ctx) {
			recipient: ctx.recipient, template_type: ctx.template_type, body: ctx.body,
			to: if "template_data" in ctx && "to" in ctx.template_data then ctx.template_data.to else null,
			code: if "template_data" in ctx && "verification_code" in ctx.template_data then ctx.template_data.verification_code else null,
		}`},
		{name: "form", form: true, source: `function(ctx) { To: ctx.recipient, From: "+15005550006", Body: ctx.body }`, want: true},
		{name: "code or notice", want: true, source: `function(ctx) {
			to: ctx.recipient, code: std.get(ctx.template_data, 'verification_code', ''),
			text: if ctx.template_type == 'verification_code_valid' then 'Code: ' + ctx.template_data.verification_code else ctx.body,
		}`},
		{name: "whole context", source: `function(ctx) { given: ctx }`, want: true},
		{name: "no context", source: `{ ping: true }`, want: true},
		{name: "text beside an object", source: `function(ctx) 'x' + { a: ctx.body }`},
		{name: "object beside a text", source: `function(ctx) { a: ctx.body } + 'x'`},
		{name: "one kind or the other", source: `function(ctx) (if ctx.template_id == '' then 'x' else { a: ctx.body }) + 'y'`},
		{name: "adds to what it inherits", source: `function(ctx) { a: 'x' } + { a+: { b: ctx.body } }`},
		{name: "name of a field", source: `function(ctx) { [ctx.body]: 1, Z: 2, z: 3 }`},
		{name: "field by a value", source: `function(ctx) { Z: 1, [ctx.template_type]: ctx.body }[ctx.template_type]`},
		{name: "minutes", source: `function(ctx) [std.get(ctx.template_data, 'expires_in_minutes', 0) + 1, ctx.body]`, want: true},
		{name: "computes", source: `function(ctx) { to: ctx.recipient, text: std.substr(ctx.body, 0, 160) }`},
		{name: "decides by the number", source: `function(ctx) { to: if ctx.recipient == '' then 'x' else ctx.recipient }`},
	}
	once := []string{"africastalking", "clickatell", "infobip", "msg91", "plivo", "smsapi", "telnyx"}
	for _, preset := range append(once, "alibaba", "fast2sms") {
		source, form, err := provider.PresetBody(preset)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, known{name: preset, source: source, form: form, want: slices.Contains(once, preset)})
	}
	data := map[string]string{"from": "Holdline", "username": "holdline", "sign_name": "Holdline", "entity_id": "1101"}
	for _, tt := range all {
		t.Run(tt.name, func(t *testing.T) {
			template, err := provider.ParseHandedOn(tt.source, tt.form)
			if err != nil {
				t.Fatal(err)
			}
			for _, kind := range []message.TextKind{message.TextCode, message.TextChanged} {
				m := smstest.NewMessage()
				if m.Kind = kind; kind == message.TextChanged {
					m.Code, m.Link = "", "https://example.org/not-me/1"
				}
				if got := compareWays(t, tt.source, template, m, "t1", data); got != tt.want {
					t.Errorf("evaluated once: got %t, want %t", got, tt.want)
				}
				for _, to := range []string{"", "+", "++49", "0171", "+\xff\xfe", `+"\`} {
					m.To = phone.FromStore(to)
					compareWays(t, tt.source, template, m, "t1", data)
				}
				for _, body := range []string{"", "a\xff\xfe\xffb", "\"\\\n\u0085", "\xf0\x9f", "Za"} {
					m.Body, m.Validity = body, m.Validity+time.Minute
					compareWays(t, tt.source, template, m, "t1", data)
				}
			}
		})
	}
}

// Shapes that nobody foresaw cost time, not memory.
func TestOnlySoManyShapesAreKept(t *testing.T) {
	const source = "function(ctx) [ctx.language, ctx.body]"
	template, err := provider.ParseHandedOn(source, false)
	if err != nil {
		t.Fatal(err)
	}
	prepared := 0
	for i := range 600 {
		m := smstest.NewMessage()
		m.Written = fmt.Sprint("x-", i)
		if compareWays(t, source, template, m, "", nil) {
			prepared++
		}
	}
	if prepared != 512 {
		t.Errorf("got %d", prepared)
	}
}

func BenchmarkTemplate(b *testing.B) {
	p := smstest.NewMessage()
	template, err := provider.ParseHandedOn(`function(ctx) { to: ctx.recipient, text: ctx.body, code: std.get(ctx.template_data, 'verification_code', '') }`, false)
	if err != nil {
		b.Fatal(err)
	}
	for name, render := range map[string]func(smsgateway.Message) ([]byte, error){"prepared": template.Render, "evaluated": template.Evaluate} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := render(p); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
