package smsgateway_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/holdline/holdline/claim"
	"github.com/holdline/holdline/smsgateway"
)

func TestTexts(t *testing.T) {
	for name, tt := range map[string]struct {
		options  smsgateway.TemplateOptions
		validity time.Duration
		language string
		want     string
	}{
		"plain": {
			validity: 5 * time.Minute,
			want:     "481516 is your Holdline code to confirm this number. It expires in 5 minutes.",
		},
		"browsers fill it in": {
			options: smsgateway.TemplateOptions{Host: "login.example.com"}, validity: 5 * time.Minute,
			want: "481516 is your Holdline code to confirm this number. It expires in 5 minutes.\n@login.example.com #481516",
		},
		"one minute": {
			validity: 119 * time.Second,
			want:     "481516 is your Holdline code to confirm this number. It expires in 1 minute.",
		},
		"never none": {
			validity: 5 * time.Second,
			want:     "481516 is your Holdline code to confirm this number. It expires in 1 minute.",
		},
		"a language":         {options: languages, validity: time.Minute, language: "de", want: "Holdline: 481516, 1 Min."},
		"its variety":        {options: languages, validity: time.Minute, language: "de-AT-1996", want: "Holdline: 481516, 1 Min."},
		"a variety's own":    {options: languages, validity: time.Minute, language: "de_ch", want: "Holdline: 481516, eis Min."},
		"unknown language":   {options: languages, validity: time.Minute, language: "fr", want: "Holdline: 481516"},
		"no language at all": {options: languages, validity: time.Minute, want: "Holdline: 481516"},
	} {
		t.Run(name, func(t *testing.T) {
			tt.options.Product = "Holdline"
			templates, err := smsgateway.NewTemplates(tt.options)
			if err != nil {
				t.Fatal(err)
			}
			got, err := templates.Render(claim.TextCode, tt.language, smsgateway.TextData{Code: code, Minutes: max(1, int(tt.validity/time.Minute))})
			if err != nil || got != tt.want {
				t.Errorf("got %q, %v, want %q", got, err, tt.want)
			}
		})
	}
}

var languages = smsgateway.TemplateOptions{Texts: map[string]string{
	"en":    "{{.Product}}: {{.Code}}\n",
	"de":    "{{.Product}}: {{.Code}}, {{.Minutes}} Min.",
	"de-CH": "{{.Product}}: {{.Code}}, eis Min.",
}}

func TestBadTextsAreFoundAtStart(t *testing.T) {
	english := func(text string) smsgateway.TemplateOptions {
		return smsgateway.TemplateOptions{Product: "Holdline", Texts: map[string]string{"en": text}}
	}
	for name, tt := range map[string]struct {
		options smsgateway.TemplateOptions
		want    string
	}{
		"no product":          {smsgateway.TemplateOptions{}, "product: "},
		"product on lines":    {smsgateway.TemplateOptions{Product: "a\nb"}, "product: "},
		"product is too long": {smsgateway.TemplateOptions{Product: strings.Repeat("x", 100)}, "texts.en: takes 2 messages (GSM-7)"},
		"product is too wide": {smsgateway.TemplateOptions{Product: "Дом"}, "texts.en: takes 2 messages (UCS-2)"},
		"host is a URL":       {smsgateway.TemplateOptions{Product: "Holdline", Host: "https://example.com"}, "host: "},
		"host has a port":     {smsgateway.TemplateOptions{Product: "Holdline", Host: "example.com:4477"}, "host: "},
		"no code":             {english("Your code."), "texts.en: must say {{.Code}}"},
		"code in the last line alone": {
			smsgateway.TemplateOptions{Product: "Holdline", Host: "example.com", Texts: map[string]string{"en": "Hello."}},
			"texts.en: must say {{.Code}}",
		},
		"blank line":         {english("{{.Code}}\n\nBye."), "texts.en: must not have blank lines"},
		"unknown field":      {english("{{.Code}} {{.Number}}"), "texts.en: the text's template fails"},
		"fault in the text":  {english("{{.Code}"), "texts.en: template"},
		"default is missing": {smsgateway.TemplateOptions{Product: "Holdline", Default: "de"}, "texts.de: is missing"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := smsgateway.NewTemplates(tt.options); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

func TestLongerTextsCanBeAllowed(t *testing.T) {
	options := smsgateway.TemplateOptions{Product: "Дом", Host: "example.com", Segments: 2}
	if _, err := smsgateway.NewTemplates(options); err != nil {
		t.Error(err)
	}
}

func TestSimulatorShowsTheNewestTexts(t *testing.T) {
	c := &clock{now: start}
	phone := smsgateway.NewSimulator(2, c.Now)
	for i := range 3 {
		m := message()
		m.ID = fmt.Sprint(i)
		if _, err := phone.Send(t.Context(), m); err != nil {
			t.Fatal(err)
		}
		c.move(time.Second)
	}
	got := phone.Texts()
	want := smsgateway.Received{To: number, Body: message().Body, At: start.Add(2 * time.Second), ID: "2"}
	if len(got) != 2 || got[0] != want || got[1].ID != "1" {
		t.Errorf("got %v", got)
	}
}

func TestMessagesPrintNoSecrets(t *testing.T) {
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		if got := fmt.Sprintf(verb, message()); strings.Contains(got, code) || strings.Contains(got, number) {
			t.Errorf("%s shows %s", verb, got)
		}
	}
}
