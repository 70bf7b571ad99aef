package template_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/smsgateway/segment"
	"github.com/holdline/holdline/smsgateway/smstest"
	"github.com/holdline/holdline/smsgateway/template"
)

// link is as long as the links of notices are.
var link = "https://id.example.com/not-me/" + strings.Repeat("x", 35)

// bank returns the options of a usual operator.
func bank() template.Options {
	return template.Options{Product: "Example Bank", Host: "id.example.com", CodeLength: len(smstest.Code), LongestLink: link}
}

func newTemplates(t *testing.T, options template.Options) *template.Templates {
	t.Helper()
	templates, err := template.New(options)
	if err != nil {
		t.Fatal(err)
	}
	return templates
}

func codeText(t *testing.T, templates *template.Templates, language string, minutes int) string {
	t.Helper()
	text, err := templates.Render(message.TextCode, language, template.Data{Code: smstest.Code, Minutes: minutes})
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func notice(t *testing.T, templates *template.Templates, language string) string {
	t.Helper()
	text, err := templates.Render(message.TextChanged, language, template.Data{Link: link})
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// spoken is how each language says 1, 2, 5, 11, 100 and 1440 minutes.
var spoken = map[string][]string{
	"en": {"in 1 minute.", "in 2 minutes.", "in 5 minutes.", "in 11 minutes.", "in 100 minutes.", "in 1440 minutes."},
	"de": {"1 Minute.", "2 Minuten.", "5 Minuten.", "11 Minuten.", "100 Minuten.", "1440 Minuten."},
	"es": {"1 minuto.", "2 minutos.", "5 minutos.", "11 minutos.", "100 minutos.", "1440 minutos."},
	"fr": {"1 minute.", "2 minutes.", "5 minutes.", "11 minutes.", "100 minutes.", "1440 minutes."},
	"pt": {"1 minuto.", "2 minutos.", "5 minutos.", "11 minutos.", "100 minutos.", "1440 minutos."},
	"si": {"\nවිනාඩියක් ", "\nවිනාඩි 2ක් ", "\nවිනාඩි 5ක් ", "\nවිනාඩි 11ක් ", "\nවිනාඩි 100ක් ", "\nවිනාඩි 1440ක් "},
	"ta": {"\n1 நிமிடம் ", "\n2 நிமிடங்கள் ", "\n5 நிமிடங்கள் ", "\n11 நிமிடங்கள் ", "\n100 நிமிடங்கள் ", "\n1440 நிமிடங்கள் "},
	"hi": {"\n1 मिनट ", "\n2 मिनट ", "\n5 मिनट ", "\n11 मिनट ", "\n100 मिनट ", "\n1440 मिनट "},
	"ar": {" دقيقة واحدة\n", " دقيقتين\n", " 5 دقائق\n", " 11 دقيقة\n", " 100 دقيقة\n", " 1440 دقيقة\n"},
	"ja": {"\n1分間", "\n2分間", "\n5分間", "\n11分間", "\n100分間", "\n1440分間"},
}

func TestEveryLanguageFitsOneMessageWithTheLineThatFillsTheCodeIn(t *testing.T) {
	templates := newTemplates(t, bank())
	if got := len(templates.Languages()); got != len(spoken) {
		t.Errorf("got %d languages, want %d", got, len(spoken))
	}
	for language, phrases := range spoken {
		for i, minutes := range []int{1, 2, 5, 11, 100, 1440} {
			t.Run(fmt.Sprint(language, minutes), func(t *testing.T) {
				got := codeText(t, templates, language, minutes)
				said, filled := strings.CutSuffix(got, "\n@id.example.com #"+smstest.Code)
				if !filled || strings.Count(said, smstest.Code) != 1 || !strings.Contains(said, "Example Bank") {
					t.Errorf("got %q", got)
				}
				if !strings.Contains(got, phrases[i]) {
					t.Errorf("got %q, want it to say %q", got, phrases[i])
				}
				if m := segment.Measure(got); m.Messages != 1 {
					t.Errorf("%q takes %+v", got, m)
				}
			})
		}
	}
}

func TestNoticesSayTheLinkInTwoMessagesAtMost(t *testing.T) {
	templates := newTemplates(t, bank())
	for language := range spoken {
		got := notice(t, templates, language)
		if n := segment.Measure(got).Messages; n > 2 || !strings.HasSuffix(got, link) || !strings.Contains(got, "Example Bank") {
			t.Errorf("%s: got %q", language, got)
		}
	}
}

func TestEuropeanTextsAreGSM7(t *testing.T) {
	templates := newTemplates(t, bank())
	for _, language := range []string{"en", "de", "es", "fr", "pt"} {
		for _, text := range []string{codeText(t, templates, language, 5), notice(t, templates, language)} {
			if m := segment.Measure(text); m.Encoding != segment.GSM7 || m.Messages != 1 {
				t.Errorf("%q takes %+v", text, m)
			}
		}
	}
}

func TestTheLanguageThatComesNearest(t *testing.T) {
	options := bank()
	options.Own = map[string]map[message.TextKind]string{
		"de-CH": {message.TextCode: "Grüezi: {{.Code}}"},
		"en_GB": {message.TextCode: "Blimey: {{.Code}}"},
		"nl":    {message.TextCode: "Code: {{.Code}}"},
	}
	templates := newTemplates(t, options)
	options.Default = "fr"
	french := newTemplates(t, options)
	const english, german, dutch = "is your", "Ihr Code", "Code: 481516"
	for preferred, want := range map[string]string{
		"de": german, "de_AT": german, "de-AT-1996": german, "de-u-co-phonebk": german, "DE": german,
		"de-CH": "Grüezi", "de_ch": "Grüezi",
		"en": english, "en-US": english, "en-GB": "Blimey", "en-AU": "Blimey",
		"pt-BR": "use 481516", "pt-PT": "use 481516", "es-419": "clave", "ar-EG": "رمز", "hi": "कोड", "hi-Latn": english,
		"nl-BE": dutch, "zh,nl": dutch, "zh-Hant-TW,ja": "認証", "zh": english, "sr-Latn,zh": english,
		"": english, "und": english, "*": english, "not a language!": english, "C": english,
	} {
		if got := codeText(t, templates, preferred, 5); !strings.Contains(got, want) {
			t.Errorf("%q: got %q, want %q", preferred, got, want)
		}
	}
	for preferred, want := range map[string]string{"": "votre code", "zh": "votre code", "de": german} {
		if got := codeText(t, french, preferred, 5); !strings.Contains(got, want) {
			t.Errorf("%q, French otherwise: got %q, want %q", preferred, got, want)
		}
	}
	// A kind that the operator left alone is said in the next best language.
	for preferred, want := range map[string]string{"de-CH": "Mobilnummer", "nl": "mobile number"} {
		if got := notice(t, templates, preferred); !strings.Contains(got, want) {
			t.Errorf("notice, %q: got %q, want %q", preferred, got, want)
		}
	}
}

func TestOwnTexts(t *testing.T) {
	options := bank()
	options.Own = map[string]map[message.TextKind]string{
		"de": {message.TextChanged: "{{.Product}}{{.Code}}{{.Minutes}}: Nummer neu. {{.Link}}\n"},
		"fr": {message.TextCode: "\n{{.Product}}: {{.Code}}{{.Link}}, {{if eq .Minutes 1}}1 min{{else}}{{.Minutes}} mins{{end}}\n\n", message.TextChanged: ""},
	}
	templates := newTemplates(t, options)
	all := template.Data{Code: smstest.Code, Minutes: 5, Link: link, Product: "nobody's"}
	for _, tt := range []struct {
		kind           message.TextKind
		language, want string
	}{
		{message.TextChanged, "de", "Example Bank0: Nummer neu. " + link},
		{message.TextCode, "fr", "Example Bank: 481516, 5 mins\n@id.example.com #481516"},
		{"", "fr", "Example Bank: 481516, 5 mins\n@id.example.com #481516"},
		{message.TextChanged, "fr", "Example Bank : le numéro de mobile de votre compte a été modifié. Ce n'était pas vous ? " + link},
	} {
		if got, err := templates.Render(tt.kind, tt.language, all); err != nil || got != tt.want {
			t.Errorf("%s, %s: got %q, %v, want %q", tt.kind, tt.language, got, err, tt.want)
		}
	}
}

func TestThereAreNoNoticesWithoutLinks(t *testing.T) {
	options := bank()
	options.LongestLink = ""
	templates := newTemplates(t, options)
	if got, err := templates.Render(message.TextChanged, "en", template.Data{Link: link}); err == nil {
		t.Errorf("got %q", got)
	}
}

func TestTextsAreWrittenConcurrently(t *testing.T) {
	templates := newTemplates(t, bank())
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for language := range spoken {
				if _, err := templates.Render(message.TextCode, language, template.Data{Code: smstest.Code, Minutes: 2}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
}
