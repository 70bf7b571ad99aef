package template_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"

	"pgregory.net/rapid"

	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/smsgateway/segment"
	"github.com/holdline/holdline/smsgateway/smstest"
	"github.com/holdline/holdline/smsgateway/template"
)

const cyrillic = "Народная Кооперация" // 19 letters that GSM-7 has not

// chosen returns how a text was chosen, without what it takes.
func chosen(templates *template.Templates, kind message.TextKind, language string) (template.Wording, bool) {
	for _, f := range templates.Forms() {
		if f.Kind == kind && f.Language == language {
			return f.Wording, f.FillsIn
		}
	}
	return "", false
}

func TestBuiltInTextsMakeRoom(t *testing.T) {
	const full, short = template.FullWording, template.ShortWording
	long := strings.Repeat("a", 60) + ".example.com"
	for name, tt := range map[string]struct {
		change   func(*template.Options)
		kind     message.TextKind
		language string
		wording  template.Wording
		fillsIn  bool
	}{
		"as usual":                {func(*template.Options) {}, "code", "ta", full, true},
		"no host":                 {func(o *template.Options) { o.Host = "" }, "code", "ta", full, false},
		"longer product":          {func(o *template.Options) { o.Product = "Example Bank of All" }, "code", "ta", short, true},
		"long host":               {func(o *template.Options) { o.Host = long }, "code", "hi", full, false},
		"long host, English":      {func(o *template.Options) { o.Host = long }, "code", "en", short, true},
		"longer code":             {func(o *template.Options) { o.CodeLength = 10 }, "code", "hi", short, true},
		"long product and host":   {func(o *template.Options) { o.Product, o.Host = strings.Repeat("p", 50), long }, "code", "ta", short, false},
		"wide product":            {func(o *template.Options) { o.Product = cyrillic }, "code", "en", short, true},
		"two messages":            {func(o *template.Options) { o.Host, o.Segments = long, 2 }, "code", "hi", full, true},
		"notice":                  {func(*template.Options) {}, "changed", "hi", full, false},
		"notice with longer link": {func(o *template.Options) { o.LongestLink += strings.Repeat("x", 75) }, "changed", "hi", short, false},
	} {
		t.Run(name, func(t *testing.T) {
			options := bank()
			tt.change(&options)
			wording, fillsIn := chosen(newTemplates(t, options), tt.kind, tt.language)
			if wording != tt.wording || fillsIn != tt.fillsIn {
				t.Errorf("got %s, %t, want %s, %t", wording, fillsIn, tt.wording, tt.fillsIn)
			}
		})
	}
}

func TestEveryLanguageHasAllMessages(t *testing.T) {
	files, err := filepath.Glob("messages/*.json")
	if err != nil || len(files) != len(spoken) {
		t.Fatalf("got %d languages (%v), want %d", len(files), err, len(spoken))
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var m struct {
			Code                             map[string]string
			CodeShort, Changed, ChangedShort string
			Removed, RemovedShort, Taken     string
		}
		if err := json.Unmarshal(bytes.ReplaceAll(content, []byte("_short"), []byte("Short")), &m); err != nil {
			t.Fatal(err)
		}
		if m.CodeShort == "" || len(m.CodeShort) >= len(m.Code["other"]) || m.ChangedShort == "" || len(m.ChangedShort) >= len(m.Changed) {
			t.Errorf("%s: got %+v", file, m)
		}
		if m.Taken == "" || m.RemovedShort == "" || len(m.RemovedShort) >= len(m.Removed) {
			t.Errorf("%s: got %+v", file, m)
		}
	}
}

func TestBadTextsAreFoundAtStart(t *testing.T) {
	own := func(language string, kind message.TextKind, text string) func(*template.Options) {
		return func(o *template.Options) {
			o.Own = map[string]map[message.TextKind]string{language: {kind: text}}
		}
	}
	for name, tt := range map[string]struct {
		change func(*template.Options)
		want   string
	}{
		"no product":           {func(o *template.Options) { o.Product = "" }, "sms.product: must be a name on one line"},
		"product on lines":     {func(o *template.Options) { o.Product = "a\nb" }, "sms.product: must be a name on one line"},
		"product on more":      {func(o *template.Options) { o.Product = "a\u2028b" }, "sms.product: must be a name on one line"},
		"product is too long":  {func(o *template.Options) { o.Product = strings.Repeat("x", 54) }, "sms.product: is too long by 1 for the texts in ta"},
		"host is a URL":        {func(o *template.Options) { o.Host = "https://example.com" }, "public.base_url: "},
		"host has a port":      {func(o *template.Options) { o.Host = "example.com:4477" }, "public.base_url: "},
		"no notice can fit":    {func(o *template.Options) { o.NoticeSegments = 1 }, "sms.notice_segments: must be 2 for the texts in ar, hi, ja, si, ta"},
		"segments are few":     {func(o *template.Options) { o.Segments = -1 }, "sms.segments: must be from 1 to 10"},
		"segments are many":    {func(o *template.Options) { o.NoticeSegments = 11 }, "sms.notice_segments: must be from 1 to 10"},
		"code is too long":     {func(o *template.Options) { o.CodeLength = 11 }, "otp.length: must be at most 10"},
		"default is unknown":   {func(o *template.Options) { o.Default = "zh" }, `sms.default_language: "zh" has no text for code`},
		"default is nonsense":  {func(o *template.Options) { o.Default = "a b" }, `sms.default_language: "a b" has no text for code`},
		"default has half":     {func(o *template.Options) { own("nl", "code", "{{.Code}}")(o); o.Default = "nl" }, `sms.default_language: "nl" has no text for changed`},
		"language is nonsense": {own("xyzzy-1", "code", "{{.Code}}"), "sms.templates.xyzzy-1: is not a language"},
		"language twice": {func(o *template.Options) {
			o.Own = map[string]map[message.TextKind]string{"pt-BR": {}, "pt_BR": {}}
		}, "sms.templates.pt_BR: is the same language as pt-BR"},
		"no code":             {own("en", "code", "Your code."), "sms.templates.en.code: must say {{.Code}}"},
		"code in pieces":      {own("en", "code", "{{slice .Code 0 3}} {{slice .Code 3}}"), "sms.templates.en.code: must say {{.Code}}"},
		"code sometimes":      {own("en", "code", "{{if ne .Minutes 777}}{{.Code}}{{end}}!"), "sms.templates.en.code: must say {{.Code}}"},
		"no link":             {own("en_GB", "changed", "Changed."), "sms.templates.en_GB.changed: must say {{.Link}}"},
		"blank line":          {own("en", "code", "{{.Code}}\n\nBye."), "sms.templates.en.code: must not have blank lines"},
		"line of spaces":      {own("en", "code", "{{.Code}}\n \nBye."), "sms.templates.en.code: must not have blank lines"},
		"carriage return":     {own("en", "code", "{{.Code}}\r\nBye."), "sms.templates.en.code: must not have control characters"},
		"tab":                 {own("en", "code", "{{.Code}}\tBye."), "sms.templates.en.code: must not have control characters"},
		"unknown field":       {own("en", "code", "{{.Code}} {{.Number}}"), "sms.templates.en.code: cannot be filled in: "},
		"fault in the text":   {own("en", "code", "{{.Code}"), "sms.templates.en.code: cannot be read: "},
		"too long":            {own("en", "code", "{{.Code}} "+strings.Repeat("x", 130)), "sms.templates.en.code: is too long by 1: 161 characters in GSM-7, where 160 fit"},
		"too long for some":   {own("en", "code", "{{.Code}} {{if eq .Minutes 777}}"+strings.Repeat("x", 130)+"{{end}}"), "sms.templates.en.code: is too long by 1: "},
		"one letter costs":    {own("es", "code", "{{.Code}} es su código de {{.Product}} para este teléfono."), "sms.templates.es.code: is too long by 9: 79 characters in UCS-2, where 70 fit and the last line takes 24; without U+00F3 'ó' it would be GSM-7, where 160 fit"},
		"invisible character": {own("en", "code", "{{.Code}}\u200b is your {{.Product}} code to confirm a number"), "without U+200B it would be GSM-7"},
		"wide by nature":      {own("ru", "code", "{{.Code}} – ваш код, его никому не следует говорить"), "sms.templates.ru.code: is too long by 2: 72 characters in UCS-2, where 70 fit and the last line takes 24"},
		"notice too long":     {own("en", "changed", strings.Repeat("x", 395)+"{{.Link}}"), "sms.templates.en.changed: is too long by 1: 460 characters in GSM-7, where 459 fit"},
	} {
		t.Run(name, func(t *testing.T) {
			options := bank()
			tt.change(&options)
			if _, err := template.New(options); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

func TestEveryFaultIsReported(t *testing.T) {
	options := bank()
	options.Default = "zh"
	options.Own = map[string]map[message.TextKind]string{"de": {"code": "x", "changed": "x"}, "?": {}}
	_, err := template.New(options)
	for _, want := range []string{"sms.default_language", "sms.templates.de.code", "sms.templates.de.changed", "sms.templates.?"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

// The most that is promised: 40 UTF-16 units, the longest code, one message, in
// an alphabet that GSM-7 lacks.
func TestEveryProductOfFortyCharactersFits(t *testing.T) {
	for _, product := range []string{strings.Repeat("銀", 40), strings.Repeat("😀", 20)} {
		options := bank()
		options.Product, options.CodeLength, options.Segments, options.NoticeSegments = product, 10, 1, 10
		options.Host = strings.Repeat("long-name.", 8) + "example"
		if _, err := template.New(options); err != nil {
			t.Errorf("%q: %v", product, err)
		}
	}
}

// Whatever New accepts keeps its promises for every text, and it accepts
// every product of up to 40 characters with any host.
func TestNoTextLosesItsCodeOrGrows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		letters := rapid.SampledFrom([]rune("abc XYZ 129 äöü ñ€[] çó Дом 銀行 வங்கி ب 😀"))
		product := strings.TrimSpace(string(rapid.SliceOfN(letters, 1, 60).Draw(t, "product")))
		if product == "" {
			t.Skip()
		}
		options := template.Options{
			Product: product, Host: rapid.StringMatching(`([a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?\.){0,5}[a-z]{2,9}`).Draw(t, "host"),
			CodeLength: rapid.IntRange(4, 10).Draw(t, "code length"), Segments: rapid.IntRange(1, 3).Draw(t, "segments"),
			NoticeSegments: 10, LongestLink: link,
		}
		templates, err := template.New(options)
		if err != nil {
			if len(utf16.Encode([]rune(product))) <= 40 || !strings.HasPrefix(err.Error(), "sms.product: is too long") {
				t.Fatal(err)
			}
			t.Skip()
		}
		secret := rapid.StringMatching(`[0-9A-Z]{4,10}`).Draw(t, "code")
		secret = secret[:min(len(secret), options.CodeLength)]
		minutes := rapid.IntRange(1, 24*60).Draw(t, "minutes")
		for _, f := range templates.Forms() {
			got, err := templates.Render(f.Kind, f.Language, template.Data{Code: secret, Minutes: minutes, Link: link})
			if err != nil {
				t.Fatal(err)
			}
			said, filled := strings.CutSuffix(got, "\n@"+options.Host+" #"+secret)
			must := secret
			if f.Kind != message.TextCode {
				must = link
			}
			if filled != f.FillsIn || !strings.Contains(said, must) || !strings.Contains(said, product) {
				t.Fatalf("%+v: got %q", f, got)
			}
			if n := segment.Measure(got).Messages; n > f.Segments || f.Kind == message.TextCode && n > options.Segments {
				t.Fatalf("%+v: %q takes %d messages", f, got, n)
			}
		}
	})
}

const mark = "<!-- generated by: go test ./smsgateway/template -run Documented -update -->\n"

func TestTheBuiltInTextsAreDocumented(t *testing.T) {
	const name = "../../docs/sms.md"
	content, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	head, _, found := strings.Cut(string(content), mark)
	if !found {
		t.Fatalf("%s has lost its mark", name)
	}
	templates := newTemplates(t, bank())
	var table strings.Builder
	table.WriteString(head + mark + "| language | with a code | to the former number |\n|---|---|---|\n")
	for _, language := range templates.Languages() {
		said := strings.TrimSuffix(codeText(t, templates, language, 5), "\n@id.example.com #"+smstest.Code)
		row := "| `" + language + "` | " + said + " | " + strings.Replace(notice(t, templates, language), link, "LINK", 1) + " |"
		table.WriteString(strings.ReplaceAll(row, "\n", "<br>") + "\n")
	}
	if *smstest.Update {
		if err := os.WriteFile(name, []byte(table.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if string(content) != table.String() {
		t.Errorf("%s does not show the texts as they are: run `go test ./smsgateway/template -run Documented -update`", name)
	}
}
